"""The listening socket of a fake server, and a thread for each client."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

from dojo.fakes.connection import PATIENCE, Connection, Stopped
from dojo.words import word

if TYPE_CHECKING:
    from collections.abc import Callable

    from dojo.fakes.request import Received
    from dojo.wire import Wire


MOST = 2000
"""Connections that a fake takes in; who comes more often is shut out."""


class Door:
    """A listening socket on `host`, port 0, and a thread of its own for each client.

    `serve` is called with each connection, in its thread; when it returns, the connection is closed. Its
    ConnectionError and TimeoutError are the ordinary ends of a conversation; what else it raises is kept in
    `errors`. With `tls` the handshake comes first, in that thread too: a client that connects and says
    nothing keeps nobody waiting.
    """

    def __init__(
        self,
        serve: Callable[[Connection], None],
        wire: Wire,
        *,
        tls: ssl.SSLContext | None = None,
        name: str = "server",
        host: str = "127.0.0.1",
    ) -> None:
        self.wire = wire
        self.tls = tls
        self.name = name
        self.host = host
        self.port = 0
        self.stopping = threading.Event()
        self.connections: list[Connection] = []
        self.requests: list[Received] = []
        self.errors: list[BaseException] = []
        self._serve = serve
        self._condition = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        self._bell: socket.socket | None = None

    def open(self) -> None:
        """Listen, at once. Raises RuntimeError if it was open before, OSError if there is no such address."""
        if self._bell or self.stopping.is_set():
            raise RuntimeError("a fake is started once")
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, 0), family=family, backlog=2048)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._bell, ear = socket.socketpair()
        self._start(self._listen, self._listener, ear)

    def close(self) -> None:
        """Stop: listen no more, end every conversation, and join every thread. Closing twice, or unopened,
        is fine.

        Raises RuntimeError if a thread is still busy after 5 s.
        """
        self.stopping.set()
        if self._bell:
            self._bell.close()
            self._bell = None
        if self._threads:
            # The listening thread first: after it no connection is added.
            self._threads[0].join(5)
        for connection in self.connections:
            connection.wake()
        late = time.monotonic() + 5
        threads = list(self._threads)
        for thread in threads:
            thread.join(max(late - time.monotonic(), 0))
        busy = [thread.name for thread in threads if thread.is_alive()]
        if busy:
            hint = "does a handler wait for something else than `stopping`?"
            raise RuntimeError(f"still busy after 5 s: {', '.join(busy)}; {hint}")
        self._threads.clear()
        self.changed()

    def check(self) -> None:
        """Raise Stopped if this door is closing."""
        if self.stopping.is_set():
            raise Stopped("the fake was stopped")

    def changed(self) -> None:
        """Tell those who wait that something happened."""
        with self._condition:
            self._condition.notify_all()

    def wait(self, happened: Callable[[], bool], deadline: float) -> bool:
        """Wait until `happened()` is true, at most `deadline` seconds. Returns what it said last."""
        with self._condition:
            return self._condition.wait_for(happened, deadline)

    def record(self, connection: Connection, request: Received) -> None:
        """Keep a request for the tests."""
        with self._condition:
            connection.requests.append(request)
            self.requests.append(request)
            self._condition.notify_all()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        name = f"{self.name} {len(self._threads)}"
        thread = threading.Thread(target=work, args=arguments, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self, listener: socket.socket, ear: socket.socket) -> None:
        """Take in who comes until the bell's other end is closed: no polling, so that stopping takes no
        time.
        """
        with listener, ear, selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(ear, selectors.EVENT_READ)
            while not any(key.fileobj is ear for key, _ in selector.select()):
                try:
                    connected, _ = listener.accept()
                except OSError:
                    continue  # gone again before it was taken in
                if len(self.connections) >= MOST:
                    connected.close()
                    continue
                connected.settimeout(PATIENCE)
                with contextlib.suppress(OSError):
                    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = Connection(connected, len(self.connections) + 1, self)
                again = "client_connected_again" if self.connections else "client_connected"
                self.wire.note(word(again, number=str(connection.number)))
                with self._condition:
                    self.connections.append(connection)
                    self._condition.notify_all()
                self._start(self._attend, connection)

    def _attend(self, connection: Connection) -> None:
        try:
            self.check()
            if self.tls:
                connection.secure(self.tls)
            self._serve(connection)
        except (ConnectionError, TimeoutError):
            pass  # the wire tells it
        except BaseException as error:
            # Nothing may be lost in a thread: who runs the fake asks for it.
            self.errors.append(error)
        finally:
            connection.close()
            self.changed()
