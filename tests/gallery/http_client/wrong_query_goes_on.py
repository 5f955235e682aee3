"""The query of a URL belongs to all its requests.

fails: test_redirects: old_query_sent_on
"""

import json
import ssl
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote_plus, urljoin, urlsplit


class NoAnswer(Exception):
    pass


class HTTPFailure(Exception):
    def __init__(self, status, body):
        super().__init__(f"the server answered with status {status}")
        self.status = status
        self.body = body


def exchange(method, url, body=None, headers={}, timeout=10.0):
    parts = urlsplit(url)
    target = parts.path or "/"
    if parts.query:
        target += "?" + parts.query
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=context)
    else:
        connection = HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        data = response.read()
    except (OSError, HTTPException) as error:
        raise NoAnswer(repr(error)) from error
    finally:
        connection.close()
    names = {name.lower(): value for name, value in response.getheaders()}
    return {"status": response.status, "headers": names, "body": data}


def fetch(url, timeout=10.0):
    query = urlsplit(url).query
    for _ in range(20):
        answer = exchange("GET", url, timeout=timeout)
        if answer["status"] not in (301, 302, 303, 307, 308) or "location" not in answer["headers"]:
            return answer
        url = urljoin(url, answer["headers"]["location"]).partition("#")[0]
        if query:
            url += ("&" if "?" in url else "?") + query
    raise NoAnswer("too many redirects")


def get_text(url):
    answer = fetch(url)
    label = Message()
    label["Content-Type"] = answer["headers"].get("content-type", "text/plain")
    try:
        return answer["body"].decode(label.get_content_charset("utf-8"))
    except LookupError:
        return answer["body"].decode("utf-8")


def encoded(fields):
    return "&".join(quote_plus(name) + "=" + quote_plus(value) for name, value in fields.items())


def get_with_params(url, params):
    url = url.partition("#")[0]
    return get_text(url + ("&" if "?" in url else "?") + encoded(params))


def get_json(url):
    answer = fetch(url)
    if answer["status"] // 100 != 2:
        raise HTTPFailure(answer["status"], answer["body"])
    if answer["status"] == 204:
        return None
    return json.loads(answer["body"].decode("utf-8"))


def post_form(url, fields):
    label = {"Content-Type": "application/x-www-form-urlencoded"}
    return exchange("POST", url, encoded(fields).encode("ascii"), label)


def put_text(url, text):
    return exchange("PUT", url, text.encode("utf-8"), {"Content-Type": "text/plain;charset=\"UTF-8\""})


def send(method, url, value=None, headers=None):
    for text in (headers or {}).values():
        if "\r" in text or "\n" in text:
            raise ValueError("a line break in a header")
    headers = dict(headers or {})
    body = None
    if value is not None:
        body = json.dumps(value, ensure_ascii=False).encode("utf-8")
        if "content-type" not in [name.lower() for name in headers]:
            headers["Content-Type"] = "application/json; charset=utf-8"
    return exchange(method.upper(), url, body, headers)
