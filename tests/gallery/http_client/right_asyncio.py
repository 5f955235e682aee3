"""Streams of asyncio inside ordinary functions, HTTP/1.0, and redirects by recursion."""

import asyncio
import json
import ssl
from http import HTTPStatus
from io import BytesIO
from email.parser import BytesHeaderParser
from urllib.parse import urlencode, urljoin, urlsplit


class NoAnswer(Exception):
    pass


class HTTPFailure(Exception):
    def __init__(self, status, body):
        super().__init__(f"the server answered with status {status}")
        self.status = status
        self.body = body


async def talk(method, url, body, headers, timeout):
    parts = urlsplit(url)
    context = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if context else 80)
    target = parts.path + ("?" + parts.query if parts.query else "")
    # HTTP/1.0: the body ends with the connection, and never comes in chunks
    head = f"{method} {target or '/'} HTTP/1.0\r\nHost: {parts.netloc}\r\n"
    for name, value in headers.items():
        if "\n" in value or "\r" in value:
            raise ValueError("no line breaks in a header")
        head += f"{name}: {value}\r\n"
    request = (head + "\r\n").encode("iso-8859-1") + body
    reader, writer = await asyncio.wait_for(asyncio.open_connection(parts.hostname, port, ssl=context), timeout)
    try:
        writer.write(request)
        await asyncio.wait_for(writer.drain(), timeout)
        data = b""
        while piece := await asyncio.wait_for(reader.read(65536), timeout):
            data += piece
    finally:
        writer.close()
    return data


def exchange(method, url, body=b"", headers=None, timeout=10.0):
    try:
        data = asyncio.run(talk(method, url, body, headers or {}, timeout))
    except OSError as error:
        raise NoAnswer(error) from error
    stream = BytesIO(data)
    first = stream.readline().split()
    if len(first) < 2 or not first[0].startswith(b"HTTP/") or b"\r\n\r\n" not in data:
        raise NoAnswer("this is not HTTP")
    fields = BytesHeaderParser().parsebytes(data.partition(b"\r\n\r\n")[0].partition(b"\r\n")[2])
    body = data.partition(b"\r\n\r\n")[2]
    status = int(first[1])
    wanted = int(fields["Content-Length"] or len(body))
    if len(body) < wanted and status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        raise NoAnswer("the body is too short")
    found = {name.lower(): value for name, value in fields.items()}
    return {"status": status, "headers": found, "body": body, "charset": fields.get_content_charset()}


def answer(*arguments, **named):
    result = exchange(*arguments, **named)
    return {key: result[key] for key in ("status", "headers", "body")}


def get_text(url):
    result = exchange("GET", url)
    try:
        return result["body"].decode(result["charset"] or "utf-8")
    except LookupError:
        return result["body"].decode()


def get_with_params(url, params):
    parts = urlsplit(url)._replace(fragment="")
    query = parts.query + "&" * bool(parts.query) + urlencode(params)
    return get_text(parts._replace(query=query).geturl())


def fetch(url, timeout=10.0, left=20):
    result = answer("GET", url, timeout=timeout)
    location = result["headers"].get("location")
    if result["status"] in (301, 302, 303, 307, 308) and location and left:
        return fetch(urljoin(url, location), timeout, left - 1)
    return result


def get_json(url):
    result = fetch(url)
    if result["status"] not in range(200, 300):
        raise HTTPFailure(result["status"], result["body"])
    return json.loads(result["body"] or "null")


def post(method, url, body, label, headers=None):
    given = {name.lower(): value for name, value in (headers or {}).items()}
    made = {"content-type": label, "content-length": str(len(body))}
    return answer(method, url, body, made | given)


def post_form(url, fields):
    return post("POST", url, urlencode(fields).encode(), "application/x-www-form-urlencoded")


def put_text(url, text):
    return post("PUT", url, text.encode(), "text/plain; charset=utf-8")


def send(method, url, value=None, headers=None):
    if value is None:
        return answer(method.upper(), url, headers=headers)
    return post(method.upper(), url, json.dumps(value).encode(), "application/json", headers)
