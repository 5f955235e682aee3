"""The other side of a student's server: peers that send, hear and leave, each with a deadline and on the wire.

    server = scene.serve("serve", "127.0.0.1", 0)
    alice = server.peer("alice")
    alice.sends(b"hello")
    alice.hears(b"hello", echoed_in_capitals=b"HELLO")
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, Any, NoReturn

from dojo.failure import Failure, Row, shown
from dojo.fakes.connection import LINGER_NOT
from dojo.unread import is_read
from dojo.words import word

if TYPE_CHECKING:
    from dojo.server import Server

WITHIN = 4.0
"""Seconds that a peer waits for what it should hear. They cost nothing while all is well."""

MOST = 64 * 1024 * 1024
"""Bytes that a peer holds unread; one that is sent more has heard enough."""

STEP = 0.005
"""Seconds between pieces that must not arrive as one."""


class Peer:
    """A client of the student's server, made by `server.peer("alice")` and connected since."""

    def __init__(self, server: Server, name: str, connected: socket.socket) -> None:
        self.server = server
        self.name = name
        self.socket = connected
        self.unread = bytearray()
        self.ended = False
        """The server has closed its side, or reset the connection."""
        self.reset = False
        self.socket.settimeout(WITHIN)
        if self.socket.family != getattr(socket, "AF_UNIX", None):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # --- what it does --------------------------------------------------------------------------------------

    def sends(self, data: bytes) -> None:
        """Send all of it. A server that has gone is seen by what the peer hears next."""
        self.server.wire.sent(self.name, "server", data)
        self._send(data)

    def sends_in_pieces(self, *pieces: bytes) -> None:
        """Send each piece on its own once the server has read the one before, so that they arrive one by one; where
        the system does not tell what was read, after a pause."""
        reads = True
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(STEP)
                reads = reads and self.is_read(0.5)
            self.server.wire.sent(self.name, "server", piece, piece=True)
            self._send(piece)

    def _send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except TimeoutError:
            self.server.fail("does_not_read", (Row("got", word("sent_unread", name=self.name)),))
        except OSError as error:
            self.server.wire.note(word("could_not_send", name=self.name, error=type(error).__name__))

    def is_read(self, within: float) -> bool:
        """Whether the server reads all that was sent, `within` seconds. True where the system does not tell."""
        return is_read(self.socket, within)

    def half_closes(self) -> None:
        """Say that nothing more will come (FIN), and go on reading."""
        self.server.wire.note(word("half_closes", name=self.name))
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def closes(self) -> None:
        """Leave politely."""
        self.server.wire.note(word("peer_closes", name=self.name))
        self.socket.close()

    def resets(self) -> None:
        """Leave abruptly: the server gets a reset (RST)."""
        self.server.wire.note(word("peer_resets", name=self.name))
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.socket.close()

    # --- what it hears -------------------------------------------------------------------------------------

    def hears(self, expected: bytes, *, within: float = WITHIN, **mistakes: Any) -> None:
        """The next bytes are these. `within` in seconds for all of them."""
        self._fill(lambda: len(self.unread) >= len(expected) or not expected.startswith(self.unread), within)
        got = bytes(self.unread[: len(expected)])
        if got == expected:
            del self.unread[: len(expected)]
            return
        self._fill(lambda: False, 0.05)  # what else comes shows the mistake better
        self.disappointed(expected, bytes(self.unread), within, mistakes)

    def line(self, *, within: float = WITHIN, **mistakes: Any) -> str:
        """The next line, decoded as UTF-8, without its LF or CRLF."""
        self._fill(lambda: b"\n" in self.unread, within)
        line, end, rest = bytes(self.unread).partition(b"\n")
        if not end:
            self.disappointed(word("a_line"), bytes(self.unread), within, mistakes)
        self.unread = bytearray(rest)
        return line.removesuffix(b"\r").decode("utf-8", "replace")

    def hears_line(self, expected: str, *, within: float = WITHIN, **mistakes: Any) -> None:
        """The next line is this one."""
        line = self.line(within=within, **mistakes)
        if line != expected:
            self.disappointed(expected, line, within, mistakes)

    def hears_end(self, *, within: float = WITHIN, **mistakes: Any) -> None:
        """Nothing more comes, and the server ends the connection, politely or by a reset."""
        self._fill(lambda: bool(self.unread), within)
        if self.unread or not self.ended:
            self.disappointed(word("the_end"), bytes(self.unread), within, mistakes)

    def disappointed(self, expected: Any, got: Any, within: float, mistakes: dict[str, Any]) -> NoReturn:
        """Fail: `name` should have heard something else. The server's own state is told with it."""
        if not got:
            end = "heard_reset" if self.reset else "heard_end" if self.ended else "heard_nothing"
            found = word(end, seconds=f"{within:g}")
        else:
            found = shown(got)
        wanted = expected if isinstance(expected, str) else shown(expected)
        rows = (Row("heard_wanted", f"{self.name}: {wanted}"), Row("heard", found))
        self.server.fail_as(got, mistakes, rows)

    def _fill(self, enough: Any, within: float) -> None:
        until = time.monotonic() + within
        while not self.ended and not enough() and len(self.unread) < MOST:
            left = until - time.monotonic()
            if left <= 0:
                return
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                return
            except OSError:
                self.ended = self.reset = True
                self.server.wire.note(word("peer_was_reset", name=self.name))
                return
            if not data:
                self.ended = True
                self.server.wire.note(word("server_ends", name=self.name))
                return
            self.server.wire.sent("server", self.name, data)
            self.unread += data


class DatagramPeer:
    """A client of the student's UDP server, made by `server.datagram_peer("alice")`."""

    def __init__(self, server: Server, name: str, bound: socket.socket) -> None:
        self.server = server
        self.name = name
        self.socket = bound

    def sends(self, data: bytes) -> None:
        """Send one datagram."""
        self.server.wire.sent(self.name, "server", data, piece=True)
        try:
            self.socket.send(data)
        except ConnectionError:  # of the datagram before: nobody listens any more, as what it hears next will tell
            self.server.wire.note(word("nobody_listens", name=self.name))

    def hears(self, expected: bytes, *, within: float = WITHIN, **mistakes: Any) -> None:
        """The next datagram is this one."""
        self.socket.settimeout(within)
        got: bytes | None = None
        with contextlib.suppress(TimeoutError, ConnectionError):
            got = self.socket.recv(65536)
            self.server.wire.sent("server", self.name, got, piece=True)
        if got != expected:
            found = word("heard_nothing", seconds=f"{within:g}") if got is None else shown(got)
            rows = (Row("heard_wanted", f"{self.name}: {shown(expected)}"), Row("heard", found))
            self.server.fail_as(got, mistakes, rows)


def refused(server: Server, name: str, error: OSError) -> Failure:
    """The failure when a peer cannot connect."""
    rows = (Row("got", f"{name}: {type(error).__name__}"),)
    return Failure("cannot_connect", rows, {"address": server.where()})
