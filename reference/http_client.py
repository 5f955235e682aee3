"""http_client: ask a web server, and understand its answer. A working solution."""

import json
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit, urlunsplit
from urllib.request import Request, urlopen

TIMEOUT = 10.0
"""Seconds. Without one, urllib waits for ever."""


class NoAnswer(Exception):
    """No complete answer came."""


class HTTPFailure(Exception):
    """An answer came, but with a status outside 200 to 299."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"the server answered with status {status}")
        self.status = status
        self.body = body


def get_text(url: str) -> str:
    """The text at a URL, decoded by the charset that its Content-Type declares, else UTF-8."""
    with urlopen(url, timeout=TIMEOUT) as response:
        body: bytes = response.read()
        charset = response.headers.get_content_charset("utf-8")
    try:
        return body.decode(charset)
    except LookupError:  # servers write charsets that do not exist
        return body.decode("utf-8")


def get_with_params(url: str, params: dict[str, str]) -> str:
    """The same with parameters, which are added to the query of the URL."""
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(params))))
    return get_text(urlunsplit(parts._replace(query=query)))


def fetch(url: str, timeout: float = 10.0) -> dict[str, Any]:
    """The whole answer to a GET: status, headers and body, whatever the status is."""
    return _ask(Request(url), timeout)


def get_json(url: str) -> Any:
    """The value that the JSON at a URL stands for. None when the answer has no body."""
    answer = fetch(url)
    if not 200 <= answer["status"] < 300:
        raise HTTPFailure(answer["status"], answer["body"])
    return json.loads(answer["body"]) if answer["body"] else None


def post_form(url: str, fields: dict[str, str]) -> dict[str, Any]:
    """Send the fields as a web form does, and return the answer."""
    # The label is urllib's default for a body, and the length is counted from the bytes.
    return _ask(Request(url, data=urlencode(fields).encode("ascii"), method="POST"))


def put_text(url: str, text: str) -> dict[str, Any]:
    """Store a text at a URL, and return the answer."""
    label = {"Content-Type": "text/plain; charset=utf-8"}
    return _ask(Request(url, data=text.encode("utf-8"), headers=label, method="PUT"))


def send(method: str, url: str, value: Any = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Send a request by any method, with a value as JSON, and return the answer."""
    request = Request(url, method=method.upper())
    if value is not None:  # not `if value`: 0 and [] are values
        request.data = json.dumps(value).encode("ascii")
        request.add_header("Content-Type", "application/json")
    for name, content in (headers or {}).items():
        if "\r" in content or "\n" in content:  # http.client lets one through where a blank follows
            raise ValueError(f"a line break in the header {name}")
        request.add_header(name, content)  # stored under one spelling, so that the caller's Content-Type wins
    return _ask(request)


def _ask(request: Request, timeout: float = TIMEOUT) -> dict[str, Any]:
    """The answer to a request. Everything that may fail, reading the body too, stands inside the try."""
    try:
        with _open(request, timeout) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return {"status": response.status, "headers": headers, "body": response.read()}
    except (OSError, HTTPException) as error:
        # OSError: URLError, TimeoutError, a lost connection, a certificate. The other: bad HTTP, a short body.
        raise NoAnswer(str(error)) from error


def _open(request: Request, timeout: float) -> Any:
    try:
        return urlopen(request, timeout=timeout)  # checks the certificate of an https server
    except HTTPError as error:
        return error  # an answer like any other, with status, headers and body
