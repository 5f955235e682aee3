"""Runs of pytest from an interpreter that has loaded it already: each run is a fork, and costs a third.

The server holds nothing of any student's: a run's own child process judges, and the student's code is in a process
of its own below that. Where fork is not safe, each run is a new interpreter.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from dojo.launch import ROOT

ENVIRONMENT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

_servers = threading.local()  # one for each thread that judges


def run_pytest(arguments: list[str], log: Path, deadline: float) -> int | None:
    """Run pytest with these arguments, what it prints into the file `log`.

    Its exit code, minus the signal that ended it, or None when it had not ended after `deadline` seconds.
    """
    if sys.platform != "linux":
        return _run_cold(arguments, log, deadline)
    server = getattr(_servers, "server", None)
    if server is None:
        server = _servers.server = _Server()
    status: int | None = server.run(arguments, log, deadline)
    return status


def _run_cold(arguments: list[str], log: Path, deadline: float) -> int | None:
    command = [sys.executable, "-m", "pytest", *arguments]
    environment = {**os.environ, **ENVIRONMENT}
    with log.open("wb") as out:
        try:
            return subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                timeout=deadline,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            return None


class _Server:
    """The judge's end of a warm interpreter."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from dojo.warm import serve; serve()"],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches the command alone, whose end closes the pipe and so ends this
        )

    def run(self, arguments: list[str], log: Path, deadline: float) -> int | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"arguments": arguments, "log": str(log), "deadline": deadline}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        reply: dict[str, Any] = json.loads(self._process.stdout.readline())
        status: int | None = reply["status"]
        return status


def serve() -> None:
    """The warm interpreter: an order on each line of standard input, a reply on each line of standard output."""
    import pytest

    from dojo import fakes, plugin  # noqa: F401 - loaded ahead for every run
    from dojo.fakes import http, raw, smtp, tls  # noqa: F401

    gc.disable()  # in a short run, looking for garbage costs more than the garbage; and it would copy shared pages
    gc.freeze()
    for line in sys.stdin.buffer:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            out = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            for number in (1, 2):
                os.dup2(out, number)
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            status = 1
            try:
                status = int(pytest.main(order["arguments"]))
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        sys.stdout.write(json.dumps({"status": _wait(pid, order["deadline"])}) + "\n")
        sys.stdout.flush()


def _wait(pid: int, deadline: float) -> int | None:
    """The child's exit code, or None when it had to be ended. A second reader of our input, which closes when the
    judge is gone, ends it too."""
    until = time.monotonic() + deadline
    descriptor = os.pidfd_open(pid)
    try:
        ended = bool(select.select([descriptor, sys.stdin], [], [], max(0.0, until - time.monotonic()))[0])
        if ended and descriptor not in select.select([descriptor], [], [], 0)[0]:
            ended = False
        if not ended:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return status if ended else None
    finally:
        os.close(descriptor)
