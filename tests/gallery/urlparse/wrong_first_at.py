"""There is one @ in a netloc.

fails: test_host: cut_at_the_first_at
fails: test_login: cut_at_the_first_at
"""

from urllib.parse import unquote, urljoin, urlparse, urlunparse


def scheme(url):
    return urlparse(url).scheme


def six_parts(url):
    return tuple(urlparse(url))


def host(url):
    netloc = urlparse(url).netloc
    if "@" in netloc:
        netloc = netloc.split("@")[1]
    return urlparse("//" + netloc).hostname


def port(url):
    return urlparse(url).port


def has_valid_port(url):
    try:
        port(url)
    except ValueError:
        return False
    return True


def login(url):
    login, at, _ = urlparse(url).netloc.partition("@")
    if not at:
        return None, None
    user, colon, password = login.partition(":")
    return unquote(user), unquote(password) if colon else None


def complete(address):
    return address if urlparse(address).netloc else "http://" + address


def rebuild(parts):
    return urlunparse([part or "" for part in parts])


def with_port(url, number):
    parts = urlparse(url)
    user, at, address = parts.netloc.rpartition("@")
    if parts.port is not None:
        address = address.rpartition(":")[0]
    return parts._replace(netloc=f"{user}{at}{address}:{number}").geturl()


def add_query(url, query):
    parts = urlparse(url)
    return parts._replace(query=f"{parts.query}&{query}" if parts.query else query).geturl()


def same_url(one, other):
    a, b = urlparse(one), urlparse(other)
    if (a.username, a.password, a.hostname, a.port) != (b.username, b.password, b.hostname, b.port):
        return False
    return a._replace(netloc="") == b._replace(netloc="")


def resolve(page, link):
    if isinstance(link, bytes):
        link = link.decode("utf-8")
    return urljoin(page, link)


def resolve_on_host(page, link):
    url = resolve(page, link)
    return url if host(url) == host(page) else None
