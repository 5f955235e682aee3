"""urlparse: what a URL is made of. In the order of the contract."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from dojo.expect import Student, raises
from dojo.fresh import Fresh
from dojo.outcome import Raised

Mistakes = dict[str, Any]


def stumbles(got: Any) -> bool:
    """A line of the student's met a value that it was not written for."""
    errors = ("ValueError", "TypeError", "AttributeError", "LookupError")
    if not isinstance(got, Raised) or got.own_frame() is None or got.message.startswith("module "):
        return False
    return any(name in got.bases for name in errors)


def mixes_types(got: Any) -> bool:
    """A line of the student's put None or bytes where text belongs."""
    return raises("TypeError").matches(got) and stumbles(got)


def is_five(got: Any) -> bool:
    """Five parts came, or five parts met six names, or six parts a function that takes five."""
    return raises("ValueError", "unpack (expected 6").matches(got) or (isinstance(got, (list, tuple)) and len(got) == 5)


def no_field(got: Any) -> bool:
    """`_replace` met a field that a URL's tuple lacks: ValueError up to Python 3.12, TypeError from 3.13 on."""
    return isinstance(got, Raised) and "unexpected field names" in got.message


def cannot_set(got: Any) -> bool:
    """A part of a tuple was assigned to, by its name or by its index."""
    words = ("can't set", "no setter", "item assignment")
    return isinstance(got, Raised) and any(part in got.message for part in words)


def wrong_name(got: Any) -> bool:
    """An attribute was read that a split URL lacks."""
    return raises("AttributeError", "Result' object has no attribute").matches(got) or raises(
        "AttributeError", "Result' object has no field"
    ).matches(got)


def is_split(got: Any) -> bool:
    """The parts came where text is asked for."""
    return isinstance(got, tuple)


def says_no(got: Any) -> bool:
    """A `raise` or `assert` of the student's own."""
    frame = got.own_frame() if isinstance(got, Raised) else None
    return frame is not None and not {"raise", "assert"}.isdisjoint(frame.source().split())


def only_case(wanted: Any) -> Callable[[Any], bool]:
    """Right but for upper and lower case."""

    def lower(value: Any) -> Any:
        return value.lower() if isinstance(value, str) else [lower(each) for each in value or ()]

    return lambda got: got is not None and lower(got) == lower(wanted)


def only_encoding(wanted: str) -> Callable[[Any], bool]:
    """Right but for something that was percent-encoded or decoded on the way."""

    def plain(value: str) -> str:
        return unquote(unquote(value)).lower()

    return lambda got: plain(got) == plain(wanted)


def named(fresh: Fresh) -> str:
    """A word with an upper-case letter, so that a lost one shows."""
    return fresh.word().capitalize()


def test_scheme(student: Student, fresh: Fresh) -> None:
    """the scheme is what stands before ://, in lower case

    协议（scheme）是 :// 前面的部分，用小写
    """
    rest = f"{fresh.host()}/{fresh.word()}"
    for name in ("https", "ftp", "http"):
        student.scheme(f"{name}://{rest}").returns(
            name,
            signs_kept=lambda got: got.endswith((":", "/")),
            module_not_imported=raises("AttributeError", "module 'urllib'"),
            split_url_returned=is_split,
            attribute_not_there=wrong_name,
        )
    student.scheme(f"HTTPS://{rest}").returns("https", case_kept="HTTPS")


def test_six_parts(student: Student, fresh: Fresh) -> None:
    """a URL has six parts, in this order: scheme, netloc, path, params, query, fragment

    URL 有六个部分，顺序是 scheme、netloc、path、params、query、fragment
    """
    host, word, last = fresh.host(), named(fresh), fresh.word()
    netloc = f"{named(fresh)}:{named(fresh)}@{host}:{fresh.port()}"
    params, query, fragment = f"V={fresh.word()}", f"Q={fresh.word()}", named(fresh)
    wanted = ("http", netloc, f"/{word}", params, query, fragment)
    student.six_parts(f"http://{netloc}/{word};{params}?{query}#{fragment}").returns(
        wanted,
        five_parts=lambda got: is_five(got) or got[2] == f"/{word};{params}",
        lower_cased=only_case(wanted),
        params_are_no_query=lambda got: got[3] == query and got[4] in (query, params),
        signs_kept=lambda got: got[0] == "http:" or any(part[:1] in (";", "?", "#") for part in got[3:]),
        netloc_is_more_than_host=lambda got: got[1] != netloc and host in got[1],
    )
    student.six_parts(f"https://{host}/{word}").returns(
        ("https", host, f"/{word}", "", "", ""), none_or_empty=lambda got: None in got, part_missing=stumbles
    )
    student.six_parts(f"http://{host}/{word};x=1/{last};{params};b").returns(
        ("http", host, f"/{word};x=1/{last}", f"{params};b", "", ""),
        params_cut_too_early=lambda got: ";" not in got[2],
        params_cut_too_late=lambda got: got[2].endswith(params) and got[3] == "b",
    )


def test_delimiters(student: Student, fresh: Fresh) -> None:
    """a part ends at the first sign that ends it; what is encoded, or stands behind, is data

    每个部分在第一个能结束它的分隔符处结束；编码过的，或者后面再出现的，都是数据
    """
    host, one, two, three = fresh.host(), named(fresh), named(fresh), named(fresh)
    shape: Mistakes = {
        "five_parts": is_five,
        "signs_kept": lambda got: any(part[:1] in (";", "?", "#") for part in got[3:]),
        "none_or_empty": lambda got: None in got,
        "part_missing": stumbles,
    }
    student.six_parts(f"http://{host}/{one}#{two}?{three}#x").returns(
        ("http", host, f"/{one}", "", "", f"{two}?{three}#x"),
        lower_cased=only_case(("http", host, f"/{one}", "", "", f"{two}?{three}#x")),
        question_mark_in_fragment=lambda got: got[4].startswith(three),
        **shape,
    )
    query = f"next=/{two};b?{three}"
    student.six_parts(f"http://{host}/{one}?{query}").returns(
        ("http", host, f"/{one}", "", query, ""),
        signs_inside_query=lambda got: raises("ValueError", "too many").matches(got) or got[4] != query,
        **shape,
    )
    student.six_parts(f"http://{host}?x={one}").returns(
        ("http", host, "", "", f"x={one}", ""),
        slash_added=("http", host, "/", "", f"x={one}", ""),
        netloc_ends_at_first_sign=lambda got: stumbles(got) or got[1] == f"{host}?x={one}",
    )
    path, query = f"/{one}%3F{two}%23", f"{three}=%26%20x"
    wanted = ("http", host, path, "", query, "")
    student.six_parts(f"http://{host}{path}?{query}").returns(
        wanted,
        lower_cased=only_case(wanted),
        decoded_before_splitting=lambda got: got[2] == f"/{one}",
        decoded_after_splitting=lambda got: unquote(got[2]) == unquote(path) and unquote(got[4]) == unquote(query),
    )


def test_host(student: Student, fresh: Fresh) -> None:
    """the host is less than the netloc: no login, no port, no brackets, in lower case

    host 比 netloc 少：没有登录信息、端口和方括号，并且是小写
    """
    name, number, user = f"www.{fresh.host()}", fresh.port(), fresh.word()
    mistakes: Mistakes = {
        "case_kept": name.upper(),
        "netloc_is_more_than_host": lambda got: got != name and name in got.lower(),
        "wrong_colon": user,
        "attribute_not_there": wrong_name,
    }
    student.host(f"http://{name}/").returns(name, **mistakes)
    student.host(f"http://{name}:{number}/").returns(name, **mistakes)
    student.host(f"http://{user}:{fresh.word()}@{name}:{number}/").returns(name, **mistakes)
    student.host(f"http://{name.upper()}/").returns(name, **mistakes)
    address = f"2001:db8::{fresh.number(1, 9999)}"
    for netloc in (f"[{address}]:{number}", f"[{address}]", f"[{address.upper()}]"):
        student.host(f"http://{netloc}/").returns(
            address,
            case_kept=address.upper(),
            brackets_of_ipv6=f"[{address}]",
            netloc_is_more_than_host=netloc,
            wrong_colon=lambda got: address not in got,
        )
    secret = fresh.word()
    student.host(f"http://{user}:x@{secret}@{name}/").returns(
        name, cut_at_the_first_at=lambda got: stumbles(got) or got is None or secret in got
    )


def test_no_host(student: Student, fresh: Fresh) -> None:
    """without // in front there is no host: all of it is a path

    前面没有 // 就没有 host：整个都是路径
    """
    name, word = fresh.host(), fresh.word()
    for url in (f"{name}/{word}", f"/{word}", f"localhost:{fresh.port()}/{word}", f"/{word}?next=//{name}/"):
        student.host(url).returns(
            None,
            none_or_empty="",
            path_taken_for_host=lambda got: got in (name, word, "localhost"),
            attribute_not_there=wrong_name,
            part_missing=stumbles,
        )
    student.host(f"file:///{word}").returns(None, none_or_empty="", part_missing=stumbles)
    student.host(f"//{name}/{word}").returns(name, slashes_name_a_host=None, part_missing=stumbles)


def test_port(student: Student, fresh: Fresh) -> None:
    """the port is a number, or None when none is written

    端口是数字；没有写就是 None
    """
    name, number, secret = fresh.host(), fresh.port(), fresh.number(1, 79)
    there: Mistakes = {"port_is_text": lambda got: isinstance(got, str), "good_port_refused": raises("ValueError")}
    absent: Mistakes = {"default_port_guessed": lambda got: got in (80, 0), "part_missing": stumbles}
    for written in (number, 80, 65535):
        student.port(f"http://{name}:{written}/{named(fresh)}").returns(
            written, **there, attribute_not_there=wrong_name
        )
    student.port(f"http://{name}/").returns(None, none_or_empty="", **absent)
    for url in (f"http://{fresh.word()}:{secret}@{name}/", f"http://{name}/{fresh.word()}:{secret}"):
        student.port(url).returns(None, wrong_colon=lambda got: got == secret or stumbles(got), **absent)
    student.port(f"http://[2001:db8::7]:{number}/").returns(number, wrong_colon=stumbles, **there)
    student.port("http://[2001:db8::7]/").returns(None, wrong_colon=lambda got: got == 7 or stumbles(got), **absent)


def test_bad_port(student: Student, fresh: Fresh) -> None:
    """a bad port is an error when it is read, not when the URL is split

    错误的端口在读取时才报错，拆分 URL 时不会
    """
    name = fresh.host()
    text, large, plus = f"http://{name}:{fresh.word()}/", f"http://{name}:65536/", f"http://{name}:+80/"
    signs = (f"http://{name}:8_0/", f"http://{name}:٨٠/")  # fine for int(), the second for isdigit() too
    for url in (text, large, plus, *signs):
        student.port(url).raises(
            "ValueError", bad_port_hidden=None, bad_port_let_through=lambda got: isinstance(got, (int, str))
        )
    student.has_valid_port(text).returns(False, splitting_checks_nothing=True, error_let_out=raises("ValueError"))
    for url in (large, f"http://{name}:{fresh.number(65537, 99999)}/", plus, *signs):
        student.has_valid_port(url).returns(False, bad_port_let_through=True, error_let_out=raises("ValueError"))
    student.has_valid_port(f"http://{name}:{fresh.port()}/").returns(True)
    student.has_valid_port(f"http://{name}:65535/").returns(True)
    for url in (f"http://{name}/", f"/{fresh.word()}"):
        student.has_valid_port(url).returns(True, no_port_is_fine=False, part_missing=stumbles)


def test_login(student: Student, fresh: Fresh) -> None:
    """user and password are decoded, after the URL has been split

    用户名和密码要解码，并且是在拆分之后
    """
    user, secret, more, name = named(fresh), named(fresh), fresh.word(), fresh.host()
    student.login(f"ftp://{user}:{secret}@{name}/").returns(
        (user, secret), lower_cased=only_case((user, secret)), attribute_not_there=wrong_name
    )
    student.login(f"ftp://{user}:{secret}:{more}@{name}/").returns(
        (user, f"{secret}:{more}"),
        login_cut_at_colon=lambda got: stumbles(got) or got[0] == f"{user}:{secret}" or got[1] in (secret, more),
    )
    student.login(f"ftp://{user}%3Awork%40:{secret}%2F%23%C3%A9+{more}@{name}/").returns(
        (f"{user}:work@", f"{secret}/#é+{more}"),
        decoded_before_splitting=lambda got: stumbles(got) or got[0] == user or got[1] is None or more not in got[1],
        login_not_decoded=lambda got: "%" in got[0] + got[1],
        plus_is_no_blank=lambda got: " " in got[1],
        login_is_utf8=lambda got: "é" not in got[1],
    )
    student.login(f"ftp://{user}%2540:{secret}%252F@{name}/").returns(
        (f"{user}%40", f"{secret}%2F"), decoded_twice=lambda got: got[0] == f"{user}@" or got[1] == f"{secret}/"
    )
    student.login(f"ftp://{user}@{name}:21/").returns(
        (user, None), none_or_empty=(user, ""), wrong_colon=lambda got: "21" in got[1], part_missing=stumbles
    )
    student.login(f"ftp://{user}:@{name}/").returns((user, ""), empty_password_lost=(user, None))
    student.login(f"ftp://{user}:{secret}@{more}@{name}/").returns(
        (user, f"{secret}@{more}"), cut_at_the_first_at=lambda got: stumbles(got) or got[1] in (secret, more)
    )
    nobody: Mistakes = {"pair_of_none": None, "none_or_empty": lambda got: "" in got, "part_missing": stumbles}
    student.login(f"ftp://{name}/").returns((None, None), **nobody)
    for sign in "#?/":
        student.login(f"ftp://{user}:{secret}{sign}{more}@{name}/").returns(
            (None, None), netloc_ends_at_first_sign=lambda got: got[0] == user, **nobody
        )


def test_complete(student: Student, fresh: Fresh) -> None:
    """what people type has no scheme, and localhost:8080 has none either

    人们输入的地址没有协议，localhost:8080 也没有
    """
    name = fresh.host()
    address = f"{name}/{named(fresh)}"
    student.complete(address).returns(
        f"http://{address}",
        scheme_without_slashes=lambda got: got in (f"http:///{address}", f"http:{address}"),
        lower_cased=only_case(f"http://{address}"),
        split_url_returned=is_split,
    )
    bare = f"WWW.{name}"
    student.complete(bare).returns(
        f"http://{bare}", slash_added=f"http://{bare}/", lower_cased=only_case(f"http://{bare}")
    )
    for host in ("localhost", fresh.host()):
        local = f"{host}:{fresh.port()}/{named(fresh)}"
        student.complete(local).returns(f"http://{local}", name_taken_for_scheme=local)
    schemes = ("https", "ftp", "ws", "svn+ssh", f"{fresh.word()}2")
    for full in (*(f"{scheme}://{address}" for scheme in schemes), f"HTTP://{address}?"):
        student.complete(full).returns(full, scheme_doubled=f"http://{full}")
    for asked in (f"{name}/?next=https://{fresh.host()}/", f"{name}/web/https://{fresh.host()}/"):
        student.complete(asked).returns(f"http://{asked}", scheme_further_on=asked)


def test_rebuild(student: Student, fresh: Fresh) -> None:
    """a URL is rebuilt from its six parts, each without its sign

    由六个部分还原 URL，各部分都不带分隔符
    """
    netloc, word = f"{named(fresh)}@{fresh.host()}", named(fresh)
    mistakes: Mistakes = {
        "five_parts": lambda got: is_five(got) or raises("ValueError", "(expected 7, got 6)").matches(got),
        "parts_filtered_out": raises("ValueError", "not enough values"),
        "signs_doubled": lambda got: any(sign in got for sign in (";;", "??", "##")),
        "signs_left_over": lambda got: got[-1] in ";?#",
        "colon_without_scheme": lambda got: got[0] == ":",
    }
    relative: Mistakes = {"slashes_without_host": lambda got: "//" in got, **mistakes}
    absent: Mistakes = {**mistakes, "none_is_not_empty": lambda got: mixes_types(got) or "None" in got}
    for parts, url, possible in (
        (("http", netloc, f"/{word}", "V=1", "q=2", "Top"), f"http://{netloc}/{word};V=1?q=2#Top", mistakes),
        (("https", netloc, f"/{word}%20b", "", "q=%26", ""), f"https://{netloc}/{word}%20b?q=%26", mistakes),
        (("", "", word, "", "q=2", ""), f"{word}?q=2", relative),
        (("mailto", "", f"{word}@{fresh.host()}", "", "", ""), "", relative),
        (("", netloc, f"/{word}", "", "", ""), f"//{netloc}/{word}", mistakes),
        (("http", netloc, f"/{word}", None, "q=2", None), f"http://{netloc}/{word}?q=2", absent),
        (("http", netloc, None, None, None, None), f"http://{netloc}", absent),
    ):
        wanted = url or f"mailto:{parts[2]}"
        student.rebuild(parts).returns(
            wanted,
            **possible,
            lower_cased=only_case(wanted),
            encoding_changed=only_encoding(wanted),
            slash_added=f"{wanted}/",
        )


def test_with_port(student: Student, fresh: Fresh) -> None:
    """the port is changed inside the netloc; everything else stays

    端口在 netloc 里修改，其余不变
    """
    name, user, number = fresh.host(), named(fresh), fresh.port()
    rest = f"/{named(fresh)}:80/x;V=1?A=1#Top"
    for scheme, login, host, old, tail, new in (
        ("http", "", name, ":80", rest, number),
        ("https", "", name, "", "/", number),
        ("http", f"{user}:80x%40w@", name, ":80", rest, number),
        ("http", f"{user}:p%40w@", name, "", rest, number),
        ("https", f"{user}@", name, ":80", "", number),
        ("http", "", "[2001:db8::80]", ":80", rest, number),
        ("http", "", "[2001:db8::7]", "", rest, number),
        ("http", "", name, f":{fresh.port()}", "/", 80),
        ("https", "", name, ":8443", "/", 443),
        ("http", f"{user}:@", name, ":80", "/", number),
    ):
        netloc = f"{login}{host}{old}"
        before, wanted = f"{scheme}://{netloc}{tail}", f"{scheme}://{login}{host}:{new}{tail}"
        places = {netloc.replace(old, f":{new}"), netloc.replace(old, "") + f":{new}"} if old else set()
        places.discard(f"{login}{host}:{new}")
        possible: Mistakes = {
            "port_is_no_field": no_field,
            "fields_cannot_be_set": cannot_set,
            "split_url_returned": is_split,
            "number_joined_to_text": lambda got: stumbles(got) and raises("TypeError", "int").matches(got),
            "replaced_in_text": lambda got, new=new, places=places: (
                got.count(str(new)) > 1 or urlsplit(got).netloc in places
            ),
            "empty_password_lost": wanted.replace(":@", "@"),
            "login_lost": f"{scheme}://{host}:{new}{tail}",
            "none_is_not_empty": lambda got: "None" in got,
            "brackets_of_ipv6": f"{scheme}://{host.strip('[]')}:{new}{tail}",
            "part_missing": raises("ValueError", "not enough values"),
            "lower_cased": only_case(wanted),
            "params_lost": wanted.replace(";V=1", ""),
            "signs_left_over": lambda got: got[-1] in ";?#",
            "slash_added": f"{wanted}/",
            "encoding_changed": only_encoding(wanted),
            "wrong_colon": lambda got, host=host: raises("ValueError", "too many").matches(got) or host not in got,
        }
        student.with_port(before, new).returns(wanted, **possible)


def test_add_query(student: Student, fresh: Fresh) -> None:
    """a query goes behind the one that is there, and before the #

    新的查询放在已有查询之后、# 之前
    """
    root, new = f"http://{named(fresh)}@{fresh.host()}", f"y={named(fresh)}%20z"
    base = f"{root}/{named(fresh)}"
    old = f"x={named(fresh)}&x=a%20b&flag=&&b"
    mistakes: Mistakes = {
        "split_url_returned": is_split,
        "query_behind_fragment": lambda got: "#Top" in got and not got.endswith("#Top"),
        "second_question_mark": lambda got: got.count("?") > 1,
        "empty_query_joined": lambda got: "?&" in got,
        "signs_left_over": lambda got: got[-1] in "?#",
    }
    for tail in ("", "?"):
        wanted = f"{base}?{new}"
        student.add_query(base + tail, new).returns(
            wanted,
            **mistakes,
            lower_cased=only_case(wanted),
            query_rewritten=lambda got: got.startswith(f"{base}?y"),
        )
    for fragment in ("", "#Top"):
        student.add_query(f"{base}?{old}{fragment}", new).returns(
            f"{base}?{old}&{new}{fragment}",
            **mistakes,
            old_query_lost=f"{base}?{new}{fragment}",
            query_rewritten=lambda got: old not in got and "x=" in got,
        )
    student.add_query(f"{base}?x=1&", new).returns(
        f"{base}?x=1&&{new}", **mistakes, query_rewritten=f"{base}?x=1&{new}"
    )
    student.add_query(f"{base}?{new}", new).returns(f"{base}?{new}&{new}", **mistakes)
    student.add_query(f"{root}?x=1", new).returns(
        f"{root}?x=1&{new}", **mistakes, slash_added=f"{root}/?x=1&{new}", query_rewritten=f"{root}?{new}"
    )
    student.add_query(f"{base}#Top", new).returns(f"{base}?{new}#Top", **mistakes)
    student.add_query(f"{base}#a?b", new).returns(
        f"{base}?{new}#a?b",
        question_mark_in_fragment=lambda got: got.startswith((f"{base}&", f"{base}#")),
    )
    student.add_query(f"{base}?x=?", new).returns(
        f"{base}?x=?&{new}", signs_inside_query=lambda got: not got.startswith(f"{base}?x=?&")
    )
    student.add_query(f"{base};V=2?x=1", "x=2&y=3").returns(
        f"{base};V=2?x=1&x=2&y=3",
        params_lost=lambda got: ";V=2" not in got,
        query_rewritten=lambda got: got.startswith(f"{base};V=2?"),
    )
    student.add_query("/news?x=1", new).returns(f"/news?x=1&{new}", slashes_without_host=lambda got: "//" in got)


def test_same_url(student: Student, fresh: Fresh) -> None:
    """two spellings of one URL: compare the parts, not the text

    同一个 URL 可以有两种写法：比较各部分，而不是文本
    """
    name, path = fresh.host(), f"/{fresh.word()}"
    url = f"http://{name}{path}"
    student.same_url(url, url).returns(True)
    student.same_url(f"HTTP://{name}{path}?", f"{url}#").returns(True, text_compared=False)
    student.same_url(f"http://{name.upper()}{path}", url).returns(True, host_case_compared=False)
    for one, other in (
        (url, f"{url}x"),
        (url, f"https://{name}{path}"),
        (f"{url};v=1", f"{url};v=2"),
        (f"{url}?a=1", f"{url}?a=2"),
        (f"{url}#a", f"{url}#b"),
        (f"http://{name}:81{path}", f"http://{name}:82{path}"),
        (f"http://ada@{name}{path}", f"http://bob@{name}{path}"),
        (f"http://ada:1@{name}{path}", f"http://ada:2@{name}{path}"),
    ):
        student.same_url(one, other).returns(False, part_not_compared=True)
    for one, other in (
        (url, f"http://{name}{path.upper()}"),
        (f"{url};v=b", f"{url};v=B"),
        (f"{url}?a=b", f"{url}?a=B"),
        (f"{url}#a", f"{url}#A"),
        (f"http://ada:p@{name}{path}", f"http://Ada:p@{name}{path}"),
        (f"http://ada:p@{name}{path}", f"http://ada:P@{name}{path}"),
    ):
        student.same_url(one, other).returns(False, case_ignored=True)
    for one, other in ((f"{url}?x=1&y=2", f"{url}?y=2&x=1"), (f"{url}?x=", url)):
        student.same_url(one, other).returns(False, query_compared_as_pairs=True)
    for one, other in (
        (f"{url}%2Fb", f"{url}/b"),
        (f"http://ada%40w@{name}{path}", f"http://ada@w@{name}{path}"),
        (f"{url}?a=%2F", f"{url}?a=/"),
        (f"{url}?a=1+2", f"{url}?a=1%202"),
        (f"{url}#a%2Fb", f"{url}#a/b"),
    ):
        student.same_url(one, other).returns(False, decoded_to_compare=True)
    student.same_url(f"http://ada:@{name}{path}", f"http://ada@{name}{path}").returns(False, empty_password_lost=True)
    student.same_url(f"{url}/../b", f"http://{name}/b").returns(False)
    student.same_url(f"{url}/", url).returns(False, last_slash_ignored=True)
    student.same_url(f"http://www.{name}{path}", url).returns(False)
    student.same_url(f"{url}?a#b", f"{url}?b#a").returns(False)


def test_resolve(student: Student, fresh: Fresh) -> None:
    """a link starts from the page, from the root, or from nowhere

    链接可以从当前页开始，从根开始，或者自成一体
    """
    root, top, other, word = f"http://{fresh.host()}:{fresh.port()}", named(fresh), fresh.host(), named(fresh)
    number = fresh.number(100, 999)
    folder = f"{root}/{top}/{fresh.word()}/"
    bare, page = f"{folder}intro.html", f"{folder}intro.html?v=1"
    back = f"{bare}?to=/{word}"
    dotted, kept = f"go?to=../{word}/../x", f"{bare};v=2?v=1#{word}"

    def begins(start: str) -> Any:
        return lambda got: got.startswith(start)

    def dots(got: str) -> bool:
        return "/./" in got or "/../" in got

    full: Mistakes = {"full_link_wins": begins(root)}
    slashes: Mistakes = {"slashes_name_a_host": begins(root)}
    for start, link, wanted, mistakes in (
        (bare, f"{word}.html", f"{folder}{word}.html", {"last_segment_kept": f"{bare}/{word}.html"}),
        (page, f"{word}%20b%2Fc?q=%26#Top", f"{folder}{word}%20b%2Fc?q=%26#Top", {}),
        (page, f"../{word}", f"{root}/{top}/{word}", {"dots_kept": dots}),
        (page, f"../../{word}/", f"{root}/{word}/", {"dots_kept": dots, "last_slash_ignored": f"{root}/{word}"}),
        (page, f"./{word}", f"{folder}{word}", {"dots_kept": dots}),
        (page, f"/{word}", f"{root}/{word}", {"root_is_the_top": begins(f"{root}/{top}")}),
        (page, f"https://{other}/{word}", f"https://{other}/{word}", full),
        (page, f"mailto:{word}@{other}", f"mailto:{word}@{other}", full),
        (page, f"tel:{number}", f"tel:{number}", full),
        (page, f"ftp://{other}/{word}", f"ftp://{other}/{word}", full),
        (page, f"//{other}/{word}", f"http://{other}/{word}", slashes),
        (page, f"?page={word}", f"{bare}?page={word}", {"page_stays": f"{folder}?page={word}"}),
        (page, f"go?to=http://{other}/", f"{folder}go?to=http://{other}/", {"scheme_further_on": begins("go?")}),
        (page, dotted, f"{folder}{dotted}", {"signs_inside_query": begins(folder)}),
        (page, f"#{word}", f"{page}#{word}", {"page_stays": lambda got: got in (f"{bare}#{word}", f"{folder}#{word}")}),
        (back, f"{word}.html", f"{folder}{word}.html", {"signs_inside_query": begins(f"{bare}?")}),
        (root, f"{word}.html", f"{root}/{word}.html", {}),
        (f"{bare};v=2?v=1", f"#{word}", kept, {"params_lost": kept.replace(";v=2", "")}),
        (page, "", page, {"page_stays": lambda got: got in (bare, folder, "", None)}),
    ):
        student.resolve(start, link).returns(
            wanted,
            link_glued_on=start + link,
            **mistakes,
            lower_cased=only_case(wanted),
            encoding_changed=only_encoding(wanted),
        )
    wanted = f"http://{other}/{word}"
    student.resolve(page, wanted.replace("http", "HTTP")).satisfies(
        lambda got: got in (wanted, wanted.replace("http", "HTTP")), wanted, full_link_wins=begins(root)
    )
    name = fresh.name()
    wanted = f"{folder}{name}%20b"
    student.resolve(page, f"{name}%20b".encode()).returns(
        wanted,
        encoding_changed=only_encoding(wanted),
        bytes_and_text_mixed=lambda got: (
            mixes_types(got) or raises("UnicodeError").matches(got) or (isinstance(got, str) and name not in got)
        ),
    )


def test_resolve_on_host(student: Student, fresh: Fresh) -> None:
    """a link may lead to another host: look at the result before you trust it

    链接可能指向别的主机：信任之前先看结果
    """
    short, other, word, number = fresh.host(), fresh.host(), named(fresh), fresh.port()
    name = f"www.{short}"
    page = f"http://{name}:{number}/Docs/"
    own = f"http://{name}:{number}/{word}"
    for link, wanted in (
        (f"/{word}#Top", f"{own}#Top"),
        (f"//{name}:{number}/{word}", own),
        (f"/{word}?to=https://{other}/", f"{own}?to=https://{other}/"),
    ):
        student.resolve_on_host(page, link).returns(wanted, own_host_refused=None, lower_cased=only_case(wanted))

    def leaves(got: str) -> bool:
        return urlsplit(got).hostname != name

    away: Mistakes = {
        "none_says_away": lambda got: got is False or got in ("", (), b""),
        "away_is_no_error": says_no,
    }
    for link in (f"http://{other}/{word}", f"//{other}/{word}", f"mailto:{word}@{other}"):
        student.resolve_on_host(page, link).returns(None, **away, other_host_trusted=leaves)
    for place in (
        f"{other}/{name}",
        f"{name}.{other}/",
        f"{name}:1@{other}/",
        f"evil{name}/",
        f"a.{name}/",
        f"{short}/",
    ):
        student.resolve_on_host(page, f"http://{place}").returns(None, **away, host_checked_as_text=leaves)
    student.resolve_on_host(f"http://[::1]:{number}/", f"http://[::2]:{number}/{word}").returns(
        None, **away, host_checked_as_text=leaves
    )
    for full in (
        f"http://Ada@{name}/{word}",
        f"https://{name}:{number}/{word}",
        f"ftp://{name}/{word}",
        f"http://{name}:81/{word}",
        f"http://{name}/@{word}",
    ):
        student.resolve_on_host(page, full).returns(full, own_host_refused=None)
    for start, link in ((page, f"//{name.upper()}:{number}/{word}"), (page.replace(name, name.upper()), f"/{word}")):
        student.resolve_on_host(start, link).satisfies(
            lambda got: got.replace(name.upper(), name) == own, own, host_case_compared=None
        )
