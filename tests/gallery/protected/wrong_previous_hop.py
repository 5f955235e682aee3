"""A redirect leaves the site if it leads to another one than the address before.

fails: test_redirects: password_on_second_hop
fails: test_hidden_page: password_on_second_hop
fails: test_login_in_url: password_on_second_hop
"""

import base64
import hashlib
import http.cookiejar
import ipaddress
import urllib.request
from urllib.error import HTTPError
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


class OneStep(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return None


def step(request, jar=None):
    opener = urllib.request.build_opener(OneStep)
    if jar is not None:
        jar.add_cookie_header(request)
    try:
        response = opener.open(request)
    except HTTPError as error:
        if error.code >= 400:
            if jar is not None:
                jar.extract_cookies(error, request)
            error.close()
            if error.code in (401, 403):
                raise PermissionError(error.code, "refused") from None
            raise
        response = error
    with response:
        if jar is not None:
            jar.extract_cookies(response, request)
        return response.headers.get("Location"), response.read().decode("utf-8")


def walk(url, header=None, jar=None):
    home = url
    while True:
        request = urllib.request.Request(url)
        if header and same_site(home, url):
            request.add_unredirected_header("Authorization", header)
        location, text = step(request, jar)
        if location is None:
            return text
        home, url = url, urljoin(url, location)


def get_page(url, user, password):
    if may_send_password(url):
        return walk(url, basic_header(user, password))
    raise PermissionError("not over http")


get_hidden_page = get_page


def get_by_url(url):
    parts = urlsplit(url)
    bare = urlunsplit((parts.scheme, parts.netloc.split("@")[-1], parts.path, parts.query, ""))
    if "@" not in parts.netloc:
        return walk(bare)
    return get_page(bare, unquote(parts.username), unquote(parts.password or ""))


def form(url, user, password, jar):
    if not may_send_password(url):
        raise PermissionError("not over http")
    step(urllib.request.Request(url, urlencode({"user": user, "password": password}).encode()), jar)


def log_in(url, user, password):
    jar = http.cookiejar.CookieJar()
    form(url, user, password, jar)
    return {cookie.name: cookie.value for cookie in jar}


def visit(login_url, user, password, urls):
    jar = http.cookiejar.CookieJar()
    form(login_url, user, password, jar)
    texts = []
    for url in urls:
        try:
            texts.append(walk(url, jar=jar))
        except PermissionError:
            texts.append(None)
    return texts


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
