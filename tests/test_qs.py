"""qs: reading and writing the query of a URL. In the order of the contract.

A query that a student builds is read again and judged by what it means: `%e4` is `%E4`, `~` may be escaped or not.
"""

from collections.abc import Callable
from functools import partial
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


def _is_clean(text: str) -> bool:
    """Whether this may stand in a URL: ASCII, no spaces."""
    return text.isascii() and not any(char <= " " for char in text)


def _parts(url: str) -> tuple[str, Pairs] | None:
    """The one segment of this URL's path and the pairs of its query, or None when it has more parts than these."""
    parts = urlsplit(url)
    if parts.fragment or parts.path.count("/") != 1:
        return None
    return unquote(parts.path[1:]), parse_qsl(parts.query, keep_blank_values=True)


def _reads_as(text: str, got: str) -> bool:
    return meaning(f"x={got}") == [("x", text)]


def _is_segment(text: str, got: str) -> bool:
    return _parts(f"http://example.com/{got}") == (text, [])


def _leads_to(site: str, parts: tuple[str, Pairs], got: str) -> bool:
    return got.startswith(f"{site}/") and _parts(got) == parts


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


def _values(one: str, two: str, name: str) -> list[str]:
    """Values that an encoding may do wrong."""
    return [f"{one}&{two}=1#", f"{one}+{two}", f"{one}{SEPARATORS}{two}", f"{one}%20{two}", name, f"<{one}>\n{two}"]


def _encoding_mistakes(text: str) -> dict[str, Any]:
    return {
        "escape_taken_as_done": lambda got: "%20" in text and text in got,
        "not_encoded": lambda got: text in got,
        "encoded_twice": lambda got: text not in unquote_plus(got) and text in unquote_plus(unquote_plus(got)),
    }


def test_fields(student: Student, fresh: Fresh) -> None:
    """every name has a list of values: a name may stand there more than once

    每个名字对应一个值的列表：同一个名字可以出现多次
    """
    name, tag, word = fresh.word(), fresh.word(), fresh.word()
    first, second = str(fresh.number(10, 49)), str(fresh.number(50, 99))
    mistakes = {"pairs_not_dict": lambda got: isinstance(got, (list, tuple))}
    student.fields(f"{tag}={first}&{name}={word}&{tag}={second}").returns(
        {tag: [first, second], name: [word]},
        repeats_lost=lambda got: got[tag] == second or len(got[tag]) == 1,
        value_is_text=lambda got: isinstance(got[tag], str) or isinstance(got[name], str),
        **mistakes,
    )
    student.fields(f"{name}={word}").returns({name: [word]}, value_is_text={name: word}, **mistakes)


def test_decoding(student: Student, fresh: Fresh) -> None:
    """first split at & and at the first =, then decode: + is a space, %XX a byte of UTF-8

    先按 & 和第一个 = 拆分，然后解码：+ 是空格，%XX 是 UTF-8 的一个字节
    """
    name, one, two, three = fresh.word(), fresh.word(), fresh.word(), fresh.word()
    student.fields(f"{name}={one}+{two}%20{three}").returns(
        {name: [f"{one} {two} {three}"]},
        pairs_not_dict=lambda got: isinstance(got, (list, tuple)),
        value_is_text=lambda got: isinstance(got[name], str),
        escapes_left_alone=lambda got: "%20" in got[name][0],
        plus_left_alone=lambda got: "+" in got[name][0],
    )
    student.fields(f"{name}={one}%2B{two}").returns(
        {name: [f"{one}+{two}"]}, plus_decoded_last={name: [f"{one} {two}"]}
    )
    letters = fresh.name()
    mistakes = {"decoded_byte_by_byte": {name: [letters.encode().decode("latin-1")]}}
    student.fields(f"{name}={quote(letters)}").returns({name: [letters]}, **mistakes)
    student.fields(f"{name}={''.join(f'%{byte:02x}' for byte in letters.encode())}").returns(
        {name: [letters]}, **mistakes
    )
    student.fields(f"{one}%20{two}={three}").returns(
        {f"{one} {two}": [three]}, names_left_encoded={f"{one}%20{two}": [three]}
    )
    student.fields(f"{name}={one}={two}==").returns(
        {name: [f"{one}={two}=="]},
        cut_at_every_equals=lambda got: raises("ValueError").matches(got) or got.get(name) in ([one], [""], None),
    )
    student.fields(f"{name}={one}%26{two}%3D{three}").returns(
        {name: [f"{one}&{two}={three}"]}, decoded_before_splitting=lambda got: got[name] == [one]
    )
    student.fields(f"{name}={one};{two}={three}").returns(
        {name: [f"{one};{two}={three}"]}, semicolon_separates=lambda got: two in got or got[name] == [one]
    )


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
    student.value(f"{other}{name}={one}&{name}={two}", name).returns(two, name_inside_another=one)
    student.value(f"{name.upper()}={one}&{name}={two}", name).returns(two)
    blank = {"blank_dropped": lambda got: got is None or raises("LookupError").matches(got)}
    student.value(f"{name}=&{other}={one}", name).returns("", **blank)
    student.fields(f"{name}=&{other}={one}").returns(
        {name: [""], other: [one]},
        pairs_not_dict=lambda got: isinstance(got, (list, tuple)),
        value_is_text=lambda got: isinstance(got[other], str),
        blank_dropped=lambda got: name not in got,
    )
    student.fields(f"{name}&{other}={one}").returns(
        {name: [""], other: [one]},
        bare_name_dropped=lambda got: raises("Exception").matches(got) or name not in got,
    )
    piece = {"empty_piece_kept": lambda got: raises("Exception").matches(got) or "" in got}
    student.fields(f"{name}={one}&&{other}={two}&").returns({name: [one], other: [two]}, **piece)
    student.fields("").returns({}, **piece)


def test_pairs(student: Student, fresh: Fresh) -> None:
    """pairs say what a dict cannot: the order of all fields

    用二元组的列表能表达字典表达不了的：所有字段的顺序
    """
    a, b = fresh.word(), fresh.word()
    one, two, three = fresh.word(), fresh.word(), fresh.name()
    student.pairs(f"{a}={one}&{b}={two}+{one}&{a}={quote(three)}").returns(
        [(a, one), (b, f"{two} {one}"), (a, three)],
        dict_not_pairs=lambda got: isinstance(got, dict),
        repeats_lost=lambda got: [pair[0] for pair in got] == [a, b],
        grouped_by_name=lambda got: [pair[0] for pair in got] == [a, a, b],
    )
    student.pairs(f"{a}=&{b}={two}").returns(
        [(a, ""), (b, two)], blank_dropped=lambda got: [pair[0] for pair in got] == [b]
    )
    student.pairs(f"{b}={two}&{a}").returns(
        [(b, two), (a, "")],
        bare_name_dropped=lambda got: raises("Exception").matches(got) or [pair[0] for pair in got] == [b],
    )
    piece = {"empty_piece_kept": lambda got: raises("Exception").matches(got) or any(not pair[0] for pair in got)}
    student.pairs(f"{a}={one}&&{a}={one}").returns([(a, one), (a, one)], **piece)
    student.pairs("").returns([], **piece)


def test_from_html(student: Student, fresh: Fresh) -> None:
    """in the source of a page & is written &amp;: undo that first, then read the query

    在网页源码里 & 写作 &amp;：先还原它，再解析查询字符串
    """
    a, b, one, two = fresh.word(), fresh.word(), fresh.word(), fresh.word()
    student.from_html(f"{a}={one}&amp;{b}={two}&amp;{a}=").returns(
        [(a, one), (b, two), (a, "")],
        amp_in_name=lambda got: any(pair[0].startswith("amp") for pair in got[1:]),
        blank_dropped=[(a, one), (b, two)],
    )
    student.from_html(f"{a}={one}%26amp%3B{two}&amp;{b}=+").returns(
        [(a, f"{one}&amp;{two}"), (b, " ")],
        unescaped_too_late=lambda got: got[0][1] == f"{one}&{two}",
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
    a, b, name = fresh.word(), fresh.word(), fresh.name()
    student.received(f"{a}=1&{b}=+&{a}={b}".encode(), 10).returns([(a, "1"), (b, " "), (a, b)], **_BYTES)
    student.received(f"{a}={quote(name)}".encode(), 10).returns([(a, name)])
    student.received(f"{a}=&{b}=2".encode(), 10).returns(
        [(a, ""), (b, "2")],
        strict_drops_blank=[(b, "2")],
        strict_refuses_blank=raises("ValueError"),
    )


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
    student.received(f"{a}=1&{b}".encode(), 10).raises(
        "ValueError", bare_name_let_through=lambda got: isinstance(got, (list, tuple))
    )
    mistakes = {
        "limit_cuts": lambda got: len(got) <= limit,
        "no_limit": lambda got: len(got) > limit,
    }
    student.received(f"{full}&{a}={b}".encode(), limit).raises("ValueError", **mistakes)
    student.received(f"{full}&{names[0]}={b}".encode(), limit).raises(
        "ValueError", limit_counts_names=lambda got: len(got) > limit
    )
    student.received(f"{full}&{a}=".encode(), limit).raises("ValueError")
    student.received(f"{a}=1&&{b}=2".encode(), 10).raises("ValueError")


def test_in_query(student: Student, fresh: Fresh) -> None:
    """in a query a space is +, and a real + is %2B

    在查询字符串里空格是 +，真正的加号是 %2B
    """
    one, two = fresh.word(), fresh.word()
    student.in_query(f"{one} {two}").returns(
        f"{one}+{two}", space_as_percent=f"{one}%20{two}", not_encoded=f"{one} {two}", encoded_twice=f"{one}%2B{two}"
    )
    for text in _values(one, two, fresh.name()):
        _judge(
            student.in_query(text),
            partial(_reads_as, text),
            quote_plus(text),
            **_encoding_mistakes(text),
        )


def test_in_path(student: Student, fresh: Fresh) -> None:
    """in a path a space is %20, and a / that is data is %2F

    在路径里空格是 %20，属于数据的 / 是 %2F
    """
    one, two = fresh.word(), fresh.word()
    student.in_path(f"{one} {two}").returns(
        f"{one}%20{two}",
        plus_in_path=f"{one}+{two}",
        not_encoded=f"{one} {two}",
        encoded_twice=f"{one}%2520{two}",
    )
    for text in (f"{one}/{two}", *_values(one, two, fresh.name())):
        _judge(
            student.in_path(text),
            partial(_is_segment, text),
            quote(text, safe=""),
            slash_kept=f"{one}/{two}",
            **_encoding_mistakes(text),
        )


def test_build(student: Student, fresh: Fresh) -> None:
    """a query is built from pairs: in their order, every name and value encoded

    用二元组构造查询字符串：保持顺序，名字和值都要编码
    """
    a, b, one, two, three = (fresh.word() for _ in range(5))
    means(
        student.build([(a, one), (b, two), (a, three)]),
        [(a, one), (b, two), (a, three)],
        question_mark_added=lambda got: got.startswith("?"),
        repeats_lost=lambda got: len(meaning(got)) == 2,
        grouped_by_name=lambda got: [name for name, _ in meaning(got)] == [a, a, b],
    )
    for text in (f"{one} {two}", *_values(one, two, fresh.name())):
        means(student.build([(a, text), (b, three)]), [(a, text), (b, three)], **_encoding_mistakes(text))
    means(
        student.build([(f"{a}&{b}=", one), (f"{b} {a}", two)]),
        [(f"{a}&{b}=", one), (f"{b} {a}", two)],
        names_not_encoded=lambda got: f"{a}&{b}" in got,
    )
    means(
        student.build([(a, ""), (b, two), (a, two)]),
        [(a, ""), (b, two), (a, two)],
        blank_dropped=lambda got: meaning(got) == [(b, two), (a, two)],
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
    student.pairs(f"{name}={quote(latin)}").returns([(name, latin)])
    means(student.build([(name, chinese)]), [(name, chinese)])


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
    means(student.build_form({tag: [], name: text}), [(name, text)], **mistakes)


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
        means(answer, [*items, (other, text)], ordered=False, **mistakes, **more)

    sends(number, [(name, str(number))])
    sends(None, [], none_sent_empty=lambda got: (name, "") in meaning(got))
    for flag, digit, written in ((True, "1", "true"), (False, "0", "false")):
        sends(
            flag,
            [(name, written)],
            boolean_as_number=lambda got, digit=digit: (name, digit) in meaning(got),
            falsy_dropped=lambda got: meaning(got) == [(other, text)],
        )
    for content, written in ((0, "0"), ("", "")):
        sends(content, [(name, written)], falsy_dropped=lambda got: meaning(got) == [(other, text)])
    means(
        student.build_form({name: [True, None, number]}),
        [(name, "true"), (name, str(number))],
        **_list_mistakes(name),
        items_joined=lambda got: len(meaning(got)) == 1 and str(number) in got,
        items_not_alike=lambda got: "None" in got or "True" in got or (name, "") in meaning(got),
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
        student.replace(f"{tag}={one}%26{two}&{page}=1", page, f"{new}&{one}"),
        [(tag, f"{one}&{two}"), (page, f"{new}&{one}")],
        not_encoded=lambda got: f"{new}&{one}" in got or f"{one}&{two}" in got,
    )
    means(
        student.replace(f"{tag}{page}=1&{page}=2", page, new),
        [(f"{tag}{page}", "1"), (page, new)],
        name_inside_another=lambda got: (f"{tag}{page}", new) in meaning(got),
    )
    means(
        student.replace(f"{one}+{two}=1&{tag}=2", f"{one} {two}", new),
        [(f"{one} {two}", new), (tag, "2")],
        names_left_encoded=lambda got: (f"{one} {two}", "1") in meaning(got),
    )


def test_address(student: Student, fresh: Fresh) -> None:
    """a URL is made of parts, and each part is encoded before it is put in

    URL 由各部分组成，每一部分要先编码再放进去
    """
    site, word, name = f"http://{fresh.host()}:{fresh.port()}", fresh.word(), fresh.word()
    student.address(site, word, []).returns(
        f"{site}/{word}", lone_question_mark=f"{site}/{word}?", whole_url_quoted=lambda got: "://" not in got
    )
    segment, text = f"{word}/{name} ?", f"{name} &{word}=#"
    for at, items in ((word, [(name, word), ("page", "2")]), (segment, [(name, text), (name, fresh.name())])):
        _judge(
            student.address(site, at, items),
            partial(_leads_to, site, (at, items)),
            f"{site}/{quote(at, safe='')}?{urlencode(items)}",
            whole_url_quoted=lambda got: "://" not in got or "?" not in got,
            slash_kept=lambda got: f"{word}/{name}" in got,
            plus_in_path=lambda got: "+" in urlsplit(got).path,
            not_encoded=lambda got: " " in got or f"&{word}=" in got,
        )
