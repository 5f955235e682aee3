"""Runs of pytest from an interpreter that has loaded it, and collected a kata's tests, already: each run is a fork.

    the judge ── warm interpreter ─┬─ a kata's tests, collected ─┬─ keeper of a run ── the run
                                   └─ another kata's             └─ keeper of a run ── the run

The judge sends an order down this tree with the socket for its reply; any number of runs go on at once. The
interpreters hold nothing of any student's: a run judges, and the student's code is in a process of its own below that.
Where fork is not safe, each run is a new interpreter.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from dojo import hints, launch
from dojo.catalog import Kata
from dojo.launch import ROOT
from dojo.result import kata_of

if TYPE_CHECKING:
    import pytest

ENVIRONMENT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

AHEAD = (
    *("dojo.plugin", "dojo.fakes.http", "dojo.fakes.pop3", "dojo.fakes.raw", "dojo.fakes.smtp", "dojo.fakes.tls"),
    *("dojo.server", "dojo.sandbox.cell", "trustme"),
    # What others load when they are first used: socket for the name of a host, cryptography for a key.
    *("encodings.idna", "cryptography.hazmat.backends.openssl.backend"),
)
"""Modules that the warm interpreter loads once, for every run."""

Sandbox = dict[str, Any]
"""What a run is kept in, as plain data: level, limits, folder, subject; see dojo/sandbox/cell.py."""

COLLECTED = 3
"""Katas whose tests are kept collected: those that many threads judge by at the same time."""

FREE = b"."
"""What a keeper says when its run has ended."""

Message = tuple[bytes, list[int]]
"""An order as it is passed on: its JSON, and the descriptor of the socket for the reply."""


class _Shared:
    """The interpreter of all threads that judge in this process."""

    lock = threading.Lock()
    interpreter: Interpreter | None = None


def run_pytest(collecting: list[str], choices: dict[str, str], log: Path, deadline: float) -> int | None:
    """Run pytest on the tests that the arguments `collecting` name, with the options `choices` of dojo.plugin; what
    it prints goes into the file `log`.

    Its exit code, minus the signal that ended it, or None when it had not ended after `deadline` seconds.
    """
    if sys.platform != "linux":
        return _run_cold(collecting, choices, log, deadline)
    with _Shared.lock:
        interpreter = _Shared.interpreter = _Shared.interpreter or Interpreter()
    return interpreter.run(collecting, choices, log, deadline)


def stop_pytest() -> None:
    """End every run that is under way in this process; a thread that waits for one gets a WarmError."""
    with _Shared.lock:
        interpreter, _Shared.interpreter = _Shared.interpreter, None
    if interpreter is not None:
        interpreter.close()


def _run_cold(collecting: list[str], choices: dict[str, str], log: Path, deadline: float) -> int | None:
    chosen = [word for name, value in choices.items() for word in (f"--{name.replace('_', '-')}", value)]
    with log.open("wb") as out:
        try:
            return subprocess.run(
                [sys.executable, "-m", "pytest", "-q", *collecting, *chosen],
                cwd=ROOT,
                env={**os.environ, **ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                timeout=deadline,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            return None


class WarmError(Exception):
    """The warm interpreter has ended: nothing is known of the run."""


class Interpreter:
    """The judge's end of a warm interpreter: any number of threads may have it run pytest at the same time."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-c", f"from dojo.warm import serve; serve({theirs.fileno()})"],
                cwd=ROOT,
                env={**os.environ, **ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C reaches the command alone; when that ends, the orders end, and so this
            )
        self.close = weakref.finalize(self, self._end, self._orders, process)
        """End it, and every run that is under way."""

    @staticmethod
    def _end(orders: socket.socket, process: subprocess.Popen[bytes]) -> None:
        orders.close()
        process.wait()

    def run(
        self,
        collecting: list[str],
        choices: dict[str, str],
        log: Path,
        deadline: float,
        sandbox: Sandbox | None = None,
    ) -> int | None:
        """As run_pytest; in a sandbox if one is given. Raises WarmError."""
        order = {"collecting": collecting, "choices": choices, "log": str(log), "deadline": deadline}
        answers, theirs = socket.socketpair()
        try:
            with answers:
                with theirs:
                    message = json.dumps({**order, "sandbox": sandbox}).encode()
                    socket.send_fds(self._orders, [message], [theirs.fileno()])
                reply: dict[str, Any] = json.loads(answers.recv(4096))
        except (OSError, ValueError) as error:
            raise WarmError("the interpreter that runs the tests is gone") from error
        status: int | None = reply["status"]
        return status


def serve(descriptor: int) -> None:
    """The warm interpreter: passes each order that comes through this socket on to the process that has collected the
    tests it is about. Never returns."""
    import pytest  # noqa: F401 -- loaded here, once

    for name in AHEAD:
        importlib.import_module(name)
    gc.disable()  # in a short run, looking for garbage costs more than the garbage; and it would copy shared pages
    gc.freeze()
    launch.nursery = launch.Nursery()
    orders = socket.socket(fileno=descriptor)
    collected: dict[tuple[str, ...], socket.socket] = {}
    while message := _next(orders):
        words = tuple(json.loads(message[0])["collecting"])
        if words in collected:
            collected[words] = collected.pop(words)  # now the last one to be closed
        else:
            if len(collected) >= COLLECTED:
                collected.pop(next(iter(collected))).close()
            collected[words], theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            if os.fork() == 0:
                for each in collected.values():
                    each.close()
                _collect(theirs, orders, words)
            theirs.close()
        with suppress(OSError):  # one that is gone leaves the socket for the reply closed
            socket.send_fds(collected[words], [message[0]], message[1])
        os.close(message[1][0])
        _reap()
    os._exit(0)


def _next(orders: socket.socket) -> Message | None:
    """The next order; None when there will be none, as the one who sends them is gone."""
    data, fds, _, _ = socket.recv_fds(orders, 1 << 20, 1)
    return (data, fds) if fds else None


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _collect(orders: socket.socket, judge: socket.socket, words: tuple[str, ...]) -> NoReturn:
    """Collect these tests, then have each order kept by a process of its own. `judge` is the socket that is closed at
    its other end when the judge is gone."""
    import pytest

    said = os.memfd_create("said")
    os.dup2(said, 1)
    os.dup2(said, 2)
    runs = Runs(orders, judge, said)
    runs.end(int(pytest.main(["-p", "no:terminal", "--capture=no", *words], plugins=[runs])))


class Runs:
    """A plugin that stops pytest where it has collected the tests, and goes on from there in a fork for each order."""

    def __init__(self, orders: socket.socket, judge: socket.socket, said: int) -> None:
        self._orders = orders
        self._judge = judge
        self._said = said
        """A file that holds all that has been said so far, for the log of each run."""
        self._keepers: dict[socket.socket, bool] = {}
        """The processes that each keep one run at a time; whether this one is idle."""
        self._forked = False

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Say what went wrong while collecting: there is no terminal plugin that would."""
        if report.failed:
            print(report.longreprtext, file=sys.stderr, flush=True)

    def pytest_runtestloop(self, session: pytest.Session) -> object:
        """Wait for orders; return, for pytest to go on, only in a fork."""
        for file in {hints.GENERAL, *(Kata(kata_of(item.path)).hints for item in session.items)}:
            if file.exists():
                hints.reasons(file)  # read once, for every run
        gc.freeze()
        while message := _next(self._orders):
            keeper = self._idle()
            if keeper is None:
                keeper, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                if os.fork() == 0:
                    for each in (keeper, *self._keepers):
                        each.close()
                    self._keep(session, theirs)
                    return None
                theirs.close()
            self._keepers[keeper] = False
            with suppress(OSError):  # one that has just ended leaves the socket for the reply closed
                socket.send_fds(keeper, [message[0]], message[1])
            os.close(message[1][0])
            _reap()
        os._exit(0)

    def _idle(self) -> socket.socket | None:
        """A keeper that has said that its run has ended, if there is one."""
        for keeper in select.select(list(self._keepers), [], [], 0)[0]:
            if keeper.recv(len(FREE)):
                self._keepers[keeper] = True
            else:
                del self._keepers[keeper]
        return next((keeper for keeper, idle in self._keepers.items() if idle), None)

    def _keep(self, session: pytest.Session, orders: socket.socket) -> None:
        """Fork a run for each order, wait for its end, answer. Returns in the run alone."""
        adopt_orphans()
        while message := _next(orders):
            order, reply = json.loads(message[0]), socket.socket(fileno=message[1][0])
            pid = os.fork()
            if pid == 0:
                reply.close()
                orders.close()
                self._begin(session, order)
                return
            status = self._wait(pid, order["deadline"])
            _end_what_is_left()
            with suppress(OSError):  # no more orders will come: other tests are kept collected by now
                orders.send(FREE)
            with reply, suppress(OSError):
                if not self._judge_is_gone():
                    reply.send(json.dumps({"status": status}).encode())
        os._exit(0)

    def _judge_is_gone(self) -> bool:
        closed = select.poll()
        closed.register(self._judge, 0)
        return bool(closed.poll(0))

    def _begin(self, session: pytest.Session, order: dict[str, Any]) -> None:
        from dojo.plugin import Session

        self._forked = True
        os.setsid()
        Path(order["log"]).write_bytes(self._all_said())
        out = os.open(order["log"], os.O_WRONLY | os.O_APPEND)
        for number in (1, 2):
            os.dup2(out, number)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        _ends_with_parent()
        chosen = {**order["choices"], **_enter(order["sandbox"])}
        for name, value in chosen.items():
            setattr(session.config.option, name, value)
        plugin = session.config.pluginmanager.get_plugin("dojo-session")
        assert isinstance(plugin, Session)
        plugin.choose(session.items)
        session.testscollected = len(session.items)

    def _all_said(self) -> bytes:
        return os.pread(self._said, 1 << 20, 0)

    def end(self, status: int) -> NoReturn:
        """End this process: a fork has come to its end, or pytest has not got as far as to wait for orders."""
        sys.stdout.flush()
        sys.stderr.flush()
        while not self._forked and (message := _next(self._orders)):
            Path(json.loads(message[0])["log"]).write_bytes(self._all_said())
            with suppress(OSError), socket.socket(fileno=message[1][0]) as reply:
                reply.send(json.dumps({"status": status}).encode())
        os._exit(status)

    def _wait(self, pid: int, deadline: float) -> int | None:
        """The fork's exit code, or None when it had to be ended: after `deadline` seconds, or because the judge is
        gone."""
        descriptor = os.pidfd_open(pid)
        try:
            events = select.poll()
            events.register(descriptor, select.POLLIN)
            events.register(self._judge, 0)  # no more than the end of it (POLLHUP)
            ended = descriptor in dict(events.poll(deadline * 1000))
            if not ended:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)  # it may not have had the time to make a group of its own
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            return status if ended else None
        finally:
            os.close(descriptor)


def _enter(sandbox: Sandbox | None) -> dict[str, str]:
    """Enter the sandbox, and the choices that follow from it. Where there is no way into it, this process ends."""
    if sandbox is None:
        return {}
    from dojo.sandbox import cell
    from dojo.sandbox.levels import named
    from dojo.sandbox.limits import Limits

    level, limits = named(sandbox["level"]), Limits(**sandbox["limits"])
    try:
        subject = cell.enter(level, limits, Path(sandbox["folder"]), Path(sandbox["subject"]))
    except cell.CellError as error:
        os.write(2, f"no sandbox of the level {level.name}: {error}\n".encode())
        os._exit(1)
    return {"subject": str(subject)}


SUBREAPER, PDEATHSIG = 36, 1
"""Options of prctl(2)."""


def adopt_orphans() -> None:
    """What a run leaves behind becomes a child of this process, and is found."""
    import ctypes

    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def _ends_with_parent() -> None:
    """From now on the kernel ends this process when the one that started it ends."""
    import ctypes

    ctypes.CDLL(None).prctl(PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _end_what_is_left() -> None:
    """End every process that a run has left, and theirs, until none is left."""
    while True:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()
        if not children:
            return
        for pid in children:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(int(pid), signal.SIGKILL)
        for pid in children:
            with suppress(ChildProcessError):
                os.waitpid(int(pid), 0)
