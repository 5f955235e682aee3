"""Every byte but the space is escaped, letters too; reading is one regular expression."""

import re

FIELD = re.compile("([^&=]+)(?:=([^&]*))?")


def decoded(text, encoding="utf-8"):
    raw = text.encode("ascii").replace(b"+", b" ")
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), raw).decode(encoding)


def escaped(text, space, encoding="utf-8"):
    return "".join(space if byte == 32 else f"%{byte:02X}" for byte in text.encode(encoding))


def fields(query):
    result = {}
    for name, content in pairs(query):
        result[name] = result.get(name, []) + [content]
    return result


def value(query, name):
    return next((content for each, content in pairs(query) if each == name), None)


def pairs(query, encoding="utf-8"):
    return [(decoded(found[1], encoding), decoded(found[2] or "", encoding)) for found in FIELD.finditer(query)]


def from_html(query):
    return pairs(re.sub("&amp;", "&", query))


def received(query, limit):
    text = query.decode()
    if len(re.findall("&", text)) >= limit or not re.fullmatch("[^&=]+=[^&]*(&[^&=]+=[^&]*)*", text):
        raise ValueError(text)
    return pairs(text)


def in_query(text):
    return escaped(text, "+")


def in_path(text):
    return escaped(text, "%20")


def build(items, encoding="utf-8"):
    return "&".join(escaped(name, "+", encoding) + "=" + escaped(text, "+", encoding) for name, text in items)


def build_form(form):
    items = []
    for name in reversed(form):
        content = form[name]
        for item in content if type(content) in (list, tuple) else (content,):
            if item is True:
                items.append([name, "true"])
            elif item is False:
                items.append([name, "false"])
            elif item is not None:
                items.append([name, str(item)])
    return build(items)


def replace(query, name, value):
    new = escaped(name, "+") + "=" + escaped(value, "+")
    seen = []

    def one(found):
        if decoded(found[1]) != name:
            return found[0]
        seen.append(1)
        return new if len(seen) == 1 else ""

    query = FIELD.sub(one, query)
    if not seen:
        query += "&" + new
    return re.sub("&+", "&", query).strip("&")


def address(site, segment, items):
    url = site + "/" + in_path(segment)
    return url + "?" + build(items) if items else url
