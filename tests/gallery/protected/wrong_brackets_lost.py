"""Puts the host together from hostname and port: the brackets of an IPv6 address are lost.

fails: test_login_in_url: raised
"""
import base64, hashlib, http.client, http.cookiejar, re
import urllib.error, urllib.parse, urllib.request


def basic_header(user: str, password: str) -> str:
    if ":" in user:
        raise ValueError("a colon in the user")
    return "Basic " + base64.b64encode(b":".join((user.encode(), password.encode()))).decode()


def read_basic(header: str) -> tuple[str, str]:
    found = re.fullmatch(r"basic +(\S+)\s*", header, re.I)
    if not found:
        raise ValueError("not Basic")
    text = base64.b64decode(found[1]).decode()
    if ":" not in text:
        raise ValueError("no colon")
    user, password = text.split(":", 1)
    return user, password


def may_send_password(url: str) -> bool:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        return True
    octet = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
    return parts.scheme == "http" and bool(
        re.fullmatch(rf"localhost|127\.{octet}\.{octet}\.{octet}|::1", parts.hostname or "", re.ASCII))


def same_site(one: str, other: str) -> bool:
    def key(url):
        parts = urllib.parse.urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return key(one) == key(other)


class Same(urllib.request.HTTPRedirectHandler):
    def __init__(self, start):
        self.start, self.left = start, False

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        new = super().redirect_request(req, fp, code, msg, headers, newurl)
        self.left = self.left or not same_site(self.start, newurl)
        if self.left:
            new.remove_header("Authorization")
        return new


class Ask(urllib.request.BaseHandler):
    """Answers a challenge, once per address."""

    def __init__(self, redirects, header):
        self.redirects, self.header = redirects, header

    def http_error_401(self, req, fp, code, msg, headers):
        offers = ",".join(headers.get_all("WWW-Authenticate") or [])
        if self.redirects.left or req.has_header("Authorization") or not re.search(r"\bbasic\b", offers, re.I):
            return None
        again = urllib.request.Request(req.full_url, headers={"Authorization": self.header})
        return self.parent.open(again, timeout=10)


def _text(opener, request):
    trouble = None
    try:
        with opener.open(request, timeout=10) as response:
            return response.read().decode("utf-8")
    except urllib.error.HTTPError as error:
        trouble = error.code
        error.close()
    except http.client.HTTPException:
        pass
    if trouble in (401, 403):
        raise PermissionError(f"status {trouble}")
    raise OSError(f"status {trouble}")


def get_page(url: str, user: str, password: str) -> str:
    if not may_send_password(url):
        raise PermissionError("no password over this road")
    redirects = Same(url)
    return _text(urllib.request.build_opener(redirects, Ask(redirects, basic_header(user, password))), url)


def get_hidden_page(url: str, user: str, password: str) -> str:
    if not may_send_password(url):
        raise PermissionError("no password over this road")
    request = urllib.request.Request(url, headers={"Authorization": basic_header(user, password)})
    return _text(urllib.request.build_opener(Same(url)), request)


def get_by_url(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    place = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    bare = urllib.parse.urlunsplit(parts._replace(netloc=place))
    if parts.username:
        return get_page(bare, urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or ""))
    return _text(urllib.request.build_opener(), bare)


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def _post(jar, url, user, password):
    if not may_send_password(url):
        raise PermissionError("no password over this road")
    data = urllib.parse.urlencode({"user": user, "password": password}).encode()
    opener = urllib.request.build_opener(Stay(), urllib.request.HTTPCookieProcessor(jar))
    try:
        response = opener.open(url, data, timeout=10)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        code, lines = response.code, response.headers.get_all("Set-Cookie") or []
    if code in (401, 403):
        raise PermissionError(f"status {code}")
    if code >= 400:
        raise OSError(f"status {code}")
    return lines


def log_in(url: str, user: str, password: str) -> dict[str, str]:
    out = {}
    for line in _post(http.cookiejar.CookieJar(), url, user, password):
        name, value = line.split(";", 1)[0].split("=", 1)
        out[name.strip()] = value.strip()
    return out


def visit(login_url: str, user: str, password: str, urls: list[str]) -> list[str | None]:
    jar = http.cookiejar.CookieJar()
    _post(jar, login_url, user, password)
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def one(url):
        try:
            return _text(opener, url)
        except PermissionError:
            return None

    return [one(url) for url in urls]


def digest_response(
    challenge: dict[str, str], user: str, password: str, method: str, target: str, cnonce: str, count: int
) -> str:
    names = {"md5": "md5", "sha-256": "sha256"}
    name = names.get(challenge.get("algorithm", "MD5").lower())
    if name is None or "auth" not in re.split(r"\s*,\s*", challenge["qop"].strip()):
        raise ValueError("cannot answer this challenge")
    h = lambda *parts: hashlib.new(name, ":".join(parts).encode()).hexdigest()  # noqa: E731
    return h(h(user, challenge["realm"], password), challenge["nonce"], format(count, "08x"), cnonce, "auth", h(method, target))
