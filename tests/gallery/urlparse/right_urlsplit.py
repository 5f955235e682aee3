"""urlsplit and its named parts; the params are cut off the path by hand."""

from urllib.parse import SplitResult, unquote_to_bytes, urljoin, urlsplit, urlunsplit


def scheme(url):
    return urlsplit(url).scheme


def six_parts(url):
    parts = urlsplit(url)
    folder, slash, last = parts.path.rpartition("/")
    last, _, params = last.partition(";")
    return parts.scheme, parts.netloc, folder + slash + last, params, parts.query, parts.fragment


def host(url):
    return urlsplit(url).hostname


def port(url):
    return urlsplit(url).port


def has_valid_port(url):
    try:
        number = port(url)
    except ValueError:
        return False
    return number is None or 0 <= number <= 65535


def login(url):
    parts = urlsplit(url)
    return _text(parts.username), _text(parts.password)


def _text(part):
    return part if part is None else unquote_to_bytes(part).decode()


def complete(address):
    return address if urlsplit(address).netloc else urlsplit("//" + address)._replace(scheme="http").geturl()


def rebuild(parts):
    begin, netloc, path, params, query, fragment = (part or "" for part in parts)
    if params:
        path += ";" + params
    return SplitResult(begin, netloc, path, query, fragment).geturl()


def with_port(url, number):
    parts = urlsplit(url)
    netloc = parts.netloc
    if parts.port is not None:
        netloc = netloc.rsplit(":", 1)[0]
    return urlunsplit(parts._replace(netloc=f"{netloc}:{number}"))


def add_query(url, query):
    parts = urlsplit(url)
    if parts.query:
        query = parts.query + "&" + query
    return parts._replace(query=query).geturl()


def same_url(one, other):
    return normal(one) == normal(other)


def normal(url):
    parts = urlsplit(url)
    before, at, behind = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=before + at + behind.lower()))


def resolve(page, link):
    return urljoin(page, link.decode() if isinstance(link, bytes) else link)


def resolve_on_host(page, link):
    full = resolve(page, link)
    return full if host(full) == host(page) else None
