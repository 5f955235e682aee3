"""The real servers behind the faces of our fakes: a relay stands between the student's program and the server.

A relay is a door of the fakes' own: it listens, records what crosses in plain text, and passes every byte on. TLS it
does itself on the student's side, with the certificate that the test wants, and again on the server's side. What a test
scripts is played by the real server where that can be (behind_smtp.py says how), and a dropped connection or a silence
by the relay, as the network may do both. What nobody can play raises Unplayable.
"""

from __future__ import annotations

import socket
import ssl
from typing import Self

from tests.real.servers import Servers

PATIENCE = 20.0
"""Seconds that the relay waits for a real server."""


class Unplayable(AssertionError):
    """The test wants what no real server does on demand."""


class Far:
    """A relay's connection to the real server."""

    def __init__(self, port: int, trust: ssl.SSLContext) -> None:
        self._trust = trust
        self._port = port
        self._socket = socket.socket()
        self._socket.settimeout(PATIENCE)
        self._socket.bind(("127.0.0.1", 0))
        self.own_port: int = self._socket.getsockname()[1]
        self._file = self._socket.makefile("rb")

    def connect(self) -> None:
        """Reach the server."""
        self._socket.connect(("127.0.0.1", self._port))

    def secure(self) -> None:
        """Begin TLS; the server's certificate is verified."""
        self._file.close()
        self._socket = self._trust.wrap_socket(self._socket, server_hostname="127.0.0.1")
        self._file = self._socket.makefile("rb")

    def send(self, data: bytes) -> None:
        """Send it all."""
        self._socket.sendall(data)

    def read_line(self) -> bytes:
        """The next line with its end; b"" once the server has closed."""
        return self._file.readline()

    def read_to_the_end(self) -> None:
        """Wait until the server has closed: what it had to do is done."""
        while self._file.read(65536):
            pass

    def close(self) -> None:
        """Close it."""
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


LOGS = "postfix/mail.log", "dovecot/dovecot.log"

_running: Servers | None = None


def servers() -> Servers:
    """The servers of this run of pytest, started when they are first needed."""
    global _running  # noqa: PLW0603
    if _running is None:
        _running = Servers()
    return _running


def seen() -> dict[str, int]:
    """By their own logs: connections to postfix, logins that dovecot has checked, requests to nginx."""
    counts = {"postfix": 0, "dovecot": 0, "nginx": 0}
    if _running is not None:
        mail, pop3 = (file.read_text() if file.exists() else "" for file in map(_running.folder.joinpath, LOGS))
        counts["postfix"] = mail.count(": connect from ")
        counts["dovecot"] = pop3.count(" Login: ") + mail.count("sasl_username=")
        counts["nginx"] = sum(len(file.read_text().splitlines()) for file in _running.folder.glob("*/access.log"))
    return counts


def end() -> None:
    """End them, if they were started."""
    global _running  # noqa: PLW0603
    if _running is not None:
        _running.close()
        _running = None
