"""Runs of pytest from an interpreter that has loaded it, and collected a kata's tests, already: each run is a fork.

The interpreter holds nothing of any student's: a run's own child process judges, and the student's code is in a
process of its own below that. Where fork is not safe, each run is a new interpreter.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

_warm = threading.local()  # one interpreter for each thread that judges


def run_pytest(collecting: list[str], choices: dict[str, str], log: Path, deadline: float) -> int | None:
    """Run pytest on the tests that the arguments `collecting` name, with the options `choices` of dojo.plugin; what
    it prints goes into the file `log`.

    Its exit code, minus the signal that ended it, or None when it had not ended after `deadline` seconds.
    """
    if sys.platform != "linux":
        return _run_cold(collecting, choices, log, deadline)
    interpreter = getattr(_warm, "interpreter", None)
    if interpreter is None:
        interpreter = _warm.interpreter = Interpreter()
    status: int | None = interpreter.run(collecting, choices, log, deadline)
    return status


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
    """The judge's end of a warm interpreter: for one thread at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from dojo.warm import serve; serve()"],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches the command alone, whose end closes the pipe and so ends this
        )
        self.close = weakref.finalize(self, self._end, self._process)
        """End it. Another thread may call this, to end a run that is under way."""

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(OSError):  # what was not read any more
            process.stdin.close()
        process.wait()
        process.stdout.close()

    def run(
        self,
        collecting: list[str],
        choices: dict[str, str],
        log: Path,
        deadline: float,
        sandbox: Sandbox | None = None,
    ) -> int | None:
        """As run_pytest; in a sandbox if one is given. Raises WarmError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"collecting": collecting, "choices": choices, "log": str(log), "deadline": deadline}
        try:
            self._process.stdin.write(json.dumps({**order, "sandbox": sandbox}).encode() + b"\n")
            self._process.stdin.flush()
            reply: dict[str, Any] = json.loads(self._process.stdout.readline())
        except (OSError, ValueError) as error:
            raise WarmError("the interpreter that runs the tests is gone") from error
        status: int | None = reply["status"]
        return status


def serve() -> None:
    """The warm interpreter: an order on each line of standard input, a reply on each line of standard output."""
    import pytest

    for name in AHEAD:
        importlib.import_module(name)
    gc.disable()  # in a short run, looking for garbage costs more than the garbage; and it would copy shared pages
    gc.freeze()
    launch.nursery = launch.Nursery()
    collected: list[str] = []
    orders = replies = -1
    for line in sys.stdin.buffer:
        wanted = json.loads(line)["collecting"]
        if wanted != collected:
            if orders >= 0:
                os.close(orders)
                os.close(replies)
                os.wait()
            collected = wanted
            their_orders, orders = os.pipe()
            replies, their_replies = os.pipe()
            if os.fork() == 0:
                os.close(orders)
                os.close(replies)
                said = os.memfd_create("said")
                os.dup2(said, 1)
                os.dup2(said, 2)
                runs = Runs(their_orders, their_replies, said)
                status = int(pytest.main(["-p", "no:terminal", "--capture=no", *wanted], plugins=[runs]))
                runs.end(status)
            os.close(their_orders)
            os.close(their_replies)
        os.write(orders, line)
        answer = b""
        while not answer.endswith(b"\n"):
            if replies not in select.select([replies, sys.stdin], [], [])[0]:
                os._exit(0)  # the judge is gone: with us, the orders end, and with them the run
            part = os.read(replies, 4096)
            if not part:
                raise EOFError("the interpreter that has collected the tests is gone")
            answer += part
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()


class Runs:
    """A plugin that stops pytest where it has collected the tests, and goes on from there in a fork for each order."""

    def __init__(self, orders: int, replies: int, said: int) -> None:
        self._orders = os.fdopen(orders, "rb", buffering=0)
        self._replies = replies
        self._said = said
        """A file that holds all that has been said so far, for the log of each run."""
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
        adopt_orphans()
        while line := self._orders.readline():
            order = json.loads(line)
            pid = os.fork()
            if pid == 0:
                self._begin(session, order)
                return None
            told = json.dumps({"status": self._wait(pid, order["deadline"])})
            _end_what_is_left()
            os.write(self._replies, told.encode() + b"\n")
        os._exit(0)

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

    def end(self, status: int) -> None:
        """End this process: a fork has come to its end, or pytest has not got as far as to wait for orders."""
        if not self._forked:
            while line := self._orders.readline():
                sys.stderr.flush()
                Path(json.loads(line)["log"]).write_bytes(self._all_said())
                os.write(self._replies, json.dumps({"status": status}).encode() + b"\n")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

    def _wait(self, pid: int, deadline: float) -> int | None:
        """The fork's exit code, or None when it had to be ended: after `deadline` seconds, or because the judge is
        gone, whose end closes our orders."""
        until = time.monotonic() + deadline
        descriptor = os.pidfd_open(pid)
        try:
            select.select([descriptor, self._orders.fileno()], [], [], max(0.0, until - time.monotonic()))
            ended = bool(select.select([descriptor], [], [], 0)[0])
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
