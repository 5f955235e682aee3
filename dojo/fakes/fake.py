"""What all fake servers have in common for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from dojo.fakes.door import Door
from dojo.wire import Wire, visible

if TYPE_CHECKING:
    import ssl
    import threading
    from collections.abc import Iterable
    from types import TracebackType

    from dojo.fakes.connection import Connection
    from dojo.fakes.request import Received


class NoSuchRequest(AssertionError):
    """The request that a test asks for never came, or not alone; `seen` says what did, a text for each."""

    def __init__(self, message: str, seen: list[str]) -> None:
        super().__init__(message)
        self.seen = seen


class Fake:
    """What all fakes have in common for a test: start, stop, the requests, and whether anything went wrong
    inside.
    """

    def __init__(self, wire: Wire, *, tls: ssl.SSLContext | None, name: str, host: str) -> None:
        self.wire = wire
        self.door = Door(self.serve, wire, tls=tls, name=name, host=host)

    def serve(self, connection: Connection) -> None:
        """Talk with one client, in its thread."""
        raise NotImplementedError

    @property
    def port(self) -> int:
        """The port it listens on; 0 before it is started."""
        return self.door.port

    @property
    def host(self) -> str:
        """The address it listens on."""
        return self.door.host

    @property
    def stopping(self) -> threading.Event:
        """Set as soon as `stop` is called: the event to wait with, in a handler that holds an answer back."""
        return self.door.stopping

    @property
    def connections(self) -> list[Connection]:
        """The connections in the order of their coming."""
        return list(self.door.connections)

    @property
    def requests(self) -> list[Received]:
        """The HTTP requests in the order of their coming, each once its body is complete (or its client
        gone).

        What a client sent without reading an answer may be missing until `stop` has returned.
        """
        return list(self.door.requests)

    def url(self, path: str = "/", host: str | None = None) -> str:
        """The address of `path` here, for which another name of this machine may be used: "localhost"."""
        host = host or self.host
        scheme = "https" if self.door.tls else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}{path}"

    def start(self) -> None:
        """Listen on a free port; a client may connect as soon as this returns. A fake is started once."""
        self.door.open()

    def stop(self) -> None:
        """End all that it does; no thread and no socket is left. May be called twice."""
        self.door.close()

    def check(self) -> None:
        """Raise the first error that happened inside the fake, if one did: it is the judge's, not the
        student's.
        """
        if self.door.errors:
            raise self.door.errors.pop(0)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is None:
            self.check()

    def only_request(self, within: float = 0.5) -> Received:
        """The one request that came.

        Raises NoSuchRequest if there were more, or none after `within` seconds.
        """
        self.door.wait(lambda: bool(self.door.requests), within)
        requests = self.requests
        if len(requests) == 1:
            return requests[0]
        seen = [str(request) for request in requests]
        if not requests:
            raise NoSuchRequest(f"No request has reached the {self.door.name}.", seen)
        many = f"{len(requests)} requests, not one: {_listed(seen)}"
        raise NoSuchRequest(f"The {self.door.name} received {many}.", seen)

    def request_to(self, path: str, method: str | None = None, within: float = 0.5) -> Received:
        """The last request to `path` (decoded, without query).

        Raises NoSuchRequest if there is none in time.
        """

        def found() -> list[Received]:
            return [r for r in self.requests if r.path == path and method in (None, r.method)]

        self.door.wait(lambda: bool(found()), within)
        if requests := found():
            return requests[-1]
        seen = [str(request) for request in self.requests]
        wanted = visible(f"{method or 'request to'} {path}")
        others = f"only {_listed(seen)}" if seen else "nor any other request"
        raise NoSuchRequest(f"No {wanted} has reached the {self.door.name}, {others}.", seen)

    def wait_connections(self, count: int, deadline: float = 2.0) -> bool:
        """True once `count` clients have connected in all; False if they have not in `deadline` seconds."""
        return self.door.wait(lambda: len(self.door.connections) >= count, deadline)

    def wait_closed(self, number: int | None = None, deadline: float = 2.0) -> bool:
        """True once the client of `connections[number]` (None: of each that has come) has closed or reset
        its side.

        False if it has not, or never came, after `deadline` seconds.
        """

        def closed() -> bool:
            wanted = self.door.connections if number is None else self.door.connections[number : number + 1]
            return bool(wanted) and all(connection.closed_by_client for connection in wanted)

        return self.door.wait(closed, deadline)


def _listed(texts: Iterable[str]) -> str:
    texts = list(texts)
    more = f" and {len(texts) - 5} more" if len(texts) > 5 else ""
    return ", ".join(texts[:5]) + more
