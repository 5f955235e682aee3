"""urlparse: what a URL is made of. A working solution."""

from urllib.parse import unquote, urljoin, urlparse, urlsplit, urlunparse, urlunsplit


def scheme(url: str) -> str:
    """The scheme of a URL, in lower case."""
    return urlparse(url).scheme


def six_parts(url: str) -> tuple[str, str, str, str, str, str]:
    """The six parts of a URL: scheme, netloc, path, params, query, fragment."""
    return urlparse(url)  # a named tuple: its parts have names and an order


def host(url: str) -> str | None:
    """The host name alone: in lower case, without login, port or brackets. None when the URL names no host."""
    # From here on urlsplit: it differs from urlparse only in leaving the params in the path, where they belong.
    return urlsplit(url).hostname


def port(url: str) -> int | None:
    """The port that is written in the URL, as a number. None when none is written.

    Raises ValueError when what is written there is no port.
    """
    return urlsplit(url).port


def has_valid_port(url: str) -> bool:
    """False when a port is written in the URL that is none. Raises nothing."""
    try:
        port(url)  # splitting alone checks nothing: the attribute is what raises
    except ValueError:
        return False
    return True


def login(url: str) -> tuple[str | None, str | None]:
    """User and password of a URL, percent-decoded as UTF-8. None for each that is not written."""
    parts = urlsplit(url)
    # Decoded last: a %40 is part of the password, and must not be taken for the @ before the host.
    user = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else unquote(parts.password)
    return user, password


def complete(address: str) -> str:
    """The URL for what people type into a browser: "http://" goes in front, unless it begins with a scheme and ://."""
    # Not by .scheme: that is "localhost" for "localhost:8080". A netloc is there only where // announced one.
    return address if urlsplit(address).netloc else f"http://{address}"


def rebuild(parts: tuple[str | None, ...]) -> str:
    """The URL that is made of six parts. A part that is None is absent, like ""."""
    return urlunparse([part or "" for part in parts])


def with_port(url: str, number: int) -> str:
    """The same URL with this port, whether or not it had one."""
    parts = urlsplit(url)
    # There is no port field to replace: it is the end of the netloc, behind the login and the host.
    user, at, address = parts.netloc.rpartition("@")
    bracket = address.rfind("]")  # the colons of an IPv6 address stand inside its brackets
    colon = address.find(":", bracket + 1)
    name = address if colon < 0 else address[:colon]
    return urlunsplit(parts._replace(netloc=f"{user}{at}{name}:{number}"))


def add_query(url: str, query: str) -> str:
    """The same URL with one more query behind the query that it has; the fragment stays last."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))


def same_url(one: str, other: str) -> bool:
    """True when two URLs have the same parts, upper or lower case in scheme and host aside."""
    return _without_case(one) == _without_case(other)


def _without_case(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)  # the scheme is in lower case, and an empty query or fragment is "" by now
    user, at, address = parts.netloc.rpartition("@")
    return tuple(parts._replace(netloc=user + at + address.lower()))


def resolve(page: str, link: str | bytes) -> str:
    """The full URL of a link that stands on a page. A link that comes as bytes is UTF-8."""
    if isinstance(link, bytes):
        link = link.decode("utf-8")  # at the edge, once: text and bytes do not mix
    return urljoin(page, link)


def resolve_on_host(page: str, link: str) -> str | None:
    """The full URL of a link, if it stays on the host of the page; None when it leads to another host or to none."""
    url = resolve(page, link)
    return url if host(url) == host(page) else None  # the result is looked at, never the link
