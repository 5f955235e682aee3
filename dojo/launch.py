"""Starting a student's process: a fork of a warm interpreter on Linux, a new interpreter elsewhere.

Both give the same thing, a Running: a socket for calls, one for the watcher, and the end from which all that
the process prints can be read.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from json import dumps, loads
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from dojo import places

ROOT = Path(__file__).resolve().parent.parent

# Isolated from the user's settings and folders (-I), the standard library only (-S), no __pycache__ beside the
# student's file (-B), what is printed is there at once even if the process is killed (-u), UTF-8 everywhere.
FLAGS = ("-I", "-S", "-B", "-u", "-X", "utf8")

START_DEADLINE = 20.0
"""Seconds that an interpreter may take to start; generous, as a loaded machine is no fault of the student's."""


class LaunchError(Exception):
    """The student's process could not be started: a trouble of this machine, not of the student's file."""


@dataclass
class Running:
    """A student's process that has been started."""

    calls: socket.socket
    watch: socket.socket
    output: BinaryIO | None
    pid: int
    keyboard: BinaryIO | None = None
    """What is written here, the process reads as its standard input; without it, there is nothing to read."""
    why: str = ""
    """Once it has been ended: the limit for which it was, `memory`, `processes` or `space`."""


class Cell(Protocol):
    """What a fork server is kept in; see dojo/sandbox/cell.py."""

    def command(self, python: str) -> list[str]:
        """The words of the command line that start this interpreter inside."""

    def rules(self) -> dict[str, Any]:
        """What the fork server and the students' processes give up; see dojo/inside/confine.py."""


cell: Cell | None = None
"""The sandbox of this process: every fork server that it starts is kept in it."""


class Launcher(Protocol):
    """What starts and ends students' processes for one student's file."""

    last: bool
    """Whether the process that is ended next is the last one: then none is made ahead of the next test."""

    def start(self, subject: Path, environment: dict[str, str], folder: Path, *, keyboard: bool = False) -> Running:
        """Start a process for the file. Raises LaunchError."""

    def preload(self, names: Iterable[str], subject: Path) -> None:
        """Do ahead of later processes, if that saves time here, what one process has done without harm: load
        these modules of the standard library, compile this file."""

    def interrupt(self, running: Running) -> None:
        """Send it the signal that Ctrl-C does (SIGINT)."""

    def end(self, running: Running) -> int:
        """End the process and all that it started. Its exit code, or minus the signal that ended it."""

    def release(self, running: Running) -> None:
        """End a process that has come to its end, and all that it started, soon: nobody waits for it."""

    def close(self) -> None:
        """End everything."""


def _code(module: str, call: str) -> str:
    # Where it may, it keeps the compiled form of our own modules, and from then on of nothing else.
    ours = f"sys.dont_write_bytecode = False; sys.path.insert(0, {str(ROOT)!r}); from dojo.inside import {module}"
    return f"import sys; {ours}; del sys.path[0]; sys.dont_write_bytecode = True; {call}"


def _python(python: str, function: str, theirs: socket.socket, foreground: bool = False) -> subprocess.Popen[bytes]:
    """A new interpreter that runs this function of dojo.inside.forkserver with the socket's descriptor; in the
    sandbox, if there is one."""
    command, rules = [python], ""
    if cell is not None:
        command, rules = cell.command(python), f", {cell.rules()!r}"
    return subprocess.Popen(
        [*command, *FLAGS, "-c", _code("forkserver", f"forkserver.{function}({theirs.fileno()}{rules})")],
        stdin=None if foreground else subprocess.DEVNULL,
        pass_fds=(theirs.fileno(),),
        start_new_session=not foreground,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
    )


class Nursery:
    """An interpreter of which fork servers are forked, where many files are judged one after the other. What several
    of them import alike is loaded once."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._server = _python(sys.executable, "nursery", theirs)

    def fork(self, theirs: socket.socket, subject: Path) -> None:
        """Have a fork server made for this file that serves the other end of this socket."""
        try:
            socket.send_fds(self._control, [os.fsencode(subject)], [theirs.fileno()])
        except OSError as error:
            raise LaunchError(f"the interpreter of the fork servers is gone: {error}") from error


nursery: Nursery | None = None
"""Set in a warm interpreter alone (dojo.warm)."""


class ForkServer:
    """Processes forked from one interpreter that has loaded what the student's file loads, and no more."""

    def __init__(self, python: str, subject: Path, foreground: bool = False) -> None:
        self._python = python
        self._subject = subject
        self._foreground = foreground
        self._met_student = False
        self.last = False
        self._open()

    def _open(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(START_DEADLINE)
        self._server: subprocess.Popen[bytes] | None = None
        with theirs:
            if cell is None and nursery is not None and self._python == sys.executable and not self._foreground:
                nursery.fork(theirs, self._subject)
            else:
                self._server = _python(self._python, "main", theirs, self._foreground)
                self._tell({"do": "prepare", "subject": str(self._subject)})

    def _again(self) -> None:
        # A student's code has found a way to end or to starve it: that test is lost, and the next one starts anew.
        assert self._server is not None
        self._server.kill()
        self.close()
        self._met_student = False
        self._open()

    def start(self, subject: Path, environment: dict[str, str], folder: Path, *, keyboard: bool = False) -> Running:
        """Fork, and hand over the other ends of the sockets and of the pipe."""
        calls, their_calls = socket.socketpair()
        watch, their_watch = socket.socketpair()
        ours, keys = None, None
        theirs, standard = [], [0, 1, 2]
        if not self._foreground:
            reading, writing = os.pipe()
            ours = os.fdopen(reading, "rb", buffering=0)
            if keyboard:
                nothing, typing = os.pipe()
                keys = os.fdopen(typing, "wb", buffering=0)
            else:
                nothing = os.open(os.devnull, os.O_RDONLY)
            theirs = [nothing, writing]
            standard = [nothing, writing, writing]
        order = {
            "do": "start",
            "subject": str(subject),
            "environment": environment,
            "folder": str(folder),
            "foreground": self._foreground,
        }
        handed = [their_calls.fileno(), their_watch.fileno(), *standard]
        try:
            try:
                reply = self._ask(order, handed)
            except LaunchError:
                if cell is None or not self._met_student:
                    raise
                self._again()
                reply = self._ask(order, handed)
            self._met_student = True
        finally:
            their_calls.close()
            their_watch.close()
            for fd in theirs:
                os.close(fd)
        return Running(calls, watch, ours, reply["pid"], keys)

    def preload(self, names: Iterable[str], subject: Path) -> None:
        """Tell the server; it does not answer."""
        self._tell({"do": "preload", "names": list(names), "subject": str(subject)})

    def interrupt(self, running: Running) -> None:
        """Have the server do it: in a sandbox, the process has its number in there alone."""
        self._tell({"do": "interrupt", "pid": running.pid})

    def end(self, running: Running) -> int:
        """Have the server end it: only a parent can wait for its children."""
        try:
            order = {"do": "end", "pid": running.pid, "keep": sorted(places.places.in_use), "last": self.last}
            reply = self._ask(order, [])
        except LaunchError:
            if cell is None:
                raise
            self._again()
            return -signal.SIGKILL
        running.why = str(reply["why"])
        return int(reply["status"])

    def release(self, running: Running) -> None:
        """Have the server end it while the judge goes on. Its next order is carried out after this one. In a sandbox,
        the judge waits until what the process has left is gone: it may have filled the folders."""
        if cell is not None:
            self.end(running)
            return
        self._tell({"do": "release", "pid": running.pid, "last": self.last})

    def _tell(self, order: dict[str, Any]) -> None:
        with suppress(OSError):  # a server that is gone is found by the next question
            self._control.send(dumps(order).encode("ascii"))

    def _ask(self, order: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        try:
            socket.send_fds(self._control, [dumps(order).encode("ascii")], fds)
            answer = self._control.recv(1 << 16)
        except OSError as error:
            raise LaunchError(f"the interpreter that starts the student's processes is gone: {error}") from error
        if not answer:
            raise LaunchError("the interpreter that starts the student's processes ended by itself")
        reply: dict[str, Any] = loads(answer)
        if "trouble" in reply:
            raise LaunchError(reply["trouble"])
        return reply

    def close(self) -> None:
        """Close our end of the control socket, at which the server ends."""
        self._control.close()  # the server sees the end, ends its children and then itself
        if self._server is None:
            return
        descriptor = os.pidfd_open(self._server.pid)  # Popen.wait with a deadline looks again and again
        try:
            if not select.select([descriptor], [], [], START_DEADLINE)[0]:
                self._server.kill()
        finally:
            os.close(descriptor)
        self._server.wait()


class Spawner:
    """A new interpreter for each process: slower, and the only way where fork is not safe or not there."""

    def __init__(self, python: str, foreground: bool = False) -> None:
        self._python = python
        self._foreground = foreground
        self.last = False
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, subject: Path, environment: dict[str, str], folder: Path, *, keyboard: bool = False) -> Running:
        """Start an interpreter and wait until it has knocked twice, with the token that it was given."""
        token = os.urandom(16).hex()
        with socket.create_server(("127.0.0.1", 0)) as meeting:
            meeting.settimeout(START_DEADLINE)
            port = meeting.getsockname()[1]
            process = subprocess.Popen(
                [self._python, *FLAGS, "-c", _code("spawned", f"spawned.main({port}, {token!r}, {str(subject)!r})")],
                stdin=None if self._foreground else subprocess.PIPE if keyboard else subprocess.DEVNULL,
                stdout=None if self._foreground else subprocess.PIPE,
                stderr=None if self._foreground else subprocess.STDOUT,
                bufsize=0,
                cwd=folder,
                env=environment,
                start_new_session=not self._foreground,
            )
            self._processes[process.pid] = process
            met: dict[str, socket.socket] = {}
            while len(met) < 2:
                try:
                    sock = meeting.accept()[0]
                except TimeoutError as error:
                    self.end(Running(meeting, meeting, None, process.pid))
                    raise LaunchError("the student's process did not start in time") from error
                sock.settimeout(START_DEADLINE)
                claimed, _, purpose = sock.makefile("rb").readline(100).decode("ascii", "replace").partition(" ")
                if claimed == token and purpose.strip() in ("calls", "watch"):
                    met[purpose.strip()] = sock
                else:
                    sock.close()
        output, keys = cast("BinaryIO | None", process.stdout), cast("BinaryIO | None", process.stdin)
        return Running(met["calls"], met["watch"], output, process.pid, keys)

    def preload(self, names: Iterable[str], subject: Path) -> None:
        """Nothing: each process is a new interpreter."""

    def interrupt(self, running: Running) -> None:
        """Send the signal."""
        with suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGINT)

    def end(self, running: Running) -> int:
        """End the process and its group."""
        process = self._processes.pop(running.pid)
        if os.name == "posix" and not self._foreground:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, 9)
        process.kill()
        return process.wait()

    def release(self, running: Running) -> None:
        """End it now: there is nobody else to do it."""
        self.end(running)

    def close(self) -> None:
        """End what is still running."""
        for pid in list(self._processes):
            self._processes[pid].kill()
            self._processes.pop(pid).wait()


def launcher(subject: Path, python: str = sys.executable, foreground: bool = False) -> Launcher:
    """The launcher for this file on this machine. It loads ahead, if that saves time here, what the file imports: read
    from its source, nothing of it run. DOJO_LAUNCH=spawn chooses the portable one, to try it on Linux."""
    if sys.platform == "linux" and os.environ.get("DOJO_LAUNCH") != "spawn":
        return ForkServer(python, subject, foreground)
    return Spawner(python, foreground)
