"""protected: pages that want to know who you are. A working solution."""

import base64
import hashlib
import ipaddress
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from typing import IO
from urllib.error import HTTPError
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, OpenerDirector, Request, build_opener

DEFAULT_PORTS = {"http": 80, "https": 443}
TIMEOUT = 10.0  # seconds that a server may be silent


def basic_header(user: str, password: str) -> str:
    """The value of the Authorization header for HTTP Basic: Base64 of user:password in UTF-8."""
    if ":" in user:
        raise ValueError("a user name for HTTP Basic has no colon")
    token = base64.b64encode(f"{user}:{password}".encode())
    return f"Basic {token.decode('ascii')}"


def read_basic(header: str) -> tuple[str, str]:
    """User and password from the value of such a header. Raises ValueError when it is none."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "basic":
        raise ValueError("another scheme than Basic")
    # The first colon parts them: a user cannot hold one, a password can.
    user, colon, password = base64.b64decode(token).decode("utf-8").partition(":")
    if not colon:
        raise ValueError("no colon between user and password")
    return user, password


def may_send_password(url: str) -> bool:
    """Whether a password may be sent to this URL: over https always, over http to this machine only."""
    parts = urlsplit(url)
    if not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(parts.hostname))


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name, like 127.0.0.1.example.com: it may lead anywhere


def same_site(one: str, other: str) -> bool:
    """Whether two URLs belong to one site: the same scheme, the same host name and the same port."""
    return _site(one) == _site(other)


def _site(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)  # puts scheme and hostname in lower case
    port = DEFAULT_PORTS.get(parts.scheme) if parts.port is None else parts.port
    return parts.scheme, parts.hostname, port


def get_page(url: str, user: str, password: str) -> str:
    """The text of a page that is protected by HTTP Basic; the password is sent once it was asked for."""
    _refuse_clear_text(url)
    with _refusals():
        try:
            return _get(url)
        except HTTPError as error:
            asked = error.code == 401 and _offers_basic(error.headers)
            place = error.url  # after redirects it is not the one we began with
            if not (asked and same_site(url, place)):
                raise
        return _get(place, basic_header(user, password))


def get_hidden_page(url: str, user: str, password: str) -> str:
    """The text of a page on a server that never asks: the password goes with the first request."""
    _refuse_clear_text(url)
    with _refusals():
        return _get(url, basic_header(user, password))


def get_by_url(url: str) -> str:
    """The text of a page whose URL holds the login, http://user:password@host/."""
    parts = urlsplit(url)
    # To urllib "ada:pw@host" would be the host's name: the login has to come out first.
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    if parts.username is None:
        with _refusals():
            return _get(bare)
    return get_page(bare, unquote(parts.username), unquote(parts.password or ""))


def log_in(url: str, user: str, password: str) -> dict[str, str]:
    """Fill in a login form and return the cookies that the answer sets."""
    jar = CookieJar()
    _send_form(_session(jar), url, user, password)
    return {cookie.name: cookie.value or "" for cookie in jar}


def visit(login_url: str, user: str, password: str, urls: list[str]) -> list[str | None]:
    """Log in, then get these pages in this order, in one session: their texts, None for one refused."""
    session = _session(CookieJar())  # one for all requests of this call, and for no other call
    _send_form(session, login_url, user, password)
    return [_page_or_none(session, url) for url in urls]


def digest_response(
    challenge: dict[str, str], user: str, password: str, method: str, target: str, cnonce: str, count: int
) -> str:
    """The `response` that answers a Digest challenge (RFC 7616) with qop=auth."""
    name = challenge.get("algorithm", "MD5").upper()
    if name not in ("MD5", "SHA-256"):
        raise ValueError("an algorithm that is not known here")
    if "auth" not in [each.strip() for each in challenge["qop"].split(",")]:
        raise ValueError("only qop=auth is known here")

    def hashed(*fields: str) -> str:
        return hashlib.new(name.replace("-", ""), ":".join(fields).encode()).hexdigest()

    who = hashed(user, challenge["realm"], password)
    what = hashed(method, target)
    return hashed(who, challenge["nonce"], f"{count:08x}", cnonce, "auth", what)


# --- what the functions above share -----------------------------------------------------------------------


class _PasswordStays(HTTPRedirectHandler):
    """Follows redirects, but takes the password out of a request that leaves the site."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        new = super().redirect_request(req, fp, code, msg, headers, newurl)
        if new is not None and not same_site(req.full_url, newurl):
            new.remove_header("Authorization")
        return new


def _get(url: str, authorization: str | None = None) -> str:
    request = Request(url)
    if authorization is not None:
        request.add_header("Authorization", authorization)
    with build_opener(_PasswordStays).open(request, timeout=TIMEOUT) as response:
        text: str = response.read().decode("utf-8")
    return text


def _offers_basic(headers: Message) -> bool:
    """Whether Basic is among the schemes; they may come in several headers, or in one, with commas."""
    challenges = headers.get_all("WWW-Authenticate", [])
    return any(re.search(r"(?:^|,)\s*Basic\b", challenge, re.IGNORECASE) for challenge in challenges)


def _refuse_clear_text(url: str) -> None:
    if not may_send_password(url):
        raise PermissionError("no password over plain http to another machine")


@contextmanager
def _refusals() -> Iterator[None]:
    """Tell a refusal, 401 or 403, as a PermissionError; what else went wrong stays what it is."""
    try:
        yield
    except HTTPError as error:
        if error.code in (401, 403):
            raise PermissionError(f"the server refused, with status {error.code}") from error
        raise


def _session(jar: CookieJar) -> OpenerDirector:
    # Not install_opener: that would change urlopen for the whole program.
    return build_opener(HTTPCookieProcessor(jar))


def _send_form(session: OpenerDirector, url: str, user: str, password: str) -> None:
    _refuse_clear_text(url)
    form = urlencode({"user": user, "password": password}).encode("ascii")
    with _refusals(), session.open(url, form, timeout=TIMEOUT):
        pass  # the cookies are in the jar by now, those of a redirect too


def _page_or_none(session: OpenerDirector, url: str) -> str | None:
    try:
        with _refusals(), session.open(url, timeout=TIMEOUT) as response:
            text: str = response.read().decode("utf-8")
    except PermissionError:
        return None
    return text
