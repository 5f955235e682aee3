"""protected: pages that want to know who you are. In the order of the contract."""

import base64
import hashlib
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote, unquote_plus, urlsplit

from dojo.expect import Answer, Expectation, Scene, Student, raises
from dojo.fakes.http import FakeHTTP, Received, Response
from dojo.fakes.tls import Authority
from dojo.fresh import Fresh
from dojo.ipv6 import has_ipv6
from dojo.outcome import Raised
from dojo.wire import Wire

FORM = "application/x-www-form-urlencoded"
TWO_REQUESTS = "at most 2 requests", "最多 2 次请求"


def test_basic_header(student: Student, fresh: Fresh) -> None:
    """the header is the word Basic, a space, and Base64 of user:password in UTF-8

    请求头是 Basic、一个空格，再加上 user:password（UTF-8）的 Base64
    """
    user, secret = fresh.word(), fresh.word()
    student.basic_header(user, secret).returns(
        _basic(user, secret),
        token_in_lines=lambda got: "\n" in got,
        printed_token=lambda got: "b'" in got or 'b"' in got,
        scheme_missing=_token(user, secret),
    )
    # ???>>> is Pz8/Pj4+: the two letters that another alphabet, the one for URLs, has not.
    secret = f"{fresh.word()}??????:>>>>>>{fresh.word(40)}"
    student.basic_header(user, secret).returns(
        _basic(user, secret),
        colon_forbidden=lambda got: isinstance(got, Raised),
        alphabet_for_urls=_basic(user, secret).replace("+", "-").replace("/", "_"),
        token_in_lines=lambda got: "\n" in got,
    )
    user, secret = fresh.name(), f"密码{fresh.word()}ü"
    student.basic_header(user, secret).returns(
        _basic(user, secret),
        ascii_only=raises("UnicodeEncodeError"),
        latin_1_guessed=lambda got: b"?" in _decoded(got) or b"\xfc" in _decoded(got),
    )
    student.basic_header(f"{fresh.word()}:{fresh.word()}", secret).raises(
        "ValueError", colon_in_user=lambda got: isinstance(got, str)
    )


def test_read_basic(scene: Scene, student: Student, fresh: Fresh) -> None:
    """anybody can read the header back: the first colon parts user and password

    任何人都能还原这个请求头：第一个冒号把用户名和密码分开
    """
    user, secret = fresh.word(), fresh.word()
    student.read_basic(_basic(user, secret)).returns((user, secret), token_not_decoded=(user, _token(user, secret)))
    first, second = fresh.word(), fresh.word()
    student.read_basic(_basic(user, f"{first}:{second}:")).returns(
        (user, f"{first}:{second}:"),
        parted_at_every_colon=lambda got: raises("ValueError").matches(got) or got[1] == first or len(got) > 2,
        parted_at_last_colon=(f"{user}:{first}:{second}", ""),
    )
    name, secret = fresh.name(), f"密码{fresh.word()}"
    for scheme in ("BASIC", "basic", "bAsIc"):
        student.read_basic(_basic(name, secret).replace("Basic", scheme)).returns(
            (name, secret), scheme_has_case=raises("ValueError")
        )
    wrong = {"not_basic_let_through": lambda got: isinstance(got, (tuple, list))}
    secret = fresh.word(12)
    for scheme in ("Bearer", "Basically"):
        got = student.read_basic(_basic(user, secret).replace("Basic", scheme)).raises("ValueError", **wrong)
        assert isinstance(got, Raised)
        scene.expect(got.message, "raised").satisfies(
            lambda text: secret not in text and _token(user, secret) not in text,
            ("a message without the header", "不含这个请求头的消息"),
            password_in_error=lambda text: True,
        )
    student.read_basic(f"Basic {base64.b64encode(fresh.word().encode()).decode()}").raises("ValueError", **wrong)


def test_may_send_password(student: Student, fresh: Fresh) -> None:
    """a password may go over https, or over http as long as it stays on this machine

    密码可以通过 https 发送；通过 http 则只能发给本机
    """
    page = f"/{fresh.word()}"
    student.may_send_password(f"https://{fresh.host()}{page}").returns(True)
    student.may_send_password(f"http://{fresh.host()}{page}").returns(False, clear_text_allowed=True)
    number = fresh.port()
    local = f"127.{fresh.number(1, 254)}.{fresh.number(0, 254)}.{fresh.number(1, 254)}"
    for url in (
        f"http://127.0.0.1:{number}{page}",
        f"http://localhost{page}",
        f"http://{local}:{number}{page}",
        f"http://[::1]:{number}{page}",
    ):
        student.may_send_password(url).returns(True, this_machine_refused=lambda got: got is not True)
    student.may_send_password(f"HTTP://LOCALHOST:{number}{page}").returns(True, case_counts=False)
    student.may_send_password(f"HTTPS://{fresh.host()}{page}").returns(True, case_counts=False)
    for url in (
        f"http://localhost.{fresh.host()}{page}",
        f"http://{fresh.word()}localhost{page}",
        f"http://127.0.0.{fresh.number(256, 999)}{page}",
        f"http://127.0.0.1.{fresh.host()}{page}",
        f"http://localhost:{fresh.number(1, 99)}@{fresh.host()}{page}",
        f"http://{fresh.host()}/127.0.0.1?localhost",
    ):
        student.may_send_password(url).returns(False, looks_like_this_machine=True)
    student.may_send_password(f"ftp://{fresh.host()}{page}").returns(False, other_scheme=True)
    student.may_send_password(f"ftp://127.0.0.1{page}").returns(False, other_scheme=True)


def test_same_site(student: Student, fresh: Fresh) -> None:
    """a site is three things together: scheme, host name and port

    一个站点由三样东西共同决定：协议、主机名和端口
    """
    name, number, a, b = fresh.host(), fresh.port(), f"/{fresh.word()}", f"/{fresh.word()}?x=1"
    student.same_site(f"http://{name}{a}", f"http://{name}{b}").returns(True, whole_url_compared=False)
    student.same_site(f"http://{name}:{number}{a}", f"http://{name}:{number}{b}").returns(True)
    student.same_site(f"http://{name}{a}", f"http://{fresh.host()}{a}").returns(False)
    student.same_site(f"http://{name}:{number}{a}", f"http://{name}:{number + 1}{a}").returns(False, port_ignored=True)
    student.same_site(f"https://{name}:{number}{a}", f"http://{name}:{number}{a}").returns(False, scheme_ignored=True)
    student.same_site(f"https://{name}{a}", f"http://{name}{a}").returns(False, scheme_ignored=True)
    student.same_site(f"http://{name}{a}", f"http://{name}:80{b}").returns(True, default_port_forgotten=False)
    student.same_site(f"https://{name}:443{a}", f"https://{name}{b}").returns(True, default_port_forgotten=False)
    student.same_site(f"http://{name}{a}", f"http://{name}:443{b}").returns(False, port_ignored=True)
    student.same_site(f"HTTP://{name.upper()}{a}", f"http://{name}{b}").returns(True, case_counts=False)
    student.same_site(f"http://{name}{a}", f"http://{name}@{fresh.host()}{a}").returns(False, looks_like_the_host=True)
    student.same_site(f"http://{name}{a}", f"http://{name}.{fresh.host()}{a}").returns(False, looks_like_the_host=True)
    student.same_site(f"http://localhost:{number}{a}", f"http://127.0.0.1:{number}{a}").returns(
        False, host_is_a_name=True
    )
    student.same_site(f"http://[::1]:{number}{a}", f"http://[::1]:{number}{b}").returns(True)
    student.same_site(f"http://[::1]:{number}{a}", f"http://[::1]:{number + 1}{a}").returns(False, port_ignored=True)
    student.same_site(f"http://[::1]:{number}{a}", f"http://[::2]:{number}{a}").returns(False)
    login = f"{fresh.word()}:{fresh.word()}"
    student.same_site(f"http://{login}@{name}{a}", f"http://{name}{b}").returns(True, login_is_no_host=False)


def test_get_page(scene: Scene, student: Student, fresh: Fresh, http: FakeHTTP) -> None:
    """a page behind Basic: the server asks with 401, the right header opens it

    受 Basic 保护的页面：服务器用 401 询问，正确的请求头可以打开它
    """
    (user, secret), text = _login(fresh), f"你好 {fresh.name()}"
    target = f"/page?{fresh.word()}={fresh.word()}"
    scene.now("The page is protected by HTTP Basic.", "页面受 HTTP Basic 保护。")
    http.protect_basic("/page", user, secret, realm=fresh.word(), body=text)
    student.get_page(http.url(target), user, secret).returns(
        text, page_is_utf8=_as_latin_1(text), **_not_let_in(http, user, secret)
    )
    _expect_query(scene, http, target)
    scene.expect([str(request) for request in http.requests], "received").satisfies(
        lambda seen: len(seen) <= 2, TWO_REQUESTS, asked_again_and_again=lambda seen: True
    )
    scene.now(
        "Another page offers two schemes, each in a header of its own: first Bearer, then Basic.",
        "另一个页面提供两种方案，各占一个响应头：先是 Bearer，然后是 Basic。",
    )
    offers = [("WWW-Authenticate", 'Bearer realm="api"'), ("WWW-Authenticate", f'Basic realm="{fresh.word()}"')]
    http.on("GET", "/choice", handler=_guarded(user, secret, text, refusal=Response("", 401, offers)))
    student.get_page(http.url("/choice"), user, secret).returns(
        text, first_scheme_only=lambda got: isinstance(got, Raised), **_not_let_in(http, user, secret)
    )
    scene.now("/lower offers `basic`, in lower case.", "/lower 提供的是小写的 `basic`。")
    refusal = Response("", 401, [("WWW-Authenticate", f'basic realm="{fresh.word()}"')])
    http.on("GET", "/lower", handler=_guarded(user, secret, text, refusal=refusal))
    student.get_page(http.url("/lower"), user, secret).returns(
        text, scheme_has_case=lambda got: isinstance(got, Raised), **_not_let_in(http, user, secret)
    )


def test_refused(scene: Scene, student: Student, fresh: Fresh, http: FakeHTTP) -> None:
    """who is refused gets a PermissionError, after two requests at most; another error is another OSError

    被拒绝时抛出 PermissionError，最多两次请求；其他错误则是别的 OSError
    """
    user, secret, text = fresh.word(), fresh.word(), fresh.word()
    http.protect_basic("/page", user, secret, body=text)
    student.get_page(http.url("/page"), user, secret).returns(text, **_not_let_in(http, user, secret))
    refusal: dict[str, Any] = {
        "error_page_returned": lambda got: isinstance(got, str),
        "refusal_not_translated": raises("OSError"),
    }
    scene.now("Then it is called with a wrong password.", "然后用错误的密码调用。")
    before = len(http.requests)

    def tireless(request: Received) -> Response:
        # Who never gives up is stopped here, so that the test need not wait for a deadline.
        if request.basic == (user, secret):
            return Response(text)
        if len(http.requests) > before + 8:
            return Response("Enough.", 429)
        return Response("No.", 401, [("WWW-Authenticate", f'Basic realm="{fresh.word()}"')])

    http.on("GET", "/page", handler=tireless)
    student.get_page(http.url("/page"), user, fresh.word()).raises(
        "PermissionError",
        asked_again_and_again=lambda got: len(http.requests) > before + 2,
        something_left_behind=text,
        **refusal,
    )
    scene.expect([str(request) for request in http.requests[before:]], "received").satisfies(
        lambda seen: len(seen) <= 2, TWO_REQUESTS, asked_again_and_again=lambda seen: True
    )
    for path, status, headers, english, chinese in (
        (
            "/token",
            401,
            [("WWW-Authenticate", 'Bearer realm="api"')],
            "401, and offers only Bearer",
            "401，只提供 Bearer",
        ),
        ("/forbidden", 403, [], "403, without WWW-Authenticate", "403，没有 WWW-Authenticate"),
        ("/silent", 401, [], "401, without WWW-Authenticate", "401，没有 WWW-Authenticate"),
    ):
        scene.now(f"{path} answers {english}.", f"{path} 回答 {chinese}。")
        http.on("GET", path, status=status, headers=headers, body="No.")
        student.get_page(http.url(path), user, secret).raises(
            "PermissionError",
            **refusal,
            challenge_crashes=raises("Exception"),
        )
    for status in (404, 500, 503):
        scene.now(f"/nothing answers {status}.", f"/nothing 回答 {status}。")
        http.on("GET", "/nothing", status=status, body="Not here.")
        got = student.get_page(http.url("/nothing"), user, secret).raises(
            "OSError", error_page_returned=lambda got: isinstance(got, str)
        )
        _expect_no_refusal(scene, got)


def test_redirects(
    scene: Scene, student: Student, fresh: Fresh, http: FakeHTTP, other_http: FakeHTTP, wire: Wire, authority: Authority
) -> None:
    """redirects are followed: within the site with the password, to another site without it

    重定向要跟过去：站点内带着密码，到别的站点时密码留下
    """
    user, secret, text = fresh.word(), fresh.word(), fresh.word()
    scene.environment["SSL_CERT_FILE"] = authority.ca_file

    def home_again(status: int, location: str, end: str) -> None:
        start = f"/{fresh.word()}/page"
        scene.now(
            f"{start} answers {status}, Location: {location}; both ends want the password.",
            f"{start} 回答 {status}，Location: {location}；两处都需要密码。",
        )
        http.on("GET", start, handler=_guarded(user, secret, Response(status=status, headers=[("Location", location)])))
        http.on("GET", end, handler=_guarded(user, secret, text))

        def reached() -> list[Received]:
            return [request for request in http.requests if request.path == end]

        def missed(got: object) -> bool:
            return bool(http.requests and not reached() and isinstance(got, (Raised, str)))

        student.get_page(http.url(start), user, secret).returns(
            text,
            **_not_let_in(http, user, secret),
            password_lost_on_the_way=lambda got: reached() and not any(request.basic for request in reached()),
            location_not_completed=lambda got: location[0] not in "/h" and missed(got),
            redirect_on_site=missed,
        )

    for status in (302, 301, 307, 308):
        end = f"/{fresh.word()}/page"
        home_again(status, end if status in (302, 307) else http.url(end), end)
    home_again(303, "../next", "/next")

    def carried(server: FakeHTTP, path: str) -> list[str]:
        return [
            value
            for request in server.requests
            if request.path == path
            for value in request.all_headers("Authorization")
        ]

    def came(server: FakeHTTP, path: str) -> bool:
        return any(request.path == path for request in server.requests)

    def follow(home: FakeHTTP, start: str, away: FakeHTTP, url: str, reason: str) -> None:
        end = "/" + url.rpartition("/")[2]
        more = f"{end}/more"
        away.on("GET", end, status=302, headers={"Location": more})
        away.on("GET", more, body=text)
        answer = Response(status=302, headers=[("Location", url)])
        home.on("GET", start, handler=_guarded(user, secret, answer))
        student.get_page(home.url(start), user, secret).returns(
            text,
            **_not_let_in(home, user, secret),
            location_not_completed=lambda got: url.startswith("//") and not came(away, end),
            location_from_first_url=lambda got: came(away, end) and came(home, more) and home is not away,
            redirect_elsewhere=lambda got: home.requests and not came(away, more) and isinstance(got, (Raised, str)),
        )
        for path, mistake in ((end, reason), (more, "password_on_second_hop")):
            scene.expect(carried(away, path), "received").satisfies(
                lambda seen: not seen,
                (f"no Authorization for {path}", f"{path} 没有收到 Authorization"),
                **{mistake: lambda seen: True},
            )

    slashes = f"//127.0.0.1:{other_http.port}/port"
    inside = "There it is one redirect more, within that site."
    inside_zh = "在那里还要再重定向一次，在那个站点之内。"
    scene.now(
        f"/1 on 127.0.0.1 leads to /name on localhost: another host name. {inside}",
        f"127.0.0.1 上的 /1 指向 localhost 上的 /name：主机名不同。{inside_zh}",
    )
    follow(http, "/1", http, http.url("/name", host="localhost"), "password_follows_redirect")
    scene.now(f"/2 over https leads to /scheme over http. {inside}", f"https 的 /2 指向 http 的 /scheme。{inside_zh}")
    with FakeHTTP(wire, tls=authority.good, name="secure") as secure:
        follow(secure, "/2", other_http, other_http.url("/scheme"), "password_leaves_https")
        scene.now(
            f"/5 over http leads to /secured over https, on the same host. {inside}",
            f"http 的 /5 指向同一主机上 https 的 /secured。{inside_zh}",
        )
        follow(http, "/5", secure, secure.url("/secured"), "password_follows_to_https")
    scene.now(
        f"/3 leads to /port, on another port of the same host, by Location: {slashes}. {inside}",
        f"/3 用 Location: {slashes} 指向同一主机另一个端口上的 /port。{inside_zh}",
    )
    follow(http, "/3", other_http, slashes, "password_follows_to_port")
    scene.now(
        "/4 wants no password; it leads to another site, whose page /asks wants one.",
        "/4 不需要密码；它指向另一个站点，那里的 /asks 需要密码。",
    )
    http.on("GET", "/4", status=302, headers={"Location": other_http.url("/asks")})
    other_http.protect_basic("/asks", user, secret, body=text)
    student.get_page(http.url("/4"), user, secret).raises(
        "PermissionError",
        password_for_whoever_asks=lambda got: bool(carried(other_http, "/asks")),
        error_page_returned=lambda got: isinstance(got, str),
        refusal_not_translated=raises("Exception"),
    )
    scene.expect(carried(other_http, "/asks"), "received").satisfies(
        lambda seen: not seen,
        ("no Authorization for /asks", "/asks 没有收到 Authorization"),
        password_for_whoever_asks=lambda seen: True,
    )


def test_hidden_page(scene: Scene, student: Student, fresh: Fresh, http: FakeHTTP, other_http: FakeHTTP) -> None:
    """a server that never asks: the password goes without being asked, and still to this site alone

    从不询问的服务器：不等它问就发送密码，但仍然只发给这个站点
    """
    (user, secret), text = _login(fresh), fresh.word()
    nothing = Response("There is no such page.", 404)
    mistakes = _not_let_in(http, user, secret)
    mistakes["hidden_page"] = mistakes.pop("no_password_sent")
    scene.now("A stranger gets 404 here, without WWW-Authenticate.", "陌生人在这里得到 404，没有 WWW-Authenticate。")
    http.on("GET", "/private", handler=_guarded(user, secret, text, nothing))
    student.get_hidden_page(http.url("/private"), user, secret).returns(text, **mistakes)
    scene.now("The same with a wrong password: 404 again.", "同一个页面，密码不对：还是 404。")
    got = student.get_hidden_page(http.url("/private"), user, fresh.word()).raises(
        "OSError", something_left_behind=text, error_page_returned=lambda got: isinstance(got, str)
    )
    _expect_no_refusal(scene, got)
    scene.now("/moved leads to /private.", "/moved 指向 /private。")
    moved = Response(status=302, headers=[("Location", "/private")])
    http.on("GET", "/moved", handler=_guarded(user, secret, moved, nothing))
    student.get_hidden_page(http.url("/moved"), user, secret).returns(
        text, password_lost_on_the_way=lambda got: raises("OSError").matches(got), **mistakes
    )
    scene.now(
        "/away leads to another site, where it is one redirect more.",
        "/away 指向另一个站点，在那里还要再重定向一次。",
    )
    away = Response(status=302, headers=[("Location", other_http.url("/port"))])
    http.on("GET", "/away", handler=_guarded(user, secret, away, nothing))
    _expect_left_at_home(scene, other_http, text, lambda: student.get_hidden_page(http.url("/away"), user, secret))
    scene.now("Wrong user, and the server says 403.", "用户不对，服务器回答 403。")
    http.on("GET", "/closed", status=403, body="No.")
    student.get_hidden_page(http.url("/closed"), fresh.word(), secret).raises(
        "PermissionError",
        error_page_returned=lambda got: isinstance(got, str),
        refusal_not_translated=raises("Exception"),
    )


def test_login_in_url(
    scene: Scene, student: Student, fresh: Fresh, http: FakeHTTP, other_http: FakeHTTP, wire: Wire
) -> None:
    """user and password in the URL are taken out, decoded, and sent as a header

    URL 里的用户名和密码要取出来、解码，再放进请求头
    """
    user, text = fresh.word(), fresh.word()
    secret = f"{fresh.word()}@:/+üü%"
    encoded = quote(secret, safe="+:")
    written, target = f"{user}:{encoded}", f"/page?{fresh.word()}={fresh.word()}"
    scene.now("The page is protected by HTTP Basic.", "页面受 HTTP Basic 保护。")
    http.protect_basic("/page", user, secret, body=text)

    def url(login: str, path: str) -> str:
        return http.url(path).replace("://", f"://{login}@")

    def sent() -> tuple[str, str] | None:
        return next((request.basic for request in reversed(http.requests) if request.basic), None)

    student.get_by_url(url(written, target)).returns(
        text,
        decoded_too_early=lambda got: (
            not http.connections and (_raised(got, "PermissionError") or raises("ValueError", "Port").matches(got))
        ),
        login_in_url=lambda got: _raised(got, "OSError", "HTTPException") and not http.requests,
        login_not_decoded=lambda got: sent() == (user, encoded),
        plus_is_no_space=lambda got: sent() == (user, unquote_plus(encoded)),
        parted_at_every_colon=lambda got: sent() == (user, secret.partition(":")[0]),
        **_not_let_in(http, user, secret),
    )
    scene.expect([request.header("Host") for request in http.requests], "received").satisfies(
        lambda hosts: all(host == f"127.0.0.1:{http.port}" for host in hosts),
        f"Host: 127.0.0.1:{http.port}",
        login_in_url=lambda hosts: True,
    )
    _expect_query(scene, http, target)
    scene.now("A URL with a user and no password.", "URL 里只有用户名，没有密码。")
    http.protect_basic("/user", user, "", body=text)
    student.get_by_url(url(user, "/user")).returns(
        text,
        none_is_no_password=lambda got: raises("TypeError").matches(got) or sent() == (user, "None"),
        user_without_password=lambda got: raises("OSError").matches(got),
    )
    if has_ipv6():
        scene.now("The host is an IPv6 address, in brackets.", "主机是 IPv6 地址，写在方括号里。")
        with FakeHTTP(wire, host="::1") as sixth:
            sixth.protect_basic("/page", user, secret, body=text)
            student.get_by_url(sixth.url("/page").replace("://", f"://{written}@")).returns(
                text, brackets_lost=lambda got: isinstance(got, Raised) and got.type != "PermissionError"
            )
            host = f"[::1]:{sixth.port}"
            scene.expect([request.header("Host") for request in sixth.requests], "received").satisfies(
                lambda seen: all(each == host for each in seen), f"Host: {host}", brackets_lost=lambda seen: True
            )
    scene.now("/moved leads to /page.", "/moved 指向 /page。")
    moved = Response(status=302, headers=[("Location", "/page")])
    http.on("GET", "/moved", handler=_guarded(user, secret, moved))
    student.get_by_url(url(written, "/moved")).returns(text, password_lost_on_the_way=raises("OSError"))
    scene.now(
        "/away leads to another site, where it is one redirect more.",
        "/away 指向另一个站点，在那里还要再重定向一次。",
    )
    away = Response(status=302, headers=[("Location", other_http.url("/port"))])
    http.on("GET", "/away", handler=_guarded(user, secret, away))
    _expect_left_at_home(scene, other_http, text, lambda: student.get_by_url(url(written, "/away")))
    scene.now("/nothing answers 404.", "/nothing 回答 404。")
    http.on("GET", "/nothing", status=404, body="Not here.")
    got = student.get_by_url(url(written, "/nothing")).raises(
        "OSError", error_page_returned=lambda got: isinstance(got, str)
    )
    _expect_no_refusal(scene, got)

    def expect_nothing_sent(before: int) -> None:
        seen = [request.header("Authorization") for request in http.requests[before:]]
        scene.expect(seen, "received").satisfies(
            lambda seen: not any(seen),
            ("no Authorization", "没有 Authorization"),
            none_is_no_password=lambda seen: any(b"None" in _decoded(header) for header in seen if header),
            header_without_user=any,
        )

    scene.now("A URL without a login, and a page for everybody.", "URL 里没有用户名，页面对所有人开放。")
    http.on("GET", "/open", body=text)
    before = len(http.requests)
    student.get_by_url(http.url("/open")).returns(text, no_login_crashes=lambda got: isinstance(got, Raised))
    expect_nothing_sent(before)
    scene.now("A URL without a login; the @ is in its query.", "URL 里没有用户名；@ 在查询部分里。")
    before = len(http.requests)
    student.get_by_url(http.url(f"/open?mail={fresh.word()}:{fresh.word()}@example.com")).returns(text)
    expect_nothing_sent(before)
    scene.now("A URL without a login, and a page that wants one.", "URL 里没有用户名，页面却要登录。")
    before = len(http.requests)
    student.get_by_url(http.url("/page")).raises(
        "PermissionError",
        something_left_behind=text,
        error_page_returned=lambda got: isinstance(got, str),
        refusal_not_translated=raises("Exception"),
    )
    expect_nothing_sent(before)


def test_log_in(scene: Scene, student: Student, fresh: Fresh, http: FakeHTTP) -> None:
    """a form is sent by POST; the cookies come with the answer to it, even if that is a redirect

    表单用 POST 发送；cookie 随它的应答而来，即使应答是重定向
    """
    user, secret = fresh.name(), f"{fresh.word()}&x=1+2 %é"
    cookies = {"session": f"{fresh.word()}==", "lang": fresh.word(), "title": f'"{fresh.word()} {fresh.word()}"'}
    expires = "Expires=Wed, 21 Oct 2099 07:28:00 GMT"

    def form(welcome: int, refusal: int) -> Callable[[Received], Response]:
        def answer(request: Received) -> Response:
            if request.media_type != FORM or dict(request.form()) != {"user": user, "password": secret}:
                return Response("Wrong user or password.", refusal)
            headers = [
                ("Location", "/start"),
                ("Set-Cookie", f"session={cookies['session']}; {expires}; Path=/; HttpOnly"),
                ("Set-Cookie", f"lang={cookies['lang']}; Path=/"),
                ("Set-Cookie", f"title={cookies['title']}; Path=/"),
            ]
            return Response(status=welcome, headers=headers)

        return answer

    def started() -> bool:
        return any(request.path == "/start" for request in http.requests)

    http.on("GET", "/start", body="Welcome.")
    for welcome, refusal in ((303, 403), (302, 401)):
        scene.now(
            f"The form answers {welcome} to who is let in, with three cookies, and {refusal} to others.",
            f"表单对登录成功者回答 {welcome} 并设置三个 cookie，对其他人回答 {refusal}。",
        )
        http.on("POST", "/login", handler=form(welcome, refusal))
        student.log_in(http.url("/login"), user, secret).returns(
            cookies,
            **_form_mistakes(http),
            form_not_encoded=lambda got: dict(_last(http, "/login").form()) != {"user": user, "password": secret},
            cookies_of_redirect_missed=lambda got: started() and (got == {} or isinstance(got, Raised)),
            cookies_folded=lambda got: (
                raises("ValueError").matches(got) or (any("2099" in name for name in got) and "Expires" not in got)
            ),
            attributes_are_no_cookies=lambda got: {"path", "expires", "httponly"} & {name.lower() for name in got},
            one_cookie_only=lambda got: len(got) == 1 and set(got) <= set(cookies),
            cookie_value_cut=lambda got: got["session"] == cookies["session"].partition("=")[0],
            cookie_quotes_lost=lambda got: got == {**cookies, "title": cookies["title"].strip('"')},
        )
        student.log_in(http.url("/login"), user, fresh.word()).raises(
            "PermissionError",
            refused_login_unnoticed=lambda got: isinstance(got, dict),
            refusal_not_translated=raises("Exception"),
        )


def test_visit(scene: Scene, student: Student, fresh: Fresh, http: FakeHTTP) -> None:
    """one session: the cookies go along and are kept up to date; another call is another session

    一次会话：cookie 一路带着并随时更新；另一次调用就是另一次会话
    """
    secret = fresh.word()
    first, second = fresh.word(), fresh.word()
    current: dict[str, str] = {}
    """The value of the session's cookie that the server will accept → the user."""

    def set_cookie(user: str) -> list[tuple[str, str]]:
        value = fresh.word()
        current[value] = user
        return [("Set-Cookie", f"session={value}; Path=/; HttpOnly")]

    def login(request: Received) -> Response:
        given = dict(request.form())
        if given.get("password") != secret:
            return Response("Wrong user or password.", 401)
        # A cookie that only the first session has: whoever sends it later has kept a jar.
        hint = [("Set-Cookie", "tour=1; Path=/")] if given["user"] == first else []
        return Response(status=303, headers=[("Location", "/start"), *set_cookie(given["user"]), *hint])

    def changing(status: int, text: str, *headers: tuple[str, str]) -> Callable[[Received], Response]:
        """A page for the session alone, whose answer gives the cookie a new value."""

        def answer(request: Received) -> Response:
            user = current.pop(request.cookies.get("session", ""), None)
            if user is None:
                return Response("Log in.", 401)
            return Response(text.format(user), status, [*headers, *set_cookie(user)])

        return answer

    def reading(text: str) -> Callable[[Received], Response]:
        """A page for the session alone."""

        def answer(request: Received) -> Response:
            user = current.get(request.cookies.get("session", ""))
            return Response(text.format(user)) if user else Response("Log in.", 401)

        return answer

    http.on("POST", "/login", handler=login)
    http.on("GET", "/start", body="Welcome.")
    http.on("GET", "/home", handler=changing(200, "home of {}"))
    http.on("GET", "/news", handler=reading("news for {}"))
    http.on("GET", "/staff", handler=changing(403, "Staff only."))
    http.on("GET", "/lounge", status=401, body="Members only.")
    http.on("GET", "/old", handler=changing(302, "", ("Location", "/new")))
    http.on("GET", "/new", handler=reading("new page of {}"))
    pages = ["/home", "/news", "/staff", "/news", "/lounge", "/old"]

    def visit(user: str) -> None:
        start = len(http.requests)

        def brought(path: str) -> list[str | None]:
            return [request.cookies.get("session") for request in http.requests[start:] if request.path == path]

        student.visit(http.url("/login"), user, secret, [http.url(path) for path in pages]).returns(
            [f"home of {user}", f"news for {user}", None, f"news for {user}", None, f"new page of {user}"],
            **_form_mistakes(http),
            something_left_behind=lambda got: bool(_last(http, "/login").cookies),
            cookies_forgotten=lambda got: brought("/home") and not any(brought("/home")),
            new_value_ignored=lambda got: brought("/news") and brought("/home")[0] == brought("/news")[0],
            cookie_of_refusal_ignored=lambda got: brought("/staff")[0] == brought("/news")[1],
            error_page_returned=lambda got: len(got) == len(pages) and any(isinstance(got[at], str) for at in (2, 4)),
            redirect_on_site=lambda got: brought("/old") and not brought("/new"),
            cookies_of_redirect_missed=lambda got: brought("/old")[0] == brought("/new")[0],
            refusal_ends_visit=lambda got: brought("/staff") and (_raised(got, "OSError") or len(got) < len(pages)),
        )
        kept = sorted({name for request in http.requests[start:] for name in request.cookies} - {"session"})
        scene.expect(kept, "received").equals(
            ["tour"] if user == first else [], something_left_behind=["tour"], cookies_forgotten=[]
        )
        scene.expect(http.request_to("/login").cookies, "received").equals({}, something_left_behind=bool)

    scene.now(
        "/home, /staff (403) and /old (302, to /new) each give the session's cookie a new value, which the page "
        "after it wants; /lounge answers 401.",
        "/home、/staff（403）和 /old（302，指向 /new）都给会话 cookie 换一个新值，下一个页面要的就是新值；"
        "/lounge 回答 401。",
    )
    visit(first)
    scene.now(
        "Then another user logs in, with another call. Only the first login set the cookie tour.",
        "然后另一个用户登录，是另一次调用。只有第一次登录设置了 cookie tour。",
    )
    visit(second)
    if sys.platform != "win32":  # where this address leads nowhere
        open_page = http.url("/open", host="0.0.0.0")
        scene.now(
            f"Then somebody logs in and gets {open_page}, an open page.",
            f"然后有人登录，再取公开的页面 {open_page}。",
        )
        http.on("GET", "/open", body=secret)
        student.visit(http.url("/login"), second, secret, [open_page]).returns(
            [secret],
            page_of_visit_refused=lambda got: _raised(got, "PermissionError") or got == [None],
        )
    scene.now("Then a stranger asks for /news, by get_by_url.", "然后一个陌生人用 get_by_url 请求 /news。")
    before = len(http.requests)
    student.get_by_url(http.url("/news")).raises(
        "PermissionError",
        something_left_behind=lambda got: any(request.cookies for request in http.requests[before:]),
        error_page_returned=lambda got: isinstance(got, str),
        no_login_crashes=lambda got: _raised(got, "TypeError", "AttributeError"),
        refusal_not_translated=raises("Exception"),
    )
    scene.now(
        "Then somebody logs in with a wrong password: the form answers 401.",
        "然后有人用错误的密码登录：表单回答 401。",
    )
    student.visit(http.url("/login"), first, fresh.word(), [http.url("/home")]).raises(
        "PermissionError",
        refused_login_unnoticed=lambda got: isinstance(got, list),
        refusal_not_translated=raises("Exception"),
    )


def test_cookie_rules(
    scene: Scene, student: Student, fresh: Fresh, http: FakeHTTP, https: FakeHTTP, other_http: FakeHTTP
) -> None:
    """a cookie goes where its attributes say: Path, Secure, its own host, until Max-Age=0

    cookie 按属性行事：Path、Secure、只回自己的主机，直到 Max-Age=0
    """
    user, secret, text = fresh.word(), fresh.word(), fresh.word()
    values = {name: fresh.word() for name in ("session", "cart", "list", "lock", "bolt", "lang")}
    expect = scene.expect

    def visit(server: FakeHTTP, cookies: dict[str, str], *urls: str) -> None:
        """Log in at the server, which sets these cookies (name → attributes), and get the pages."""
        lines = [f"{name}={values[name]}; {attributes}" for name, attributes in cookies.items()]
        paths = ", ".join(urlsplit(url).path for url in urls)
        scene.now(
            f"The login sets {' · '.join(lines)}. Then come {paths}.",
            f"登录时设置 {' · '.join(lines)}。然后是 {paths}。",
        )
        server.on("POST", "/login", headers=[("Set-Cookie", line) for line in lines], body="Welcome.")
        student.visit(server.url("/login"), user, secret, list(urls)).returns([text] * len(urls))

    def at(server: FakeHTTP, path: str) -> dict[str, dict[str, str]]:
        """The cookies that came with the request to this path."""
        return {path: server.request_to(path).cookies}

    def wanted(path: str, *names: str) -> dict[str, dict[str, str]]:
        return {path: {name: values[name] for name in names}}

    for path in ("/home", "/shop", "/shop/cart", "/shopping", "/back", "/end"):
        http.on("GET", path, body=text)
    both = {"session": "Path=/; Max-Age=3600", "cart": "Path=/shop", "list": "path=/shop", "lang": "PATH=/shop"}
    visit(http, both, *map(http.url, ("/home", "/shop/cart", "/shopping", f"/shop?{fresh.word()}=1")))
    expect(at(http, "/home"), "received").equals(
        wanted("/home", "session"),
        cookies_forgotten=lambda got: "session" not in got["/home"],
        attribute_has_case=lambda got: {"list", "lang"} & set(got["/home"]) and "cart" not in got["/home"],
        path_ignored=lambda got: "cart" in got["/home"],
    )
    expect(at(http, "/shop/cart"), "received").equals(
        wanted("/shop/cart", "session", "cart", "list", "lang"),
        path_taken_exactly=lambda got: "cart" not in got["/shop/cart"],
    )
    expect(at(http, "/shopping"), "received").equals(
        wanted("/shopping", "session"), path_is_no_prefix=lambda got: "cart" in got["/shopping"]
    )
    expect(at(http, "/shop"), "received").equals(wanted("/shop", "session", "cart", "list", "lang"))

    https.on("GET", "/home", body=text)
    other_http.on("GET", "/plain", body=text)
    locked = {"session": "Path=/", "lock": "Path=/; Secure", "bolt": "Path=/; secure"}
    visit(https, locked, https.url("/home"), other_http.url("/plain"))
    expect(at(https, "/home"), "received").equals(
        wanted("/home", "session", "lock", "bolt"), cookies_forgotten=lambda got: "session" not in got["/home"]
    )
    scene.tell("/plain is on the same host, but over http.", "/plain 在同一主机上，但走的是 http。")
    expect(at(other_http, "/plain"), "received").satisfies(
        lambda got: not {"lock", "bolt"} & set(got["/plain"]),
        ("neither lock nor bolt, which are Secure", "没有 lock 和 bolt，它们是 Secure 的"),
        attribute_has_case=lambda got: "lock" not in got["/plain"],
        secure_in_clear=lambda got: True,
    )

    there = other_http.url("/there", host="localhost")
    http.on("GET", "/out", status=302, headers={"Location": there})
    for path in ("/stranger", "/there"):
        other_http.on("GET", path, body=text)
    visit(http, {"session": "Path=/"}, other_http.url("/stranger", host="localhost"), http.url("/out"))
    scene.tell("/stranger is on localhost, another host name.", "/stranger 在 localhost 上，是另一个主机名。")
    expect(at(other_http, "/stranger"), "received").equals(
        wanted("/stranger"), cookie_to_other_host=lambda got: got["/stranger"]
    )
    scene.tell(f"/out leads to {there}.", f"/out 指向 {there}。")
    expect(at(other_http, "/there"), "received").equals(
        wanted("/there"), cookie_follows_redirect=lambda got: got["/there"]
    )

    theirs = ("session=theirs; Path=/", "lang=theirs; Path=/; Max-Age=0")
    other_http.on("GET", "/theirs", headers=[("Set-Cookie", line) for line in theirs], body=text)
    mine = {"session": "Path=/", "lang": "Path=/"}
    visit(http, mine, other_http.url("/theirs", host="localhost"), http.url("/back"))
    scene.tell(
        f"/theirs is on localhost, another host name, and says {' · '.join(theirs)}",
        f"/theirs 在 localhost 上，是另一个主机名，它说 {' · '.join(theirs)}",
    )
    expect(at(http, "/back"), "received").equals(wanted("/back", "session", "lang"))

    gone = ("session=gone; Path=/; Max-Age=0", "list=gone; Path=/; max-age=0")
    http.on("GET", "/logout", headers=[("Set-Cookie", line) for line in gone], body=text)
    names = {"session": "Path=/", "list": "Path=/", "lang": "Path=/"}
    visit(http, names, http.url("/logout"), http.url("/end"))
    scene.tell(f"/logout says {' · '.join(gone)}", f"/logout 说 {' · '.join(gone)}")
    expect(at(http, "/end"), "received").equals(
        wanted("/end", "lang"),
        attribute_has_case=lambda got: "list" in got["/end"] and "session" not in got["/end"],
        deleted_cookie_sent=lambda got: "session" in got["/end"],
    )


def test_digest(student: Student, fresh: Fresh) -> None:
    """Digest proves that you know the password, without sending it

    Digest 证明你知道密码，却不发送密码
    """
    for algorithm, qop in (
        (None, "auth"),
        ("MD5", "auth"),
        ("SHA-256", "auth"),
        (fresh.one_of(["sha-256", "Sha-256"]), "auth"),
        ("md5", fresh.one_of(["auth,auth-int", "auth-int,auth", "auth-int, auth"])),
    ):
        challenge = {"realm": f"{fresh.name()} {fresh.word()}", "nonce": fresh.word(20), "qop": qop}
        if algorithm:
            challenge["algorithm"] = algorithm
        user, secret, target = fresh.name(), f"{fresh.word()}:密码", f"/{fresh.word()}?x={fresh.word()}"
        method, cnonce, count = fresh.one_of(["GET", "POST", "PUT"]), fresh.word(12), fresh.number(10, 14)
        given = (challenge, user, secret, method, target, cnonce, count)
        mistakes: dict[str, Any] = {
            "count_in_upper_case": lambda got, given=given: got == _digest(*given, nc=f"{given[-1]:08X}"),
            "count_not_eight_digits": lambda got, given=given: got in (
                _digest(*given, nc=f"{given[-1]:x}"), _digest(*given, nc=f"{given[-1]}"),
                _digest(*given, nc=f"{given[-1]:08d}"),
            ),
            "qop_left_out": _digest(*given, old=True),
        }  # fmt: skip
        if algorithm is None:
            mistakes["algorithm_must_be_named"] = raises("LookupError")
        elif algorithm in ("md5", "sha-256", "Sha-256"):
            mistakes["algorithm_has_case"] = lambda got, given=given: (
                raises("Exception").matches(got) or (got == _digest(*given, name="md5") != _digest(*given))
            )
        elif algorithm == "SHA-256":
            mistakes["md5_only"] = lambda got, given=given: (
                raises("Exception").matches(got) or (got == _digest(*given, name="md5"))
            )
        if qop != "auth":
            mistakes["qop_is_a_list"] = lambda got, given=given: (
                raises("Exception").matches(got) or (got == _digest(*given, qop=given[0]["qop"]))
            )
            mistakes = dict(reversed(mistakes.items()))
        student.digest_response(*given).returns(_digest(*given), **mistakes)
    challenge = {"realm": fresh.word(), "nonce": fresh.word(), "qop": "auth-int"}
    rest = (fresh.word(), fresh.word(), "GET", "/", fresh.word(), 1)
    student.digest_response(challenge, *rest).raises(
        "ValueError", auth_int_taken_for_auth=lambda got: isinstance(got, str)
    )
    challenge = {**challenge, "qop": "auth", "algorithm": fresh.word().upper()}
    student.digest_response(challenge, *rest).raises(
        "ValueError", unknown_algorithm_guessed=lambda got: isinstance(got, str)
    )


def test_clear_text(
    scene: Scene, student: Student, fresh: Fresh, http: FakeHTTP, wire: Wire, authority: Authority
) -> None:
    """first promise: nothing is sent where may_send_password says no, nor where the certificate is wrong

    第一个承诺：may_send_password 说不行，或者证书不对，就什么也不发送
    """
    user, secret = fresh.word(), fresh.word()
    scene.environment["SSL_CERT_FILE"] = authority.ca_file

    def offer(server: FakeHTTP) -> None:
        server.protect_basic("/page", user, secret)
        server.on("POST", "/login", headers={"Set-Cookie": f"session={fresh.word()}; Path=/"}, body="Welcome.")

    scene.now(
        "0.0.0.0 is not among the hosts that may get a password over http. (Here it leads to the test's server.)",
        "0.0.0.0 不在可以用 http 收密码的主机之列。（在这里它通向测试的服务器。）",
    )
    offer(http)
    mistakes: dict[str, Any] = {
        "password_in_the_clear": lambda got: any(r.basic or r.method == "POST" for r in http.requests),
        "asked_before_refusing": lambda got: bool(http.requests),
    }
    page, form = http.url("/page", host="0.0.0.0"), http.url("/login", host="0.0.0.0")
    for name, arguments in _every_way(page, form, user, secret):
        getattr(student, name)(*arguments).raises("PermissionError", **mistakes)
        scene.expect([str(request) for request in http.requests], "received").equals([], **mistakes)
    for context, english, chinese, some in (
        (
            authority.unknown_ca,
            "was issued by nobody whom your program trusts",
            "由你的程序不信任的机构签发",
            (0, 2, 4),
        ),
        (authority.wrong_host, "is for another host", "属于另一个主机", (0, 1, 3)),
    ):
        scene.now(f"Over https; the server's certificate {english}.", f"走 https；服务器的证书{chinese}。")
        with FakeHTTP(wire, tls=context, name="impostor") as impostor:
            offer(impostor)
            ways = _every_way(impostor.url("/page"), impostor.url("/login"), user, secret)
            for name, arguments in (ways[at] for at in some):
                getattr(student, name)(*arguments).raises(
                    "OSError",
                    certificate_not_checked=lambda got, server=impostor: bool(server.requests),
                    token_in_lines=raises("ValueError", "Invalid header value"),
                )
                seen = [str(request) for request in impostor.requests]
                scene.expect(seen, "received").equals([], certificate_not_checked=bool)
            scene.now(
                f"A login over http on this machine, then a page over https; its server's certificate {english}.",
                f"在本机走 http 登录，然后取一个走 https 的页面；它的服务器的证书{chinese}。",
            )
            student.visit(http.url("/login"), user, secret, [impostor.url("/page")])  # what comes of it is left open
            seen = [str(request) for request in impostor.requests]
            scene.expect(seen, "received").equals([], certificate_not_checked=bool)


def test_nothing_printed(scene: Scene, student: Student, fresh: Fresh, http: FakeHTTP) -> None:
    """second promise: no password on the screen, in a log or in an error's text

    第二个承诺：密码不出现在屏幕、日志和异常文本里
    """
    user, secret, wrong = fresh.word(), fresh.word(12), fresh.word(12)

    def form(request: Received) -> Response:
        if dict(request.form()).get("password") != secret:
            return Response("Wrong user or password.", 401)
        return Response("Welcome.", 200, [("Set-Cookie", f"session={fresh.word()}; Path=/")])

    http.protect_basic("/page", user, secret)
    http.on("POST", "/login", handler=form)
    http.on("GET", "/open", body="welcome")
    page, login = http.url("/page"), http.url("/login")
    scene.now("The password is right.", "密码是对的。")
    student.get_page(page, user, secret).returns("welcome", **_not_let_in(http, user, secret))
    student.get_hidden_page(page, user, secret).returns("welcome", **_not_let_in(http, user, secret))
    student.get_by_url(page.replace("://", f"://{user}:{secret}@")).returns("welcome")
    student.log_in(login, user, secret).value(**_form_mistakes(http))
    student.visit(login, user, secret, [http.url("/open")]).value(**_form_mistakes(http))

    def refused(page: str, login: str, english: str, chinese: str) -> None:
        for name, arguments in _every_way(page, login, user, wrong):
            scene.now(english, chinese)
            raised = getattr(student, name)(*arguments).raises(
                "PermissionError",
                something_left_behind="welcome",
                error_page_returned=lambda got: isinstance(got, str),
                refused_login_unnoticed=lambda got: isinstance(got, (dict, list)),
                refusal_not_translated=raises("Exception"),
            )
            scene.expect(raised, "raised").satisfies(
                lambda raised: not _tells(raised.message, user, wrong),
                ("a message without the password", "文本里没有密码"),
                password_in_error=lambda raised: True,
            )
            link = raised.cause
            while link is not None:
                scene.expect(link, "raised").satisfies(
                    lambda link: not _tells(link.message, user, wrong),
                    ("a cause whose message is without the password", "原因的文本里没有密码"),
                    password_in_cause=lambda link: True,
                )
                link = link.cause

    refused(page, login, "The password is wrong, so the server refuses.", "密码不对，服务器拒绝。")
    page, login = http.url("/page", host="0.0.0.0"), http.url("/login", host="0.0.0.0")
    refused(page, login, "This host may not have a password over http.", "不能通过 http 把密码发给这个主机。")
    scene.now("All calls have ended.", "所有调用都已结束。")
    lines = scene.printed().splitlines()
    telling = [line for line in lines if _tells(line, user, secret) or _tells(line, user, wrong)]
    # Of all the calls, not of the last one: an expectation that tells no call.
    Expectation(scene, telling, "you_printed").satisfies(
        lambda lines: not lines,
        ("nothing that gives the password away", "没有泄露密码的内容"),
        password_printed=lambda lines: True,
    )


# --- what the tests share -----------------------------------------------------------------------------------


def _every_way(page: str, form: str, user: str, password: str) -> list[tuple[str, tuple[Any, ...]]]:
    """The functions that send a password, and what to call them with."""
    login = page.replace("://", f"://{user}:{password}@")
    return [
        ("get_page", (page, user, password)),
        ("get_hidden_page", (page, user, password)),
        ("get_by_url", (login,)),
        ("log_in", (form, user, password)),
        ("visit", (form, user, password, [page])),
    ]


def _expect_query(scene: Scene, server: FakeHTTP, target: str) -> None:
    """The query of the URL came along in all the requests."""
    scene.expect([str(request) for request in server.requests], "received").satisfies(
        lambda seen: all(line.endswith(target) for line in seen), f"GET {target}", query_lost=lambda seen: True
    )


def _expect_no_refusal(scene: Scene, got: Raised) -> None:
    """The exception is another OSError than PermissionError."""
    scene.expect(got, "raised").satisfies(
        lambda got: "PermissionError" not in got.bases,
        ("an OSError that is no PermissionError", "不是 PermissionError 的 OSError"),
        every_error_is_refusal=lambda got: True,
    )


def _expect_left_at_home(scene: Scene, other: FakeHTTP, text: str, call: Callable[[], Answer]) -> None:
    """A page that leads to /port on the other site, and there to /port/more: no password comes along."""
    other.on("GET", "/port", status=302, headers={"Location": "/port/more"})
    other.on("GET", "/port/more", body=text)
    call().returns(text, redirect_elsewhere=lambda got: "/port/more" not in [r.path for r in other.requests])
    for path, reason in (("/port", "password_follows_redirect"), ("/port/more", "password_on_second_hop")):
        seen = [request.header("Authorization") for request in other.requests if request.path == path]
        scene.expect(seen, "received").satisfies(
            lambda seen: not any(seen),
            (f"no Authorization for {path}", f"{path} 没有收到 Authorization"),
            **{reason: lambda seen: True},
        )


def _token(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def _basic(user: str, password: str) -> str:
    return f"Basic {_token(user, password)}"


def _decoded(header: str) -> bytes:
    return base64.b64decode(header.partition(" ")[2])


def _login(fresh: Fresh) -> tuple[str, str]:
    """User and password outside ASCII, whose Base64 is the same in both of its alphabets."""
    while True:
        user, password = fresh.name(), f"{fresh.word()}:密码"
        if not set("+/") & set(_token(user, password)):
            return user, password


def _as_latin_1(text: str) -> str:
    """What becomes of UTF-8 that is read as latin-1."""
    return text.encode().decode("latin-1")


def _last(server: FakeHTTP, path: str) -> Received:
    """The last request to this path. In a mistake: none has come, so it is not this mistake (LookupError)."""
    return [request for request in server.requests if request.path == path][-1]


def _guarded(
    user: str, password: str, answer: str | Response, refusal: Response | None = None
) -> Callable[[Received], Response | str]:
    """A handler that gives the answer to this user and password alone."""
    asks = Response("Who are you?", 401, [("WWW-Authenticate", 'Basic realm="dojo"')])
    return lambda request: answer if request.basic == (user, password) else refusal or asks


def _form_mistakes(server: FakeHTTP) -> dict[str, Any]:
    """The ways in which a form does not arrive, by what the server saw."""

    def posted() -> Received:
        return _last(server, "/login")

    return {
        "form_not_in_body": lambda got: posted().method != "POST" or not posted().body,
        "form_of_other_type": lambda got: posted().media_type != FORM,
    }


def _not_let_in(server: FakeHTTP, user: str, password: str) -> dict[str, Any]:
    """The ways not to come in although the password is right, by what the server saw."""

    def sent() -> list[str]:
        return [value for request in server.requests for value in request.all_headers("Authorization")]

    def failed(got: object) -> bool:
        return _raised(got, "OSError", "HTTPException", "ValueError")

    def garbled(value: str) -> bool:
        try:
            return b"?" in _decoded(value) or not _decoded(value).decode("utf-8")
        except ValueError:
            return True

    return {
        "scheme_missing": lambda got: failed(got) and not all(map(_is_basic, sent())),
        "printed_token": lambda got: failed(got) and any("b'" in value for value in sent()),
        "no_password_sent": lambda got: (
            not sent() and (_raised(got, "OSError") or got in ("Who are you?", "Who are you?\n"))
        ),
        "latin_1_guessed": lambda got: failed(got) and any(map(garbled, sent())),
    }


def _is_basic(header: str) -> bool:
    return header.lower().startswith("basic ")


def _raised(got: object, *types: str) -> bool:
    return any(raises(name).matches(got) for name in types)


def _tells(text: str, user: str, password: str) -> bool:
    """Whether a text gives the password away: itself, or the header that holds it."""
    return password in text or _token(user, password) in text or _token(user, password) in unquote(text)


def _digest(
    challenge: dict[str, str],
    user: str,
    password: str,
    method: str,
    target: str,
    cnonce: str,
    count: int,
    *,
    name: str = "",
    nc: str = "",
    qop: str = "auth",
    old: bool = False,
) -> str:
    """The response by RFC 7616; with the keywords, what some mistake makes of it."""
    made = hashlib.new(name or challenge.get("algorithm", "md5").lower().replace("-", "")).copy

    def hashed(text: str) -> str:
        one = made()
        one.update(text.encode())
        return one.hexdigest()

    first, second = hashed(f"{user}:{challenge['realm']}:{password}"), hashed(f"{method}:{target}")
    if old:
        return hashed(f"{first}:{challenge['nonce']}:{second}")
    return hashed(f"{first}:{challenge['nonce']}:{nc or f'{count:08x}'}:{cnonce}:{qop}:{second}")
