"""A client's connection as a fake server has it: every byte that crosses is recorded."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import threading
from typing import TYPE_CHECKING, NoReturn

from dojo.unread import is_read
from dojo.words import word

if TYPE_CHECKING:
    from dojo.fakes.door import Door
    from dojo.fakes.request import Received

# How long a fake waits for a silent client, in seconds. No scene lasts as long, and stop() ends every wait
# at once.
PATIENCE = 30.0
# How much of what a client sends is kept, in bytes; the rest is read and forgotten.
KEPT = 16 * 1024 * 1024
# How much may be held unread, in bytes; a client that sends more is of no more use.
MOST = 64 * 1024 * 1024
# SO_LINGER on, for 0 s: closing sends a reset. Windows has shorts where others have ints.
LINGER_NOT = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Stopped(ConnectionError):
    """The fake was stopped while it served; nobody's fault."""


class ClientClosed(ConnectionError):
    """The client closed its side where the fake still expected something."""


class Connection:
    """A client's connection as the fake has it: each byte goes to the wire, and so does its end.

    What a test may read at any time: `number` (from 1, in the order of coming), `received`, `requests`,
    `closed_by_client`, `reset_by_client`, `secured` (false until the TLS handshake is done, None without
    TLS) and `step`, what the fake is doing for this client, in words.
    """

    def __init__(self, connected: socket.socket, number: int, door: Door) -> None:
        self.number = number
        self.socket = connected
        self.requests: list[Received] = []
        self.closed_by_client = False
        self.reset_by_client = False
        self.secured: bool | None = None
        self.step = ""
        self._door = door
        self._lock = threading.Lock()
        self._kept = bytearray()
        self._unread = bytearray()

    @property
    def received(self) -> bytes:
        """All that the client has sent so far, up to 16 MiB; under TLS the plain text."""
        return bytes(self._kept)

    def wait_closed(self, deadline: float = 2.0) -> bool:
        """True once the client has closed or reset its side; False if it has not after `deadline` seconds.

        Nothing is seen of it while the fake is in a pause or sends; every script ends with waiting for it.
        """
        return self._door.wait(lambda: self.closed_by_client, deadline)

    # What a fake's own thread does with it.

    def receive(self, size: int = 65536) -> bytes:
        """What comes next, at most `size` bytes, at least one; b"" once the client has closed its side.

        Raises Stopped if the fake is stopped, ConnectionError if the connection breaks, TimeoutError after
        30 s.
        """
        try:
            data = self.socket.recv(size)
        except OSError as error:
            self._break(error)
        if data:
            self._door.wire.sent("client", self._door.name, data)
            self._kept += data[: max(KEPT - len(self._kept), 0)]
        else:
            self._door.check()
            self._client_left(word("client_closed_side"))
        return data

    def send(self, data: bytes, *, piece: bool | None = None) -> None:
        """Send all of `data`; `piece` is for the wire (Wire.sent). Raises as `receive` does."""
        self._door.check()
        self._door.wire.sent(self._door.name, "client", data, piece=piece)
        try:
            self.socket.sendall(data)
        except OSError as error:
            self._break(error)

    def read_line(self) -> bytes:
        """The next line with its LF. Raises ClientClosed if the client closes before one is complete."""
        return self.read_until(b"\n")

    def read_until(self, *ends: bytes, limit: int = KEPT) -> bytes:
        """What comes up to and with the first of `ends`, or the first `limit` bytes.

        Raises ClientClosed before that.
        """
        while True:
            places = [place + len(end) for end in ends if (place := self._unread.find(end)) >= 0]
            if places or len(self._unread) >= limit:
                return self._take(min([*places, limit]))
            self._more()

    def read_exactly(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises ClientClosed if the client closes before; what came can be had from `rest`.
        """
        while len(self._unread) < size:
            self._more()
        return self._take(size)

    def rest(self) -> bytes:
        """What has come and was not read."""
        return self._take(len(self._unread))

    def pause(self, seconds: float) -> None:
        """Wait without reading. Raises Stopped as soon as the fake is stopped."""
        self._door.stopping.wait(seconds)
        self._door.check()

    def pause_after_piece(self, seconds: float) -> None:
        """A pause that begins when the client has read what was sent, so that the next piece arrives by itself; a
        client that does not read in 0.3 s is not waited for. Raises Stopped as `pause` does."""
        is_read(self.socket, 0.3, self.pause)
        self.pause(seconds)

    def record(self, request: Received) -> None:
        """Put a request on the list that tests read."""
        self._door.record(self, request)

    def finish(self) -> None:
        """Close our side politely, then read on until the client has closed too.

        A socket closed with unread input makes the kernel reset the connection, and the client may lose an
        answer that it has not read yet. And only who still reads can see that the client closes.
        """
        self.half_close()
        with contextlib.suppress(ConnectionError, TimeoutError):
            while not self.closed_by_client and self.receive():
                pass

    def half_close(self) -> None:
        """Say that nothing more will come (FIN), and go on."""
        with contextlib.suppress(OSError):
            self._say_goodbye()
            self.socket.shutdown(socket.SHUT_WR)

    def hold(self) -> None:
        """Keep the connection as it is until the fake is stopped; always ends with Stopped."""
        self._door.stopping.wait()
        self._door.check()

    def note(self, key: str, **values: str) -> None:
        """Put on the wire what this side does: a key of dojo.words, and what fills its braces but {name}."""
        self._door.wire.note(word(key, name=self._door.name, **values))

    def reset(self) -> None:
        """Break the connection off: the client gets a reset (RST) instead of an end."""
        self.note("reset_connection")
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.close()

    def close(self) -> None:
        """Give the socket back, whatever its state."""
        with self._lock:
            self.socket.close()

    def wake(self) -> None:
        """End whatever the connection's thread is waiting for on the socket; called by the thread that
        stops.
        """
        # The plain socket's method: that of an SSLSocket would take the TLS away from a thread that is
        # using it.
        with self._lock, contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def secure(self, context: ssl.SSLContext) -> None:
        """Do the TLS handshake as the server. Raises ConnectionError, its reason on the wire, if it fails."""
        self.secured = False
        try:
            with self._lock:
                plain = self.socket
                self.socket = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            # wake() may have met the old socket just before.
            self._door.check()
            assert isinstance(self.socket, ssl.SSLSocket)
            self.socket.do_handshake()
        except Stopped:
            raise
        except OSError as error:
            self._door.check()
            self._client_left(word("tls_failed", reason=why_no_tls(error)))
            raise ConnectionAbortedError("no TLS") from error
        self.secured = True

    def _more(self) -> None:
        data = self.receive()
        if not data:
            raise ClientClosed("the client closed its side")
        self._unread += data
        if len(self._unread) > MOST:
            self.note(f"gave up: more than {MOST >> 20} MB came")
            raise ConnectionAbortedError("more than any test sends")

    def _take(self, size: int) -> bytes:
        data = bytes(self._unread[:size])
        del self._unread[:size]
        return data

    def _say_goodbye(self) -> None:
        """Under TLS: tell the client that the end is the end (close_notify), without waiting for its
        answer.
        """
        if not isinstance(self.socket, ssl.SSLSocket):
            return
        self.socket.settimeout(0)
        try:
            with contextlib.suppress(OSError, ValueError):
                self.socket.unwrap()
        finally:
            self.socket.settimeout(PATIENCE)

    def _client_left(self, how: str) -> None:
        if not self.closed_by_client:
            self.closed_by_client = True
            self._door.wire.note(how)
        self._door.changed()

    def _break(self, error: OSError) -> NoReturn:
        """Say on the wire why the connection is of no more use, and raise that."""
        self._door.check()
        if isinstance(error, TimeoutError):
            self.note("gave_up", seconds=f"{PATIENCE:.0f}")
            raise error
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
            self._client_left(word("tls_broke", reason=why_no_tls(error)))
        elif isinstance(error, ConnectionResetError):
            self.reset_by_client = True
            self._client_left(word("client_reset"))
        else:
            self._client_left(word("client_gone"))
        raise ConnectionResetError("the client is gone") from error


_TLS_REASONS = {
    "UNKNOWN_CA": "tls_unknown_ca",
    "BAD_CERTIFICATE": "tls_bad_certificate",
    "CERTIFICATE_EXPIRED": "tls_expired",
    "CERTIFICATE_UNKNOWN": "tls_refused",
    "HTTP_REQUEST": "tls_http",
    "WRONG_VERSION_NUMBER": "tls_not",
    "UNSUPPORTED_PROTOCOL": "tls_old",
    "NO_SHARED_CIPHER": "tls_cipher",
}


def why_no_tls(error: OSError) -> str:
    """A failed handshake in words, from the alert that the client sent (RFC 8446 §6.2) or how it left."""
    if isinstance(error, TimeoutError):
        return word("tls_silence", seconds=f"{PATIENCE:.0f}")
    reason = error.reason or "" if isinstance(error, ssl.SSLError) else ""
    for key, told in _TLS_REASONS.items():
        if reason.endswith(key):
            return word(told)
    if isinstance(error, ssl.SSLEOFError | ConnectionError) or "EOF" in reason:
        return word("tls_left")
    return reason.lower().replace("_", " ") or type(error).__name__
