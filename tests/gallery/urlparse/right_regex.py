"""The regular expression of RFC 3986, appendix B, for the parts; a class of its own; urllib for decoding alone."""

import posixpath
import re
from urllib.parse import unquote

URL = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
NETLOC = re.compile(r"(?:(?P<user>[^:]*)(?::(?P<password>.*))?@)?(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>.*))?")


class Url:
    def __init__(self, text):
        self.scheme, self.netloc, self.path, self.query, self.fragment = URL.fullmatch(text).groups("")
        self.scheme = self.scheme.lower()
        found = NETLOC.fullmatch(self.netloc)
        self.user, self.password, self.number = found["user"], found["password"], found["port"]
        self.host = found["host"].strip("[]").lower() or None

    def text(self):
        return "".join(
            before + part + behind
            for before, part, behind in (
                ("", self.scheme, ":"),
                ("//", self.netloc, ""),
                ("", self.path, ""),
                ("?", self.query, ""),
                ("#", self.fragment, ""),
            )
            if part
        )


def scheme(url):
    return Url(url).scheme


def six_parts(url):
    url = Url(url)
    path, params = re.fullmatch(r"(.*/[^;/]*|[^;/]*)(?:;([^/]*))?", url.path).groups("")
    return [url.scheme, url.netloc, path, params, url.query, url.fragment]


def host(url):
    return Url(url).host


class BadPort(ValueError):
    pass


def port(url):
    number = Url(url).number
    if number is None:
        return None
    if not re.fullmatch("[0-9]{1,5}", number) or int(number) > 65535:
        raise BadPort(number)
    return int(number)


def has_valid_port(url):
    try:
        port(url)
        return True
    except BadPort:
        return False


def login(url):
    url = Url(url)
    return [part if part is None else unquote(part) for part in (url.user, url.password)]


def complete(address):
    return address if re.match("[A-Za-z][A-Za-z0-9+.-]*://", address) else "http://" + address


def rebuild(parts):
    url = Url("")
    url.scheme, url.netloc, url.path, params, url.query, url.fragment = [part or "" for part in parts]
    url.path += params and ";" + params
    return url.text()


def with_port(url, number):
    url = Url(url)
    url.netloc = re.sub(r"(:\d*)?$", f":{number}", url.netloc, count=1)
    return url.text()


def add_query(url, query):
    url = Url(url)
    url.query = f"{url.query}&{query}".removeprefix("&")
    return url.text()


def same_url(one, other):
    one, other = Url(one), Url(other)
    one.netloc = other.netloc = ""
    return vars(one) == vars(other)


def resolve(page, link):
    base, url = Url(page), Url(link if isinstance(link, str) else link.decode("utf-8"))
    if url.scheme:
        return url.text()
    url.scheme = base.scheme
    if url.netloc:
        return url.text()
    url.netloc = base.netloc
    if not url.path:
        url.path = base.path
        url.query = url.query or base.query
    else:
        slash = "/" if url.path.endswith("/") else ""  # normpath drops it
        url.path = posixpath.normpath(posixpath.join(posixpath.dirname(base.path or "/"), url.path)) + slash
    return url.text()


def resolve_on_host(page, link):
    page, url = Url(page), Url(resolve(page, link))
    return url.text() if url.host == page.host else None
