"""No urllib at all: partition, from the left to the right, as the docstrings say it."""


def _split(url):
    rest, _, fragment = url.partition("#")
    rest, _, query = rest.partition("?")
    before, colon, behind = rest.partition(":")
    begin = ""
    if colon and before.isascii() and before[:1].isalpha() and "/" not in before:
        begin, rest = before.lower(), behind
    netloc = ""
    if rest.startswith("//"):
        netloc, slash, path = rest[2:].partition("/")
        rest = slash + path
    return begin, netloc, rest, query, fragment


def _address(url):
    netloc = _split(url)[1]
    user, at, address = netloc.rpartition("@")
    if address.startswith("["):
        name, _, number = address[1:].partition("]")
        return user if at else None, name, number[1:]
    name, _, number = address.partition(":")
    return user if at else None, name, number


def scheme(url):
    return _split(url)[0]


def six_parts(url):
    begin, netloc, path, query, fragment = _split(url)
    segments = path.split("/")
    segments[-1], _, params = segments[-1].partition(";")
    return begin, netloc, "/".join(segments), params, query, fragment


def host(url):
    return _address(url)[1].lower() or None


def port(url):
    number = _address(url)[2]
    if not number:
        return None
    if not (number.isascii() and number.isdecimal()) or int(number) > 65535:
        raise ValueError(f"{number} is no port")
    return int(number)


def has_valid_port(url):
    number = _address(url)[2]
    return not number or (number.isascii() and number.isdecimal() and int(number) <= 65535)


def login(url):
    given = _address(url)[0]
    if given is None:
        return None, None
    user, colon, password = given.partition(":")
    return _decoded(user), _decoded(password) if colon else None


def _decoded(text):
    made = bytearray()
    data = text.encode()
    at = 0
    while at < len(data):
        if data[at : at + 1] == b"%":
            made.append(int(data[at + 1 : at + 3], 16))
            at += 3
        else:
            made.append(data[at])
            at += 1
    return made.decode()


def complete(address):
    before = address.partition("://")[0]
    return address if before != address and not set("/?#") & set(before) else "http://" + address


def rebuild(parts):
    begin, netloc, path, params, query, fragment = parts
    url = path or ""
    if netloc:
        url = "//" + netloc + url
    if begin:
        url = begin + ":" + url
    for sign, part in ((";", params), ("?", query), ("#", fragment)):
        if part:
            url += sign + part
    return url


def with_port(url, number):
    begin, netloc, path, query, fragment = _split(url)
    before, at, _ = netloc.rpartition("@")
    name = _address(url)[1]
    if ":" in name:
        name = f"[{name}]"
    return rebuild((begin, f"{before}{at}{name}:{number}", path, "", query, fragment))


def add_query(url, query):
    before, sign, fragment = url.partition("#")
    start, _, old = before.partition("?")
    return start + "?" + (old + "&" if old else "") + query + sign + fragment


def same_url(one, other):
    first, second = _split(one), _split(other)
    return first[0] == second[0] and first[2:] == second[2:] and _same_place(one, other)


def _same_place(one, other):
    return _address(one)[0] == _address(other)[0] and host(one) == host(other) and port(one) == port(other)


def resolve(page, link):
    if isinstance(link, bytes):
        link = link.decode("utf-8")
    if _split(link)[0]:
        return link
    begin, netloc, path, query, _ = _split(page)
    if link.startswith("//"):
        return begin + ":" + link
    if link.startswith("#"):
        return page + link
    if link.startswith("?"):
        return begin + "://" + netloc + path + link
    if not link:
        return page
    target, sign, rest = link.partition("?")
    if not target.startswith("/"):
        target = path.rpartition("/")[0] + "/" + target
    kept = []
    for segment in target.split("/")[1:]:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    return begin + "://" + netloc + "/" + "/".join(kept) + sign + rest


def resolve_on_host(page, link):
    url = resolve(page, link)
    return url if host(url) == host(page) else None
