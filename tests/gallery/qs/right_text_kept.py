"""A class for a query: the encoded text of every field is kept, and only what is asked for is decoded."""

import html
import urllib.parse


class Query:
    def __init__(self, text, encoding="utf-8"):
        self.pieces = list(filter(None, text.split("&")))
        self.encoding = encoding

    def decode(self, piece):
        name, _, content = piece.partition("=")
        return tuple(urllib.parse.unquote_plus(part, encoding=self.encoding) for part in (name, content))

    def items(self):
        return [self.decode(piece) for piece in self.pieces]

    def names(self):
        return [name for name, _ in self.items()]

    def __str__(self):
        return "&".join(self.pieces)


def fields(query):
    items = Query(query).items()
    return {name: [content for each, content in items if each == name] for name, _ in items}


def value(query, name):
    try:
        return fields(query)[name][0]
    except KeyError:
        return None


def pairs(query, encoding="utf-8"):
    return Query(query, encoding).items()


def from_html(query):
    return Query(html.unescape(query)).items()


def received(query, limit):
    text = query.decode()
    fields_sent = text.split("&")
    if len(fields_sent) > limit or any("=" not in piece for piece in fields_sent):
        raise ValueError(f"not a query of at most {limit} fields")
    return Query(text).items()


def in_query(text):
    return urllib.parse.quote_plus(text, safe="~*")


def in_path(text):
    return "".join(
        chr(byte) if chr(byte).isalnum() and byte < 128 else f"%{byte:02X}" for byte in text.encode("utf-8")
    )


def build(items, encoding="utf-8"):
    quoted = [[urllib.parse.quote_plus(part, encoding=encoding) for part in item] for item in items]
    return "&".join(f"{name}={content}" for name, content in quoted)


def build_form(form):
    spelling = {True: "true", False: "false"}
    query = []
    for name, content in reversed(form.items()):
        if not isinstance(content, (list, tuple)):
            content = (content,)
        for item in content:
            if item is not None:
                text = spelling[item] if isinstance(item, bool) else str(item)
                query.append(f"{in_query(name)}={in_query(text)}")
    return "&".join(query)


def replace(query, name, value):
    found = Query(query)
    new = f"{in_query(name)}={in_query(value)}"
    if name in found.names():
        first = found.names().index(name)
        found.pieces[first] = new
        found.pieces = [p for at, p in enumerate(found.pieces) if at <= first or found.decode(p)[0] != name]
    else:
        found.pieces.append(new)
    return str(found)


def address(site, segment, items):
    page = urllib.parse.urlsplit(site)._replace(path="/" + in_path(segment), query=build(items))
    return page.geturl()
