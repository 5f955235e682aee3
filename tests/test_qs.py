"""qs: reading and writing the query of a URL. In the order of the contract.

A query that a student builds is read again and judged by what it means: `%e4` is `%E4`, `~` may be escaped or not.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlencode, urlsplit

from dojo.expect import Answer, Student, raises
from dojo.fresh import Fresh

Pairs = list[tuple[str, str]]

SEPARATORS = "&=#+%?/:"
"""What would mean something in a URL; a value that holds them all must come through unchanged."""


def meaning(query: Any, encoding: str = "utf-8") -> Pairs:
    """What a server reads in this query, when it stands in a URL that ends with it."""
    if not isinstance(query, str):
        raise TypeError("no query")  # an answer of another kind, or an exception: no mistake is recognised in it
    sent = urlsplit(f"http://example.com/?{query}").query  # a "#" would end the query
    return parse_qsl(sent, keep_blank_values=True, encoding=encoding)


def _names(query: Any) -> list[str]:
    return [name for name, _ in meaning(query)]


def _is_clean(text: str) -> bool:
    """Whether this may stand in a URL: printable ASCII, no spaces."""
    return text.isascii() and not any(char <= " " or char == "\x7f" for char in text)


def _parts(url: str) -> tuple[str, Pairs] | None:
    """The one segment of this URL's path and the pairs of its query, or None when it has more parts than these."""
    parts = urlsplit(url)
    if parts.fragment or parts.path.count("/") != 1:
        return None
    return unquote(parts.path[1:]), parse_qsl(parts.query, keep_blank_values=True)


def _in_query(got: Any) -> str:
    """The text that stands in a query as the value `got`."""
    ((_, text),) = meaning("x=" + got)
    return text


def _leads_to(site: str, parts: tuple[str, Pairs], got: str) -> bool:
    return got.startswith(f"{site}/") and _parts(got) == parts and (bool(parts[1]) or "?" not in got)


def _judge(answer: Answer, test: Callable[[str], bool], example: str, **mistakes: Any) -> None:
    """The answer is ASCII text without spaces that passes the test; `example` is one that does."""
    if isinstance(answer.value(**mistakes), str):
        answer.satisfies(lambda got: _is_clean(got) and test(got), repr(example), **mistakes)
    else:
        answer.returns(example, **mistakes)


def means(answer: Answer, items: Pairs, encoding: str = "utf-8", *, ordered: bool = True, **mistakes: Any) -> None:
    """The answer is a query with these pairs; not ordered: only the pairs of one name are in this order."""
    found = items if ordered else _by_name(items)
    _judge(
        answer,
        lambda got: (meaning(got, encoding) if ordered else _by_name(meaning(got, encoding))) == found,
        urlencode(items, encoding=encoding),
        **mistakes,
    )


def _by_name(items: Pairs) -> Pairs:
    return sorted(items, key=lambda pair: pair[0])  # stable: the values of one name keep their order


@dataclass(frozen=True)
class OneField:
    """A query of one field and what it says. `mistakes`: a reason, and whether pairs were read with that mistake."""

    query: str
    name: str
    content: str
    mistakes: dict[str, Callable[[Any], bool]]


def _fields_to_read(fresh: Fresh) -> list[OneField]:
    """What everything that reads a query must get right, whatever form its answer has."""
    name, one, two, three = fresh.word(), fresh.word(), fresh.word(), fresh.word()
    letters, capital = fresh.name(), fresh.word().title()
    latin = letters.encode().decode("latin-1")
    small = "".join(f"%{byte:02x}" for byte in letters.encode())

    def is_now(*texts: str) -> Callable[[Any], bool]:
        return lambda got: got[0][1] in texts

    def has_not(name: str) -> Callable[[Any], bool]:
        return lambda got: name not in [each for each, _ in got]

    def has_stripped(name: str) -> Callable[[Any], bool]:
        return lambda got: got[0][0] != name and got[0][0] == name.strip()

    one_two = f"{one} {two}"
    return [
        OneField(
            f"{name}={one}+{two}%20{three}",
            name,
            f"{one_two} {three}",
            {
                "escapes_left_alone": lambda got: "%20" in got[0][1],
                "plus_left_alone": lambda got: "+" in got[0][1],
            },
        ),
        OneField(f"{name}={one}%2B{two}", name, f"{one}+{two}", {"plus_decoded_last": is_now(one_two)}),
        *(
            OneField(
                f"{name}={written}",
                name,
                letters,
                {"escapes_left_alone": lambda got: "%" in got[0][1], "decoded_byte_by_byte": is_now(latin)},
            )
            for written in (quote(letters), small)
        ),
        *(
            OneField(
                f"{written}={three}",
                text,
                three,
                {"spaces_lost": has_stripped(text), "names_left_encoded": has_not(text)},
            )
            for written, text in ((small, letters), (f"%{ord(one[0]):02x}{one[1:]}", one), (f"+{one}+", f" {one} "))
        ),
        OneField(f"{one}%20{two}={three}", one_two, three, {"names_left_encoded": has_not(one_two)}),
        OneField(f"{one}+{two}={three}", one_two, three, {"names_left_encoded": has_not(one_two)}),
        OneField(
            f"{name}={one}={two}==",
            name,
            f"{one}={two}==",
            {"cut_at_every_equals": lambda got: raises("ValueError").matches(got) or not got or is_now(one, "")(got)},
        ),
        OneField(
            f"{name}={one}%26{two}%3D{three}",
            name,
            f"{one}&{two}={three}",
            {"decoded_before_splitting": is_now(one)},
        ),
        OneField(f"{name}={one};{two}={three}", name, f"{one};{two}={three}", {"semicolon_separates": is_now(one)}),
        OneField(f"{name}=50%2520{one}", name, f"50%20{one}", {"decoded_twice": is_now(f"50 {one}")}),
        OneField(
            f"{name}=+{capital}+",
            name,
            f" {capital} ",
            {
                "spaces_lost": is_now(capital, f"{capital} ", f" {capital}"),
                "case_lost": is_now(f" {capital.lower()} "),
            },
        ),
    ]


def _read(
    fresh: Fresh,
    call: Callable[[OneField], Answer],
    wanted: Callable[[OneField], Any],
    pairs_of: Callable[[Any], Any] = lambda got: got,
    **mistakes: Any,
) -> None:
    """Let each of these fields be read. `pairs_of` makes pairs of an answer, for the mistakes to look at."""

    def made(test: Callable[[Any], bool], got: Any) -> bool:
        return test(pairs_of(got))

    for each in _fields_to_read(fresh):
        seen = {reason: partial(made, test) for reason, test in each.mistakes.items()}
        call(each).returns(wanted(each), **mistakes, **seen)


def _values(one: str, two: str, name: str) -> list[str]:
    """Values that an encoding may do wrong."""
    return [
        f" {one.title()} ",
        f"{one}&{two}=1#",
        f"{one}%20{two}",
        f"{one}+{two}",
        f"{one}{SEPARATORS}{two}",
        name,
        f"<{one}>\n\x7f{two}",
    ]


def _encoding_mistakes(text: str, read: Callable[[str], str], meaningful: str) -> dict[str, Any]:
    """Mistakes in the encoding of this text. `meaningful` are the characters that must not stand there."""
    special = [char for char in text if char in meaningful or not char.isascii() or char <= " " or char == "\x7f"]
    return {
        "escape_taken_as_done": lambda got: "%20" in text and (text in got or read(got) == unquote(text)),
        "encoded_twice": lambda got: text not in unquote_plus(got) and text in unquote_plus(unquote_plus(got)),
        "not_encoded": lambda got: text in got or any(char in got for char in special),
        "spaces_lost": lambda got: read(got) != text and read(got) == text.strip(" "),
        "case_lost": lambda got: read(got) != text and read(got) == text.lower(),
        "short_escape": lambda got: re.search("%(?![0-9A-Fa-f]{2})", got) is not None,
        "plus_became_space": lambda got: "+" in text and read(got) == text.replace("+", " "),
        "line_end_changed": lambda got: read(got) != text and read(got).replace("\r", "") == text,
        "html_escaped": lambda got: read(got) != text and unescape(read(got)) == text,
        "utf8_not_used": lambda got: _is_latin(text, got),
    }


def _is_latin(text: str, got: str) -> bool:
    """This text outside ASCII was encoded in Latin-1, or each letter by its number in Unicode, which begins alike."""
    if text.isascii() or not got.isascii():
        return False
    return text in unquote_plus(got, "latin-1") or all(f"%{ord(each):02X}" in got for each in text if each > "\x7f")


def _bare(name: str, names: Callable[[Any], Any]) -> dict[str, Any]:
    """A field without = was in the query: the mistake of not reading it."""
    return {"bare_name_dropped": lambda got: raises("Exception").matches(got) or name not in names(got)}


_NOT_FIELDS: dict[str, Any] = {
    "pairs_not_dict": lambda got: isinstance(got, (list, tuple)),
    "value_is_text": lambda got: any(isinstance(values, str) for values in got.values()),
    "number_made": lambda got: any(isinstance(value, (int, float)) for values in got.values() for value in values),
}


def test_fields(student: Student, fresh: Fresh) -> None:
    """every name has a list of values: a name may stand there more than once

    每个名字对应一个值的列表：同一个名字可以出现多次
    """
    name, tag, word = fresh.word(), fresh.word(), fresh.word()
    first, second = str(fresh.number(10, 49)), str(fresh.number(50, 99))
    student.fields(f"{tag}={first}&{name}={word}&{tag}={second}").returns(
        {tag: [first, second], name: [word]},
        repeats_lost=lambda got: got[tag] == second or len(got[tag]) == 1,
        **_NOT_FIELDS,
    )
    student.fields(f"{name}={word}").returns({name: [word]}, **_NOT_FIELDS)
    student.fields(f"{name}={word}&{name}={word}").returns(
        {name: [word, word]}, **_NOT_FIELDS, same_pair_once={name: [word]}
    )
    student.fields(f"{name.title()}={first}&{name}={second}").returns(
        {name.title(): [first], name: [second]}, **_NOT_FIELDS, case_ignored=lambda got: len(got) == 1
    )


def test_decoding(student: Student, fresh: Fresh) -> None:
    """split at & and at the first =, then decode; a field left empty is a field too

    先按 & 和第一个 = 拆分，然后解码；留空的字段也是字段
    """
    _read(
        fresh,
        lambda each: student.fields(each.query),
        lambda each: {each.name: [each.content]},
        lambda got: [(n, v) for n, values in got.items() for v in values] if isinstance(got, dict) else got,
        **_NOT_FIELDS,
    )
    name, other, one, two = fresh.word(), fresh.word(), fresh.word(), fresh.word()
    student.fields(f"{name}=&{other}={one}").returns(
        {name: [""], other: [one]}, **_NOT_FIELDS, blank_dropped=lambda got: name not in got
    )
    student.fields(f"{name}&{other}={one}").returns(
        {name: [""], other: [one]}, **_NOT_FIELDS, **_bare(name, lambda got: got)
    )
    piece = {"empty_piece_kept": lambda got: raises("Exception").matches(got) or "" in got}
    student.fields(f"{name}={one}&&{other}={two}&").returns({name: [one], other: [two]}, **_NOT_FIELDS, **piece)
    student.fields("").returns({}, **_NOT_FIELDS, **piece)


def test_value(student: Student, fresh: Fresh) -> None:
    """one value is text: the first of the list, "" when it is empty, None when it is missing

    单个值是文本：列表里的第一个；为空是 ""，不存在是 None
    """
    name, other = fresh.word(), fresh.word()
    one, two, three = fresh.word(), fresh.word(), fresh.word()
    student.value(f"{other}={one}&{name}={two}&{name}={three}", name).returns(
        two, value_is_list=lambda got: isinstance(got, list), last_not_first=three
    )
    student.value(f"{other}={one}", name).returns(
        None,
        missing_raises=lambda got: raises("LookupError").matches(got) or raises("TypeError").matches(got),
        missing_is_none=lambda got: got in ("", []),
    )
    for longer in (f"{other}{name}", f"{name}s"):
        student.value(f"{longer}={one}&{name}={two}", name).returns(two, name_inside_another=one)
    student.value(f"{name.upper()}={one}&{name}={two}", name).returns(two, case_ignored=one)
    student.value(f"{name}=&{other}={one}", name).returns(
        "", blank_dropped=lambda got: got is None or raises("LookupError").matches(got)
    )
    student.value(f"{name}=&{name}={one}", name).returns("", empty_skipped=one)
    student.value(f"{name}&{other}={one}", name).returns(
        "", bare_name_dropped=lambda got: got is None or raises("Exception").matches(got)
    )
    student.value(f"{name}=7", name).returns("7", number_made=7)
    _read(
        fresh,
        lambda each: student.value(f"{each.query}&{other}={one}", each.name),
        lambda each: each.content,
        lambda got: [] if got is None or raises("LookupError").matches(got) else [("", got)],
    )


def test_pairs(student: Student, fresh: Fresh) -> None:
    """pairs say what a dict cannot: the order of all fields

    用二元组的列表能表达字典表达不了的：所有字段的顺序
    """
    b, a = sorted((fresh.word(), fresh.word()))  # not in the order of the alphabet
    one, two, three = fresh.word(), fresh.word(), fresh.name()
    student.pairs(f"{a}={one}&{b}={two}+{one}&{a}={quote(three)}").returns(
        [(a, one), (b, f"{two} {one}"), (a, three)],
        dict_not_pairs=lambda got: isinstance(got, dict),
        repeats_lost=lambda got: [pair[0] for pair in got] == [a, b],
        grouped_by_name=lambda got: [pair[0] for pair in got] == [a, a, b],
        sorted_by_name=lambda got: [pair[0] for pair in got] == [b, a, a],
        escapes_left_alone=lambda got: quote(three) in got[2][1],
        plus_left_alone=lambda got: "+" in got[1][1],
    )
    _read(
        fresh,
        lambda each: student.pairs(each.query),
        lambda each: [(each.name, each.content)],
        dict_not_pairs=lambda got: isinstance(got, dict),
    )
    student.pairs(f"{a}=&{b}={two}").returns(
        [(a, ""), (b, two)], blank_dropped=lambda got: [pair[0] for pair in got] == [b]
    )
    student.pairs(f"{b}={two}&{a}").returns(
        [(b, two), (a, "")], **_bare(a, lambda got: [pair[0] for pair in got if len(pair) == 2])
    )
    piece = {"empty_piece_kept": lambda got: raises("Exception").matches(got) or any(not pair[0] for pair in got)}
    student.pairs(f"{a}={one}&&{a}={one}").returns(
        [(a, one), (a, one)], **piece, same_pair_once=lambda got: len(got) == 1
    )
    student.pairs("").returns([], **piece)


def test_from_html(student: Student, fresh: Fresh) -> None:
    """in the source of a page & is written &amp;: undo that first, then read the query

    在网页源码里 & 写作 &amp;：先还原它，再解析查询字符串
    """
    # Where HTML is undone twice, a name such as "lta" would be read as "<a"; no character of HTML begins with k.
    a, b, one, two = f"k{fresh.word()}", f"k{fresh.word()}", fresh.word(), fresh.word()
    student.from_html(f"{a}={one}&amp;{b}={two}&amp;{a}=").returns(
        [(a, one), (b, two), (a, "")],
        amp_in_name=lambda got: any(pair[0].startswith("amp") for pair in got[1:]),
        blank_dropped=[(a, one), (b, two)],
    )
    student.from_html(f"{a}={one}%26amp%3B{two}&amp;{b}=+").returns(
        [(a, f"{one}&amp;{two}"), (b, " ")],
        unescaped_too_late=lambda got: got[0][1] == f"{one}&{two}",
        plus_left_alone=lambda got: got[1][1] == "+",
        decoded_before_splitting=lambda got: got[0][1] == one,
    )
    student.from_html(f"amp;{a}={one}&amp;{b}=lamp;{two}").returns(
        [(f"amp;{a}", one), (b, f"lamp;{two}")],
        semicolon_separates=lambda got: (b, "lamp") in map(tuple, got),
        amp_cut_away=lambda got: (got[0][0], got[1][1]) != (f"amp;{a}", f"lamp;{two}"),
    )
    student.from_html(f"{a}={one}&amp;amp;{b}={two}").returns(
        [(a, one), (f"amp;{b}", two)], unescaped_twice=[(a, one), (b, two)]
    )
    student.from_html(f"{a}={one}&amp;copy={two}").returns(
        [(a, one), ("copy", two)], unescaped_twice=lambda got: "\N{COPYRIGHT SIGN}" in got[0][1]
    )
    _read(fresh, lambda each: student.from_html(each.query), lambda each: [(each.name, each.content)])
    student.from_html(f"{b}={two}&amp;{a}").returns(
        [(b, two), (a, "")], **_bare(a, lambda got: [pair[0] for pair in got if len(pair) == 2])
    )
    student.from_html(f"{a}={one}&amp;&amp;{b}={two}").returns(
        [(a, one), (b, two)],
        empty_piece_kept=lambda got: raises("Exception").matches(got) or any(not pair[0] for pair in got),
    )


_BYTES: dict[str, Any] = {
    "bytes_come_back": lambda got: isinstance(got[0][0], bytes) or isinstance(got[0][1], bytes),
    "bytes_and_text_mixed": raises("TypeError"),
    "bytes_printed": lambda got: got[0][0].startswith(("b'", 'b"')),
}


def test_received(student: Student, fresh: Fresh) -> None:
    """bytes come in, text goes out, and an empty value is no error

    进来的是字节，出去的是文本；空值不是错误
    """
    a, b, one, two = fresh.word(), fresh.word(), fresh.word(), fresh.word()
    student.received(f"{a}=1&{b}={one}+{two}&{a}={b}".encode(), 10).returns(
        [(a, "1"), (b, f"{one} {two}"), (a, b)],
        **_BYTES,
        plus_left_alone=lambda got: got[1][1] == f"{one}+{two}",
        repeats_lost=lambda got: len(got) == 2,
    )
    student.received(f"{a}=&{b}=2".encode(), 10).returns(
        [(a, ""), (b, "2")],
        strict_drops_blank=[(b, "2")],
        strict_refuses_blank=raises("ValueError"),
    )
    _read(
        fresh,
        lambda each: student.received(each.query.encode(), 10),
        lambda each: [(each.name, each.content)],
        **_BYTES,
    )


_TOLD_OTHERWISE = ("NotImplementedError", "RecursionError", "MemoryError", "EOFError", "BdbQuit")
_NOT_REFUSED: dict[str, Any] = {
    "error_swallowed": lambda got: got is None or got is False or got in ([], (), {}, ""),
    "other_exception": lambda got: raises("Exception").matches(got) and got.type not in _TOLD_OTHERWISE,
}


def test_hostile(student: Student, fresh: Fresh) -> None:
    """what a stranger sends may be too much, or no query at all: ValueError

    陌生人发来的可能太多，或者根本不是查询字符串：抛出 ValueError
    """
    a, b = fresh.word(), fresh.word()
    limit = fresh.number(3, 9)
    names = [fresh.word() for _ in range(limit)]
    full = "&".join(f"{name}={number}" for number, name in enumerate(names))
    student.received(full.encode(), limit).returns(
        [(name, str(number)) for number, name in enumerate(names)],
        limit_off_by_one=raises("ValueError"),
        **_BYTES,
    )
    student.received(f"{a}={b}={names[0]}".encode(), 1).returns(
        [(a, f"{b}={names[0]}")], cut_at_every_equals=raises("ValueError"), **_BYTES
    )
    student.received(f"{a}=1&{b}".encode(), 10).raises(
        "ValueError", **_NOT_REFUSED, bare_name_let_through=lambda got: isinstance(got, (list, tuple))
    )
    student.received(f"{a}%3D{b}".encode(), 10).raises(
        "ValueError", **_NOT_REFUSED, decoded_before_splitting=lambda got: isinstance(got, (list, tuple))
    )
    mistakes = {
        **_NOT_REFUSED,
        "limit_cuts": lambda got: len(got) <= limit,
        "no_limit": lambda got: len(got) > limit,
    }
    student.received(f"{full}&{a}={b}".encode(), limit).raises("ValueError", **mistakes)
    student.received(f"{full}&{names[0]}={b}".encode(), limit).raises(
        "ValueError", **_NOT_REFUSED, limit_counts_names=lambda got: len(got) > limit
    )
    student.received(f"{full}&{a}=".encode(), limit).raises("ValueError", **_NOT_REFUSED)
    student.received(f"{a}=1&&{b}=2".encode(), 10).raises("ValueError", **_NOT_REFUSED)


def test_in_query(student: Student, fresh: Fresh) -> None:
    """in a query a space is +, and a real + is %2B

    在查询字符串里空格是 +，真正的加号是 %2B
    """
    one, two = fresh.word(), fresh.word()
    text = f"{one} {two}"
    _judge(
        student.in_query(text),
        lambda got: _in_query(got) == text and "%20" not in got,
        quote_plus(text),
        space_as_percent=lambda got: _in_query(got) == text,
        **_encoding_mistakes(text, _in_query, ""),
    )
    for text in _values(one, two, fresh.name()):
        _judge(
            student.in_query(text),
            partial(lambda text, got: _in_query(got) == text, text),
            quote_plus(text),
            **_encoding_mistakes(text, _in_query, "&#" if " " in text else "&#+"),
        )


def test_in_path(student: Student, fresh: Fresh) -> None:
    """in a path a space is %20, and a / that is data is %2F

    在路径里空格是 %20，属于数据的 / 是 %2F
    """
    one, two = fresh.word(), fresh.word()
    for text in (f"{one} {two}", f"{one}/{two}", *_values(one, two, fresh.name())):
        _judge(
            student.in_path(text),
            partial(lambda text, got: _parts(f"http://example.com/{got}") == (text, []), text),
            quote(text, safe=""),
            plus_in_path=lambda got, text=text: " " in text and "+" in got,
            slash_kept=f"{one}/{two}",
            **_encoding_mistakes(text, unquote, "?#/"),
        )


def test_build(student: Student, fresh: Fresh) -> None:
    """a query is built from pairs: in their order, every name and value encoded

    用二元组构造查询字符串：保持顺序，名字和值都要编码
    """
    b, a = sorted((fresh.word(), fresh.word()))  # not in the order of the alphabet
    one, two, three = fresh.word(), fresh.word(), fresh.word()
    means(
        student.build([(a, one), (b, two), (a, three)]),
        [(a, one), (b, two), (a, three)],
        question_mark_added=lambda got: got.startswith("?"),
        separator_not_amp=lambda got: ";" in got,
        repeats_lost=lambda got: len(meaning(got)) == 2,
        grouped_by_name=lambda got: _names(got) == [a, a, b],
        sorted_by_name=lambda got: _names(got) == [b, a, a],
        encoded_twice=lambda got: "=" not in got and "%3D" in got,
    )
    for text in (f"{one} {two}", *_values(one, two, fresh.name())):
        means(
            student.build([(a, text), (b, three)]),
            [(a, text), (b, three)],
            joined_before_encoding=lambda got: _is_clean(got) and (got.count("&") > 1 or got.count("=") > 2),
            **_encoding_mistakes(text, lambda got: meaning(got)[0][1], "#" if " " in text else "#+"),
        )
    means(
        student.build([(f"{a}&{b}=", one), (f" {b} {a}", two)]),
        [(f"{a}&{b}=", one), (f" {b} {a}", two)],
        names_not_encoded=lambda got: f"{a}&{b}" in got,
        equals_in_name=lambda got: _names(got)[0] == f"{a}&{b}",
        spaces_lost=lambda got: _names(got)[1] == f"{b} {a}",
    )
    means(
        student.build([(a, ""), (b, two), (a, two), (b, two)]),
        [(a, ""), (b, two), (a, two), (b, two)],
        blank_dropped=lambda got: meaning(got) == [(b, two), (a, two), (b, two)],
        same_pair_once=lambda got: meaning(got) == [(a, ""), (b, two), (a, two)],
    )
    student.build([]).returns("", question_mark_added="?")


def test_charset(student: Student, fresh: Fresh) -> None:
    """%XX is a byte: which letter it is, the encoding says

    %XX 是一个字节：它是什么字，由编码决定
    """
    name = fresh.word()
    chinese = fresh.one_of(["北京", "天津", "小明", "韩梅梅"]) + fresh.word(3)
    latin = fresh.one_of(["Zoë", "Jürgen", "José"]) + fresh.word(3)
    for text, encoding in ((chinese, "gbk"), (latin, "latin-1")):
        query = f"{name}={quote(text, encoding=encoding)}"
        student.pairs(query, encoding).returns(
            [(name, text)],
            dict_not_pairs=lambda got: isinstance(got, dict),
            encoding_ignored=lambda got: raises("UnicodeError").matches(got) or "\ufffd" in got[0][1],
        )
        means(
            student.build([(name, text)], encoding),
            [(name, text)],
            encoding,
            question_mark_added=lambda got: got.startswith("?"),
            not_encoded=lambda got, text=text: text in got,
            encoded_twice=lambda got: "%25" in got,
            encoding_ignored=lambda got, text=text: meaning(got) == [(name, text)],
        )
    student.pairs(f"{quote(chinese, encoding='gbk')}=1", "gbk").returns([(chinese, "1")])
    means(
        student.build([(chinese, "1")], "gbk"),
        [(chinese, "1")],
        "gbk",
        names_not_encoded=lambda got: chinese in got,
        encoding_ignored=lambda got: meaning(got) == [(chinese, "1")],
    )
    two_bytes = fresh.one_of(["璟", "镕", "玥", "珺", "昇", "祎"])  # in GBK, the second byte is an ASCII letter's
    student.pairs(f"{name}={quote(two_bytes, encoding='gbk')}", "gbk").returns(
        [(name, two_bytes)], escapes_decoded_alone=lambda got: raises("UnicodeError").matches(got) or got[0][0] == name
    )
    student.pairs(f"{name}={quote(latin)}").returns([(name, latin)])
    for text in (chinese, latin):
        means(student.build([(name, text)]), [(name, text)], utf8_not_used=partial(_is_latin, text))


def _list_mistakes(name: str) -> dict[str, Any]:
    return {
        "brackets_in_name": lambda got: any(each.startswith(f"{name}[") for each, _ in meaning(got)),
        "list_printed": lambda got: any(value[:1] in ("[", "(") for _, value in meaning(got)),
    }


def test_lists(student: Student, fresh: Fresh) -> None:
    """a list is sent as one field for each item

    列表要按每一项一个字段来发送
    """
    tag, name, one, two, text = (fresh.word() for _ in range(5))
    mistakes = {
        **_list_mistakes(tag),
        "text_in_letters": lambda got: any(len(value) == 1 for each, value in meaning(got) if each == name),
        "items_joined": lambda got: any(one in value and two in value for _, value in meaning(got)),
    }
    wanted = [(tag, one), (tag, two), (name, text)]
    means(student.build_form({tag: [one, two], name: text}), wanted, ordered=False, **mistakes)
    means(student.build_form({tag: (one, two), name: text}), wanted, ordered=False, **mistakes)
    means(student.build_form({tag: [f"{one}&{two}"]}), [(tag, f"{one}&{two}")], not_encoded=f"{tag}={one}&{two}")
    means(
        student.build_form({tag: [], name: text}),
        [(name, text)],
        **mistakes,
        empty_list_sent=lambda got: tag in _names(got),
    )


def test_none_and_true(student: Student, fresh: Fresh) -> None:
    """None is not sent; True is sent as true, 0 as 0

    None 不发送；True 写成 true，0 写成 0
    """
    name, other, text, number = fresh.word(), fresh.word(), fresh.word(), fresh.number(10, 99)
    mistakes: dict[str, Any] = {
        "none_sent": lambda got: "None" in got,
        "python_booleans": lambda got: "True" in got or "False" in got,
        "text_in_letters": lambda got: any(len(value) == 1 for each, value in meaning(got) if each == other),
    }

    def sends(content: object, items: Pairs, **more: Any) -> None:
        answer = student.build_form({name: content, other: text})
        means(answer, [*items, (other, text)], ordered=False, **more)

    sends(number, [(name, str(number))], **mistakes)
    sends(None, [], **mistakes, none_sent_empty=lambda got: (name, "") in meaning(got))
    for flag, digit, written in ((True, "1", "true"), (False, "0", "false")):
        sends(
            flag,
            [(name, written)],
            **mistakes,
            boolean_as_number=lambda got, digit=digit: (name, digit) in meaning(got),
            falsy_dropped=lambda got: meaning(got) == [(other, text)],
        )
    for content, written in ((0, "0"), ("", ""), (1, "1")):
        sends(
            content,
            [(name, written)],
            **mistakes,
            falsy_dropped=lambda got: meaning(got) == [(other, text)],
            number_taken_for_bool=lambda got: bool({(name, "false"), (name, "true")} & set(meaning(got))),
        )
    sends(-number, [(name, f"-{number}")], **mistakes)
    words = [fresh.word().title(), "None", "True", "False"]
    for word in words:  # somebody may have this name
        sends(
            word,
            [(name, word)],
            text_taken_for_value=lambda got, word=word: word != words[0] and (name, word) not in meaning(got),
            case_lost=lambda got, word=word: (name, word.lower()) in meaning(got),
        )
    means(
        student.build_form({name: [True, None, number]}),
        [(name, "true"), (name, str(number))],
        **_list_mistakes(name),
        items_joined=lambda got: len(meaning(got)) == 1 and str(number) in got,
        items_not_alike=lambda got: "None" in got or "True" in got or (name, "") in meaning(got),
    )
    for several in ([1, 0, number], [0, 1]):
        sends(
            several,
            [(name, str(each)) for each in several],
            number_taken_for_bool=lambda got: bool({(name, "false"), (name, "true")} & set(meaning(got))),
            falsy_dropped=lambda got: (name, "0") not in meaning(got),
        )
    sends(["", text], [(name, ""), (name, text)], falsy_dropped=lambda got: (name, "") not in meaning(got))
    sends([text, text], [(name, text)] * 2, same_pair_once=lambda got: meaning(got).count((name, text)) == 1)
    sends(
        words,
        [(name, word) for word in words],
        text_taken_for_value=lambda got: any((name, word) not in meaning(got) for word in words[1:]),
        case_lost=lambda got: (name, words[0].lower()) in meaning(got),
    )


def test_replace(student: Student, fresh: Fresh) -> None:
    """one field is changed: all others stay, in their order

    修改一个字段：其他字段和它们的顺序都不变
    """
    tag, page, blank, one, two, new = (fresh.word() for _ in range(6))
    query = f"{tag}={one}&{page}=1&{tag}={two}&{blank}="
    others = [(tag, one), (tag, two), (blank, "")]
    means(
        student.replace(query, page, new),
        [(tag, one), (page, new), (tag, two), (blank, "")],
        list_printed=lambda got: any(value.startswith("[") for _, value in meaning(got)),
        old_value_kept=lambda got: (page, "1") in meaning(got),
        repeats_lost=lambda got: sum(name == tag for name, _ in meaning(got)) == 1,
        blank_dropped=lambda got: blank not in dict(meaning(got)),
        moved_to_end=lambda got: meaning(got) == [*others, (page, new)],
        grouped_by_name=lambda got: sorted(meaning(got)) == sorted([*others, (page, new)]),
    )
    means(
        student.replace(query, tag, new),
        [(tag, new), (page, "1"), (blank, "")],
        replaced_each=lambda got: meaning(got).count((tag, new)) == 2,
        old_value_kept=lambda got: (tag, one) in meaning(got) or (tag, two) in meaning(got),
        moved_to_end=lambda got: meaning(got) == [(page, "1"), (blank, ""), (tag, new)],
    )
    means(
        student.replace(f"{tag}={one}", page, new),
        [(tag, one), (page, new)],
        not_added=lambda got: page not in dict(meaning(got)),
    )
    means(
        student.replace(f"{tag}={one}&{page}=1", page, ""),
        [(tag, one), (page, "")],
        empty_removes=lambda got: page not in _names(got),
    )
    means(student.replace(f"{tag}&{page}=1", page, new), [(tag, ""), (page, new)], **_bare(tag, _names))
    means(
        student.replace(f"{page}=1", page, f"{new}&{one}"),
        [(page, f"{new}&{one}")],
        not_encoded=lambda got: f"{new}&{one}" in got,
    )
    means(
        student.replace(f"{tag}={one}", f"{page}&{two}", new),
        [(tag, one), (f"{page}&{two}", new)],
        names_not_encoded=lambda got: f"{page}&{two}" in got,
    )
    kept_fields: list[tuple[str, str, dict[str, Any]]] = [
        (f"{one}%26{two}", f"{one}&{two}", {"decoded_before_splitting": lambda got: (two, "") in meaning(got)}),
        (f"{one}%2B{two}", f"{one}+{two}", {"plus_decoded_last": lambda got: (tag, f"{one} {two}") in meaning(got)}),
        (f"50%2520{one}", f"50%20{one}", {"decoded_twice": lambda got: (tag, f"50 {one}") in meaning(got)}),
        (f"{one};{two}", f"{one};{two}", {"semicolon_separates": lambda got: (two, "") in meaning(got)}),
        (f"{one}={two}", f"{one}={two}", {"cut_at_every_equals": lambda got: (tag, one) in meaning(got)}),
    ]
    for written, text, mistakes in kept_fields:
        means(
            student.replace(f"{tag}={written}&{page}=1", page, new),
            [(tag, text), (page, new)],
            **mistakes,
            encoded_twice=lambda got, written=written: (tag, written) in meaning(got),
        )
    for longer in (f"{tag}{page}", f"{page}s"):
        means(
            student.replace(f"{longer}=1&{page}=2", page, new),
            [(longer, "1"), (page, new)],
            name_inside_another=lambda got, longer=longer: (longer, "1") not in meaning(got),
        )
    means(
        student.replace(f"{page}&{tag}={one}", page, new),
        [(page, new), (tag, one)],
        bare_name_dropped=lambda got: (page, "") in meaning(got),
    )
    means(
        student.replace(f"{page.title()}=1&{page}=2", page, new),
        [(page.title(), "1"), (page, new)],
        case_ignored=lambda got: (page.title(), "1") not in meaning(got),
    )
    for written in (f"{one}+{two}%C3%A9", f"{one}%20{two}%c3%a9"):
        means(
            student.replace(f"{written}=1&{tag}=2", f"{one} {two}é", new),
            [(f"{one} {two}é", new), (tag, "2")],
            names_left_encoded=lambda got: (f"{one} {two}é", "1") in meaning(got),
            names_not_encoded=lambda got: "é" in got,
            utf8_not_used=partial(_is_latin, f"{one} {two}é"),
        )


def _address_mistakes(site: str, segment: str, items: Pairs) -> dict[str, Any]:
    def in_path(got: str) -> str:
        return unquote(urlsplit(got).path[1:])

    return {
        "lone_question_mark": lambda got: not items and got.endswith("?"),
        "whole_url_quoted": lambda got: "://" not in got and "?" not in got and bool(items),
        "site_quoted": lambda got: "://" not in got or "%5B" in got.upper(),
        "site_changed": lambda got: not got.startswith(site),
        "blank_dropped": lambda got: "" in dict(items).values() and not meaning(urlsplit(got).query),
        "question_mark_quoted": lambda got: bool(items) and "?" not in got and "%3F" in got,
        "not_encoded": lambda got: " " in got or "#" in got or got.count("?") > bool(items),
        "slash_kept": lambda got: "/" in segment and got.count("/") > site.count("/") + 1,
        "plus_in_path": lambda got: "+" in urlsplit(got).path,
        "encoded_twice": lambda got: "%25" in got or (bool(items) and "=" not in got),
        "joined_before_encoding": lambda got: got.count("&") > max(0, len(items) - 1),
        "repeats_lost": lambda got: len(meaning(urlsplit(got).query)) < len(items),
        "spaces_lost": lambda got: segment.strip() != segment and in_path(got).lower() == segment.strip().lower(),
        "case_lost": lambda got: in_path(got) == segment.lower() != segment,
    }


def test_address(student: Student, fresh: Fresh) -> None:
    """a URL is made of parts, and each part is encoded before it is put in

    URL 由各部分组成，每一部分要先编码再放进去
    """
    host, port, word, name = fresh.host(), fresh.port(), fresh.word(), fresh.word()
    segment, text = f"{word}/{name} ?{name}", f"{name} &{word}=#"
    for site, at, items in (
        (f"http://{host}:{port}", word, [(name, word), ("page", "2")]),
        (f"http://{host}:{port}", word, []),
        (f"https://{host}", word, [(name, text), (name, fresh.name())]),
        (f"http://127.0.0.1:{port}", segment, [(name, word)]),
        (f"https://{host}", segment, []),
        (f"http://[::1]:{port}", f" {word.title()} ", [(name, "")]),
    ):
        _judge(
            student.address(site, at, items),
            partial(_leads_to, site, (at, items)),
            f"{site}/{quote(at, safe='')}" + (f"?{urlencode(items)}" if items else ""),
            **_address_mistakes(site, at, items),
        )
