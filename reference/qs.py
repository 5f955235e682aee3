"""qs: reading and writing the query of a URL. A working solution."""

from html import unescape
from urllib.parse import parse_qs, parse_qsl, quote, quote_plus, urlencode


def fields(query: str) -> dict[str, list[str]]:
    """All fields: each name with the list of its values, in the order in which they stand. All is decoded."""
    return parse_qs(query, keep_blank_values=True)  # without it, a field left empty would vanish


def value(query: str, name: str) -> str | None:
    """The value of this name as text; the first one when there are several; None when the name is not there."""
    found = fields(query).get(name)
    return found[0] if found else None  # the list is never empty, the text in it may be


def pairs(query: str, encoding: str = "utf-8") -> list[tuple[str, str]]:
    """All fields as pairs (name, value), decoded, in the order in which they stand."""
    return parse_qsl(query, keep_blank_values=True, encoding=encoding)


def from_html(query: str) -> list[tuple[str, str]]:
    """The pairs of a query that was copied from the source of an HTML page, where each "&" is written "&amp;".

    That is undone once: what comes out is the query.
    """
    # HTML was put on last, so it comes off first: an &amp; that is inside a value is still encoded by then.
    return pairs(unescape(query))


def received(query: bytes, limit: int) -> list[tuple[str, str]]:
    """The pairs of a query that a stranger sent, as a server reads it: ASCII bytes come in, text goes out.

    Raises ValueError when there are more than `limit` fields, and for a field without "=".
    """
    # Decoded before it is parsed: from bytes the parser would make pairs of bytes.
    text = query.decode("ascii")
    return parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=limit)


def in_query(text: str) -> str:
    """One value, encoded for a query: a space becomes "+"; what would separate or be decoded becomes %XX."""
    return quote_plus(text)


def in_path(text: str) -> str:
    """One segment of a path, encoded: a space becomes "%20", and "/" becomes %2F: it must not end the segment."""
    return quote(text, safe="")  # by itself, quote() leaves the "/" alone


def build(items: list[tuple[str, str]], encoding: str = "utf-8") -> str:
    """The query for these pairs (name, value), in this order. Names and values are encoded."""
    return urlencode(items, encoding=encoding)


def build_form(form: dict[str, object]) -> str:
    """The query for the fields of a form: each name with a text, a whole number, a bool, None, or a list of these."""
    items = []
    for name, content in form.items():
        several = content if isinstance(content, (list, tuple)) else [content]
        items += [(name, _written(item)) for item in several if item is not None]
    return build(items)


def _written(item: object) -> str:
    if isinstance(item, bool):  # str() would give Python's spelling, with a capital letter
        return "true" if item else "false"
    return str(item)


def replace(query: str, name: str, value: str) -> str:
    """The same query with this value, once, for this name."""
    items = []
    placed = False
    # Pairs, not a dict: a dict would put all fields of one name beside each other.
    for each, old in pairs(query):
        if each != name:
            items.append((each, old))
        elif not placed:
            items.append((name, value))
            placed = True
    if not placed:
        items.append((name, value))
    return build(items)


def address(site: str, segment: str, items: list[tuple[str, str]]) -> str:
    """The URL of a page: the site, "/", one segment of a path, "?" and the query for these pairs."""
    # Each part is encoded alone, while it is still known what in it is data.
    page = f"{site}/{in_path(segment)}"
    return f"{page}?{build(items)}" if items else page
