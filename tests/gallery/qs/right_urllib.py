"""The short way: one function of urllib for each step, doseq for the lists."""

from html import unescape
from urllib.parse import parse_qs, parse_qsl, quote, quote_plus, urlencode


def fields(query):
    return parse_qs(query, keep_blank_values=True)


def value(query, name):
    return next(iter(fields(query).get(name, [])), None)


def pairs(query, encoding="utf-8"):
    return parse_qsl(query, True, encoding=encoding, errors="strict")


def from_html(query):
    return pairs(unescape(query))


def received(query, limit):
    found = parse_qsl(str(query, "utf-8"), True, True, max_num_fields=limit)
    return found


def in_query(text):
    return urlencode({"": text})[1:]


def in_path(text):
    return quote(text, "")


def build(items, encoding="utf-8"):
    return urlencode(items, encoding=encoding)


def plain(item):
    return {True: "true", False: "false"}[item] if isinstance(item, bool) else item


def build_form(form):
    kept = {}
    for name, content in form.items():
        if isinstance(content, (list, tuple)):
            kept[name] = [plain(item) for item in content if item is not None]
        elif content is not None:
            kept[name] = plain(content)
    return urlencode(kept, doseq=True)


def replace(query, name, value):
    found = pairs(query)
    first = next((at for at, pair in enumerate(found) if pair[0] == name), len(found))
    before = found[:first]
    after = [pair for pair in found[first:] if pair[0] != name]
    return build([*before, (name, value), *after])


def address(site, segment, items):
    return "?".join(filter(None, [f"{site}/{quote_plus(segment).replace('+', '%20')}", build(items)]))
