"""Writes the Host field from hostname and port: an IPv6 address stands there without its brackets.

fails: test_login_in_url: brackets_lost
"""
import base64, hashlib, ipaddress, re, socket, ssl
from urllib.parse import unquote, urlencode, urljoin, urlsplit


def basic_header(user: str, password: str) -> str:
    if ":" in user:
        raise ValueError("a colon in the user")
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def read_basic(header: str) -> tuple[str, str]:
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "basic":
        raise ValueError("another scheme")
    user, colon, password = base64.b64decode(rest.strip()).decode("utf-8").partition(":")
    if not colon:
        raise ValueError("no colon")
    return user, password


def may_send_password(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        return True
    if parts.scheme != "http":
        return False
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address in ipaddress.ip_network("127.0.0.0/8") if address.version == 4 else str(address) == "::1"


def _origin(url):
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port if parts.port is not None else {"http": 80, "https": 443}.get(parts.scheme)


def same_site(one: str, other: str) -> bool:
    return _origin(one) == _origin(other)


def _talk(method, url, headers, body=b""):
    """One request, one answer: (status, [(name, value)], body)."""
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    if parts.scheme not in ("http", "https"):
        raise OSError("scheme")
    host = parts.hostname
    port = parts.port or (443 if tls else 80)
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    lines = [f"{method} {target} HTTP/1.0", "Host: " + parts.hostname + (f":{parts.port}" if parts.port else ""), *[f"{n}: {v}" for n, v in headers]]
    if body:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    with socket.create_connection((host, port), timeout=10) as sock:
        if tls:
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        with sock:
            sock.sendall("\r\n".join(lines + ["", ""]).encode("latin-1") + body)
            with sock.makefile("rb") as stream:
                first = stream.readline().split(None, 2)
                if len(first) < 2 or not first[0].startswith(b"HTTP/"):
                    raise ConnectionError("no answer")
                status = int(first[1])
                got = []
                while (line := stream.readline().decode("latin-1").rstrip("\r\n")):
                    name, _, value = line.partition(":")
                    got.append((name.lower(), value.strip()))
                length = dict(got).get("content-length")
                return status, got, stream.read(int(length)) if length else stream.read()


REDIRECTS = (301, 302, 303, 307, 308)


def _follow(url, header):
    start, leave = url, False
    for _ in range(20):
        leave = leave or not same_site(start, url)
        send = [("Authorization", header)] if header and not leave else []
        status, got, body = _talk("GET", url, send)
        location = dict(got).get("location")
        if status in REDIRECTS and location:
            url = urljoin(url, location)
            continue
        if status in (401, 403):
            raise PermissionError(f"status {status}")
        if status >= 400:
            raise OSError(f"status {status}")
        return body.decode("utf-8")
    raise OSError("too many redirects")


def get_page(url: str, user: str, password: str) -> str:
    if not may_send_password(url):
        raise PermissionError("not over this road")
    return _follow(url, basic_header(user, password))


def get_hidden_page(url: str, user: str, password: str) -> str:
    return get_page(url, user, password)


def get_by_url(url: str) -> str:
    parts = urlsplit(url)
    login, at, place = parts.netloc.rpartition("@")
    bare = parts._replace(netloc=place).geturl()
    user, _, password = login.partition(":")
    if not user:
        return _follow(bare, None)
    return get_page(bare, unquote(user), unquote(password))


class Jar:
    def __init__(self):
        self.all = {}

    def take(self, url, got):
        host = urlsplit(url).hostname
        for header, line in got:
            if header != "set-cookie":
                continue
            pair, *rest = line.split(";")
            name, _, value = pair.strip().partition("=")
            attrs = {}
            for each in rest:
                key, _, val = each.strip().partition("=")
                attrs[key.strip().lower()] = val.strip()
            path = attrs.get("path", "")
            if not path.startswith("/"):
                path = urlsplit(url).path.rpartition("/")[0] or "/"
            key = (host, path, name)
            age = attrs.get("max-age", "")
            if re.fullmatch(r"-?\d+", age) and int(age) <= 0:
                self.all.pop(key, None)
            else:
                self.all[key] = (value, "secure" in attrs)

    def header(self, url):
        parts = urlsplit(url)
        here = parts.path or "/"
        out = []
        for (host, path, name), (value, secure) in self.all.items():
            below = here == path or here.startswith(path if path.endswith("/") else path + "/")
            if host == parts.hostname and below and (not secure or parts.scheme == "https"):
                out.append(f"{name}={value}")
        return [("Cookie", "; ".join(out))] if out else []


def _login(url, user, password, jar):
    if not may_send_password(url):
        raise PermissionError("not over this road")
    status, got, _ = _talk("POST", url, [], urlencode({"user": user, "password": password}).encode("ascii"))
    jar.take(url, got)
    if status in (401, 403):
        raise PermissionError(f"status {status}")
    if status >= 400:
        raise OSError(f"status {status}")
    return got


def log_in(url: str, user: str, password: str) -> dict[str, str]:
    got = _login(url, user, password, Jar())
    pairs = [line.split(";")[0].strip().partition("=") for name, line in got if name == "set-cookie"]
    return {name: value for name, _, value in pairs}


def visit(login_url: str, user: str, password: str, urls: list[str]) -> list[str | None]:
    jar = Jar()
    _login(login_url, user, password, jar)
    texts = []
    for url in urls:
        for _ in range(20):
            status, got, body = _talk("GET", url, jar.header(url))
            jar.take(url, got)
            location = dict(got).get("location")
            if status in REDIRECTS and location:
                url = urljoin(url, location)
                continue
            texts.append(None if status in (401, 403) else body.decode("utf-8"))
            break
        else:
            raise OSError("too many redirects")
    return texts


def digest_response(
    challenge: dict[str, str], user: str, password: str, method: str, target: str, cnonce: str, count: int
) -> str:
    kinds = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
    name = challenge.get("algorithm", "MD5").upper()
    if name not in kinds:
        raise ValueError("algorithm")
    if "auth" not in [each.strip() for each in challenge["qop"].split(",")]:
        raise ValueError("qop")

    def h(text):
        return kinds[name](text.encode("utf-8")).hexdigest()

    one = h(f"{user}:{challenge['realm']}:{password}")
    two = h(f"{method}:{target}")
    return h(":".join([one, challenge["nonce"], f"{count:08x}", cnonce, "auth", two]))
