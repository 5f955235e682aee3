"""One opener for all requests, in which every status is an answer, and bodies read in pieces."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from contextlib import closing


class NoAnswer(Exception):
    """No complete answer came."""


class HTTPFailure(Exception):
    """An answer with a status that is no success."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"the server answered with status {status}")
        self.status = status
        self.body = body


class EveryStatus(urllib.request.HTTPErrorProcessor):
    """Only the redirects of a GET go on to the other handlers; every other answer is the end."""

    def http_response(self, request, response):
        leads_on = response.status in (301, 302, 303, 307, 308) and "Location" in response.headers
        if leads_on and request.get_method() == "GET":
            return self.parent.error("http", request, response, response.status, response.reason, response.headers)
        return response

    https_response = http_response


class Redirects(urllib.request.HTTPRedirectHandler):
    max_repeats = 2
    max_redirections = 20


OPENER = urllib.request.build_opener(EveryStatus(), Redirects())


def ask(url, method="GET", data=None, headers=(), timeout=10.0):
    request = urllib.request.Request(url, data, method=method)
    for name, value in headers:
        request.add_header(name, value)
    try:
        with closing(OPENER.open(request, timeout=timeout)) as response:
            pieces = []
            while piece := response.read(4096):
                pieces.append(piece)
            body = b"".join(pieces)
            length = response.headers["Content-Length"]
            if length is not None and response.status not in (204, 304) and len(body) != int(length):
                raise NoAnswer(f"{len(body)} bytes of {length}")
            return {
                "status": response.status,
                "headers": dict((name.lower(), value) for name, value in response.headers.items()),
                "body": body,
            }
    except urllib.error.URLError as error:
        raise NoAnswer(error.reason) from error
    except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
        raise NoAnswer(repr(error)) from error


def get_text(url):
    answer = ask(url)
    charset = "utf-8"
    for parameter in answer["headers"].get("content-type", "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"')
    try:
        "".encode(charset)
    except LookupError:
        charset = "utf-8"
    return str(answer["body"], charset)


def get_with_params(url, params):
    scheme, netloc, path, query, _ = urllib.parse.urlsplit(url)
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True) + list(params.items())
    query = urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote)
    return get_text(urllib.parse.urlunsplit((scheme, netloc, path, query, "")))


def fetch(url, timeout=10.0):
    return ask(url, timeout=timeout)


def get_json(url):
    answer = ask(url)
    match answer["status"]:
        case 204:
            return None
        case status if status in range(200, 300):
            return json.loads(answer["body"])
        case status:
            raise HTTPFailure(status, answer["body"])


def post_form(url, fields):
    label = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
    return ask(url, "POST", urllib.parse.urlencode(list(fields.items())).encode(), [label])


def put_text(url, text):
    return ask(url, "PUT", text.encode(), [("content-type", "text/plain; charset=UTF-8")])


def send(method, url, value=None, headers=None):
    for text in (headers or {}).values():
        if "\r" in text or "\n" in text:
            raise ValueError("a line break in a header")
    data = None if value is None else json.dumps(value).encode()
    label = [] if value is None else [("Content-Type", "application/json")]
    return ask(url, method.upper(), data, label + list((headers or {}).items()))
