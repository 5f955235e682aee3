"""An HTTP server for a test, around pytest-httpserver and werkzeug: a test reads like a scene.

    with FakeHTTP(wire) as server:
        server.on("GET", "/hello", body="hello", headers={"X-Nonce": nonce})
        ...                                      # the student's code fetches server.url("/hello?name=ann")
        request = server.request_to("/hello")
        request.query, request.headers, request.header("accept")

A login form with a cookie needs nothing but a handler:

    def login(request: Received) -> Response:
        if dict(request.form()) != {"user": user, "password": password}:
            return Response("Wrong user or password.", 403)
        cookie = f"session={nonce}; Path=/; HttpOnly"
        return Response(status=303, headers=[("Location", "/home"), ("Set-Cookie", cookie)])

    def home(request: Received) -> Response | str:
        if request.cookies.get("session") != nonce:
            return Response("Log in first.", 401)
        return "Welcome."

    server.on("POST", "/login", handler=login)
    server.on("GET", "/home", handler=home)

Every answer closes its connection (Connection: close); what needs more connection than that is for
dojo.fakes.raw.
"""

from __future__ import annotations

import functools
import io
import json as jsonlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, cast

from pytest_httpserver import HTTPServer, RequestMatcher
from pytest_httpserver.httpserver import HandlerType, RequestHandler, RequestHandlerList
from werkzeug import Request, Response
from werkzeug.serving import BaseWSGIServer, DechunkedInput, WSGIRequestHandler

from dojo.fakes.connection import KEPT, Connection
from dojo.fakes.fake import Fake, NoSuchRequest
from dojo.fakes.request import NoSuchContent, Received
from dojo.words import word

if TYPE_CHECKING:
    import ssl

    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from dojo.wire import Wire

__all__ = ["FakeHTTP", "NoSuchContent", "NoSuchRequest", "Received", "Response"]

Headers = Mapping[str, str | None] | Iterable[tuple[str, str | None]]
Handler = Callable[[Received], Response | str | bytes]

# Where the WSGI environment carries our own view of the request.
_RECEIVED = "dojo.received"
_NOTHING: Any = object()


class FakeHTTP(Fake):
    """An HTTP/1.1 server on 127.0.0.1, a thread for each client, everything on the wire; https with `tls`.

    HEAD is answered from what is registered for GET, without the body. What is registered for no path gets
    a 404 and is recorded all the same. An exception in a handler answers 500, and `check` raises it for the
    judge.
    """

    def __init__(
        self, wire: Wire, tls: ssl.SSLContext | None = None, name: str = "server", host: str = "127.0.0.1"
    ) -> None:
        super().__init__(wire, tls=tls, name=name, host=host)
        self._library = _Library(host, 0, threaded=True)

    def on(
        self,
        method: str,
        path: str,
        *,
        status: int = 200,
        headers: Headers = (),
        body: bytes | str = b"",
        json: Any = _NOTHING,
        pieces: Sequence[bytes] | None = None,
        pause: float = 0.02,
        handler: Handler | None = None,
        once: bool = False,
    ) -> None:
        """Answer `method` (in this case; "*" is any) on `path` (decoded, whole, without query) like this.

        The content is one of: `body`, a str as UTF-8; `json`, dumped; `pieces`, sent `pause` seconds apart,
        chunked unless `headers` give a Content-Length; or `handler` decides it all (a str or bytes it
        returns means 200). `headers` are added as they are, twice if they come twice. Without a
        Content-Type there, it is text/plain in UTF-8 for a str, application/json for `json`,
        application/octet-stream for bytes, none without a body; {"Content-Type": None} means none. A later
        registration goes before an earlier one. With `once` it answers one request only, before those
        without, and several of them answer in the order in which they were registered.
        """
        matcher = _Matcher(path, method=method)
        respond = functools.partial(self._respond, status, _pairs(headers), body, json, pieces, pause, handler)
        kind = HandlerType.ONESHOT if once else HandlerType.PERMANENT
        self._library.expect(matcher, kind).respond_with_handler(respond)
        if not once:
            self._library.handlers.insert(0, self._library.handlers.pop())

    def protect_basic(
        self, path: str, user: str, password: str, realm: str = "dojo", body: bytes | str = b"welcome"
    ) -> None:
        """Answer GET on `path` with `body` for this user and password, else a 401 (RFC 7617)."""

        def guard(request: Received) -> Response:
            if request.basic == (user, password):
                return _response(200, (), body)
            challenge = f'Basic realm="{realm}", charset="UTF-8"'
            return _response(401, [("WWW-Authenticate", challenge)], "Who are you?\n")

        self.on("GET", path, handler=guard)

    @property
    def unexpected(self) -> list[Received]:
        """The requests for which nothing was registered, and which got a 404."""
        return list(self._library.unexpected)

    def check(self) -> None:
        """Raise the first error of a handler or of the fake itself, if there was one."""
        self._library.check()
        super().check()

    def serve(self, connection: Connection) -> None:
        """Let werkzeug talk with one client."""
        _Conversation(connection, _House(self))
        connection.finish()

    def app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application: pytest-httpserver finds the answer."""
        received: Received = environ[_RECEIVED]
        try:
            if received.version == "HTTP/1.1" and received.header("Host") is None:
                response = _response(400, (), "A request by HTTP/1.1 names its Host (RFC 9112 §3.2).\n")
            else:
                response = self._library.application(Request(environ))
        except Exception as error:
            # The library keeps it, and check() raises it.
            told = f"{type(error).__name__}: {error}"
            self.wire.note(word("handler_failed", name=self.door.name, error=told))
            response = _response(500, (), "The handler of this fake server failed.\n")
        return response(environ, start_response)

    def _respond(
        self,
        status: int,
        headers: list[tuple[str, str | None]],
        body: bytes | str,
        json: Any,
        pieces: Sequence[bytes] | None,
        pause: float,
        handler: Handler | None,
        request: Request,
    ) -> Response:
        if handler:
            answer = handler(request.environ[_RECEIVED])
            return answer if isinstance(answer, Response) else _response(200, (), answer)
        if pieces is not None:
            response = _response(status, headers, b"".join(pieces))
            response.response = self._paced(pieces, pause)
            return response
        if json is not _NOTHING:
            return _response(status, headers, jsonlib.dumps(json).encode(), "application/json")
        return _response(status, headers, body)

    def _paced(self, pieces: Sequence[bytes], pause: float) -> Iterator[bytes]:
        for index, piece in enumerate(pieces):
            if index and self.stopping.wait(pause):
                return
            yield piece


def _pairs(headers: Headers) -> list[tuple[str, str | None]]:
    return list(headers.items() if isinstance(headers, Mapping) else headers)


def _response(
    status: int, headers: Sequence[tuple[str, str | None]], body: bytes | str, kind: str | None = None
) -> Response:
    """An answer with these headers alone, and a Content-Type if none is among them: `kind`, or what fits."""
    response = Response(body, status)
    response.headers.clear()
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        fitting = "text/plain; charset=utf-8" if isinstance(body, str) else "application/octet-stream"
        response.headers["Content-Type"] = kind or fitting
    for name, value in headers:
        if value is not None:
            response.headers.add(name, value)
    return response


class _Matcher(RequestMatcher):
    """A path and a method, as they were on the wire: the library would take `put` for PUT."""

    def difference(self, request: Request) -> list[tuple[str, str, Any]]:
        received: Received = request.environ[_RECEIVED]
        answers = {"*": {received.method}, "GET": {"GET", "HEAD"}}.get(self.method, {self.method})
        wrong = []
        if received.path != self.uri:
            wrong.append(("uri", received.path, self.uri))
        if received.method not in answers:
            wrong.append(("method", received.method, self.method))
        return wrong


class _Once(RequestHandlerList):
    """Answers for one request each, also when two requests come at the same moment."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def match(self, request: Request) -> RequestHandler | None:
        with self._lock:
            handler = super().match(request)
            if handler:
                super().remove(handler)
            return handler

    def remove(self, handler: RequestHandler) -> None:
        """Nothing: `match` has taken it out already."""


class _Library(HTTPServer):
    """pytest-httpserver as the memory of what to answer; the door in front of it is ours."""

    def __init__(self, host: str, port: int, *, threaded: bool) -> None:
        super().__init__(host, port, threaded=threaded)
        self.unexpected: list[Received] = []
        self.oneshot_handlers = _Once()

    def respond_nohandler(self, request: Request, extra_message: str = "") -> Response:  # noqa: ARG002
        received: Received = request.environ[_RECEIVED]
        self.unexpected.append(received)
        matchers = [handler.matcher for handler in [*self.oneshot_handlers, *self.handlers]]
        known = sorted({matcher.method for matcher in matchers if matcher.uri == received.path})
        hint = f"It is known for {', '.join(known)}." if known else "Nothing is known of this path."
        return _response(404, (), f"No answer to {received}. {hint}\n")


class _House:
    """What werkzeug's request handler asks of the server it works for."""

    multithread = True
    multiprocess = False
    passthrough_errors = False

    def __init__(self, fake: FakeHTTP) -> None:
        self.fake = fake
        self.app = fake.app
        self.ssl_context = fake.door.tls
        self.server_address = (fake.host, fake.port)

    def log(self, kind: str, message: str, *arguments: object) -> None:
        """Keep what went wrong while an answer was written; the rest is on the wire."""
        if kind == "error":
            self.fake.door.errors.append(RuntimeError(message % arguments if arguments else message))


class _Conversation(WSGIRequestHandler):
    """werkzeug's talk with one client, over a connection that records."""

    protocol_version = "HTTP/1.1"
    # What is no request gets an answer with a status line too, and not one by HTTP/0.9, which had none.
    default_request_version = "HTTP/1.0"

    def __init__(self, connection: Connection, house: _House) -> None:
        self.recorded = connection
        super().__init__(connection.socket, (house.server_address[0], 0), cast("BaseWSGIServer", house))

    def setup(self) -> None:
        self.connection = self.recorded.socket
        stream = _Stream(self.recorded)
        self.rfile = self.reader = io.BufferedReader(stream)
        self.wfile = cast("io.BufferedIOBase", stream)

    def finish(self) -> None:
        """Send what is left; the connection is closed by whom it belongs to."""
        self.wfile.flush()

    def handle(self) -> None:
        # A TLS client would wait for ever, and we for the end of its first line.
        if self.reader.peek(1)[:1] == b"\x16":
            self.recorded.note("plain_not_tls")
            return
        super().handle()

    def make_environ(self) -> WSGIEnvironment:
        """The request, its body read completely: as it was on the wire, and as werkzeug sees it."""
        received = self._received()
        self.recorded.record(received)
        if self.request_version < "HTTP/1.1":
            self.protocol_version = "HTTP/1.0"  # such a client does not know chunks
        try:
            environ = super().make_environ()
        except ValueError:
            # A target that nobody can split, like http://[. Ours is matched by what stands in `received`.
            self.path = "/"
            environ = super().make_environ()
        environ["wsgi.input"] = io.BytesIO(received.body)
        environ["CONTENT_LENGTH"] = str(len(received.body))
        environ[_RECEIVED] = received
        return environ

    def _received(self) -> Received:
        # werkzeug's own view joins what came twice, and changes the target.
        line = self.raw_requestline.decode("latin-1").rstrip("\r\n")
        target, _, version = line.partition(" ")[2].rpartition(" ")
        head = Received(
            method=self.command,
            target=target or version,
            version=version if target else "",
            headers=tuple((name, str(value).strip(" \t")) for name, value in self.headers.raw_items()),
            connection=self.recorded.number,
        )
        if "chunked" in (head.header("Transfer-Encoding") or "").lower():
            try:
                chunks = cast("io.RawIOBase", DechunkedInput(cast("IO[bytes]", self.rfile)))
                return replace(head, body=io.BufferedReader(chunks).read(KEPT))
            except ConnectionError:
                raise
            except (OSError, ValueError) as error:
                self.recorded.note("bad_chunks", error=str(error))
                return replace(head, truncated=True)
        size = head.content_length
        body = self.rfile.read(min(size, KEPT))
        if len(body) < size:
            self.recorded.note("short_body", number=str(len(body)), size=str(size))
        return replace(head, body=body, truncated=len(body) < size)

    def handle_expect_100(self) -> bool:
        """Nothing: werkzeug answers it once more."""
        return True

    def version_string(self) -> str:
        return "dojo"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the wire tells it."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Nothing: the wire tells it."""


class _Stream(io.RawIOBase):
    """A connection as a file: what is read was received just then, what is written goes out at a flush."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._unsent = bytearray()

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self.flush()
        view = memoryview(buffer)
        data = self._connection.receive(len(view))
        view[: len(data)] = data
        return len(data)

    def write(self, data: Any) -> int:
        self._unsent += data
        if data == b"0\r\n\r\n":
            # werkzeug flushes the last chunk only after it has looked for more input for 10 ms.
            self.flush()
        return len(data)

    def flush(self) -> None:
        data, self._unsent = bytes(self._unsent), bytearray()
        if data and not self.closed:
            self._connection.send(data)
