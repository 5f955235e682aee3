r"""A TCP server that follows a script, for what no well-behaved server would do: broken status lines,
trickled bodies, dropped connections, silence.

    server = FakeTCP(wire, [ReadRequest(), ByteByByte(b"HTTP/1.1 204 No Content\\r\\n\\r\\n"), Close()])
    with server:
        ... server.url("/") ...
    assert server.connections[0].closed_by_client
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dojo.fakes.connection import KEPT, ClientClosed, Connection
from dojo.fakes.fake import Fake
from dojo.fakes.request import parse_head
from dojo.wire import Wire, visible

if TYPE_CHECKING:
    import ssl


class Action(ABC):
    """One thing that the server does for a client. `str(action)` says it in words: "read a request"."""

    @abstractmethod
    def perform(self, connection: Connection) -> None:
        """Do it. Raises ConnectionError or TimeoutError if the conversation is over."""

    @abstractmethod
    def __str__(self) -> str: ...


Script = Sequence[Action]


@dataclass(frozen=True)
class ReadRequest(Action):
    """Read an HTTP request, up to its blank line and then as many bytes as Content-Length says, and record
    it.
    """

    def perform(self, connection: Connection) -> None:
        """Read and record; a body that ends early is recorded as truncated."""
        # A bare LF is read as a line end, as RFC 9112 §2.2 allows.
        head = connection.read_until(b"\r\n\r\n", b"\n\n", limit=65536)
        request = replace(parse_head(head), connection=connection.number)
        try:
            body = connection.read_exactly(min(request.content_length, KEPT))
        except ClientClosed:
            connection.record(replace(request, body=connection.rest(), truncated=True))
            raise
        connection.record(replace(request, body=body))

    def __str__(self) -> str:
        return "read a request"


@dataclass(frozen=True)
class ReadLine(Action):
    """Read up to a line end."""

    def perform(self, connection: Connection) -> None:
        """Read it."""
        connection.read_line()

    def __str__(self) -> str:
        return "read a line"


@dataclass(frozen=True)
class ReadUntilClose(Action):
    """Read until the client closes its side."""

    def perform(self, connection: Connection) -> None:
        """Read it all."""
        while connection.receive():
            pass

    def __str__(self) -> str:
        return "read until the client closes"


@dataclass(frozen=True)
class Send(Action):
    """Send these bytes at once."""

    data: bytes

    def perform(self, connection: Connection) -> None:
        """Send them."""
        connection.send(self.data)

    def __str__(self) -> str:
        return f"send {visible(self.data, 50)}"


@dataclass(frozen=True)
class Pieces(Action):
    """Send each of `pieces` by itself, `pause` seconds after the client has read the one before."""

    pieces: Sequence[bytes]
    pause: float = 0.02

    def perform(self, connection: Connection) -> None:
        """Send them, paced."""
        for index, piece in enumerate(self.pieces):
            if index:
                connection.pause_after_piece(self.pause)
            connection.send(piece, piece=True)

    def __str__(self) -> str:
        shown = ", ".join(visible(piece, 30) for piece in self.pieces[:4])
        more = ", …" if len(self.pieces) > 4 else ""
        return f"send {len(self.pieces)} pieces, {self.pause * 1000:.0f} ms apart: {shown}{more}"


@dataclass(frozen=True)
class ByteByByte(Action):
    """Send `data` one byte at a time, with `pause` seconds between.

    The wire shows the lines, after a note.
    """

    data: bytes
    pause: float = 0.001

    def perform(self, connection: Connection) -> None:
        """Send it, one byte each time."""
        connection.note("byte_by_byte", number=str(len(self.data)), pause=f"{self.pause * 1000:.0f}")
        for index in range(len(self.data)):
            if index:
                connection.pause(self.pause)
            connection.send(self.data[index : index + 1], piece=False)

    def __str__(self) -> str:
        return f"send byte by byte, {self.pause * 1000:.0f} ms apart: {visible(self.data, 50)}"


@dataclass(frozen=True)
class Pause(Action):
    """Wait that many seconds without reading; stop() ends it at once."""

    seconds: float

    def perform(self, connection: Connection) -> None:
        """Wait."""
        connection.pause(self.seconds)

    def __str__(self) -> str:
        return f"wait {self.seconds:g} s"


@dataclass(frozen=True)
class Silence(Action):
    """Say nothing more and keep the connection open, whatever the client sends, until it closes or stop()
    is called.
    """

    def perform(self, connection: Connection) -> None:
        """Read and never answer."""
        while connection.receive():
            pass
        # Half closed by the client, it stays open on this side: to answer or to close would break the
        # silence.
        connection.hold()

    def __str__(self) -> str:
        return "say nothing and keep the connection open"


@dataclass(frozen=True)
class HalfClose(Action):
    """Say that nothing more will come, and go on with the script."""

    def perform(self, connection: Connection) -> None:
        """Send FIN."""
        connection.note("closed_side")
        connection.half_close()

    def __str__(self) -> str:
        return "close the sending side"


@dataclass(frozen=True)
class Close(Action):
    """Close politely: FIN, then read until the client closes too. Each script ends so by itself."""

    def perform(self, connection: Connection) -> None:
        """Close our side and wait for the client's."""
        connection.note("closed_side")
        connection.finish()

    def __str__(self) -> str:
        return "close the connection"


@dataclass(frozen=True)
class Reset(Action):
    """Break the connection off with a reset (RST)."""

    def perform(self, connection: Connection) -> None:
        """Close with SO_LINGER 0, which sends RST instead of FIN; the script ends here."""
        connection.reset()
        raise ConnectionAbortedError("nothing can follow a reset")

    def __str__(self) -> str:
        return "reset the connection"


@dataclass(frozen=True)
class KeepAlive(Action):
    """Repeat `actions` until the client closes: a server that never closes first, as HTTP/1.1 servers do."""

    actions: Script

    def perform(self, connection: Connection) -> None:
        """Do them again and again; ends with ClientClosed."""
        while True:
            _follow(self.actions, connection)

    def __str__(self) -> str:
        return f"again and again: {in_words(self.actions)}"


def in_words(script: Script) -> str:
    """A script as a sentence: "read a request; send HTTP/1.1 200 OK⏎⏎; close the connection"."""
    return "; ".join(str(action) for action in script)


def _follow(script: Script, connection: Connection) -> None:
    for action in script:
        connection.step = str(action)
        action.perform(connection)


class FakeTCP(Fake):
    """A server on 127.0.0.1 that does for its clients what `script` says.

    `script` is a list of actions, for each client the same; or a list of such lists, the first for the
    first connection and so on, the last repeated. It may be changed, as `server.script`, until the client
    comes. `requests` holds what ReadRequest read; `connections[i]` knows `received`, `closed_by_client`,
    `reset_by_client` and `step`, and `wait_closed(i)` proves, without sleeping, that the client closed.
    """

    def __init__(
        self,
        wire: Wire,
        script: Sequence[Action | Script],
        tls: ssl.SSLContext | None = None,
        name: str = "server",
        host: str = "127.0.0.1",
    ) -> None:
        super().__init__(wire, tls=tls, name=name, host=host)
        self.script = script

    def script_for(self, number: int) -> Script:
        """The script for the connection of that number (from 1)."""
        scripts: list[Script] = []
        single: list[Action] = []
        for part in self.script:
            if isinstance(part, Action):
                single.append(part)
            else:
                scripts.append(part)
        if single and scripts:
            raise TypeError("a script is a list of actions, or a list of such lists, not both")
        return scripts[min(number, len(scripts)) - 1] if scripts else single

    def in_words(self, number: int = 1) -> str:
        """What the server does for connection `number` (from 1), as a sentence."""
        return in_words(self.script_for(number))

    def serve(self, connection: Connection) -> None:
        """Follow the script for one client."""
        script = self.script_for(connection.number)
        _follow(script, connection)
        if not any(isinstance(action, (Close, HalfClose, Reset)) for action in script):
            connection.note("closed_side")
        connection.finish()
