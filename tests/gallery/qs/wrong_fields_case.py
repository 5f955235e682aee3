"""Names are easier to compare in lower case.

may fail: test_decoding
fails: test_fields: case_ignored
"""

import html
from urllib.parse import parse_qs, parse_qsl, quote, quote_plus, unquote_plus, urlencode


def fields(query):
    result = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        result.setdefault(name.lower(), []).append(value)
    return result


def value(query, name):
    return parse_qs(query, keep_blank_values=True).get(name, [None])[0]


def pairs(query, encoding="utf-8"):
    return parse_qsl(query, keep_blank_values=True, encoding=encoding)


def from_html(query):
    return parse_qsl(html.unescape(query), keep_blank_values=True)


def received(query, limit):
    pieces = query.decode("ascii").split("&")
    if len(pieces) > limit:
        raise ValueError(f"more than {limit} fields")
    result = []
    for piece in pieces:
        if "=" not in piece:
            raise ValueError(f"no field: {piece!r}")
        name, _, content = piece.partition("=")
        result.append((unquote_plus(name), unquote_plus(content)))
    return result


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
