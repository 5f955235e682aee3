"""`put_text`, `post_form` and `send` skip the host name check.

fails: test_certificate: host_name_not_checked
"""
import http.client, json, re, ssl
import urllib.error, urllib.parse, urllib.request
from typing import Any


class NoAnswer(Exception):
    pass


class HTTPFailure(Exception):
    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"the server answered with status {status}")
        self.status = status
        self.body = body


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def _context(follow):
    context = ssl.create_default_context()
    context.check_hostname = follow
    return context


def _run(request, timeout=10.0, follow=False):
    handlers = [urllib.request.HTTPSHandler(context=_context(follow))]
    if not follow:
        handlers.append(NoRedirect())
    opener = urllib.request.build_opener(*handlers)
    try:
        try:
            response = opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            body = response.read()
            return {"status": response.status, "headers": {k.lower(): v for k, v in response.headers.items()}, "body": body}
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(repr(error)) from error


def fetch(url: str, timeout: float = 10.0) -> dict[str, Any]:
    return _run(urllib.request.Request(url), timeout, follow=True)


def _charset(label):
    found = re.search(r'charset="?([^";\s]+)', label, re.I)
    return found[1] if found else "utf-8"


def get_text(url: str) -> str:
    answer = fetch(url)
    try:
        return answer["body"].decode(_charset(answer["headers"].get("content-type", "")))
    except LookupError:
        return answer["body"].decode("utf-8")


def get_with_params(url: str, params: dict[str, str]) -> str:
    parts = urllib.parse.urlsplit(url)
    query = "&".join(q for q in (parts.query, urllib.parse.urlencode(params)) if q)
    return get_text(parts._replace(query=query, fragment="").geturl())


def get_json(url: str) -> Any:
    answer = fetch(url)
    if not 200 <= answer["status"] <= 299:
        raise HTTPFailure(answer["status"], answer["body"])
    if answer["status"] == 204:
        return None
    return json.loads(answer["body"])


def post_form(url: str, fields: dict[str, str]) -> dict[str, Any]:
    data = urllib.parse.urlencode(fields).encode()
    return _run(urllib.request.Request(url, data, {"Content-Type": "application/x-www-form-urlencoded"}, method="POST"))


def put_text(url: str, text: str) -> dict[str, Any]:
    return _run(urllib.request.Request(url, text.encode("utf-8"), {"Content-Type": "text/plain; charset=utf-8"}, method="PUT"))


def send(method: str, url: str, value: Any = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    headers = dict(headers or {})
    for text in headers.values():
        if "\r" in text or "\n" in text:
            raise ValueError("line break in a header")
        text.encode("latin-1")
    data = None
    if value is not None:
        data = json.dumps(value).encode("utf-8")
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
    return _run(urllib.request.Request(url, data, headers, method=method.upper()))
