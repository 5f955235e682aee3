"""urlparse: what a URL is made of.

Fill in one function after the other and run `make test KATA=urlparse` after each.
The page beside this file (README.md, 中文: README.zh.md) explains every step.
"""

from urllib.parse import urlparse  # the later steps need more of this module: the page says what


def scheme(url: str) -> str:
    """The scheme of a URL, in lower case: what stands before "://". Each url in this step has one.

    scheme("http://www.example.com/news")   → "http"
    scheme("HTTPS://www.example.com/")      → "https"
    """
    raise NotImplementedError


def six_parts(url: str) -> tuple[str, str, str, str, str, str]:
    """The six parts of a URL: scheme, netloc, path, params, query, fragment. A part that is not there is "".

    Each part is the bare text, without the signs between the parts. Nothing is decoded: %20 stays %20.
      fragment  all that stands behind the first #, whatever it is
      query     what stands between the first ? and the fragment; it may hold / ; and ? itself
      netloc    what stands between // and the next / ? or #
      params    what stands behind the first ; of the last segment of the path (a segment ends at a /)

    six_parts("http://www.example.com/a;v=2?lang=en#top")
        → ("http", "www.example.com", "/a", "v=2", "lang=en", "top")
    six_parts("http://www.example.com/a;x=1/b?next=/c;d#e?f")
        → ("http", "www.example.com", "/a;x=1/b", "", "next=/c;d", "e?f")
    """
    raise NotImplementedError


def host(url: str) -> str | None:
    """The host name alone: in lower case, without login, port or brackets. None when the URL names no host.

    Only a // at the very start, or right behind the scheme and its colon, announces a host.

    host("http://ada@WWW.example.com:8080/")   → "www.example.com"
    host("http://[::1]:8080/")                 → "::1"
    host("//www.example.com/news")             → "www.example.com"
    host("www.example.com/news")               → None     (all of it is a path)
    host("localhost:8080/news")                → None     (no // in it)
    host("file:///news")                       → None     (nothing between the // and the /)
    """
    raise NotImplementedError


def port(url: str) -> int | None:
    """The port that is written in the URL, as a number. None when none is written.

    Raises ValueError when what is written there is no port: anything but the digits 0-9, or above 65535.

    port("http://www.example.com:8080/")   → 8080
    port("http://www.example.com/")        → None
    port("http://www.example.com:http/")   → ValueError
    """
    raise NotImplementedError


def has_valid_port(url: str) -> bool:
    """False when a port is written in the URL that is none (see port). True otherwise, also when none is written.

    Raises nothing.

    has_valid_port("http://www.example.com:8080/")    → True
    has_valid_port("http://www.example.com/")         → True
    has_valid_port("http://www.example.com:99999/")   → False
    """
    raise NotImplementedError


def login(url: str) -> tuple[str | None, str | None]:
    """User and password of a URL, percent-decoded as UTF-8. None for each that is not written.

    They stand in the netloc, before the last @. The user ends at the first colon there, so a password may hold
    a colon. A raw / ? or # ends the netloc (see six_parts): a password with such a character must be encoded.
    Each is decoded once, after it was cut out. A + is a plus, not a blank.

    login("ftp://ada:p%40ss@www.example.com/")   → ("ada", "p@ss")
    login("ftp://ada@www.example.com/")          → ("ada", None)
    login("ftp://ada:@www.example.com/")         → ("ada", "")       (a password is written: an empty one)
    login("ftp://www.example.com/")              → (None, None)
    login("ftp://ada:p#ss@www.example.com/")     → (None, None)     (the netloc is "ada:p")
    """
    raise NotImplementedError


def complete(address: str) -> str:
    """The URL for what people type into a browser: "http://" goes in front, unless it begins with a scheme and ://.

    Any scheme counts (a letter, then letters, digits, + - or .), in upper or lower case. Nothing else changes, and
    nothing else is added. The address is not empty and does not begin with / or a blank.

    complete("www.example.com/news")                  → "http://www.example.com/news"
    complete("localhost:8080/news")                   → "http://localhost:8080/news"
    complete("ftp://www.example.com/")                → "ftp://www.example.com/"
    complete("example.com/?to=https://example.org/")  → "http://example.com/?to=https://example.org/"
    """
    raise NotImplementedError


def rebuild(parts: tuple[str | None, ...]) -> str:
    """The URL that is made of six parts, as six_parts gives them. A part that is None is absent, like "".

    No part brings its sign along, and an absent part leaves none behind. A colon stands only behind a scheme,
    // only before a netloc. Nothing else is added, and nothing is encoded or decoded.

    rebuild(("http", "www.example.com", "/a", "v=2", "lang=en", "top"))
        → "http://www.example.com/a;v=2?lang=en#top"
    rebuild(("http", "www.example.com", None, None, None, None))   → "http://www.example.com"
    rebuild(("mailto", "", "ada@example.com", "", "", ""))         → "mailto:ada@example.com"
    rebuild(("", "www.example.com", "/news", "", "", ""))          → "//www.example.com/news"
    rebuild(("", "", "news.html", "", "page=2", ""))               → "news.html?page=2"
    """
    raise NotImplementedError


def with_port(url: str, number: int) -> str:
    """The same URL with this port, whether or not it had one. Everything else stays as it is written.

    The url has a scheme and a host. The number is written even if it is the default of the scheme.

    with_port("http://www.example.com/a?x=1#top", 8080)   → "http://www.example.com:8080/a?x=1#top"
    with_port("http://ada:p%40w@[::1]:80/", 8080)         → "http://ada:p%40w@[::1]:8080/"
    """
    raise NotImplementedError


def add_query(url: str, query: str) -> str:
    """The same URL with one more query behind the query that it has, joined with &; the fragment stays last.

    Both queries stay character for character: `query` is encoded already, and not empty.
    A "?" with nothing behind it counts as no query. The url may be relative.

    add_query("http://www.example.com/a", "x=1")           → "http://www.example.com/a?x=1"
    add_query("http://www.example.com/a?", "x=1")          → "http://www.example.com/a?x=1"
    add_query("http://www.example.com/a?x=1#top", "y=2")   → "http://www.example.com/a?x=1&y=2#top"
    """
    raise NotImplementedError


def same_url(one: str, other: str) -> bool:
    """True when two URLs have the same parts: all six, and in the netloc user, password, host and port.

    Upper or lower case in scheme and host makes no difference; everywhere else it does.
    A "?" or a "#" with nothing behind it makes no difference.
    Nothing is decoded, sorted or left out: /a%2Fb and /a/b differ, ?x=1&y=2 and ?y=2&x=1, ?x=1+2 and ?x=1%202,
    /a/ and /a, /a/../b and /b, ada:@ and ada@ (an empty password and none).

    same_url("HTTP://WWW.example.com/a?", "http://www.example.com/a")   → True
    same_url("http://www.example.com/a", "http://www.example.com/A")    → False
    """
    raise NotImplementedError


def resolve(page: str, link: str | bytes) -> str:
    """The full URL of a link that stands on a page. A link that comes as bytes is UTF-8.

    The page is a full URL without a fragment; one without a path is the root of its site. The result is text;
    nothing in it is encoded or decoded.

    With page = "http://www.example.com/docs/intro.html?v=1":
    resolve(page, "next.html")                → "http://www.example.com/docs/next.html"
    resolve(page, "../up.html")               → "http://www.example.com/up.html"
    resolve(page, "/news")                    → "http://www.example.com/news"
    resolve(page, "//example.org/news")       → "http://example.org/news"
    resolve(page, "mailto:ada@example.com")   → "mailto:ada@example.com"     (has a scheme: it is full already)
    resolve(page, b"?page=2")                 → "http://www.example.com/docs/intro.html?page=2"
    resolve(page, "#top")                     → "http://www.example.com/docs/intro.html?v=1#top"
    resolve(page, "")                         → "http://www.example.com/docs/intro.html?v=1"
    """
    raise NotImplementedError


def resolve_on_host(page: str, link: str) -> str | None:
    """The full URL of a link, if it stays on the host of the page; None when it leads to another host or to none.

    The host alone decides, in upper or lower case: another scheme or another port of that host is fine, a login or
    an @ in the path as well. A name above or below it (example.com, a.www.example.com) is another host, and [::1] is
    another than [::2]. The full URL is what resolve gives.

    With page = "http://www.example.com:8000/docs/":
    resolve_on_host(page, "/news")                                → "http://www.example.com:8000/news"
    resolve_on_host(page, "https://www.example.com/news")         → "https://www.example.com/news"
    resolve_on_host(page, "//example.org/news")                   → None
    resolve_on_host(page, "http://www.example.com@example.org/")  → None
    resolve_on_host(page, "mailto:ada@example.com")               → None
    """
    raise NotImplementedError


if __name__ == "__main__":
    # To try by hand: python3 katas/urlparse/urlparse.py
    print(scheme("http://www.example.com/news"))
