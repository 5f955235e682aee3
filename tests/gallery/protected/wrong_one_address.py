"""This machine has the names localhost and 127.0.0.1.

fails: test_may_send_password: this_machine_refused
fails: test_login_in_url: raised
"""

import base64
import hashlib
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener


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
    return parts.hostname in ("localhost", "127.0.0.1")


def site(url):
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]


def same_site(one, other):
    return site(one) == site(other)


class Redirects(HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        new = super().redirect_request(req, fp, code, msg, headers, newurl)
        if new is not None and not same_site(req.full_url, newurl):
            new.remove_header("Authorization")
        return new


def fetch(url, headers):
    try:
        with build_opener(Redirects).open(Request(url, headers=headers)) as response:
            return response.read().decode("utf-8")
    except HTTPError as error:
        if error.code in (401, 403):
            raise PermissionError("refused") from error
        raise


def check(url):
    if not may_send_password(url):
        raise PermissionError("no password over plain http")


def get_page(url, user, password):
    check(url)
    return fetch(url, {"Authorization": basic_header(user, password)})


def get_hidden_page(url, user, password):
    return get_page(url, user, password)


def get_by_url(url):
    parts = urlsplit(url)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    if parts.username is None:
        return fetch(bare, {})
    return get_page(bare, unquote(parts.username), unquote(parts.password or ""))


def send_form(opener, url, user, password):
    check(url)
    form = urlencode({"user": user, "password": password}).encode()
    try:
        opener.open(url, form).close()
    except HTTPError as error:
        if error.code in (401, 403):
            raise PermissionError("refused") from error
        raise


def log_in(url, user, password):
    jar = CookieJar()
    send_form(build_opener(HTTPCookieProcessor(jar)), url, user, password)
    return {cookie.name: cookie.value for cookie in jar}


def visit(login_url, user, password, urls):
    opener = build_opener(HTTPCookieProcessor(CookieJar()))
    send_form(opener, login_url, user, password)
    texts = []
    for url in urls:
        try:
            with opener.open(url) as response:
                texts.append(response.read().decode("utf-8"))
        except HTTPError as error:
            if error.code not in (401, 403):
                raise
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
