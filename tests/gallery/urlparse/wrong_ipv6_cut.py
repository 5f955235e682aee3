"""Behind the last @, the host goes on to the first colon.

fails: test_host: wrong_colon
fails: test_resolve_on_host: host_checked_as_text
"""

from urllib.parse import unquote, urljoin, urlparse, urlunparse


def scheme(url):
    return urlparse(url).scheme


def six_parts(url):
    return tuple(urlparse(url))


def host(url):
    netloc = urlparse(url).netloc
    return netloc.rpartition("@")[2].split(":")[0].lower() or None


def port(url):
    return urlparse(url).port


def has_valid_port(url):
    try:
        port(url)
    except ValueError:
        return False
    return True


def login(url):
    parts = urlparse(url)
    user = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else unquote(parts.password)
    return user, password


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
    if parts.query:
        query = parts.query + "&" + query
    return parts._replace(query=query).geturl()


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
