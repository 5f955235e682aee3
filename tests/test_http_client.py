"""http_client: ask a web server, and understand its answer. In the order of the contract."""

import gzip
import json
import socket
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from dojo.expect import Answer, Scene, Student, raises
from dojo.fakes.connection import Connection
from dojo.fakes.http import FakeHTTP, Received, Response
from dojo.fakes.raw import Action, Close, FakeTCP, ReadRequest, Send, Silence
from dojo.fakes.tls import Authority
from dojo.fresh import Fresh
from dojo.outcome import Hung, Raised

FORM = "application/x-www-form-urlencoded"
SERVE_RAW = Callable[..., FakeTCP]


def in_the_library(got: Any) -> bool:
    """Whether str and bytes met in a file of the library's: it was given a dict, and took it for parts of a body."""
    return raises("TypeError", "concat").matches(got) and not got.frames[-1].own


NOT_BYTES: dict[str, Any] = {
    "body_is_a_dict": in_the_library,
    "body_must_be_bytes": lambda got: (
        raises("TypeError", "bytes").matches(got) or raises("UnicodeEncodeError").matches(got)
    ),
}
TEXT: dict[str, Any] = {"read_too_late": "", "answer_of_another_shape": lambda got: isinstance(got, dict)}


def status_raised(got: Any) -> bool:
    """Whether a status became an exception: urllib's, or the one that belongs to get_json."""
    return raises("HTTPError").matches(got) or raises("HTTPFailure").matches(got)


def answered(answer: Answer, **mistakes: Any) -> dict[str, Any]:
    """The answer that a function returned, once it has the shape that the stub asks for."""
    value = answer.value(**mistakes, error_status_raised=status_raised, text_not_bytes=raises("UnicodeDecodeError"))
    answer.part(value).satisfies(
        lambda got: (
            isinstance(got, dict)
            and type(got.get("status")) is int
            and isinstance(got.get("headers"), dict)
            and type(got.get("body")) is bytes
        ),
        (
            'a dict with "status" (int), "headers" (dict) and "body" (bytes)',
            '一个字典，含 "status"（int）、"headers"（dict）和 "body"（bytes）',
        ),
        returned_none=None,
        text_not_bytes=lambda got: isinstance(got["body"], str),
        answer_of_another_shape=lambda got: True,
    )
    return dict(value)


def status_behind(got: Any) -> bool:
    """Whether urllib's exception for a status came out, as it was or as the cause of another."""
    return raises("HTTPError").matches(got) or (
        isinstance(got, Raised) and got.cause is not None and "HTTPError" in got.cause.bases
    )


def hung(got: Any) -> bool:
    """Whether the call never came back."""
    return isinstance(got, Hung)


def came_back(answer: Answer) -> Answer:
    """The same answer, unless the student's code waits for ever: told with the line where it waits."""
    if hung(answer.outcome):
        answer.value(no_timeout=hung)
    return answer


def inside_except(got: Any) -> bool:
    """Whether a library's exception came out of an `except` block that handled an error status."""
    return status_behind(got) and not raises("HTTPError").matches(got)


def is_redirect(got: Any) -> bool:
    """Whether the answer that was returned is a redirect."""
    return isinstance(got, dict) and got.get("status") == 302


NO_ANSWER: dict[str, Any] = {
    "error_without_status": raises("AttributeError"),
    "refusal_let_out": raises("OSError"),
    "no_answer_has_no_status": lambda got: got is None or isinstance(got, dict),
}


def nobody_listens(scene: Scene, ask: Callable[[str], Answer]) -> None:
    """Where nobody listens, the call ends with NoAnswer."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and never listens: the port is free of others, and refuses
        scene.now("nobody listens at this port", "这个端口上没有人监听")
        ask(f"http://127.0.0.1:{unused.getsockname()[1]}/").raises("NoAnswer", **NO_ANSWER)


def errors_as_in_fetch(scene: Scene, http: FakeHTTP, fresh: Fresh, ask: Callable[[str], Answer]) -> None:
    """An error status is an answer with a body; where nobody listens, there is no answer."""
    path, status, body = f"/{fresh.word()}", fresh.one_of([400, 403, 409, 500]), fresh.data(20)
    scene.now(f"the server answers {status}, with a body", f"服务器返回 {status}，带正文")
    http.on("*", path, status=status, body=body)
    called = ask(http.url(path))
    answer = answered(called, error_is_an_answer=raises("NoAnswer"))
    called.part((answer["status"], answer["body"])).equals((status, body), error_body_lost=lambda got: got[1] == b"")
    nobody_listens(scene, ask)


@dataclass(frozen=True)
class FirstChunk(Action):
    """Begin a body in chunks, and send its first chunk alone. HTTP/1.0, which has no chunks, gets a short body."""

    data: bytes

    def perform(self, connection: Connection) -> None:
        """Send head and chunk."""
        if connection.requests[-1].version == "HTTP/1.0":
            head, chunk = f"Content-Length: {len(self.data) + 9}", self.data
        else:
            head, chunk = "Transfer-Encoding: chunked", b"%x\r\n%b\r\n" % (len(self.data), self.data)
        connection.send(f"HTTP/1.1 200 OK\r\n{head}\r\nConnection: close\r\n\r\n".encode("ascii") + chunk)

    def __str__(self) -> str:
        return "send the first chunk of a body"


def check_length(scene: Scene, request: Received) -> None:
    """The request says how many bytes its body has."""
    length = request.header("Content-Length")
    scene.expect(length, "received").satisfies(
        lambda got: got == str(len(request.body)), f"Content-Length: {len(request.body)}", body_without_length=None
    )


def test_get_text(student: Student, http: FakeHTTP, scene: Scene, fresh: Fresh) -> None:
    """GET brings the text of a page

    用 GET 取回一页文本
    """
    path, text = f"/{fresh.word()}", f"{fresh.name()}, 你好!\n{fresh.word()}\n"
    scene.now(f"the server has a text in UTF-8 at {path}", f"服务器在 {path} 有一段 UTF-8 文本")
    http.on("GET", path, body=text)
    student.get_text(http.url(path)).returns(
        text,
        charset_ignored=lambda got: (
            text.encode("utf-8").decode("latin-1") == got or raises("UnicodeDecodeError").matches(got)
        ),
        **TEXT,
    )


def test_charset(student: Student, http: FakeHTTP, scene: Scene, fresh: Fresh) -> None:
    """the answer says how its text is encoded; where it says nothing usable, it is UTF-8

    响应会说明文本的编码；没有说明或说明无效时，就是 UTF-8
    """

    def ask(text: str, encoding: str, label: str | None, **mistakes: Any) -> None:
        path = f"/{fresh.word()}"
        http.on("GET", path, body=text.encode(encoding), headers={"Content-Type": label})
        said = f"Content-Type: {label}" if label else "no Content-Type"
        scene.now(f"the text is in {encoding}, the answer says: {said}", f"文本是 {encoding}，响应写的是：{said}")
        student.get_text(http.url(path)).returns(text, **mistakes, **TEXT)

    def wrong_text(got: Any) -> bool:
        return raises("UnicodeDecodeError").matches(got) or (word in got and got[:2] not in ("b'", 'b"'))

    word = fresh.word()  # ASCII: right, whatever the encoding
    text, encoding = fresh.one_of([("你好", "gbk"), ("Привет", "koi8-r"), ("こんにちは", "euc-jp")])
    ask(f"{text}, {word}", encoding, f"text/html; charset={encoding}", charset_ignored=wrong_text)
    ask(f"Ã© {word}", "iso-8859-1", "text/html; charset=iso-8859-1", charset_guessed=wrong_text)
    by_hand = {"label_cut_by_hand": lambda got: isinstance(got, Raised) or wrong_text(got)}
    ask(f"你好，{word}", "gbk", 'text/html; charset="gbk"', **by_hand)
    ask(f"你好，{word}", "gbk", f"text/html; Charset=GBK; profile={word}", **by_hand)
    missing: dict[str, Any] = {
        "utf8_is_the_default": wrong_text,
        "charset_not_declared": lambda got: isinstance(got, Raised),
    }
    ask(f"你好，{word}", "utf-8", "text/plain", **missing)
    ask(f"你好，{word}", "utf-8", None, **missing)
    unknown = {"utf8_is_the_default": wrong_text, "charset_unknown": raises("LookupError")}
    ask(f"你好，{word}", "utf-8", f"text/plain; charset=x-{word}", **unknown)


def test_parameters(student: Student, http: FakeHTTP, scene: Scene, fresh: Fresh) -> None:
    """parameters go into the query, encoded, behind what is there and before the #

    参数要编码后放进查询部分：在已有查询之后、# 之前
    """
    path, text = f"/{fresh.word()}", fresh.word()
    http.on("*", path, body=text)
    params = {"q": f"R&D = {fresh.name()}", "c++": "100% 你?#/", fresh.word(): f"{fresh.word()} {fresh.word()}"}
    new = sorted(params.items())

    def ask(url: str, old: str) -> None:
        called = student.get_with_params(http.url(url), params)
        called.value(
            params_not_encoded=lambda got: (
                raises("InvalidURL").matches(got) or raises("UnicodeEncodeError").matches(got)
            )
        )
        request = http.request_to(path)
        scene.expect(request.body, "received").equals(b"", get_with_a_body=lambda got: len(got) > 0)
        scene.expect(request.method, "received").equals("GET")
        scene.expect(request.target, "received").satisfies(
            lambda got: "#" not in got,
            ("a target without a #fragment", "不带 #片段 的请求目标"),
            fragment_sent=lambda got: True,
        )
        wanted = sorted([*parse_qsl(old, keep_blank_values=True), *new])
        scene.expect(sorted(request.parameters()), "received").equals(
            wanted,
            query_behind_fragment=lambda got: "#" in url and got == sorted(parse_qsl(old, keep_blank_values=True)),
            second_question_mark=lambda got: (
                any("?" in name + value[:1] for name, value in got if name not in params)
                or any(value.endswith(f"?{urlencode(params)}"[:3]) for _, value in got)
            ),
            encoded_twice=lambda got: len(got) == len(wanted) and "%25" in request.query and "%252" in request.query,
            old_query_lost=lambda got: len(got) < len(wanted) and all(pair in got for pair in new),
            params_not_encoded=lambda got: len(got) > len(wanted),
        )
        called.returns(text, **TEXT)

    scene.now("a URL without a query", "URL 里没有查询部分")
    ask(path, "")
    scene.now("a URL with a query and a fragment", "URL 里已有查询部分和 #片段")
    old = f"tag={fresh.word()}&tag={fresh.word()}&empty="
    ask(f"{path}?{old}#{fresh.word()}", old)


def test_fetch(student: Student, http: FakeHTTP, raw: SERVE_RAW, scene: Scene, fresh: Fresh) -> None:
    """an answer is a status, headers with names in any case, and all bytes of a body

    一个响应有状态码、头部（名字不分大小写）和完整的正文字节
    """
    path, nonce, other = f"/{fresh.word()}", fresh.word().title(), f"{fresh.word()}: {fresh.word()}"
    body = b"\xff\x00" + fresh.data(300)
    status = fresh.one_of([203, 206])
    http.on("GET", path, status=status, headers=[("X-NONCE", nonce), ("x-Other", "a-B")], body=body)
    http.on("HEAD", path, status=501)  # as many servers answer that were written for GET and POST
    called = student.fetch(http.url(f"{path}#{fresh.word()}"))

    def head_failed(got: Any) -> bool:
        return isinstance(got, Raised) and any(request.method == "HEAD" for request in http.requests)

    answer = answered(called, head_taken_for_get=head_failed)
    scene.expect(http.request_to(path).target, "received").equals(path, fragment_sent=lambda got: "#" in got)
    called.part(answer["status"]).equals(status, head_taken_for_get=501)
    called.part(answer["body"]).equals(body, read_too_late=b"")
    called.part(answer["headers"]).satisfies(
        lambda got: got.get("x-nonce") == nonce and got.get("x-other") == "a-B",
        (
            f"among others, 'x-nonce': {nonce!r} and 'x-other': 'a-B'",
            f"其中有 'x-nonce': {nonce!r} 和 'x-other': 'a-B'",
        ),
        header_names_have_no_case=lambda got: {nonce, "a-B"} <= set(got.values()),
        header_value_changed=lambda got: {"x-nonce", "x-other"} <= set(got),
    )

    scene.now(
        f"a header without a blank, X-Nonce:{nonce}, and one with a colon in its value, X-Other: {other}",
        f"有个头部不带空格：X-Nonce:{nonce}，另一个的值里有冒号：X-Other: {other}",
    )
    head = f"HTTP/1.1 200 OK\r\nX-Nonce:{nonce}\r\nX-Other: {other}\r\nContent-Length: 2\r\n"
    odd = raw([ReadRequest(), Send(f"{head}Connection: close\r\n\r\nhi".encode("ascii")), Close()])
    called = student.fetch(odd.url(path))
    answer = answered(called, header_line_cut=lambda got: isinstance(got, Raised))
    called.part({name: answer["headers"].get(name) for name in ("x-nonce", "x-other")}).equals(
        {"x-nonce": nonce, "x-other": other}, header_line_cut=lambda got: True
    )

    scene.now("the body comes in two pieces, with a pause between", "正文分两段发来，中间有停顿")
    pieces = [fresh.data(200), fresh.data(300)]
    http.on("GET", f"{path}/pieces", pieces=pieces)
    called = student.fetch(http.url(f"{path}/pieces"))
    called.part(answered(called)["body"]).equals(
        b"".join(pieces),
        first_piece_only=lambda got: pieces[1] not in got,
        chunk_sizes_left=lambda got: pieces[0] in got,
    )

    page = (f"{fresh.word()} " * 50).encode("ascii")
    undoes(student, http, scene, page, "gzip", gzip.compress(page))
    undoes(student, http, scene, page, "deflate", zlib.compress(page))


def accepts(request: Received, coding: str) -> bool:
    """Whether the client can undo this coding of a body, as it says."""
    return coding in (request.header("Accept-Encoding") or "")


def undoes(
    student: Student, http: FakeHTTP, scene: Scene, page: bytes, coding: str, packed: bytes, status: int = 200
) -> None:
    """The body of an answer is the page, though the server packs it for clients that accept this coding."""
    scene.now(
        f"the server compresses for clients that accept {coding}, and answers {status}",
        f"客户端声明接受 {coding} 时，服务器会压缩正文；它返回 {status}",
    )

    def compressing(request: Received) -> Response:
        label = ("Content-Type", "text/plain")
        if accepts(request, coding):
            return Response(packed, status, headers=[label, ("Content-Encoding", coding)])
        return Response(page, status, headers=[label])

    def not_undone(got: Any) -> bool:  # who takes all that is packed for gzip gets an exception
        asked = any(request.path == path and accepts(request, coding) for request in http.requests)
        return asked and (got == packed or isinstance(got, Raised))

    path = f"/{coding}/{status}"
    http.on("GET", path, handler=compressing)
    called = student.fetch(http.url(path))
    mistakes = {f"{coding}_not_undone": not_undone}
    called.part(answered(called, **mistakes)["body"]).equals(page, **mistakes)


def test_every_status(student: Student, http: FakeHTTP, raw: SERVE_RAW, scene: Scene, fresh: Fresh) -> None:
    """404, 500 and 304 are answers too, and an error has a body

    404、500、304 也是响应，而且错误响应也有正文
    """
    for status in (fresh.one_of([400, 403, 404, 410, 422]), fresh.one_of([500, 502, 503])):
        path, text = f"/{fresh.word()}", json.dumps({"error": fresh.word()})
        scene.now(f"the server answers {status} with a JSON body", f"服务器返回 {status} 和一段 JSON")
        http.on("GET", path, status=status, body=text, headers={"Content-Type": "application/json"})
        called = student.fetch(http.url(path))
        answer = answered(called, error_is_an_answer=raises("NoAnswer"))
        called.part(answer["status"]).equals(status)
        called.part(answer["body"]).equals(text.encode("ascii"), error_body_lost=lambda got: True)
    page = (f"{fresh.word()} " * 50).encode("ascii")
    undoes(student, http, scene, page, "gzip", gzip.compress(page), fresh.one_of([403, 404, 500]))
    path, body = f"/{fresh.word()}", fresh.data(20)
    scene.now("the server answers 302 without a Location, and with a body", "服务器返回 302，没有 Location，但有正文")
    http.on("GET", path, status=302, body=body)
    called = student.fetch(http.url(path))
    answer = answered(
        called,
        errors_from_400_only=status_behind,
        redirect_without_location=lambda got: isinstance(got, Raised),
    )
    called.part((answer["status"], answer["body"])).equals((302, body))
    path, there, body = f"/{fresh.word()}", f"/{fresh.word()}", fresh.data(20)
    scene.now(
        f"the server answers 300, a choice, with Location: {there}", f"服务器返回 300（可选项），Location: {there}"
    )
    http.on("GET", there, body=b"followed")
    http.on("GET", path, status=300, body=body, headers={"Location": there})
    called = student.fetch(http.url(path))
    answer = answered(called, errors_from_400_only=status_behind)
    called.part((answer["status"], answer["body"])).equals((300, body))
    scene.now(
        "the server answers 304, Not Modified: no body, though Content-Length tells how long the page is",
        "服务器返回 304（未修改）：没有正文，虽然 Content-Length 写着页面的长度",
    )
    head = f"HTTP/1.1 304 Not Modified\r\nContent-Length: {fresh.number(50, 99)}\r\nConnection: close\r\n\r\n"
    same = raw([ReadRequest(), Send(head.encode("ascii")), Close()])
    called = student.fetch(same.url(path))
    answer = answered(
        called,
        errors_from_400_only=status_behind,
        no_body_by_status=lambda got: isinstance(got, (Raised, Hung)),
    )
    called.part(answer["status"]).equals(304)
    called.part(answer["body"]).equals(b"")


def test_redirects(
    student: Student, http: FakeHTTP, other_http: FakeHTTP, raw: SERVE_RAW, scene: Scene, fresh: Fresh
) -> None:
    """a redirect is followed to where its Location leads, but not for ever

    重定向要跟到 Location 指的地方，但不能没完没了
    """
    start, second, third, fourth, fifth, end = (f"/{fresh.word()}" for _ in range(6))
    body = fresh.data(50)
    permanent, temporary = fresh.shuffled([301, 308]), fresh.shuffled([302, 303, 307])
    http.on("GET", start, status=permanent[0], headers={"Location": f"/deep{second}?page=2#{fresh.word()}"})
    http.on("GET", f"/deep{second}", status=temporary[0], headers={"Location": third[1:]})
    http.on("GET", f"/deep{third}", status=temporary[1], headers={"Location": other_http.url(fourth)})
    other_http.on("GET", fourth, status=permanent[1], headers={"Location": other_http.url(fifth)})
    other_http.on("GET", fifth, status=temporary[2], headers={"Location": end})
    other_http.on("GET", end, body=body)
    scene.now(
        "five redirects, some with a relative Location, one of them to another server",
        "五次重定向，有的 Location 是相对地址，其中一次转到另一个服务器",
    )
    query = f"{fresh.word()}={fresh.word()}"
    called = student.fetch(http.url(f"{start}?{query}"))

    def asked_here_for_there(got: Any) -> bool:
        return any(request.path in (fourth, fifth, end) for request in http.requests)

    def stopped_here(got: Any) -> bool:  # at the first or the second Location, and both are relative
        return isinstance(got, Raised) and http.requests[-1:] != [] and http.requests[-1].path != f"/deep{third}"

    def gave_up(got: Any) -> bool:  # behind the third redirect or the fourth
        return [request.path for request in other_http.requests][-1:] in ([fourth], [fifth])

    answer = answered(
        called,
        redirects_given_up=gave_up,
        redirect_not_followed=raises("HTTPError"),
        location_names_a_host=asked_here_for_there,
        location_is_relative=stopped_here,
    )
    for request in (*http.requests, *other_http.requests):
        scene.expect(request.target, "received").satisfies(
            lambda got: "#" not in got,
            ("a target without a #fragment", "不带 #片段 的请求目标"),
            fragment_sent=lambda got: True,
        )
        if request.path != start:
            scene.expect(request.target, "received").satisfies(
                lambda got: query not in got,
                ("a target with the query of the Location alone", "只带 Location 自己的查询部分的请求目标"),
                old_query_sent_on=lambda got: True,
            )
    called.part(answer["status"]).equals(
        200,
        redirects_given_up=gave_up,
        redirect_not_followed=lambda got: 300 <= got < 400,
        location_names_a_host=asked_here_for_there,
        location_is_relative=404,
    )
    called.part(answer["body"]).equals(body, read_too_late=b"")

    here, there = f"/{fresh.word()}", f"/{fresh.word()}"
    scene.now(f"{here} leads to {there}, which leads to {here}", f"{here} 转到 {there}，{there} 又转回 {here}")

    def leading(location: str) -> list[Action]:
        head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        return [ReadRequest(), Send(head.encode("ascii")), Close()]

    end_of_patience = [ReadRequest(), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Close()]
    circle = raw([*[leading(there), leading(here)] * 15, end_of_patience])
    called = student.fetch(circle.url(here))
    if isinstance(called.outcome, Raised) and "NoAnswer" in called.outcome.bases:
        return
    called.part(answered(called)["status"]).satisfies(
        lambda got: 300 <= got < 400,
        ("the end: NoAnswer, or the last redirect (302)", "停下来：NoAnswer，或最后那个重定向（302）"),
        redirects_for_ever=200,
    )


def test_silence(student: Student, raw: SERVE_RAW, scene: Scene, fresh: Fresh) -> None:
    """a silent server costs no more than the timeout, before the answer and in the middle of it

    服务器沉默时最多等到超时：响应之前如此，响应中途也如此
    """
    scene.now("the server reads the request and says nothing", "服务器读了请求，但什么也不回答")
    silent = raw([ReadRequest(), Silence()])
    came_back(student.within(3).fetch(silent.url(f"/{fresh.word()}"), 0.05)).raises(
        "NoAnswer",
        only_connecting_is_urlerror=raises("OSError"),
        no_answer_has_no_status=lambda got: got is None or isinstance(got, dict),
    )
    scene.now("the server answers 404 with half of a body, then says nothing", "服务器返回 404 和一半正文，然后沉默")
    head = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/octet-stream\r\nContent-Length: 40\r\n\r\n"
    stuck = raw([ReadRequest(), Send(head + fresh.data(20)), Silence()])
    came_back(student.within(3).fetch(stuck.url(f"/{fresh.word()}"), 0.1)).raises("NoAnswer", **unfinished(404))


def unfinished(status: int) -> dict[str, Any]:
    """What may go wrong where half of a body came."""
    return {
        "half_a_body_taken": lambda got: got["body"] != b"",
        "error_body_lost": lambda got: status >= 400 and got["body"] == b"",
        "error_status_raised": status_raised,
        "error_inside_except": inside_except,
        "reading_can_fail": raises("OSError"),
    }


def test_no_answer(student: Student, http: FakeHTTP, raw: SERVE_RAW, scene: Scene, fresh: Fresh) -> None:
    """nobody there, gone too early, not HTTP, a body that is too short: no answer

    没有人监听、过早关闭、不是 HTTP、正文太短：都算没有响应
    """
    invented = {"no_answer_has_no_status": NO_ANSWER["no_answer_has_no_status"]}
    nobody_listens(scene, student.fetch)
    lost, there = f"/{fresh.word()}", f"/{fresh.word()}"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and never listens
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}{there}"
        scene.now(
            f"the server answers 302, Location: {nowhere}, and nobody listens there",
            f"服务器返回 302，Location: {nowhere}，而那里没有人监听",
        )
        http.on("GET", lost, status=302, headers={"Location": nowhere})
        student.fetch(http.url(lost)).raises(
            "NoAnswer",
            location_names_a_host=lambda got: any(request.path == there for request in http.requests),
            redirect_to_nobody=is_redirect,
            **NO_ANSWER,
        )
    scene.now("the server closes without a word", "服务器一句话不说就关闭了连接")
    gone = raw([ReadRequest(), Close()])
    student.fetch(gone.url(f"/{fresh.word()}")).raises(
        "NoAnswer", only_connecting_is_urlerror=raises("OSError"), **invented
    )
    library = {"http_errors_are_no_oserrors": raises("HTTPException")}
    scene.now("the server speaks no HTTP, but greets like a mail server", "服务器说的不是 HTTP，而是邮件协议的问候")
    mail = raw([ReadRequest(), Send(f"220 {fresh.host()} ESMTP\r\n\r\n".encode("ascii")), Close()])
    not_http = {"not_http_taken": lambda got: isinstance(got, dict) or raises("ValueError").matches(got)}
    student.fetch(mail.url("/")).raises("NoAnswer", **library, **not_http)
    scene.now("the server speaks RTSP, the language of cameras", "服务器说的是 RTSP（摄像头用的协议）")
    camera = raw([ReadRequest(), Send(b"RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"), Close()])
    student.fetch(camera.url("/")).raises("NoAnswer", **library, **not_http)
    for line in ("200 OK", "500 Internal Server Error"):
        size = fresh.number(50, 90)
        scene.now(
            f"the server answers {line} with Content-Length: {size}, and closes after 20 bytes",
            f"服务器返回 {line}，Content-Length 是 {size}，但发了 20 个字节就关闭了",
        )
        head = f"HTTP/1.1 {line}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode("ascii")
        short = raw([ReadRequest(), Send(head + fresh.data(20)), Close()])
        mistakes = unfinished(int(line[:3]))
        mistakes["short_body_accepted"] = mistakes.pop("half_a_body_taken")
        student.fetch(short.url("/")).raises("NoAnswer", **mistakes, **library)
    scene.now(
        "the body comes in chunks, and the server closes after the first one",
        "正文分块（chunked）发来，第一块之后服务器就关闭了",
    )
    cut = raw([ReadRequest(), FirstChunk(fresh.data(20)), Close()])
    student.fetch(cut.url("/")).raises(
        "NoAnswer", cut_off_chunks=lambda got: isinstance(got, dict) or raises("ValueError").matches(got), **library
    )


def test_get_json(student: Student, http: FakeHTTP, scene: Scene, fresh: Fresh) -> None:
    """JSON becomes a value, no content becomes None, and a failure keeps the server's words

    JSON 变成值，没有内容变成 None，失败时保留服务器说的话
    """
    path, value = f"/{fresh.word()}", {"name": fresh.name() + "你", "ages": [fresh.number(1, 90), None]}
    label = {"Content-Type": "application/json"}
    http.on("GET", path, body=json.dumps(value, ensure_ascii=False), headers=label)
    student.get_json(http.url(path)).returns(
        value,
        json_not_parsed=lambda got: isinstance(got, (str, bytes)) or "status" in got,
    )
    scene.now("the server answers 204, No Content", "服务器返回 204（无内容）")
    http.on("GET", f"{path}/empty", status=204)
    student.get_json(http.url(f"{path}/empty")).returns(
        None,
        only_200_is_success=raises("HTTPFailure"),
        no_content_is_no_json=lambda got: raises("ValueError").matches(got) or got in ("", b"", {}, []),
    )
    items = [fresh.number(1, 90), fresh.word()]
    scene.now("the server answers 201 with JSON, a list", "服务器返回 201 和一段 JSON，是个列表")
    http.on("GET", f"{path}/list", status=201, body=json.dumps(items), headers=label)
    student.get_json(http.url(f"{path}/list")).returns(
        items,
        only_200_is_success=raises("HTTPFailure"),
        json_is_any_value=lambda got: isinstance(got, (Raised, dict)),
    )
    nothing = fresh.one_of([0, False, "", []])
    text = json.dumps(nothing)
    scene.now(f"the server answers 200, and the JSON is {text}", f"服务器返回 200，JSON 是 {text}")
    http.on("GET", f"{path}/false", body=text, headers=label)
    student.get_json(http.url(f"{path}/false")).returns(
        nothing, false_is_a_value=None, json_is_any_value=lambda got: isinstance(got, (Raised, dict))
    )
    status, body = fresh.one_of([400, 404, 409, 500]), json.dumps({"error": fresh.word()}).encode("ascii")
    scene.now(f"the server answers {status} with a JSON body", f"服务器返回 {status} 和一段 JSON")
    http.on("GET", f"{path}/wrong", status=status, body=body, headers=label)
    raised = student.get_json(http.url(f"{path}/wrong")).raises(
        "HTTPFailure",
        failure_taken_for_success=lambda got: got is None or not isinstance(got, (Raised, Hung)),
        error_status_raised=raises("HTTPError"),
        error_is_an_answer=raises("NoAnswer"),
    )
    scene.expect(raised.attributes.get("status"), "raised").equals(status)
    scene.expect(raised.attributes.get("body"), "raised").equals(body, failure_without_body=lambda got: not got)
    scene.now("the server answers 300, Multiple Choices, with JSON", "服务器返回 300（多种选择）和一段 JSON")
    http.on("GET", f"{path}/choices", status=300, body=text, headers=label)
    student.get_json(http.url(f"{path}/choices")).raises(
        "HTTPFailure",
        failure_taken_for_success=lambda got: got is None or not isinstance(got, (Raised, Hung)),
        error_status_raised=raises("HTTPError"),
        error_is_an_answer=raises("NoAnswer"),
    )


def test_post_form(student: Student, http: FakeHTTP, scene: Scene, fresh: Fresh) -> None:
    """a form is a POST: the fields are its body, and its label says so

    表单是一个 POST：字段放在正文里，并用 Content-Type 说明
    """
    path, reply = f"/{fresh.word()}", fresh.data(20)
    http.on("*", path, body=reply)
    fields = {"user": fresh.name(), "note": "a b&c=d + 你", fresh.word(): fresh.word(), fresh.word(): ""}
    called = student.post_form(http.url(path), fields)
    answer = answered(called, **NOT_BYTES)
    request = http.request_to(path)
    scene.expect(request.method, "received").equals("POST", wrong_method=lambda got: got != "POST")
    scene.expect(request.body, "received").satisfies(
        lambda got: sorted(parse_qsl(got.decode("ascii", "replace"), keep_blank_values=True)) == sorted(fields.items()),
        (f"the fields, URL-encoded: {urlencode(fields)}", f"URL 编码的字段：{urlencode(fields)}"),
        params_in_the_query=lambda got: got == b"" and request.query != "",
        body_and_label_disagree=lambda got: json.loads(got) == fields,
        params_not_encoded=lambda got: b" " in got,
        empty_field_dropped=lambda got: (
            sorted(parse_qsl(got.decode("ascii"))) == sorted(pair for pair in fields.items() if pair[1])
        ),
    )
    scene.expect(request.target, "received").equals(path, fields_in_the_url_too=lambda got: "?" in got)
    scene.expect(request.media_type, "received").equals(
        FORM, body_without_label=None, body_and_label_disagree="application/json"
    )
    check_length(scene, request)
    called.part(answer["body"]).equals(reply, read_too_late=b"")

    scene.now("a form without any field", "一个没有字段的表单")
    http.on("*", f"{path}/empty", body=reply)
    answered(student.post_form(http.url(f"{path}/empty"), {}))
    request = http.request_to(f"{path}/empty")
    scene.expect(request.method, "received").equals("POST", empty_form_is_a_post="GET")
    scene.expect(request.body, "received").equals(b"")
    errors_as_in_fetch(scene, http, fresh, lambda url: student.post_form(url, fields))


def test_put_text(student: Student, http: FakeHTTP, scene: Scene, fresh: Fresh) -> None:
    """a text travels as bytes, its label names the encoding, and its length counts bytes

    文本以字节传输：标签写明编码，长度按字节计算
    """
    path, text = f"/{fresh.word()}", f"  {fresh.name()}：你好\n{fresh.word()} \n"
    data = text.encode("utf-8")
    http.on("*", path, status=200)
    answered(student.put_text(http.url(path), text), **NOT_BYTES)
    request = http.request_to(path)
    scene.expect(request.method, "received").equals("PUT", wrong_method=lambda got: got != "PUT")
    scene.expect(request.body, "received").equals(
        data,
        characters_counted=data[: len(text)],
        text_stripped=lambda got: got != b"" and got.strip() == data.strip(),
    )
    scene.expect(request.media_type, "received").equals("text/plain", body_without_label=None, label_of_a_form=FORM)
    label = (request.header("Content-Type") or "").lower().replace('"', "").replace(" ", "")
    scene.expect(request.header("Content-Type"), "received").satisfies(
        lambda got: "charset=utf-8" in label.split(";"),
        "text/plain; charset=utf-8",
        charset_not_said=lambda got: "charset" not in label,
    )
    check_length(scene, request)
    errors_as_in_fetch(scene, http, fresh, lambda url: student.put_text(url, text))


def test_send(student: Student, http: FakeHTTP, scene: Scene, fresh: Fresh) -> None:
    """PUT, PATCH, POST and DELETE are one helper: the method in capitals, the value as JSON

    PUT、PATCH、POST、DELETE 用同一个函数：方法用大写，值用 JSON
    """

    def sent(method: str, *value: Any) -> Received:
        path, reply = f"/{fresh.word()}", fresh.data(20)
        http.on("*", path, body=reply)
        called = student.send(method, http.url(path), *value)
        answer = answered(called, **NOT_BYTES)
        request = http.request_to(path)
        scene.expect(request.method, "received").equals(
            method.upper(), method_has_capitals=method, wrong_method=lambda got: got != method.upper()
        )
        called.part(answer["body"]).equals(reply, read_too_late=b"")
        return request

    def with_value(method: str, value: Any) -> None:
        request = sent(method, value)
        scene.expect(request.body, "received").satisfies(
            lambda got: is_json(got, value),
            (f"the JSON of {value!r}", f"{value!r} 的 JSON"),
            empty_is_not_none=lambda got: not value and got == b"",
            characters_counted=lambda got: request.content_length == len(got) and cut_json(got),
            python_is_not_json=repr(value).encode("utf-8"),
            body_and_label_disagree=lambda got: got != b"" and not is_json(got),
        )
        scene.expect(request.media_type, "received").equals(
            "application/json", label_of_a_form=FORM, body_without_label=None
        )
        check_length(scene, request)

    def without_value(**mistakes: Any) -> None:
        request = sent("DELETE")
        scene.expect(request.body, "received").equals(b"", nothing_became_null=b"null")
        scene.expect(request.header("Content-Type"), "received").satisfies(
            lambda got: got is None,
            ("no Content-Type, as there is no body", "没有 Content-Type，因为没有正文"),
            label_without_body=lambda got: got == FORM or request.header("Content-Length") == "0",
            **mistakes,
        )

    without_value(label_before_body=lambda got: True)
    for method in ("PUT", "PATCH", "POST"):
        with_value(method, {"name": f"你{fresh.name()}", fresh.word(): [1.5, None, True]})
    without_value(left_from_the_last_call=lambda got: True)
    with_value(fresh.one_of(["put", "patch", "post"]), fresh.one_of([0, False, [], {}, ""]))


def is_json(body: bytes, *values: Any) -> bool:
    """Whether these bytes are JSON, and for this value if one is given (True is not 1)."""
    try:
        found = json.loads(body.decode("utf-8"))
    except ValueError:
        return False
    return all(json.dumps(found, sort_keys=True) == json.dumps(value, sort_keys=True) for value in values)


def cut_json(body: bytes) -> bool:
    """Whether these bytes begin like JSON of a dict and end too early."""
    return body[:1] == b"{" and body[-1:] != b"}"


def test_answers_as_they_came(student: Student, http: FakeHTTP, raw: SERVE_RAW, scene: Scene, fresh: Fresh) -> None:
    """what was changed is not sent twice: 201, 204, 307 and 409 are returned as they came

    修改请求不会重复发送：201、204、307、409 原样返回
    """
    made, refused = f"/{fresh.word()}/{fresh.number(1, 999)}", fresh.one_of([404, 409, 412])
    http.on("*", made, body=b"followed")

    def ask(method: str, status: int, body: bytes, location: str | None = None) -> None:
        path = f"/{fresh.word()}"
        said = f", Location: {location}" if location else ""
        scene.now(f"the server answers {status}{said}", f"服务器返回 {status}{said}")
        http.on("*", path, status=status, body=body, headers={"Location": location})
        called = student.send(method, http.url(path), *([{"n": 1}] if method != "DELETE" else []))
        answer = answered(
            called,
            **NOT_BYTES,
            no_content_is_no_json=raises("JSONDecodeError"),
            error_is_an_answer=raises("NoAnswer"),
        )
        called.part((answer["status"], answer["body"])).equals(
            (status, body),
            created_is_no_redirect=lambda got: status == 201 and b"followed" in got,
            change_sent_again=lambda got: status in (307, 308) and b"followed" in got,
            error_body_lost=lambda got: status >= 300 and got[1] == b"",
            read_too_late=lambda got: status == 201 and got[1] == b"",
        )
        called.part(answer["headers"]).satisfies(
            lambda got: got.get("location") == location,
            (f"the header 'location': {location!r}", f"头部 'location': {location!r}"),
            header_names_have_no_case=lambda got: location in got.values(),
        )
        if location:
            scene.expect([request.path for request in http.requests], "received").satisfies(
                lambda got: location not in got,
                (f"no request to {location}", f"没有对 {location} 的请求"),
                created_is_no_redirect=lambda got: status == 201,
                change_sent_again=lambda got: status != 303,
            )

    ask("POST", 201, fresh.word().encode("ascii"), made)
    ask("DELETE", 204, b"")
    ask(fresh.one_of(["PUT", "PATCH", "POST"]), fresh.one_of([307, 308]), fresh.word().encode("ascii"), made)
    ask(fresh.one_of(["PUT", "DELETE"]), 303, fresh.word().encode("ascii"), made)
    ask("PUT", refused, fresh.word().encode("ascii"))
    nobody_listens(scene, lambda url: student.send("DELETE", url))
    scene.now("the server promises 20 bytes, sends 10 and closes", "服务器说有 20 个字节，只发 10 个就关闭了连接")
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\n0123456789"
    short = raw([ReadRequest(), Send(half), Close()])
    for called in (
        student.post_form(short.url(made), {"n": "1"}),
        student.put_text(short.url(made), "1"),
        student.send("PATCH", short.url(made), 1),
    ):
        called.raises("NoAnswer", short_body_accepted=lambda got: isinstance(got, dict), **NO_ANSWER)
    scene.now("the server reads the request and closes without a word", "服务器读了请求，一句话不说就关闭了连接")
    gone = raw([ReadRequest(), Close()])
    for number, method in enumerate(("POST", "PUT", "DELETE"), 1):
        student.send(method, gone.url(made), {"n": 1}).raises(
            "NoAnswer", only_connecting_is_urlerror=raises("OSError"), **NO_ANSWER
        )
        seen = [str(request) for request in gone.requests[number - 1 :]]
        scene.expect(seen, "received").satisfies(
            lambda got: len(got) == 1, ("one request", "一个请求"), request_repeated=lambda got: len(got) > 1
        )


def test_own_headers(student: Student, http: FakeHTTP, scene: Scene, fresh: Fresh) -> None:
    """the caller's headers are sent once, and a line break in one is refused

    调用者给的头部只发一次；值里有换行就拒绝
    """
    path, token = f"/{fresh.word()}", fresh.word()
    http.on("*", path, json={})
    label = "application/merge-patch+json"
    headers = {"X-Token": token, fresh.one_of(["content-type", "CONTENT-TYPE", "Content-type"]): label}
    called = student.send("PATCH", http.url(path), {"age": fresh.number(1, 99)}, headers)
    answered(called, **NOT_BYTES)
    request = http.request_to(path)
    scene.expect(request.header("X-Token"), "received").equals(token, own_headers=None)
    scene.expect(request.all_headers("Content-Type"), "received").equals(
        [label], label_of_the_caller=lambda got: any(each.startswith("application/json") for each in got)
    )
    name = fresh.one_of(["Zoë", "Jürgen", "José"])
    scene.now(f"a header value in Latin-1: {name}", f"头部的值属于 Latin-1：{name}")
    http.on("*", f"{path}/name", json={})
    called = student.send("PUT", http.url(f"{path}/name"), 1, {"X-Name": name})
    answered(called, latin1_refused=raises("ValueError"))
    scene.expect(http.request_to(f"{path}/name").header("X-Name"), "received").equals(
        name, own_headers=None, header_is_latin1=name.encode("utf-8").decode("latin-1")
    )
    before = len(http.requests)
    for value, reason in (
        (f"{fresh.word()}\r\nX-Evil: {fresh.word()}", "header_let_through"),
        (f"{fresh.word()}\nX-Evil: 1", "header_let_through"),
        (f"{fresh.word()}\rX-Evil: 1", "header_let_through"),
        (f"{fresh.word()}\n", "header_let_through"),
        (f"{fresh.word()}\r\n", "header_let_through"),
        (f"{fresh.word()}\r\n {fresh.word()}", "folded_header"),
        (f"{fresh.word()}\n\t{fresh.word()}", "folded_header"),
        (f"你好 {fresh.word()}", "header_is_latin1"),
    ):
        scene.now(f"the value of the header: {value!a}", f"头部的值：{value!r}")
        student.send("PUT", http.url(path), 1, {"X-Note": value}).raises(
            "ValueError", own_mistake_hidden=raises("NoAnswer"), **{reason: lambda got: isinstance(got, dict)}
        )
        scene.expect(len(http.requests) - before, "received").equals(0, **{reason: lambda got: True})


def test_certificate(
    student: Student, https: FakeHTTP, raw: SERVE_RAW, authority: Authority, scene: Scene, fresh: Fresh
) -> None:
    """a server that cannot prove who it is gets not one byte of the request

    不能证明自己身份的服务器，一个字节的请求也得不到
    """
    path, body = f"/{fresh.word()}", fresh.data(30)
    https.on("GET", path, body=body)
    scene.now("the server's certificate is right", "服务器的证书是正确的")
    called = student.fetch(https.url(path))
    answer = answered(called, certificate=lambda got: raises("NoAnswer").matches(got) or raises("OSError").matches(got))
    called.part(answer["body"]).equals(body, read_too_late=b"")
    content = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
    unchecked = "certificate_not_checked"

    def send_delete(url: str) -> Answer:
        return student.send("DELETE", url)

    def put(url: str) -> Answer:
        return student.put_text(url, "hi")

    for ask, context, english, chinese, reason in (
        (student.fetch, authority.unknown_ca, "is signed by nobody we know", "由我们不认识的机构签发", unchecked),
        (student.fetch, authority.wrong_host, "is for another host", "属于另一个主机", "host_name_not_checked"),
        (send_delete, authority.expired, "has expired", "已经过期", unchecked),
        (put, authority.wrong_host, "is for another host", "属于另一个主机", "host_name_not_checked"),
    ):
        scene.now(f"the server's certificate {english}", f"服务器的证书{chinese}")
        server = raw([ReadRequest(), Send(content)], tls=context)
        ask(server.url(f"/{fresh.word()}")).raises(
            "NoAnswer",
            "OSError",
            error_without_status=raises("AttributeError"),
            **{reason: lambda got: got["body"] == b"hi"},
            no_answer_has_no_status=lambda got: got is None or isinstance(got, dict),
        )
        scene.expect(b"".join(each.received for each in server.connections), "received").equals(b"")
