"""qs: reading and writing the query of a URL.

Fill in one function after the other and run `make test KATA=qs` after each.
The page beside this file (README.md, 中文: README.zh.md) explains every step.

A query is what stands behind the "?" of a URL, without the "?": fields of the form name=value with "&" between them.
Names and values are encoded: "+" is a space, %XX is a byte. The text is UTF-8 where nothing else is said.
A field with nothing behind its "=" is there, with the value ""; "a" without "=" is the same as "a=".
Nothing at all between two "&" is no field. Upper and lower case are different names.
A text is data: what it is made of comes through as it is, spaces at its ends and capital letters too.
"""


def fields(query: str) -> dict[str, list[str]]:
    """All fields: each name with the list of its values, in the order in which they stand. All is decoded.

    fields("name=Ada&tag=new&tag=red+wine")   → {"name": ["Ada"], "tag": ["new", "red wine"]}
    fields("q=&page=2")                       → {"q": [""], "page": ["2"]}
    fields("")                                → {}
    """
    raise NotImplementedError


def value(query: str, name: str) -> str | None:
    """The value of this name as text; the first one when there are several; None when the name is not there.

    value("name=Ada&tag=new&tag=old", "tag")   → "new"
    value("q=&page=2", "q")                    → ""
    value("q=&page=2", "lang")                 → None
    """
    raise NotImplementedError


def pairs(query: str, encoding: str = "utf-8") -> list[tuple[str, str]]:
    """All fields as pairs (name, value), decoded, in the order in which they stand.

    `encoding` is the encoding of the text behind the %XX, of names and of values, as Python calls it.

    pairs("a=1&b=2&a=")               → [("a", "1"), ("b", "2"), ("a", "")]
    pairs("city=%B1%B1%BE%A9", "gbk") → [("city", "北京")]
    """
    raise NotImplementedError


def from_html(query: str) -> list[tuple[str, str]]:
    """The pairs of a query that was copied from the source of an HTML page, where each "&" is written "&amp;".
    That is undone once: what comes out is the query.

    from_html("q=tea&amp;lang=en")   → [("q", "tea"), ("lang", "en")]
    from_html("a=1&amp;amp;b=2")     → [("a", "1"), ("amp;b", "2")]
    """
    raise NotImplementedError


def received(query: bytes, limit: int) -> list[tuple[str, str]]:
    """The pairs of a query that a stranger sent, as a server reads it: ASCII bytes come in, text goes out.

    Raises ValueError when there are more than `limit` fields (repeated and empty ones count),
    and when there is no "=" in a field or nothing at all between two "&". An empty value ("q=") is allowed.
    An encoded "=" (%3D) is data: it ends no name.

    received(b"q=caf%C3%A9&tag=", 10)   → [("q", "café"), ("tag", "")]
    received(b"a=1&b=2&a=3", 2)         → ValueError
    received(b"a=1&b", 10)              → ValueError
    """
    raise NotImplementedError


def in_query(text: str) -> str:
    """One value, encoded for a query: a space becomes "+". What would separate something there or be decoded
    (& # % +) or is not printable ASCII becomes %XX: its bytes in UTF-8. All else may stay or become %XX, = too:
    the name before this value is ended already. Any text comes back unchanged when the query is decoded.

    in_query("red wine")   → "red+wine"
    in_query("50% & more") → "50%25+%26+more"
    """
    raise NotImplementedError


def in_path(text: str) -> str:
    """One segment of a path, encoded: a space becomes "%20". What would end the segment or be decoded (/ ? # %)
    or is not printable ASCII becomes %XX: its bytes in UTF-8. All else may stay or become %XX.
    Any text comes back unchanged when it is decoded.

    in_path("red wine")   → "red%20wine"
    in_path("AC/DC?")     → "AC%2FDC%3F"
    """
    raise NotImplementedError


def build(items: list[tuple[str, str]], encoding: str = "utf-8") -> str:
    """The query for these pairs (name, value), in this order.

    Names and values are encoded as by `in_query`, and so is a = in a name, which would end it there. A space may be
    "%20" too.
    `encoding` is the encoding of the text behind the %XX, of names and of values, as Python calls it.

    build([("tag", "new"), ("q", "a&b"), ("tag", "red wine")])   → "tag=new&q=a%26b&tag=red+wine"
    build([("city", "北京")], "gbk")                               → "city=%B1%B1%BE%A9"
    build([])                                                    → ""
    """
    raise NotImplementedError


def build_form(form: dict[str, object]) -> str:
    """The query for the fields of a form: a text, a whole number, a bool or None for each name,
    or a list or tuple of these.

    A list or tuple gives one field for each item, in its order; an empty one gives none. None gives no field.
    True is sent as "true", False as "false", a number in digits (-5 as "-5"). A text is sent as it is, be it empty or
    "None". All is encoded.
    For the items of a list the same holds. The order of different names is free.

    build_form({"tag": ["new", "old"], "page": 2, "draft": True, "author": None, "q": ""})
        → "tag=new&tag=old&page=2&draft=true&q="
    """
    raise NotImplementedError


def replace(query: str, name: str, value: str) -> str:
    """The same query with this value, once, for this name (name and value are not encoded yet).

    The new field stands where the first of this name stood, or at the end if there was none; others of
    this name are gone. All other fields stay, in their order, repeated and empty ones too. An empty value is a value.

    replace("tag=a&page=1&tag=b&q=", "page", "2")   → "tag=a&page=2&tag=b&q="
    replace("tag=a&page=1&tag=b", "tag", "c")       → "tag=c&page=1"
    replace("q=tea", "page", "2")                   → "q=tea&page=2"
    """
    raise NotImplementedError


def address(site: str, segment: str, items: list[tuple[str, str]]) -> str:
    """The URL of a page: the site, "/", one segment of a path, "?" and the query for these pairs.

    `site` is ready to use and has no "/" at its end; all else is not encoded yet. Without pairs there is no "?".

    address("http://example.com", "red wine", [("page", "2"), ("q", "a&b")])
        → "http://example.com/red%20wine?page=2&q=a%26b"
    address("http://example.com", "news", [])   → "http://example.com/news"
    """
    raise NotImplementedError


if __name__ == "__main__":
    # To try by hand: python katas/qs/qs.py
    print(fields("name=Ada&tag=new&tag=red+wine"))
