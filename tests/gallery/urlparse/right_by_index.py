"""urlparse alone, its parts read by their index, as a lecture shows it."""

from urllib.parse import unquote, urljoin, urlparse, urlunparse


def scheme(url):
    return urlparse(url)[0]


def six_parts(url):
    return list(urlparse(url))


def host(url):
    return urlparse(url).hostname


def port(url):
    return urlparse(url).port


def has_valid_port(url):
    parts = urlparse(url)
    try:
        parts.port
    except ValueError:
        return False
    else:
        return True


def login(url):
    parts = urlparse(url)
    return tuple(None if part is None else unquote(part) for part in (parts.username, parts.password))


def complete(address):
    begin = address.split("/")[0]
    if begin.endswith(":") and address.startswith(begin + "//"):
        return address
    return "http://" + address


def rebuild(parts):
    return urlunparse(tuple("" if part is None else part for part in parts))


def with_port(url, number):
    parts = urlparse(url)
    netloc = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if "@" in parts[1]:
        netloc = parts[1].rpartition("@")[0] + "@" + netloc
    return urlunparse((parts[0], netloc + ":" + str(number), *parts[2:]))


def add_query(url, query):
    parts = list(urlparse(url))
    parts[4] = "&".join(filter(None, [parts[4], query]))
    return urlunparse(parts)


def same_url(one, other):
    return _parts(one) == _parts(other)


def _parts(url):
    parts = urlparse(url)
    return (parts[0], parts.username, parts.password, parts.hostname, parts.port, *parts[2:])


def resolve(page, link):
    if not isinstance(link, str):
        link = str(link, "utf-8")
    return urljoin(page, link)


def resolve_on_host(page, link):
    url = urljoin(page, link)
    if urlparse(url).hostname == urlparse(page).hostname:
        return url
    return None
