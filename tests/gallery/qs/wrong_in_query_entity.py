"""Escapes the text for HTML before it encodes it.

fails: test_in_query: html_escaped
"""

import re
from urllib.parse import parse_qs, parse_qsl, quote, quote_plus, unquote, unquote_plus, urlencode


def fields(query):
    return parse_qs(query, keep_blank_values=True)


def value(query, name):
    return next((v for n, v in parse_qsl(query, keep_blank_values=True) if n == name), None)


def pairs(query, encoding="utf-8"):
    return parse_qsl(query, keep_blank_values=True, encoding=encoding)


def from_html(query):
    return parse_qsl(query.replace("&amp;", "&"), keep_blank_values=True)


def received(query, limit):
    return parse_qsl(query.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=limit)


def in_path(text):
    return quote(text, safe="")


def build(items, encoding="utf-8"):
    return urlencode(items, encoding=encoding)


def build_form(form):
    items = []
    for name, v in form.items():
        for x in v if isinstance(v, (list, tuple)) else [v]:
            if x is None:
                continue
            if isinstance(x, bool):
                x = "true" if x else "false"
            items.append((name, str(x)))
    return urlencode(items)


def replace(query, name, value):
    out, done = [], False
    for n, v in parse_qsl(query, keep_blank_values=True):
        if n != name:
            out.append((n, v))
        elif not done:
            out.append((name, value))
            done = True
    if not done:
        out.append((name, value))
    return urlencode(out)


def address(site, segment, items):
    return site + "/" + quote(segment, safe="") + ("?" + urlencode(items) if items else "")


def in_query(text):
    from html import escape
    return quote_plus(escape(text, quote=False))
