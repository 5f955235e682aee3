"""What begins like a text, or holds it, is as good as that text.

fails: test_may_send_password: looks_like_this_machine
fails: test_same_site: looks_like_the_host
fails: test_cookie_rules: path_is_no_prefix
fails: test_digest: auth_int_taken_for_auth
"""

import base64
import hashlib
import socket
import ssl
from urllib.parse import unquote, urlencode, urljoin, urlsplit, urlunsplit


def basic_header(user, password):
    if ":" in user:
        raise ValueError("a colon in the user")
    token = base64.b64encode(f"{user}:{password}".encode("utf-8"))
    return "Basic " + token.decode("ascii")


def read_basic(header):
    scheme, token = header.split(" ", 1)
    if scheme.lower() != "basic":
        raise ValueError("not Basic")
    user, password = base64.b64decode(token).decode("utf-8").split(":", 1)
    return user, password


def may_send_password(url):
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    if parts.scheme != "http":
        return False
    return url.lower().startswith(("http://localhost", "http://127.", "http://[::1]"))


def site(url):
    parts = urlsplit(url)
    host = parts.netloc.lower().split("@")[0].split(":")[0]
    return parts.scheme, host, parts.port or {"http": 80, "https": 443}[parts.scheme]


def same_site(one, other):
    return site(one) == site(other)


def exchange(method, url, headers, body=b""):
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    with socket.create_connection((parts.hostname, port), 5) as plain:
        sock = plain
        if secure:
            sock = ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname)
        with sock:
            return talk(sock, method, parts, headers, body)


def talk(sock, method, parts, headers, body):
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.0", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
    received = b""
    while chunk := sock.recv(65536):
        received += chunk
    head, _, content = received.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    pairs = [line.split(":", 1) for line in rest]
    return int(first.split()[1]), [(name, value.strip()) for name, value in pairs], content


class Jar:
    def __init__(self):
        self.cookies = {}

    def take(self, url, lines):
        host = urlsplit(url).hostname
        for line in lines:
            first, *attributes = [part.strip() for part in line.split(";")]
            name, _, value = first.partition("=")
            known = {}
            for attribute in attributes:
                key, _, setting = attribute.partition("=")
                known[key.lower()] = setting
            key = host, known.get("path", "/"), name
            self.cookies.pop(key, None)
            if known.get("max-age") != "0":
                self.cookies[key] = value, "secure" in known

    def header(self, url):
        parts = urlsplit(url)
        path = parts.path or "/"
        pairs = []
        for (host, prefix, name), (value, secure) in self.cookies.items():
            below = path.startswith(prefix)
            if host == parts.hostname and below and (parts.scheme == "https" or not secure):
                pairs.append(f"{name}={value}")
        return "; ".join(pairs)


def offers_basic(headers):
    lines = [value for name, value in headers if name.lower() == "www-authenticate"]
    return any(part.strip().lower().startswith("basic") for line in lines for part in line.split(","))


def text_of(status, body):
    if status in (401, 403):
        raise PermissionError("the server refused")
    if status >= 400:
        raise OSError(f"status {status}")
    return body.decode("utf-8")


def travel(url, user, password, asked):
    if not may_send_password(url):
        raise PermissionError("no password over plain http")
    home = url
    for hop in range(10):
        known = {"Authorization": basic_header(user, password)} if same_site(url, home) else {}
        status, headers, body = exchange("GET", url, {} if asked else known)
        if asked and status == 401 and known and offers_basic(headers):
            status, headers, body = exchange("GET", url, known)
        if status not in (301, 302, 303, 307, 308):
            return text_of(status, body)
        url = urljoin(url, next(value for name, value in headers if name.lower() == "location"))
    raise OSError("too many redirects")


def get_page(url, user, password):
    return travel(url, user, password, True)


def get_hidden_page(url, user, password):
    return travel(url, user, password, False)


def get_by_url(url):
    parts = urlsplit(url)
    login, at, address = parts.netloc.rpartition("@")
    bare = urlunsplit(parts._replace(netloc=address))
    if not at:
        status, _, body = exchange("GET", bare, {})
        return text_of(status, body)
    user, _, password = login.partition(":")
    return get_page(bare, unquote(user), unquote(password))


def cookie_lines(headers):
    return [value for name, value in headers if name.lower() == "set-cookie"]


def send_form(url, user, password):
    if not may_send_password(url):
        raise PermissionError("no password over plain http")
    body = urlencode({"user": user, "password": password}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    status, headers, answer = exchange("POST", url, kind, body)
    text_of(status, answer)
    return cookie_lines(headers)


def log_in(url, user, password):
    pairs = [line.split(";")[0].partition("=") for line in send_form(url, user, password)]
    return {name: value for name, _, value in pairs}


def visit(login_url, user, password, urls):
    jar = Jar()
    jar.take(login_url, send_form(login_url, user, password))
    texts = []
    for url in urls:
        status = 302
        while 300 <= status < 400:
            cookies = jar.header(url)
            status, headers, body = exchange("GET", url, {"Cookie": cookies} if cookies else {})
            jar.take(url, cookie_lines(headers))
            if 300 <= status < 400:
                url = urljoin(url, next(value for name, value in headers if name.lower() == "location"))
        texts.append(None if status in (401, 403) else text_of(status, body))
    return texts


def digest_response(challenge, user, password, method, target, cnonce, count):
    algorithm = challenge.get("algorithm", "MD5").upper()
    if algorithm not in ("MD5", "SHA-256"):
        raise ValueError(algorithm)
    if "auth" not in challenge["qop"]:
        raise ValueError(challenge["qop"])

    def h(*parts):
        return hashlib.new(algorithm.replace("-", ""), ":".join(parts).encode("utf-8")).hexdigest()

    a1 = h(user, challenge["realm"], password)
    a2 = h(method, target)
    return h(a1, challenge["nonce"], f"{count:08x}", cnonce, "auth", a2)
