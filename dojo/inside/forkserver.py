"""A warm interpreter that has seen no student's code; each test's process is a fork of it.

A fork costs a millisecond or two where a new interpreter with urllib.request costs a hundred. The judge holds
the other end of the control socket; when that end closes, for whatever reason, every process ends with it.
"""

from __future__ import annotations

import gc
import importlib
import os
import resource
import select
import signal
import site
import socket
import sys
import time
from contextlib import suppress
from json import dumps, loads
from typing import Any

from dojo.inside import child, confine, guard
from dojo.inside.sweep import sweep

MEMORY = 2 * 1024**3
"""Bytes of address space a student's process may have; above it Python raises MemoryError."""

FILE_SIZE = 256 * 1024**2
"""Bytes a file that the student's code writes may have."""

OPEN_RULES: confine.Rules = {"limits": {"memory": MEMORY, "file_size": FILE_SIZE}, "alone": False}
"""Without a sandbox: what keeps a student's own machine from coming to a standstill."""


class Server:
    """The warm interpreter's own state: the processes it has started, and one forked ahead that waits for work."""

    def __init__(self, control: socket.socket, rules: confine.Rules | None) -> None:
        self._control = control
        self._confined = rules is not None
        self._rules = rules or OPEN_RULES
        self._guard: guard.Guard | None = None
        if rules is not None:
            self._guard = guard.Guard(rules["limits"], rules["counted"])
        self._why: dict[int, str] = {}
        """By process: the limit for which it was ended, until the judge asks."""
        self._started: set[int] = set()
        self._spare: tuple[int, socket.socket] | None = None

    def serve(self) -> None:
        """Follow the judge's orders until it closes its end."""
        while True:
            self._watch()
            data, fds, _, _ = socket.recv_fds(self._control, 1 << 20, 8)
            if not data:
                break
            order = loads(data)
            if order["do"] == "prepare":
                _import(_scout(order["subject"]))  # the first order: nothing has been forked yet
            elif order["do"] == "preload":
                self._drop_spare()
                _preload(order["names"], order["subject"])
            elif order["do"] == "interrupt":
                with suppress(ProcessLookupError):
                    os.kill(order["pid"], signal.SIGINT)
            elif order["do"] == "start":
                self._reply(self._start(data, fds))
            else:
                self._started.discard(order["pid"])
                status = self._end(order["pid"])
                for folder in self._rules.get("swept", ()):
                    sweep(folder, order.get("keep", ()))
                if order["do"] == "end":  # and not "release", where nobody waits for the answer
                    self._reply({"status": status, "why": self._why.pop(order["pid"], "")})
                if not order["last"]:
                    self._fork_ahead()
        for pid in list(self._started):
            self._end(pid)
        for folder in self._rules.get("swept", ()):
            sweep(folder)

    def _watch(self) -> None:
        """Until the next order comes: look after the limits that all processes have together."""
        while self._guard is not None and self._started:
            if select.select([self._control], [], [], guard.EVERY)[0]:
                return
            why = self._guard.exceeded()
            if why:
                self._why |= dict.fromkeys(self._started, why)
                self._kill_all()

    def _kill_all(self) -> None:
        """End all that has been started, and what that has started. Their parent still waits for them."""
        # Where whatever this process may signal is of this sandbox, the kernel ends them all at once: nothing forks
        # out of its reach.
        for pid in [-1] if self._rules["alone"] else guard.descendants(os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _end(self, pid: int) -> int:
        if not self._rules["alone"]:
            status = _end(pid)
            _end_orphans(self._started)
            return status
        self._drop_spare()
        self._kill_all()
        statuses = {}
        with suppress(ChildProcessError):
            while True:
                ended, status = os.waitpid(-1, 0)
                statuses[ended] = os.waitstatus_to_exitcode(status)
        self._started.clear()
        return statuses.get(pid, -signal.SIGKILL)

    def _reply(self, reply: dict[str, Any]) -> None:
        with suppress(OSError):  # the judge is gone: the next order is its end
            self._control.send(dumps(reply).encode("ascii"))

    def _fork_ahead(self) -> None:
        # While the judge looks at an answer, the process for its next test is forked on another core.
        if self._spare is not None:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            self._control.close()
            ours.close()
            _become_student(theirs, self._rules, confined=self._confined)
        theirs.close()
        self._spare = (pid, ours)
        self._started.add(pid)

    def _drop_spare(self) -> None:
        if self._spare is not None:
            pid, sock = self._spare
            sock.close()
            _end(pid)
            self._started.discard(pid)
            self._spare = None

    def _start(self, order: bytes, fds: list[int]) -> dict[str, Any]:
        self._fork_ahead()
        assert self._spare is not None
        (pid, sock), self._spare = self._spare, None
        with sock:
            trouble = sock.recv(1 << 12) if self._confined else READY
            if trouble == READY:
                socket.send_fds(sock, [order], fds)
        for fd in fds:
            os.close(fd)
        if trouble != READY:  # no student's code has run in it
            return {"trouble": f"a process could not be confined: {trouble.decode('ascii', 'replace')}"}
        return {"pid": pid}


def main(control_fd: int, rules: confine.Rules | None = None) -> None:
    """Serve the judge: `start`, `end`, `release`, `preload`. Ends when the judge closes its end. With rules, this
    process and all that come from it are confined."""
    site.setquit()  # exit() and quit(), which -S leaves out
    site.sethelper()
    _adopt_orphans()
    gc.disable()  # a collection in the parent would touch, and so copy, pages that are shared with every child
    gc.freeze()
    with socket.socket(fileno=control_fd) as control:
        if rules is not None:
            confine.server(rules)
        Server(control, rules).serve()
    os._exit(0)  # nothing is left to tidy, and the judge waits for this end


MOST_ALIKE = 24
"""Interpreters that the nursery keeps, each with other modules loaded."""


def nursery(control_fd: int) -> None:
    """For each name of a student's file that comes with a socket, a fork server that has loaded what the file imports
    and no more, as if it had just started. It is forked of an interpreter that is kept for the next file that imports
    the same modules."""
    importlib.import_module("ast")  # for every scout; it brings nothing that a file could use without importing it
    alike: dict[frozenset[str], socket.socket] = {}
    with socket.socket(fileno=control_fd) as control:
        while True:
            subject, fds, _, _ = socket.recv_fds(control, 1 << 16, 1)
            if not subject:
                os._exit(0)
            names = frozenset(_scout(os.fsdecode(subject)))
            with suppress(KeyError, OSError):
                socket.send_fds(alike[names], [b"fork"], fds)
                os.close(fds[0])
                continue
            if len(alike) >= MOST_ALIKE:
                alike.pop(next(iter(alike))).close()
            alike[names], theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            if os.fork() == 0:
                control.close()
                for each in alike.values():
                    each.close()
                _import(sorted(names))
                _fork_servers(theirs, fds[0])
            theirs.close()
            os.close(fds[0])


def _fork_servers(control: socket.socket, first: int) -> None:
    """A fork server for this socket, and for each that comes after it. Never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: the judge sees their sockets close
    fds = [first]
    while fds:
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            control.close()
            main(fds[0])
        os.close(fds[0])
        _, fds, _, _ = socket.recv_fds(control, 16, 1)
    os._exit(0)


NETWORK = frozenset(("asyncio", "http.client", "poplib", "smtplib", "socket", "socketserver", "urllib.request"))
"""Modules by which a program names hosts."""

SCOUT_DEADLINE = 2.0
"""Seconds that reading a file's imports may take."""


def _preload(names: list[str], subject: str) -> None:
    # A process of its own has loaded this file without harm, so it can be compiled here, once for all.
    with open(subject, "rb") as file:
        source = file.read()
    child.compiled[source] = compile(source, subject, "exec", dont_inherit=True)
    _import(names)


def _scout(subject: str) -> list[str]:
    """The modules that the file imports unconditionally, read from its source without running it. A process of its
    own reads, as a hostile source may crash even the parser."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            import ast

            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            with open(subject, "rb") as file:
                nodes = ast.parse(file.read()).body
            names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
            for node in nodes:
                if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            os.write(writing, dumps([name for name in names if name in child.WARM]).encode("ascii"))
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answers:
        ready = select.select([answers], [], [], SCOUT_DEADLINE)[0]
        answer = answers.read(1 << 16) if ready else b""
    _end(pid)
    return [str(name) for name in loads(answer)] if answer else []


def _import(names: list[str]) -> None:
    for name in names:
        if name in child.WARM:  # the list comes from a process that has seen a student's file
            with suppress(ImportError):
                importlib.import_module(name)
    if not NETWORK.isdisjoint(names):
        importlib.import_module("encodings.idna")  # socket itself does so when it is given the first name of a host
    gc.freeze()


def _end(pid: int) -> int:
    """End the process, its group and what it left behind; how it ended, as os.waitstatus_to_exitcode tells."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)  # it may not have had the time to make a group of its own
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _adopt_orphans() -> None:
    """A process that detached itself (a double fork, setsid) becomes a child of this one when its parent ends,
    and not of init (prctl(2), PR_SET_CHILD_SUBREAPER), so that it can be found."""
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)


def _end_orphans(started: set[int]) -> None:
    """End every child that the judge did not ask for, and theirs, until none is left."""
    while True:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
            strays = {int(pid) for pid in children.read().split()} - started
        if not strays:
            return
        for pid in strays:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in strays:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


READY = b"ready"


def _become_student(orders: socket.socket, rules: confine.Rules, *, confined: bool) -> None:
    """Wait for the order to start, then be the student's process. Never returns."""
    try:
        if confined:
            try:
                confine.student(rules)
            except Exception as error:
                orders.send(ascii(error).encode("ascii"))
                raise
            orders.send(READY)
        data, fds, _, _ = socket.recv_fds(orders, 1 << 20, 8)
        if not data:
            os._exit(0)  # not needed any more
        orders.close()
        order = loads(data)
        if not order["foreground"]:
            os.setsid()  # a group of its own: ended as a whole, and Ctrl-C does not reach it
        calls, watch, *standard = fds
        for fd, number in zip(standard, (0, 1, 2), strict=True):
            os.dup2(fd, number)
            os.close(fd)
        if not confined:
            confine.limit(rules["limits"])
        gc.enable()
        os.environ.clear()
        os.environ.update(order["environment"])
        time.tzset()  # else the C library keeps the zone that was right when it was asked first
        os.chdir(order["folder"])
        child.run(socket.socket(fileno=calls), socket.socket(fileno=watch), order["subject"])
    except BaseException as error:
        # Only the machinery can arrive here; the judge sees the closed conversation and this last word.
        sys.stderr.write(f"the student's process could not start: {type(error).__name__}: {error}\n")
    finally:
        os._exit(70)
