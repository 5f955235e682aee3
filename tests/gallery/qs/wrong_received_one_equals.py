"""A field has one = and no more.

fails: test_received: cut_at_every_equals
fails: test_hostile: cut_at_every_equals
"""

import html
from urllib.parse import parse_qs, parse_qsl, quote, quote_plus, urlencode


def fields(query):
    result = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        result.setdefault(name, []).append(value)
    return result


def value(query, name):
    return parse_qs(query, keep_blank_values=True).get(name, [None])[0]


def pairs(query, encoding="utf-8"):
    return parse_qsl(query, keep_blank_values=True, encoding=encoding)


def from_html(query):
    return parse_qsl(html.unescape(query), keep_blank_values=True)


def received(query, limit):
    if any(piece.count(b"=") != 1 for piece in query.split(b"&")):
        raise ValueError("not name=value")
    return parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=limit)


def in_query(text):
    return quote_plus(text)


def in_path(text):
    return quote(text, safe="")


def build(items, encoding="utf-8"):
    return urlencode(items, encoding=encoding)


def build_form(form):
    items = []
    for name, content in form.items():
        for item in content if isinstance(content, (list, tuple)) else [content]:
            if item is True or item is False:
                item = str(item).lower()
            if item is not None:
                items.append((name, item))
    return urlencode(items)


def replace(query, name, value):
    items = parse_qsl(query, keep_blank_values=True)
    places = [at for at, (each, _) in enumerate(items) if each == name]
    if not places:
        return urlencode([*items, (name, value)])
    items[places[0]] = (name, value)
    return urlencode([pair for at, pair in enumerate(items) if at not in places[1:]])


def address(site, segment, items):
    url = site + "/" + quote(segment, safe="")
    if items:
        url += "?" + urlencode(items)
    return url
