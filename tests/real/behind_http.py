"""nginx behind the face of FakeHTTP: pages, statuses, headers, redirects and Basic come out of a configuration that is
written for the test. What a test decides by a function is an application behind nginx, as such things are in life."""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import json as jsonlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from werkzeug import Response

from dojo.fakes.connection import ClientClosed, Connection
from dojo.fakes.http import _NOTHING, FakeHTTP, Handler, Headers, _pairs, _response
from dojo.fakes.request import Received
from dojo.wire import Wire
from tests.real.behind import PATIENCE, Unplayable, servers
from tests.real.servers import Nginx


@dataclass(frozen=True)
class Rule:
    """What nginx does for a method on a path; `write` gives the inside of a location, for its number."""

    method: str
    write: Callable[[int], str]


class RealHTTP(FakeHTTP):
    """What FakeHTTP is for a test, with nginx doing the work."""

    def __init__(
        self, wire: Wire, tls: ssl.SSLContext | None = None, name: str = "server", host: str = "127.0.0.1"
    ) -> None:
        super().__init__(wire, tls=tls, name=name, host=host)
        self.real = servers()
        self._application = FakeHTTP(Wire(), name="application")
        self._rules: dict[str, list[Rule]] = {}
        self._folder = self.real.room()
        self._folder.chmod(0o755)
        self._lock = threading.Lock()
        self._nginx: Nginx | None = None
        self._generation = 0
        self._changed = True

    # --- for a test ----------------------------------------------------------------------------------------

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
        """As FakeHTTP.on."""
        if once:
            raise Unplayable("an answer for one request only")
        if handler or pieces is not None:
            self._application.on(
                method, path, status=status, headers=headers, pieces=pieces, pause=pause, handler=handler
            )
            self._rule(method, path, self._pass_on)
            return
        kind = None
        if json is not _NOTHING:
            body, kind = jsonlib.dumps(json).encode(), "application/json"
        self._rule(method, path, functools.partial(self._page, _response(status, _pairs(headers), body, kind)))

    def protect_basic(
        self, path: str, user: str, password: str, realm: str = "dojo", body: bytes | str = b"welcome"
    ) -> None:
        """As FakeHTTP.protect_basic; nginx does it."""
        hashed = base64.b64encode(hashlib.sha1(password.encode(), usedforsecurity=False).digest()).decode()
        users = self._file(f"{user}:{{SHA}}{hashed}\n".encode())
        file = self._file(body.encode() if isinstance(body, str) else body)
        kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/octet-stream"
        self._rule(
            "GET",
            path,
            lambda number: (
                f"auth_basic {quoted(realm)}; auth_basic_user_file {users}; default_type {quoted(kind)}; alias {file};"
            ),
        )

    def check(self) -> None:
        """As FakeHTTP.check; what went wrong in the application too."""
        self._application.check()
        super().check()

    # --- what nginx is told --------------------------------------------------------------------------------

    def _rule(self, method: str, path: str, write: Callable[[int], str]) -> None:
        with self._lock:
            self._rules.setdefault(path, []).insert(0, Rule(method, write))
            self._changed = True

    def _file(self, content: bytes) -> Path:
        path = self._folder / f"{len(list(self._folder.iterdir()))}.bin"
        path.write_bytes(content)
        return path

    def _page(self, response: Response, number: int) -> str:
        """A status, headers and a body: by way of an error, as only so nginx puts a status of ours on a file."""
        headers = "".join(
            f"add_header {quoted(name)} {quoted(value)} always; "
            for name, value in response.headers
            if name.lower() not in ("content-type", "content-length")
        )
        if response.status_code in (204, 304):
            return f"{headers} return {response.status_code};"
        kind = quoted(response.headers.get("Content-Type", ""))
        file = self._file(response.get_data())
        return (
            f"error_page 418 ={response.status_code} /~/body/{number}; return 418; }}\n"
            f"location = /~/body/{number} {{ internal; {headers} default_type {kind}; alias {file};"
        )

    def _pass_on(self, number: int) -> str:
        return (
            f"proxy_pass http://127.0.0.1:{self._application.port}$request_uri; proxy_http_version 1.1;"
            "proxy_set_header Host $http_host; proxy_set_header Connection close; proxy_buffering off;"
            "proxy_redirect off;"
        )

    def _configuration(self) -> str:
        locations, number = [], 0
        for path, rules in self._rules.items():
            choices, places = [], []
            for rule in rules:
                number += 1
                methods = {"*": ".", "GET": "^(GET|HEAD)$"}.get(rule.method, f"^{rule.method}$")
                choices.append(f'if ($request_method ~ "{methods}") {{ rewrite ^ /~/{number} last; }}')
                places.append(f"location = /~/{number} {{ internal; {rule.write(number)} }}")
            locations += [f"location = {quoted(path)} {{ {' '.join(choices)} return 404; }}", *places]
        return (
            "types {} etag off; if_modified_since off; max_ranges 0; keepalive_timeout 0; absolute_redirect off;\n"
            f"server {{ listen unix:{self._socket()}; merge_slashes off;\n"
            "location / { return 404; }\n" + "\n".join(locations) + "\n}"
        )

    def _socket(self) -> Path:
        return self._folder / f"nginx-{self._generation}"

    def _ready(self) -> Path:
        """nginx with the present rules: a new one if a test has added some since."""
        with self._lock:
            if self._changed:
                if self._nginx is not None:
                    self._nginx.close()
                self._generation += 1
                path = self._socket()
                self._nginx = Nginx(self.real.guardian, self._folder, self._configuration(), lambda: _answers(path))
                assert self._nginx.listening, self._nginx.said()
                self._changed = False
            return self._socket()

    # --- the relay -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """As FakeHTTP.start."""
        self._application.start()
        super().start()

    def stop(self) -> None:
        """As FakeHTTP.stop."""
        super().stop()
        self._application.stop()
        if self._nginx is not None:
            self._nginx.close()
            self._nginx = None

    def serve(self, connection: Connection) -> None:
        """Bring one request to nginx and its answer back."""
        with contextlib.suppress(ClientClosed), socket.socket(socket.AF_UNIX) as far:
            request, data = read_request(connection)
            connection.record(request)
            far.settimeout(PATIENCE)
            far.connect(str(self._ready()))
            far.sendall(data)
            while answer := far.recv(65536):
                connection.send(answer)
            connection.finish()


def read_request(connection: Connection) -> tuple[Received, bytes]:
    """A request (RFC 9112): as it was, and its bytes. Raises ClientClosed if there is no whole one."""
    data = connection.read_until(b"\r\n\r\n")
    line, *lines = data.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, version = line.split(" ")
    pairs = [each.partition(":") for each in lines]
    headers = tuple((name, value.strip(" \t")) for name, _, value in pairs)
    request = Received(method, target, version, headers, connection=connection.number)
    if request.header("Transfer-Encoding"):
        raise Unplayable("a body in chunks")
    body = connection.read_exactly(request.content_length)
    return replace(request, body=body), data + body


def quoted(text: str) -> str:
    """A word of nginx's configuration. Nothing can be done about a dollar sign, which would be a variable."""
    if "$" in text:
        raise Unplayable(f"a dollar sign in {text}")
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
