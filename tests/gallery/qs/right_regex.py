"""Regular expressions for the fields, tuples for the values, %20 for every space in a built query."""

import re
from collections import defaultdict
from urllib.parse import quote, unquote, unquote_plus

FIELD = re.compile(r"([^&=]*)(=?)([^&]*)")


def pieces(query):
    return [found.groups() for found in FIELD.finditer(query) if found.group()]


def fields(query):
    found = defaultdict(tuple)
    for name, _, content in pieces(query):
        found[unquote_plus(name)] += (unquote_plus(content),)
    return found


def value(query, name):
    return fields(query)[name][0] if name in fields(query) else None


def pairs(query, encoding="utf-8"):
    def read(text):
        return unquote(re.sub(r"\+", " ", text), encoding=encoding)

    return tuple([read(name), read(content)] for name, _, content in pieces(query))


def from_html(query):
    return pairs(re.sub("&(amp|#38|#x26);", "&", query))


class BadQuery(ValueError):
    pass


def received(query, limit):
    if query.count(b"&") >= limit:
        raise BadQuery("too long")
    if not all(b"=" in piece for piece in query.split(b"&")):
        raise BadQuery("no field")
    return pairs(query.decode("latin-1"))


def in_query(text):
    return in_path(text).replace("%20", "+")


def in_path(text):
    return re.sub(r"[^A-Za-z0-9]", lambda found: "".join(f"%{byte:02x}" for byte in found[0].encode()), text)


def build(items, encoding="utf-8"):
    return "&".join("=".join(quote(part, "", encoding) for part in item) for item in items)


def build_form(form):
    def write(name, content):
        if content is None:
            return
        if isinstance(content, (list, tuple)):
            for item in content:
                yield from write(name, item)
        elif isinstance(content, bool):
            yield name, repr(content).lower()
        else:
            yield name, f"{content}"

    return build([pair for name, content in form.items() for pair in write(name, content)])


def replace(query, name, value):
    names = [pair[0] for pair in pairs(query)]
    if name not in names:
        names.append(name)
        query += f"&{quote(name)}=" if query else f"{quote(name)}="
    first = names.index(name)
    kept = [
        [each, value] if at == first else [each, old]
        for at, (each, old) in enumerate(pairs(query))
        if each != name or at == first
    ]
    return build(kept)


def address(site, segment, items):
    return f"{site}/{in_path(segment)}" + f"?{build(items)}" * bool(items)
