"""urllib's own handlers: a password manager that gives the password to one site alone, and a cookie jar."""

import base64
import hashlib
import ipaddress
import urllib.error
import urllib.parse
import urllib.request
from urllib.parse import urlsplit


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
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


def site(url):
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]


def same_site(one, other):
    return site(one) == site(other)


class OneSite(urllib.request.HTTPPasswordMgrWithPriorAuth):
    def __init__(self, url, user, password, at_once=False):
        super().__init__()
        self.url = url
        self.login = user, password
        self.at_once = at_once

    def find_user_password(self, realm, authuri):
        if "://" in authuri and same_site(authuri, self.url):
            return self.login
        return None, None

    def is_authenticated(self, authuri):
        return self.at_once and same_site(authuri, self.url)


class Basic(urllib.request.HTTPBasicAuthHandler):
    def http_error_401(self, req, fp, code, msg, headers):
        try:
            return self.http_error_auth_reqed("www-authenticate", req.full_url, req, headers)
        except ValueError:
            raise PermissionError("no scheme that this program knows") from None


def read(opener, url, data=None):
    try:
        with opener.open(url, data, timeout=5) as response:
            return str(response.read(), "utf-8")
    except urllib.error.HTTPError as error:
        if error.code in {401, 403}:
            raise PermissionError(error.reason) from error
        raise


def protected(url, user, password, at_once):
    if not may_send_password(url):
        raise PermissionError("https, please")
    manager = OneSite(url, user, password, at_once)
    return read(urllib.request.build_opener(Basic(manager)), url)


def get_page(url, user, password):
    return protected(url, user, password, False)


def get_hidden_page(url, user, password):
    return protected(url, user, password, True)


def get_by_url(url):
    parts = urlsplit(url)
    login, at, address = parts.netloc.rpartition("@")
    plain = parts._replace(netloc=address).geturl()
    if not at:
        return read(urllib.request.build_opener(), plain)
    user, _, password = login.partition(":")
    return get_page(plain, urllib.parse.unquote(user), urllib.parse.unquote(password))


def start(url, user, password):
    if not may_send_password(url):
        raise PermissionError("https, please")
    cookies = urllib.request.HTTPCookieProcessor()
    opener = urllib.request.build_opener(cookies)
    read(opener, url, urllib.parse.urlencode([("user", user), ("password", password)]).encode())
    return opener, cookies.cookiejar


def log_in(url, user, password):
    return {cookie.name: cookie.value for cookie in start(url, user, password)[1]}


def visit(login_url, user, password, urls):
    opener, _ = start(login_url, user, password)

    def page(url):
        try:
            return read(opener, url)
        except PermissionError:
            return None

    return [page(url) for url in urls]


def digest_response(challenge, user, password, method, target, cnonce, count):
    algorithm = challenge.get("algorithm", "MD5").upper()
    if algorithm not in ("MD5", "SHA-256"):
        raise ValueError(algorithm)
    if "auth" not in [one.strip() for one in challenge["qop"].split(",")]:
        raise ValueError(challenge["qop"])

    def h(*parts):
        return hashlib.new(algorithm.replace("-", ""), ":".join(parts).encode("utf-8")).hexdigest()

    a1 = h(user, challenge["realm"], password)
    a2 = h(method, target)
    return h(a1, challenge["nonce"], f"{count:08x}", cnonce, "auth", a2)
