"""All by hand: splitting, decoding and encoding with loops and bytes alone."""

SAFE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~*"
HEX = "0123456789abcdef"


def decode(text, encoding="utf-8"):
    data = bytearray()
    at = 0
    while at < len(text):
        char = text[at]
        if char == "+":
            data.append(32)
        elif char == "%" and len(text) > at + 2:
            data.append(HEX.index(text[at + 1].lower()) * 16 + HEX.index(text[at + 2].lower()))
            at += 2
        else:
            data += char.encode(encoding)
        at += 1
    return data.decode(encoding)


def encode(text, encoding="utf-8", space="+"):
    out = ""
    for byte in str(text).encode(encoding):
        if byte == 32:
            out += space
        elif byte in SAFE:
            out += chr(byte)
        else:
            out += "%" + HEX[byte // 16] + HEX[byte % 16]
    return out


def pairs(query, encoding="utf-8"):
    result = []
    for piece in query.split("&"):
        if piece != "":
            cut = piece.find("=")
            if cut < 0:
                cut = len(piece)
            result.append((decode(piece[:cut], encoding), decode(piece[cut + 1 :], encoding)))
    return result


def fields(query):
    result = {}
    for name, content in pairs(query):
        if name not in result:
            result[name] = []
        result[name].append(content)
    return result


def value(query, name):
    for each, content in pairs(query):
        if each == name:
            return content
    return None


def from_html(query):
    return pairs(query.replace("&amp;", "&"))


def received(query, limit):
    text = "".join(chr(byte) for byte in query)
    pieces = text.split("&")
    if len(pieces) > limit:
        raise ValueError("too many fields")
    for piece in pieces:
        if "=" not in piece:
            raise ValueError("no = in " + repr(piece))
    return pairs(text)


def in_query(text):
    return encode(text)


def in_path(text):
    return encode(text, space="%20")


def build(items, encoding="utf-8"):
    query = ""
    for name, content in items:
        if query:
            query += "&"
        query += encode(name, encoding) + "=" + encode(content, encoding)
    return query


def build_form(form):
    items = []
    for name in sorted(form):
        content = form[name]
        if type(content) not in (list, tuple):
            content = [content]
        for item in content:
            if item is None:
                continue
            if item is True:
                item = "true"
            elif item is False:
                item = "false"
            items.append((name, item))
    return build(items)


def replace(query, name, value):
    result = []
    done = False
    for each, old in pairs(query):
        if each == name and not done:
            result.append((name, value))
            done = True
        elif each != name:
            result.append((each, old))
    if not done:
        result.append((name, value))
    return build(result)


def address(site, segment, items):
    query = build(items)
    return site + "/" + in_path(segment) + ("?" + query if query else "")
