"""The reference solutions against tools that others have written: ncat, socat, curl.

Not part of `make check`: a newcomer's machine need not have them. `python -m dojo prove` runs this.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dojo.launch import ROOT

# In the background of a shell SIGINT came down ignored: the servers under test would not hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)

WITHIN = 20.0
"""Seconds in which a tool must have done its part."""


def free_port() -> int:
    """A port that was free a moment ago: these programs cannot tell which one they were given."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def until(happened: Callable[[], bool]) -> None:
    """Wait for it; fail when it takes longer than WITHIN."""
    deadline = time.monotonic() + WITHIN
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def listens(port: int) -> bool:
    """Whether somebody listens there, told by the kernel without a connection."""
    table = Path("/proc/net/tcp").read_text("ascii")
    return re.search(rf": [0-9A-F]{{8}}:{port:04X} [0-9A-F:]+ 0A ", table) is not None


@contextmanager
def reference(kata: str, call: str) -> Iterator[subprocess.Popen[bytes]]:
    """A reference solution that runs `call` as a program of its own."""
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'reference')!r}); import {kata}; {kata}.{call}"
    command = [sys.executable, "-u", "-X", "utf8", "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as program:
        try:
            yield program
        finally:
            program.kill()


class Tool:
    """A program with a keyboard, what it prints kept in a file."""

    def __init__(self, folder: Path, *command: str) -> None:
        self._file = folder / f"{len(list(folder.iterdir()))}.txt"
        with self._file.open("wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out)

    def types(self, line: str) -> None:
        """Type a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def screen(self) -> str:
        """What it has printed so far, CRLF as LF."""
        return self._file.read_text("utf-8", "replace").replace("\r\n", "\n")

    def shows(self, text: str) -> None:
        """Wait until the text is on its screen."""
        until(lambda: text in self.screen())

    def close(self) -> None:
        """End its input, then the program."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Callable[..., Tool]]:
    """Starts tools and ends them with the test."""
    started: list[Tool] = []

    def start(*command: str) -> Tool:
        started.append(Tool(tmp_path, *command))
        return started[-1]

    yield start
    for tool in started:
        tool.close()


CLIENTS = {
    "ncat": ["ncat", "127.0.0.1", "{port}"],
    "socat": ["socat", "-", "TCP:127.0.0.1:{port}"],
    "curl": ["curl", "-sN", "telnet://127.0.0.1:{port}"],
}


def client(name: str, port: int) -> list[str]:
    """The command line of a tool as a client."""
    return [word.format(port=port) for word in CLIENTS[name]]


@pytest.mark.parametrize("name", CLIENTS)
def test_the_echo_server_answers(name: str, tools: Callable[..., Tool]) -> None:
    port = free_port()
    with reference("echo", f"serve('127.0.0.1', {port})"):
        until(lambda: listens(port))
        tool = tools(*client(name, port))
        for line in ("hello", "你好", "x" * 5000):
            tool.types(line)
            tool.shows(line)


@pytest.mark.parametrize("name", CLIENTS)
def test_the_chat_server_serves(name: str, tools: Callable[..., Tool]) -> None:
    port = free_port()
    with reference("chat", f"serve('127.0.0.1', {port})") as server:
        until(lambda: listens(port))
        ada, bob = tools(*client(name, port)), tools(*client("ncat", port))
        ada.types("ada")
        ada.shows("* ada joined")
        bob.types("bob")
        bob.shows("* bob joined")
        ada.types("你好")
        bob.shows("ada: 你好\n")
        if name == "curl":  # it looks at the server's words only now and then while its input is a pipe
            return
        ada.shows("* bob joined")
        bob.types("hello")
        ada.shows("bob: hello\n")
        assert "ada: 你好" not in ada.screen()
        bob.close()
        ada.shows("* bob left\n")
        server.send_signal(signal.SIGINT)
        assert server.wait(WITHIN) == 0
        if name == "socat":  # ncat waits for its own input to end
            until(lambda: ada.process.poll() is not None)


def test_ncat_serves_the_chat_client(tools: Callable[..., Tool]) -> None:
    port = free_port()
    server = tools("ncat", "-l", "127.0.0.1", str(port))
    until(lambda: listens(port))
    with reference("chat", f"chat('127.0.0.1', {port})") as program:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write("ada\n你好\n".encode())
        program.stdin.flush()
        server.shows("ada\n你好\n")
        server.types("* ada joined")
        assert program.stdout.readline().decode().endswith("* ada joined\n")
        program.stdin.write(b"exit\n")
        program.stdin.flush()
        assert program.wait(WITHIN) == 0
        assert b"Traceback" not in program.stdout.read()
    assert "exit" not in server.screen()


def test_the_tools_are_there() -> None:
    """No test here is skipped where a tool is missing; this one says which to install."""
    missing = [name for name in CLIENTS if not any(Path(folder, name).exists() for folder in os.get_exec_path())]
    assert not missing, f"install {', '.join(missing)}"
