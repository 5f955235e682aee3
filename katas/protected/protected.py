"""protected: pages that want to know who you are.

Fill in one function after the other and run `make test KATA=protected` after each.
The page beside this file (README.md, 中文: README.zh.md) explains every step.

Two promises hold for the whole file. A password is never sent where may_send_password says no.
A password, a URL with a login in it or an Authorization header is never printed, and never put into the text
of an error or of its cause. Over https the server's certificate is checked, as Python does by itself: an OSError
(ssl.SSLError and urllib's URLError are such) if it is wrong, and nothing is sent.
"""


def basic_header(user: str, password: str) -> str:
    """The value of the Authorization header for HTTP Basic (RFC 7617).

    "Basic", a space, then the Base64 of user:password in UTF-8. The password may hold anything, colons too.
    Raises ValueError if there is a colon in the user: nobody could tell where the user ends.

    basic_header("ada", "lovelace")   → "Basic YWRhOmxvdmVsYWNl"
    basic_header("ada", "a:b")        → "Basic YWRhOmE6Yg=="
    """
    raise NotImplementedError


def read_basic(header: str) -> tuple[str, str]:
    """User and password from the value of such a header: as a server reads it, and everybody on the way.

    "Basic" may be in upper or lower case. Raises ValueError if it is another scheme, or if there is no colon
    in what the Base64 holds.

    read_basic("Basic YWRhOmE6Yg==")   → ("ada", "a:b")
    read_basic("Bearer YWRhOmE6Yg==")  → ValueError
    """
    raise NotImplementedError


def may_send_password(url: str) -> bool:
    """Whether a password may be sent to this URL: over https always, over http to this machine only.

    This machine: the host is localhost, an IPv4 address from 127.0.0.0 to 127.255.255.255, or [::1], as it
    is written in the URL (nothing is looked up). Every other URL: False.

    may_send_password("https://www.example.com/")    → True
    may_send_password("http://www.example.com/")     → False
    may_send_password("http://127.0.0.1:8080/")      → True
    """
    raise NotImplementedError


def same_site(one: str, other: str) -> bool:
    """Whether two URLs belong to one site: the same scheme, the same host name and the same port.

    Upper or lower case in scheme and host makes no difference. A port that is not written is 80 for http and
    443 for https. A login in the URL (user:password@) is no part of the host. Names are compared as they are
    written: localhost and 127.0.0.1 are two.

    same_site("http://www.example.com/a", "http://www.example.com:80/b")   → True
    same_site("https://www.example.com/", "http://www.example.com/")       → False
    """
    raise NotImplementedError


def get_page(url: str, user: str, password: str) -> str:
    """The text of a page (GET, UTF-8) that is protected by HTTP Basic.

    Send the password at once, or only after the server has asked for it (status 401 and WWW-Authenticate; it
    may offer other schemes beside Basic, and write it basic). At most two requests to one address. The query
    of the URL (?x=1) is part of the request.

    Redirects are followed (301, 302, 303, 307, 308; Location may be relative, as /b, ../b or //host/b). Within
    the site (same_site as url) the password goes along; another site never gets it, even if it asks, or
    redirects within itself. A page of another site that needs no password is returned like any other.

    Raises PermissionError, before anything is sent, if may_send_password(url) is False.
    Raises PermissionError if the answer is 401 or 403: the password is wrong, Basic is not offered, or a site
    asks that does not get it.
    Raises another OSError (urllib's HTTPError is one) for every other status from 400 on.

    get_page("http://127.0.0.1:8080/page", "ada", "lovelace")   → "Hello, Ada."
    """
    raise NotImplementedError


def get_hidden_page(url: str, user: str, password: str) -> str:
    """The text of a page on a server that never asks: a stranger gets 404, as if there were no such page.

    Send the password without being asked. Everything else is as for get_page: redirects, errors, at most two
    requests.

    get_hidden_page("http://127.0.0.1:8080/private", "ada", "lovelace")   → "Hello, Ada."
    """
    raise NotImplementedError


def get_by_url(url: str) -> str:
    """The text of a page whose URL holds the login: http://user:password@host/.

    User and password are percent-encoded in the URL; the first colon parts them, as in http://ada:a:b@host/.
    A user without a password has the password "". A URL without a user: the page is fetched without an
    Authorization header. The login itself is no part of what is requested. Everything else is as for get_page,
    redirects and errors included.

    get_by_url("http://ada:p%40ss@127.0.0.1:8080/page")
        → what get_page("http://127.0.0.1:8080/page", "ada", "p@ss") returns
    """
    raise NotImplementedError


def log_in(url: str, user: str, password: str) -> dict[str, str]:
    """Fill in a login form and return the cookies that the answer sets: name → value, just as it is written.

    POST to url the form fields user and password (application/x-www-form-urlencoded, UTF-8). A server that
    lets you in answers 200 or a redirect (302, 303), with the cookies on that very answer. Whether you follow
    the redirect is up to you. A value in quotes keeps them.

    Raises PermissionError, before anything is sent, if may_send_password(url) is False.
    Raises PermissionError if the answer to the form is 401 or 403.

    log_in("http://127.0.0.1:8080/login", "ada", "lovelace")   → {"session": "8f3a", "lang": "en"}
    """
    raise NotImplementedError


def visit(login_url: str, user: str, password: str, urls: list[str]) -> list[str | None]:
    """Log in as log_in does, then GET these pages in this order, redirects followed, and return their texts.

    A page (UTF-8) that answers 401 or 403 is None; what comes of other errors is up to you. The cookies of
    the session go along, as their attributes say, which may be written in upper or lower case (RFC 6265):
    - every answer may set a cookie, change it, or delete it with Max-Age=0: a page, a redirect, a 401 or 403;
    - a cookie goes only to the host name that set it (no test sets Domain, none asks about ports);
    - Path=/shop is for /shop and what is below it (/shop/cart), not for /shopping;
    - Secure is for https only.
    Each call is a session of its own: it begins without cookies and leaves nothing behind.

    Raises PermissionError as log_in does.

    visit("http://127.0.0.1:8080/login", "ada", "lovelace", ["http://127.0.0.1:8080/home"])
        → ["Hello, Ada."]
    """
    raise NotImplementedError


def digest_response(
    challenge: dict[str, str], user: str, password: str, method: str, target: str, cnonce: str, count: int
) -> str:
    """The `response` that answers a Digest challenge (RFC 7616) with qop=auth: in hexadecimal, lower case.

    H(H(user:realm:password):nonce:nc:cnonce:auth:H(method:target)), where H is the hash of a text in UTF-8,
    written in hexadecimal, and nc is count as eight hexadecimal digits, lower case. challenge holds realm,
    nonce and qop, perhaps algorithm: MD5 (also if none is named) or SHA-256, in upper or lower case. qop is a
    list, written in one text: "auth,auth-int".

    Raises ValueError for an algorithm that does not exist, and if auth is not in the list of qop. Any other
    algorithm than these two may be a ValueError.

    challenge = {"realm": "home", "nonce": "n1", "qop": "auth"}
    digest_response(challenge, "ada", "lovelace", "GET", "/page", "c1", 1)
        → "c08283de4e47b5df9b2ce4641e49051e"
    """
    raise NotImplementedError


if __name__ == "__main__":
    # To try by hand: python katas/protected/protected.py
    print(basic_header("ada", "lovelace"))
