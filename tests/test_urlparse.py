"""urlparse: what a URL is made of. In the order of the contract."""

from typing import Any
from urllib.parse import unquote, urlsplit

from dojo.expect import Student, raises
from dojo.fresh import Fresh
from dojo.outcome import Raised

Mistakes = dict[str, Any]


def stumbles(got: Any) -> bool:
    """A line of the student's met a value that it was not written for."""
    errors = ("ValueError", "TypeError", "AttributeError", "LookupError")
    return isinstance(got, Raised) and got.own_frame() is not None and any(name in got.bases for name in errors)


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


def test_scheme(student: Student, fresh: Fresh) -> None:
    """the scheme is what stands before ://, in lower case

    协议（scheme）是 :// 前面的部分，用小写
    """
    rest = f"{fresh.host()}/{fresh.word()}"
    for name in ("https", "ftp", "http"):
        student.scheme(f"{name}://{rest}").returns(name, signs_kept=lambda got: got.endswith((":", "/")))
    student.scheme(f"HTTPS://{rest}").returns("https", case_kept="HTTPS")


def test_six_parts(student: Student, fresh: Fresh) -> None:
    """a URL has six parts, in this order: scheme, netloc, path, params, query, fragment

    URL 有六个部分，顺序是 scheme、netloc、path、params、query、fragment
    """
    host, word, last = fresh.host(), fresh.word(), fresh.word()
    netloc = f"{fresh.word()}:{fresh.word()}@{host}:{fresh.port()}"
    params, query, fragment = f"v={fresh.word()}", f"q={fresh.word()}", fresh.word()
    student.six_parts(f"http://{netloc}/{word};{params}?{query}#{fragment}").returns(
        ("http", netloc, f"/{word}", params, query, fragment),
        five_parts=lambda got: is_five(got) or got[2] == f"/{word};{params}",
        params_are_no_query=lambda got: got[3] == query and got[4] in (query, params),
        signs_kept=lambda got: got[0] == "http:" or any(part[:1] in (";", "?", "#") for part in got[3:]),
        netloc_is_more_than_host=lambda got: got[1] != netloc and host in got[1],
    )
    student.six_parts(f"https://{host}/{word}").returns(
        ("https", host, f"/{word}", "", "", ""), none_or_empty=lambda got: None in got, part_missing=stumbles
    )
    student.six_parts(f"http://{host}/{word};x=1/{last};{params}").returns(
        ("http", host, f"/{word};x=1/{last}", params, "", ""), params_cut_too_early=lambda got: ";" not in got[2]
    )


def test_delimiters(student: Student, fresh: Fresh) -> None:
    """a part ends at the first sign that ends it; what is encoded, or stands behind, is data

    每个部分在第一个能结束它的分隔符处结束；编码过的，或者后面再出现的，都是数据
    """
    host, one, two, three = fresh.host(), fresh.word(), fresh.word(), fresh.word()
    shape: Mistakes = {
        "five_parts": is_five,
        "none_or_empty": lambda got: None in got,
        "signs_kept": lambda got: any(part[:1] in (";", "?", "#") for part in got[3:]),
        "part_missing": stumbles,
    }
    student.six_parts(f"http://{host}/{one}#{two}?{three}").returns(
        ("http", host, f"/{one}", "", "", f"{two}?{three}"),
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
        netloc_ends_at_first_sign=lambda got: stumbles(got) or got[1] == f"{host}?x={one}",
    )
    path, query = f"/{one}%3F{two}%23", f"{three}=%26%20x"
    student.six_parts(f"http://{host}{path}?{query}").returns(
        ("http", host, path, "", query, ""),
        decoded_before_splitting=lambda got: got[2] == f"/{one}",
        decoded_after_splitting=lambda got: unquote(got[2]) == unquote(path) and unquote(got[4]) == unquote(query),
    )


def test_host(student: Student, fresh: Fresh) -> None:
    """the host is less than the netloc: no login, no port, no brackets, in lower case

    host 比 netloc 少：没有登录信息、端口和方括号，并且是小写
    """
    name, number, user = fresh.host(), fresh.port(), fresh.word()
    mistakes: Mistakes = {
        "case_kept": name.upper(),
        "netloc_is_more_than_host": lambda got: got != name and name in got.lower(),
        "wrong_colon": user,
    }
    student.host(f"http://{name}/").returns(name, **mistakes)
    student.host(f"http://{name}:{number}/").returns(name, **mistakes)
    student.host(f"http://{user}:{fresh.word()}@{name}:{number}/").returns(name, **mistakes)
    student.host(f"http://{name.upper()}/").returns(name, **mistakes)
    address = f"2001:db8::{fresh.number(1, 9999)}"
    for netloc in (f"[{address}]:{number}", f"[{address}]"):
        student.host(f"http://{netloc}/").returns(
            address,
            brackets_of_ipv6=f"[{address}]",
            netloc_is_more_than_host=netloc,
            wrong_colon=lambda got: address not in got,
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
            part_missing=stumbles,
        )
    student.host(f"//{name}/{word}").returns(name, slashes_name_a_host=None, part_missing=stumbles)


def test_port(student: Student, fresh: Fresh) -> None:
    """the port is a number, or None when none is written

    端口是数字；没有写就是 None
    """
    name, number, secret = fresh.host(), fresh.port(), fresh.number(1, 79)
    there: Mistakes = {"port_is_text": str(number)}
    absent: Mistakes = {"default_port_guessed": lambda got: got in (80, 0), "part_missing": stumbles}
    student.port(f"http://{name}:{number}/{fresh.word()}").returns(number, **there)
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
    text, large = f"http://{name}:{fresh.word()}/", f"http://{name}:{fresh.number(65536, 99999)}/"
    for url in (text, large):
        student.port(url).raises(
            "ValueError", bad_port_hidden=None, bad_port_let_through=lambda got: isinstance(got, (int, str))
        )
    student.has_valid_port(text).returns(False, splitting_checks_nothing=True, error_let_out=raises("ValueError"))
    student.has_valid_port(large).returns(False, bad_port_let_through=True, error_let_out=raises("ValueError"))
    student.has_valid_port(f"http://{name}:{fresh.port()}/").returns(True)
    student.has_valid_port(f"http://{name}/").returns(True, part_missing=lambda got: got is False or stumbles(got))


def test_login(student: Student, fresh: Fresh) -> None:
    """user and password are decoded, after the URL has been split

    用户名和密码要解码，并且是在拆分之后
    """
    user, secret, more, name = fresh.word(), fresh.word(), fresh.word(), fresh.host()
    student.login(f"ftp://{user}:{secret}@{name}/").returns((user, secret))
    student.login(f"ftp://{user}:{secret}:{more}@{name}/").returns(
        (user, f"{secret}:{more}"),
        login_cut_at_colon=lambda got: stumbles(got) or got[0] == f"{user}:{secret}" or got[1] in (secret, more),
    )
    student.login(f"ftp://{user}%40work:{secret}%2F%23%C3%A9+{more}@{name}/").returns(
        (f"{user}@work", f"{secret}/#é+{more}"),
        decoded_before_splitting=lambda got: stumbles(got) or got[1] is None or more not in got[1],
        login_not_decoded=lambda got: "%" in got[0] + got[1],
        plus_is_no_blank=lambda got: " " in got[1],
    )
    student.login(f"ftp://{user}@{name}:21/").returns(
        (user, None), none_or_empty=(user, ""), wrong_colon=lambda got: "21" in got[1], part_missing=stumbles
    )
    student.login(f"ftp://{name}/").returns((None, None), none_or_empty=lambda got: "" in got, part_missing=stumbles)
    student.login(f"ftp://{user}:{secret}#{more}@{name}/").returns(
        (None, None), netloc_ends_at_first_sign=lambda got: got[0] == user, part_missing=stumbles
    )


def test_complete(student: Student, fresh: Fresh) -> None:
    """what people type has no scheme, and localhost:8080 has none either

    人们输入的地址没有协议，localhost:8080 也没有
    """
    address = f"{fresh.host()}/{fresh.word()}"
    student.complete(address).returns(
        f"http://{address}", scheme_without_slashes=lambda got: got in (f"http:///{address}", f"http:{address}")
    )
    local = f"localhost:{fresh.port()}/{fresh.word()}"
    student.complete(local).returns(f"http://{local}", name_taken_for_scheme=local)
    for full in (f"https://{address}", f"ftp://{address}"):
        student.complete(full).returns(full, scheme_doubled=f"http://{full}")
    asked = f"{fresh.host()}/?next=https://{fresh.host()}/"
    student.complete(asked).returns(f"http://{asked}", scheme_further_on=asked)


def test_rebuild(student: Student, fresh: Fresh) -> None:
    """a URL is rebuilt from its six parts, each without its sign

    由六个部分还原 URL，各部分都不带分隔符
    """
    netloc, word = fresh.host(), fresh.word()
    mistakes: Mistakes = {
        "five_parts": is_five,
        "signs_doubled": lambda got: any(sign in got for sign in (";;", "??", "##")),
        "signs_left_over": lambda got: got[-1] in ";?#",
    }
    relative: Mistakes = {**mistakes, "slashes_without_host": lambda got: "//" in got}
    absent: Mistakes = {**mistakes, "none_is_not_empty": lambda got: mixes_types(got) or "None" in got}
    for parts, url, possible in (
        (("http", netloc, f"/{word}", "v=1", "q=2", "top"), f"http://{netloc}/{word};v=1?q=2#top", mistakes),
        (("https", netloc, f"/{word}", "", "", ""), f"https://{netloc}/{word}", mistakes),
        (("", "", word, "", "q=2", ""), f"{word}?q=2", relative),
        (("mailto", "", f"{word}@{netloc}", "", "", ""), f"mailto:{word}@{netloc}", relative),
        (("http", netloc, f"/{word}", None, "q=2", None), f"http://{netloc}/{word}?q=2", absent),
        (("http", netloc, None, None, None, None), f"http://{netloc}", absent),
    ):
        student.rebuild(parts).returns(url, **possible)


def test_with_port(student: Student, fresh: Fresh) -> None:
    """the port is changed inside the netloc; everything else stays

    端口在 netloc 里修改，其余不变
    """
    name, user, number = fresh.host(), fresh.word(), fresh.port()
    rest = f"/{fresh.word()}:80?a=1#top"
    for login, host, old in (
        ("", name, ":80"),
        ("", name, ""),
        (f"{user}:p%40w@", name, ":80"),
        (f"{user}:p%40w@", name, ""),
        (f"{user}@", name, ":80"),
        ("", "[2001:db8::7]", ":80"),
        ("", "[2001:db8::7]", ""),
    ):
        before = f"http://{login}{host}{old}{rest}"
        possible: Mistakes = {
            "port_is_no_field": no_field,
            "fields_cannot_be_set": cannot_set,
            "replaced_in_text": before.replace(":80", f":{number}"),
            "login_lost": f"http://{host}:{number}{rest}",
            "none_is_not_empty": lambda got: "None" in got,
            "brackets_of_ipv6": f"http://{host.strip('[]')}:{number}{rest}",
            "part_missing": raises("ValueError", "not enough values"),
            "wrong_colon": lambda got, host=host: raises("ValueError", "too many").matches(got) or host not in got,
        }
        student.with_port(before, number).returns(f"http://{login}{host}:{number}{rest}", **possible)


def test_add_query(student: Student, fresh: Fresh) -> None:
    """a query goes behind the one that is there, and before the #

    新的查询放在已有查询之后、# 之前
    """
    base, new = f"http://{fresh.host()}/{fresh.word()}", f"y={fresh.word()}%20z"
    old = f"x={fresh.word()}&x=a%20b&flag="
    mistakes: Mistakes = {
        "query_behind_fragment": lambda got: "#top" in got and not got.endswith("#top"),
        "second_question_mark": lambda got: got.count("?") > 1,
        "empty_query_joined": lambda got: "?&" in got,
    }
    for tail in ("", "?"):
        student.add_query(base + tail, new).returns(
            f"{base}?{new}", **mistakes, query_rewritten=lambda got: got.startswith(f"{base}?y")
        )
    for fragment in ("", "#top"):
        student.add_query(f"{base}?{old}{fragment}", new).returns(
            f"{base}?{old}&{new}{fragment}",
            **mistakes,
            old_query_lost=f"{base}?{new}{fragment}",
            query_rewritten=lambda got: old not in got and "x=" in got,
        )
    student.add_query(f"{base}#top", new).returns(f"{base}?{new}#top", **mistakes)


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
        (f"{url}?a=b", f"{url}?a=B"),
        (f"http://ada@{name}{path}", f"http://Ada@{name}{path}"),
    ):
        student.same_url(one, other).returns(False, case_ignored=True)


def test_resolve(student: Student, fresh: Fresh) -> None:
    """a link starts from the page, from the root, or from nowhere

    链接可以从当前页开始，从根开始，或者自成一体
    """
    root, top, other, word = f"http://{fresh.host()}", fresh.word(), fresh.host(), fresh.word()
    folder = f"{root}/{top}/{fresh.word()}/"
    bare, page = f"{folder}intro.html", f"{folder}intro.html?v=1"

    def begins(start: str) -> Any:
        return lambda got: got.startswith(start)

    full: Mistakes = {"full_link_wins": begins(root)}
    slashes: Mistakes = {"slashes_name_a_host": begins(root)}
    for start, link, wanted, mistakes in (
        (bare, f"{word}.html", f"{folder}{word}.html", {"last_segment_kept": f"{bare}/{word}.html"}),
        (page, f"{word}.html", f"{folder}{word}.html", {}),
        (page, f"../{word}", f"{root}/{top}/{word}", {"dots_kept": lambda got: "/../" in got}),
        (page, f"/{word}", f"{root}/{word}", {"root_is_the_top": begins(f"{root}/{top}")}),
        (page, f"https://{other}/{word}", f"https://{other}/{word}", full),
        (page, f"mailto:{word}@{other}", f"mailto:{word}@{other}", full),
        (page, f"//{other}/{word}", f"http://{other}/{word}", slashes),
        (page, f"?page={word}", f"{bare}?page={word}", {"page_stays": f"{folder}?page={word}"}),
        (page, f"#{word}", f"{page}#{word}", {"page_stays": lambda got: got in (f"{bare}#{word}", f"{folder}#{word}")}),
        (page, "", page, {"page_stays": lambda got: got in (bare, folder, "")}),
    ):
        student.resolve(start, link).returns(wanted, link_glued_on=start + link, **mistakes)
    name = fresh.name()
    latin = name.encode().decode("latin-1")
    student.resolve(page, name.encode()).returns(
        f"{folder}{name}",
        bytes_and_text_mixed=lambda got: (
            mixes_types(got) or raises("UnicodeError").matches(got) or latin in got or "b'" in got or 'b"' in got
        ),
    )


def test_resolve_on_host(student: Student, fresh: Fresh) -> None:
    """a link may lead to another host: look at the result before you trust it

    链接可能指向别的主机：信任之前先看结果
    """
    name, other, word, number = fresh.host(), fresh.host(), fresh.word(), fresh.port()
    page = f"http://{name}:{number}/docs/"
    own = f"http://{name}:{number}/{word}"
    for link, wanted in ((f"/{word}", own), (own, own)):
        student.resolve_on_host(page, link).returns(wanted, own_host_refused=None)

    def leaves(got: str) -> bool:
        return urlsplit(got).hostname != name

    for link in (f"http://{other}/{word}", f"//{other}/{word}", f"mailto:{word}@{other}"):
        student.resolve_on_host(page, link).returns(None, other_host_trusted=leaves)
    for link in (f"http://{other}/{name}", f"http://{name}.{other}/", f"http://{name}:{number}@{other}/"):
        student.resolve_on_host(page, link).returns(None, host_checked_as_text=leaves)
    student.resolve_on_host(page, f"http://{name}/{word}").returns(
        f"http://{name}/{word}", netloc_is_more_than_host=None
    )
    student.resolve_on_host(page, f"https://{name}:{number}/{word}").returns(
        f"https://{name}:{number}/{word}", own_host_refused=None
    )
    student.resolve_on_host(page, f"//{name.upper()}:{number}/{word}").satisfies(
        lambda got: isinstance(got, str) and got.lower() == own, own, host_case_compared=None
    )
