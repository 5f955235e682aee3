"""A Location is a URL.

fails: test_redirects: location_is_relative
"""

import json
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener, urlopen


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
    try:
        try:
            response = opener.open(request, timeout=timeout)
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


class NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


opener = build_opener(NoRedirects)


def fetch(url, timeout=10.0):
    for _ in range(20):
        answer = ask(Request(url), timeout)
        if answer["status"] not in (301, 302, 303, 307, 308) or "location" not in answer["headers"]:
            break
        url = answer["headers"]["location"]
    return answer


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
