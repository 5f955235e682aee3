"""Believes that \\d stands for the digits 0-9 alone.

fails: test_bad_port: bad_port_let_through
"""

import re
from urllib.parse import unquote, urljoin, urlparse, urlunparse


def scheme(url):
    return urlparse(url).scheme


def six_parts(url):
    return tuple(urlparse(url))


def host(url):
    return urlparse(url).hostname


def login(url):
    p = urlparse(url)
    return tuple(None if x is None else unquote(x) for x in (p.username, p.password))


def complete(address):
    return address if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", address) else "http://" + address


def rebuild(parts):
    return urlunparse([p or "" for p in parts])


def with_port(url, number):
    p = urlparse(url)
    user, at, place = p.netloc.rpartition("@")
    place = re.sub(r":[^:\]]*$", "", place) if not place.endswith("]") else place
    return p._replace(netloc=f"{user}{at}{place}:{number}").geturl()


def add_query(url, query):
    p = urlparse(url)
    return p._replace(query=p.query + "&" + query if p.query else query).geturl()


def same_url(one, other):
    def key(u):
        p = urlparse(u)
        return p.scheme, p.username, p.password, p.hostname, p.port, p[2:]
    return key(one) == key(other)


def resolve(page, link):
    if isinstance(link, bytes):
        link = link.decode("utf-8")
    return urljoin(page, link)


def resolve_on_host(page, link):
    full = urljoin(page, link)
    there = urlparse(full).hostname
    return full if there is not None and there == urlparse(page).hostname else None


def port(url):
    m = re.search(r":([^:\]]*)$", urlparse(url).netloc.rpartition("@")[2])
    if not m or not m[1]:
        return None
    if not re.fullmatch(r"\d+", m[1]) or int(m[1]) > 65535:
        raise ValueError("bad port")
    return int(m[1])


def has_valid_port(url):
    try:
        port(url)
    except ValueError:
        return False
    return True
