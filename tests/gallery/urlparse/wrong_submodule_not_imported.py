"""import urllib brings all that lies inside it.

fails: test_scheme: module_not_imported
fails: test_six_parts: raised
fails: test_delimiters: raised
fails: test_host: raised
fails: test_no_host: raised
fails: test_port: raised
fails: test_bad_port: bad_port
fails: test_login: raised
fails: test_complete: raised
fails: test_rebuild: raised
fails: test_with_port: raised
fails: test_add_query: raised
fails: test_same_url: raised
fails: test_resolve: raised
fails: test_resolve_on_host: raised
"""

import urllib


def scheme(url):
    return urllib.parse.urlparse(url).scheme


def six_parts(url):
    return tuple(urllib.parse.urlparse(url))


def host(url):
    return urllib.parse.urlparse(url).hostname


def port(url):
    return urllib.parse.urlparse(url).port


def has_valid_port(url):
    try:
        port(url)
    except ValueError:
        return False
    return True


def login(url):
    parts = urllib.parse.urlparse(url)
    user = None if parts.username is None else urllib.parse.unquote(parts.username)
    password = None if parts.password is None else urllib.parse.unquote(parts.password)
    return user, password


def complete(address):
    return address if urllib.parse.urlparse(address).netloc else "http://" + address


def rebuild(parts):
    return urllib.parse.urlunparse([part or "" for part in parts])


def with_port(url, number):
    parts = urllib.parse.urlparse(url)
    user, at, address = parts.netloc.rpartition("@")
    if parts.port is not None:
        address = address.rpartition(":")[0]
    return parts._replace(netloc=f"{user}{at}{address}:{number}").geturl()


def add_query(url, query):
    parts = urllib.parse.urlparse(url)
    return parts._replace(query=f"{parts.query}&{query}" if parts.query else query).geturl()


def same_url(one, other):
    a, b = urllib.parse.urlparse(one), urllib.parse.urlparse(other)
    if (a.username, a.password, a.hostname, a.port) != (b.username, b.password, b.hostname, b.port):
        return False
    return a._replace(netloc="") == b._replace(netloc="")


def resolve(page, link):
    if isinstance(link, bytes):
        link = link.decode("utf-8")
    return urllib.parse.urljoin(page, link)


def resolve_on_host(page, link):
    url = resolve(page, link)
    return url if host(url) == host(page) else None
