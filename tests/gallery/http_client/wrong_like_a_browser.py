"""A client should send the headers that a browser sends.

fails: test_fetch: gzip_not_undone
fails: test_every_status: gzip_not_undone
"""

import json
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit, urlunsplit
from urllib.request import Request, urlopen


class NoAnswer(Exception):
    pass


class HTTPFailure(Exception):
    def __init__(self, status, body):
        super().__init__(f"the server answered with status {status}")
        self.status = status
        self.body = body


def get_text(url):
    with urlopen(url, timeout=10) as response:
        body = response.read()
        charset = response.headers.get_content_charset() or "utf-8"
    try:
        return body.decode(charset)
    except LookupError:
        return body.decode("utf-8")


def get_with_params(url, params):
    parts = urlsplit(url)
    query = urlencode(params)
    if parts.query:
        query = parts.query + "&" + query
    return get_text(urlunsplit(parts._replace(query=query)))


def ask(request, timeout=10):
    request.add_header("Accept-Encoding", "gzip, deflate")
    try:
        try:
            response = urlopen(request, timeout=timeout)
        except HTTPError as error:
            response = error
        with response:
            headers = {}
            for name, value in response.headers.items():
                headers[name.lower()] = value
            body = response.read()
        return {"status": response.status, "headers": headers, "body": body}
    except (OSError, HTTPException) as error:
        raise NoAnswer(str(error))


def fetch(url, timeout=10.0):
    return ask(Request(url), timeout)


def get_json(url):
    answer = fetch(url)
    if answer["status"] < 200 or answer["status"] > 299:
        raise HTTPFailure(answer["status"], answer["body"])
    if not answer["body"]:
        return None
    return json.loads(answer["body"])


def post_form(url, fields):
    data = urlencode(fields).encode()
    return ask(Request(url, data=data, method="POST"))


def put_text(url, text):
    data = text.encode("utf-8")
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    return ask(Request(url, data=data, headers=headers, method="PUT"))


def send(method, url, value=None, headers=None):
    for text in (headers or {}).values():
        if "\r" in text or "\n" in text:
            raise ValueError("a line break in a header")
    data = None
    all_headers = {}
    if value is not None:
        data = json.dumps(value).encode()
        all_headers["Content-Type"] = "application/json"
    for name in headers or {}:
        all_headers[name.title()] = headers[name]
    return ask(Request(url, data=data, headers=all_headers, method=method.upper()))
