"""Strips values before the check.

fails: test_own_headers: header_let_through
"""
import http.client, json, ssl
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit


class NoAnswer(Exception):
    pass


class HTTPFailure(Exception):
    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"the server answered with status {status}")
        self.status = status
        self.body = body


class Exchange:
    def __init__(self, url, timeout=10.0):
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as error:
            raise NoAnswer(str(error)) from error
        if parts.scheme == "https":
            self.conn = http.client.HTTPSConnection(parts.hostname, port, timeout=timeout, context=ssl.create_default_context())
        elif parts.scheme == "http":
            self.conn = http.client.HTTPConnection(parts.hostname, port, timeout=timeout)
        else:
            raise NoAnswer("scheme " + parts.scheme)
        self.target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + ("?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?") if parts.query else "")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.conn.close()

    def ask(self, method, body=None, headers=None):
        try:
            self.conn.request(method, self.target, body=body, headers=headers or {})
            answer = self.conn.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(repr(error)) from error
        self.message = answer.headers
        return {"status": answer.status, "headers": {k.lower(): v for k, v in answer.headers.items()}, "body": data}


def _get(url, timeout=10.0):
    for _ in range(11):
        with Exchange(url, timeout) as exchange:
            answer = exchange.ask("GET")
            message = exchange.message
        if answer["status"] in (301, 302, 303, 307, 308) and "location" in answer["headers"]:
            url = urljoin(url, answer["headers"]["location"])
            continue
        return answer, message
    raise NoAnswer("too many redirects")


def get_text(url: str) -> str:
    answer, message = _get(url)
    charset = message.get_content_charset() or "utf-8"
    try:
        return answer["body"].decode(charset)
    except LookupError:
        return answer["body"].decode("utf-8")


def get_with_params(url: str, params: dict[str, str]) -> str:
    parts = urlsplit(url)
    query = "&".join(q for q in (parts.query, urlencode(params)) if q)
    return get_text(parts._replace(query=query, fragment="").geturl())


def fetch(url: str, timeout: float = 10.0) -> dict[str, Any]:
    return _get(url, timeout)[0]


def get_json(url: str) -> Any:
    answer = fetch(url)
    if not 200 <= answer["status"] <= 299:
        raise HTTPFailure(answer["status"], answer["body"])
    if answer["status"] == 204:
        return None
    return json.loads(answer["body"])


def post_form(url: str, fields: dict[str, str]) -> dict[str, Any]:
    with Exchange(url) as exchange:
        return exchange.ask("POST", urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"})


def put_text(url: str, text: str) -> dict[str, Any]:
    with Exchange(url) as exchange:
        return exchange.ask("PUT", text.encode(), {"Content-Type": "text/plain; charset=utf-8"})


def send(method: str, url: str, value: Any = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    out = {name: text.strip() for name, text in (headers or {}).items()}
    for each in out.values():
        if "\r" in each or "\n" in each:
            raise ValueError("line break in a header")
        each.encode("latin-1")
    body = None
    if value is not None:
        body = json.dumps(value).encode()
        if "content-type" not in {name.lower() for name in out}:
            out["Content-Type"] = "application/json"
    with Exchange(url) as exchange:
        return exchange.ask(method.upper(), body, out)
