"""Believes that a scheme is made of word characters alone.

fails: test_complete: scheme_doubled
"""

import re
from urllib.parse import unquote, urljoin, urlparse, urlunparse


def scheme(url):
    return urlparse(url).scheme


def six_parts(url):
    return tuple(urlparse(url))


def host(url):
    return urlparse(url).hostname


def port(url):
    return urlparse(url).port


def has_valid_port(url):
    try:
        urlparse(url).port
    except ValueError:
        return False
    return True


def login(url):
    p = urlparse(url)
    return tuple(None if x is None else unquote(x) for x in (p.username, p.password))


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


def complete(address):
    return address if re.match(r"\w+://", address) else "http://" + address
