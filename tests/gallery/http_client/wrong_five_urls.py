"""A chain of five is five URLs.

fails: test_redirects: redirects_given_up
"""

import json
import re
import socket
import ssl
from urllib.parse import urlencode, urljoin, urlsplit


class NoAnswer(Exception):
    pass


class HTTPFailure(Exception):
    def __init__(self, status, body):
        super().__init__(f"the server answered with status {status}")
        self.status = status
        self.body = body


def exchange(method, url, body=b"", headers=None, timeout=10.0):
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    lines = [f"{method} {parts.path or '/'}{'?' + parts.query if parts.query else ''} HTTP/1.1"]
    for name, value in {"Host": parts.netloc, "Connection": "close", **(headers or {})}.items():
        if re.search(r"[\r\n]", name + value):
            raise ValueError(f"a line break in the header {name}")
        lines.append(f"{name}: {value}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    request = head.encode("latin-1") + body
    try:
        with socket.create_connection((parts.hostname, parts.port or (443 if secure else 80)), timeout) as plain:
            if secure:
                context = ssl.create_default_context()
                with context.wrap_socket(plain, server_hostname=parts.hostname) as wrapped:
                    return talk(wrapped, request)
            return talk(plain, request)
    except OSError as error:
        raise NoAnswer(str(error)) from error


def talk(connected, request):
    connected.sendall(request)
    with connected.makefile("rb") as stream:
        found = re.match(rb"HTTP/1\.[01] (\d\d\d)", stream.readline(65536))
        if not found:
            raise NoAnswer("this is not HTTP")
        status = int(found[1])
        headers = {}
        while (line := stream.readline(65536)) not in (b"\r\n", b"\n"):
            if not line:
                raise NoAnswer("the connection ended in the head")
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        return {"status": status, "headers": headers, "body": body_of(stream, status, headers)}


def body_of(stream, status, headers):
    if status in (204, 304):
        return b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while line := stream.readline():
            size = int(line.split(b";")[0], 16)
            if size == 0:
                return body
            body += exactly(stream, size)
            stream.readline()
        raise NoAnswer("the last chunk is missing")
    if "content-length" in headers:
        return exactly(stream, int(headers["content-length"]))
    return stream.read()


def exactly(stream, size):
    data = stream.read(size)
    if len(data) < size:
        raise NoAnswer("the body is too short")
    return data


def fetch(url, timeout=10.0):
    seen = []
    while True:
        answer = exchange("GET", url, timeout=timeout)
        seen.append(url)
        if answer["status"] not in (301, 302, 303, 307, 308) or "location" not in answer["headers"]:
            return answer
        url = urljoin(url, answer["headers"]["location"])
        if url in seen or len(seen) > 4:
            return answer


def get_text(url):
    answer = fetch(url)
    label = answer["headers"].get("content-type", "")
    found = re.search(r";\s*charset\s*=\s*\"?([^\s;\"]+)", label, re.IGNORECASE)
    try:
        return answer["body"].decode(found[1] if found else "utf-8", "replace")
    except LookupError:
        return answer["body"].decode("utf-8", "replace")


def get_with_params(url, params):
    front, _, _ = url.partition("#")
    if "?" not in front:
        front += "?"
    elif not front.endswith(("?", "&")):
        front += "&"
    return get_text(front + urlencode(params))


def get_json(url):
    answer = fetch(url)
    if not 200 <= answer["status"] <= 299:
        raise HTTPFailure(answer["status"], answer["body"])
    return json.loads(answer["body"]) if answer["body"] else None


def with_body(method, url, body, headers):
    return exchange(method, url, body, {"Content-Length": str(len(body)), **headers})


def post_form(url, fields):
    label = {"Content-Type": "application/x-www-form-urlencoded"}
    return with_body("POST", url, urlencode(fields).encode("ascii"), label)


def put_text(url, text):
    return with_body("PUT", url, text.encode("utf-8"), {"Content-Type": "text/plain; charset=utf-8"})


def send(method, url, value=None, headers=None):
    method, headers = method.upper(), headers or {}
    if value is None:
        return exchange(method, url, headers=headers)
    label = {"Content-Type": "application/json"}
    if any(name.lower() == "content-type" for name in headers):
        label = {}
    return with_body(method, url, json.dumps(value).encode("utf-8"), {**label, **headers})
