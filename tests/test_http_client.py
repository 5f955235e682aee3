"""http_client: ask a web server, and understand its answer. In the order of the contract."""

import gzip
import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from dojo.expect import Answer, Scene, Student, raises
from dojo.fakes.http import FakeHTTP, Received, Response
from dojo.fakes.raw import Close, FakeTCP, ReadRequest, Send, Silence
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
        'a dict with "status" (int), "headers" (dict) and "body" (bytes)',
        returned_none=None,
        text_not_bytes=lambda got: isinstance(got["body"], str),
        answer_of_another_shape=lambda got: True,
    )
    return dict(value)


def now(scene: Scene, english: str, chinese: str) -> None:
    """Say what the next call is about, and no more what the last one was about."""
    scene.told[:] = [(english, chinese)]


def hung(got: Any) -> bool:
    """Whether the call never came back."""
    return isinstance(got, Hung)


def came_back(answer: Answer) -> Answer:
    """The same answer, unless the student's code waits for ever: told with the line where it waits."""
    if hung(answer.outcome):
        answer.value(no_timeout=hung)
    return answer


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
    now(scene, f"the server has a text in UTF-8 at {path}", f"服务器在 {path} 有一段 UTF-8 文本")
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
        now(scene, f"the text is in {encoding}, the answer says: {said}", f"文本是 {encoding}，响应写的是：{said}")
        student.get_text(http.url(path)).returns(text, **mistakes, **TEXT)

    def wrong_text(got: Any) -> bool:
        return raises("UnicodeDecodeError").matches(got) or (word in got and got[:2] not in ("b'", 'b"'))

    word = fresh.word()  # ASCII: right, whatever the encoding
    ask(f"你好，{word}", "gbk", "text/html; charset=gbk", charset_ignored=wrong_text)
    ask(f"Привет, {word}", "koi8-r", "text/html; charset=koi8-r", charset_ignored=wrong_text)
    ask(f"Ã© {word}", "iso-8859-1", "text/html; charset=iso-8859-1", charset_guessed=wrong_text)
    by_hand = {"label_cut_by_hand": lambda got: wrong_text(got) or isinstance(got, Raised)}
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
            lambda got: "#" not in got, "a target without a #fragment", fragment_sent=lambda got: True
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

    now(scene, "a URL without a query", "URL 里没有查询部分")
    ask(path, "")
    now(scene, "a URL with a query and a fragment", "URL 里已有查询部分和 #片段")
    old = f"tag={fresh.word()}&tag={fresh.word()}&empty="
    ask(f"{path}?{old}#{fresh.word()}", old)


def test_fetch(student: Student, http: FakeHTTP, scene: Scene, fresh: Fresh) -> None:
    """an answer is a status, headers with names in any case, and all bytes of a body

    一个响应有状态码、头部（名字不分大小写）和完整的正文字节
    """
    path, nonce, other = f"/{fresh.word()}", fresh.word(), fresh.word()
    body = b"\xff\x00" + fresh.data(300)
    status = fresh.one_of([200, 203, 206])
    http.on("GET", path, status=status, headers=[("X-NONCE", nonce), ("x-Other", other)], body=body)
    called = student.fetch(http.url(path))
    answer = answered(called)
    called.part(answer["status"]).equals(status)
    called.part(answer["body"]).equals(body, read_too_late=b"")
    called.part(answer["headers"]).satisfies(
        lambda got: got.get("x-nonce") == nonce and got.get("x-other") == other,
        f"among others, 'x-nonce': {nonce!r} and 'x-other': {other!r}",
        header_names_have_no_case=lambda got: {nonce, other} <= set(got.values()),
    )

    now(scene, "the body comes in two pieces, with a pause between", "正文分两段发来，中间有停顿")
    pieces = [fresh.data(200), fresh.data(300)]
    http.on("GET", f"{path}/pieces", pieces=pieces)
    called = student.fetch(http.url(f"{path}/pieces"))
    called.part(answered(called)["body"]).equals(
        b"".join(pieces),
        first_piece_only=lambda got: pieces[1] not in got,
    )

    now(scene, "the server compresses for clients that accept gzip", "客户端声明接受 gzip 时，服务器会压缩正文")
    page = f"{fresh.word()} " * 50

    def compressing(request: Received) -> Response:
        if "gzip" not in (request.header("Accept-Encoding") or ""):
            return Response(page, headers=[("Content-Type", "text/plain")])
        packed = [("Content-Type", "text/plain"), ("Content-Encoding", "gzip")]
        return Response(gzip.compress(page.encode("ascii")), headers=packed)

    http.on("GET", f"{path}/page", handler=compressing)
    called = student.fetch(http.url(f"{path}/page"))
    called.part(answered(called)["body"]).equals(
        page.encode("ascii"), gzip_not_undone=lambda got: got[:2] == b"\x1f\x8b"
    )


def test_every_status(student: Student, http: FakeHTTP, scene: Scene, fresh: Fresh) -> None:
    """404, 500 and 304 are answers too, and an error has a body

    404、500、304 也是响应，而且错误响应也有正文
    """
    for status in (fresh.one_of([400, 403, 404, 410, 422]), fresh.one_of([500, 502, 503])):
        path, text = f"/{fresh.word()}", json.dumps({"error": fresh.word()})
        now(scene, f"the server answers {status} with a JSON body", f"服务器返回 {status} 和一段 JSON")
        http.on("GET", path, status=status, body=text, headers={"Content-Type": "application/json"})
        called = student.fetch(http.url(path))
        answer = answered(called, error_is_an_answer=raises("NoAnswer"))
        called.part(answer["status"]).equals(status)
        called.part(answer["body"]).equals(text.encode("ascii"), error_body_lost=lambda got: True)
    path = f"/{fresh.word()}"
    now(scene, "the server answers 304, Not Modified, which has no body", "服务器返回 304（未修改），没有正文")
    http.on("GET", path, status=304)
    called = student.fetch(http.url(path))
    answer = answered(called, errors_from_400_only=lambda got: isinstance(got, Raised))
    called.part(answer["status"]).equals(304)
    called.part(answer["body"]).equals(b"")


def test_redirects(student: Student, http: FakeHTTP, other_http: FakeHTTP, scene: Scene, fresh: Fresh) -> None:
    """a redirect is followed to where its Location leads, but not for ever

    重定向要跟到 Location 指的地方，但不能没完没了
    """
    start, second, third, end = (f"/{fresh.word()}" for _ in range(4))
    body = fresh.data(50)
    permanent, temporary = fresh.shuffled([301, 308]), fresh.shuffled([302, 303, 307])
    http.on("GET", start, status=permanent[0], headers={"Location": f"/deep{second}?page=2"})
    http.on("GET", f"/deep{second}", status=temporary[0], headers={"Location": third[1:]})
    http.on("GET", f"/deep{third}", status=temporary[1], headers={"Location": other_http.url(start)})
    other_http.on("GET", start, status=permanent[1], headers={"Location": other_http.url(second)})
    other_http.on("GET", second, status=temporary[2], headers={"Location": end})
    other_http.on("GET", end, body=body)
    now(
        scene,
        "five redirects, some with a relative Location, one of them to another server",
        "五次重定向，有的 Location 是相对地址，其中一次转到另一个服务器",
    )
    called = student.fetch(http.url(start))
    answer = answered(
        called,
        location_is_relative=lambda got: isinstance(got, Raised) and "url" in got.message.lower(),
        redirect_not_followed=raises("HTTPError"),
    )
    called.part(answer["status"]).equals(
        200, redirect_not_followed=lambda got: 300 <= got < 400, location_is_relative=404
    )
    called.part(answer["body"]).equals(body, read_too_late=b"")

    here, there = f"/{fresh.word()}", f"/{fresh.word()}"
    now(scene, f"{here} leads to {there}, which leads to {here}", f"{here} 转到 {there}，{there} 又转回 {here}")

    def lead(request: Received) -> Response:
        if sum(seen.path in (here, there) for seen in http.requests) > 30:
            return Response(b"")
        return Response(b"", 302, headers=[("Location", there if request.path == here else here)])

    http.on("GET", here, handler=lead)
    http.on("GET", there, handler=lead)
    called = student.fetch(http.url(here))
    if isinstance(called.outcome, Raised) and "NoAnswer" in called.outcome.bases:
        return
    called.part(answered(called)["status"]).satisfies(
        lambda got: 300 <= got < 400, "the end: NoAnswer, or the last redirect (302)", redirects_for_ever=200
    )


def test_silence(student: Student, raw: SERVE_RAW, scene: Scene, fresh: Fresh) -> None:
    """a silent server costs no more than the timeout, before the answer and in the middle of it

    服务器沉默时最多等到超时：响应之前如此，响应中途也如此
    """
    now(scene, "the server reads the request and says nothing", "服务器读了请求，但什么也不回答")
    silent = raw([ReadRequest(), Silence()])
    came_back(student.fetch(silent.url(f"/{fresh.word()}"), 0.1)).raises(
        "NoAnswer",
        only_connecting_is_urlerror=raises("OSError"),
        no_answer_has_no_status=lambda got: got is None or isinstance(got, dict),
    )
    now(scene, "the server sends half of the body, then says nothing", "服务器发了一半正文，然后沉默")
    half = fresh.data(20)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 40\r\n\r\n"
    stuck = raw([ReadRequest(), Send(head + half), Silence()])
    came_back(student.fetch(stuck.url(f"/{fresh.word()}"), 0.2)).raises(
        "NoAnswer",
        half_a_body_taken=lambda got: got["body"] != b"",
        reading_can_fail=raises("OSError"),
    )


def test_no_answer(student: Student, raw: SERVE_RAW, scene: Scene, fresh: Fresh) -> None:
    """nobody there, gone too early, not HTTP, a body that is too short: no answer

    没有人监听、过早关闭、不是 HTTP、正文太短：都算没有响应
    """
    invented = {"no_answer_has_no_status": lambda got: got is None or isinstance(got, dict)}
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and never listens: the port is free of others, and refuses
        now(scene, "nobody listens at this port", "这个端口上没有人监听")
        student.fetch(f"http://127.0.0.1:{unused.getsockname()[1]}/").raises(
            "NoAnswer",
            error_without_status=raises("AttributeError"),
            refusal_let_out=raises("OSError"),
            **invented,
        )
    now(scene, "the server closes without a word", "服务器一句话不说就关闭了连接")
    gone = raw([ReadRequest(), Close()])
    student.fetch(gone.url(f"/{fresh.word()}")).raises(
        "NoAnswer", only_connecting_is_urlerror=raises("OSError"), **invented
    )
    now(scene, "the server speaks no HTTP, but greets like a mail server", "服务器说的不是 HTTP，而是邮件协议的问候")
    mail = raw([ReadRequest(), Send(f"220 {fresh.host()} ESMTP\r\n".encode("ascii")), Close()])
    student.fetch(mail.url("/")).raises("NoAnswer", http_errors_are_no_oserrors=raises("HTTPException"), **invented)
    size = fresh.number(50, 90)
    now(
        scene,
        f"Content-Length: {size}, but the server closes after 20 bytes",
        f"Content-Length 是 {size}，但服务器发了 20 个字节就关闭了",
    )
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode("ascii")
    short = raw([ReadRequest(), Send(head + fresh.data(20)), Close()])
    student.fetch(short.url("/")).raises(
        "NoAnswer",
        short_body_accepted=lambda got: got["body"] != b"",
        http_errors_are_no_oserrors=raises("HTTPException"),
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
    now(scene, "the server answers 204, No Content", "服务器返回 204（无内容）")
    http.on("GET", f"{path}/empty", status=204)
    student.get_json(http.url(f"{path}/empty")).returns(
        None, no_content_is_no_json=lambda got: raises("ValueError").matches(got) or got in ("", b"", {}, [])
    )
    status, body = fresh.one_of([400, 404, 409, 500]), json.dumps({"error": fresh.word()}).encode("ascii")
    now(scene, f"the server answers {status} with a JSON body", f"服务器返回 {status} 和一段 JSON")
    http.on("GET", f"{path}/wrong", status=status, body=body, headers=label)
    raised = student.get_json(http.url(f"{path}/wrong")).raises(
        "HTTPFailure",
        failure_taken_for_success=lambda got: got is None or not isinstance(got, (Raised, Hung)),
        error_status_raised=raises("HTTPError"),
        error_is_an_answer=raises("NoAnswer"),
    )
    scene.expect(raised.attributes.get("status"), "raised").equals(status)
    scene.expect(raised.attributes.get("body"), "raised").equals(body, failure_without_body=lambda got: not got)


def test_post_form(student: Student, http: FakeHTTP, scene: Scene, fresh: Fresh) -> None:
    """a form is a POST: the fields are its body, and its label says so

    表单是一个 POST：字段放在正文里，并用 Content-Type 说明
    """
    path, reply = f"/{fresh.word()}", fresh.data(20)
    http.on("*", path, body=reply)
    fields = {"user": fresh.name(), "note": "a b&c=d + 你", fresh.word(): fresh.word()}
    called = student.post_form(http.url(path), fields)
    answer = answered(called, **NOT_BYTES)
    request = http.request_to(path)
    scene.expect(request.method, "received").equals("POST", wrong_method=lambda got: got != "POST")
    scene.expect(request.body, "received").satisfies(
        lambda got: sorted(parse_qsl(got.decode("ascii", "replace"), keep_blank_values=True)) == sorted(fields.items()),
        f"the fields, URL-encoded: {urlencode(fields)}",
        params_in_the_query=lambda got: got == b"" and request.query != "",
        body_and_label_disagree=lambda got: json.loads(got) == fields,
        params_not_encoded=lambda got: b" " in got,
    )
    scene.expect(request.media_type, "received").equals(
        FORM, body_without_label=None, body_and_label_disagree="application/json"
    )
    check_length(scene, request)
    called.part(answer["body"]).equals(reply, read_too_late=b"")

    now(scene, "a form without any field", "一个没有字段的表单")
    http.on("*", f"{path}/empty", body=reply)
    answered(student.post_form(http.url(f"{path}/empty"), {}))
    request = http.request_to(f"{path}/empty")
    scene.expect(request.method, "received").equals("POST", empty_form_is_a_post="GET")
    scene.expect(request.body, "received").equals(b"")


def test_put_text(student: Student, http: FakeHTTP, scene: Scene, fresh: Fresh) -> None:
    """a text travels as bytes, its label names the encoding, and its length counts bytes

    文本以字节传输：标签写明编码，长度按字节计算
    """
    path, text = f"/{fresh.word()}", f"{fresh.name()}：你好\n{fresh.word()}"
    data = text.encode("utf-8")
    http.on("*", path, status=200)
    answered(student.put_text(http.url(path), text), **NOT_BYTES)
    request = http.request_to(path)
    scene.expect(request.method, "received").equals("PUT", wrong_method=lambda got: got != "PUT")
    scene.expect(request.body, "received").equals(
        data,
        characters_counted=data[: len(text)],
    )
    scene.expect(request.media_type, "received").equals(
        "text/plain", body_without_label=None, body_and_label_disagree=FORM
    )
    label = (request.header("Content-Type") or "").lower().replace('"', "").replace(" ", "")
    scene.expect(request.header("Content-Type"), "received").satisfies(
        lambda got: "charset=utf-8" in label.split(";"),
        "text/plain; charset=utf-8",
        charset_not_said=lambda got: "charset" not in label,
    )
    check_length(scene, request)


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
            f"the JSON of {value!r}",
            empty_is_not_none=lambda got: not value and got == b"",
            characters_counted=lambda got: request.content_length == len(got) and cut_json(got),
            body_and_label_disagree=lambda got: got != b"" and not is_json(got),
        )
        scene.expect(request.media_type, "received").equals(
            "application/json", body_and_label_disagree=FORM, body_without_label=None
        )
        check_length(scene, request)

    def without_value(**mistakes: Any) -> None:
        request = sent("DELETE")
        scene.expect(request.body, "received").equals(b"", nothing_became_null=b"null")
        scene.expect(request.header("Content-Type"), "received").satisfies(
            lambda got: got is None, "no Content-Type, as there is no body", **mistakes
        )

    without_value(label_without_body=lambda got: True)
    for method in ("PUT", "PATCH", "POST"):
        with_value(method, {"name": fresh.name(), fresh.word(): [1.5, None, True]})
    with_value("PUT", fresh.one_of([0, False, [], {}, ""]))
    without_value(left_from_the_last_call=lambda got: True)
    with_value(fresh.one_of(["put", "patch", "post"]), {"name": fresh.name()})


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


def test_answers_as_they_came(student: Student, http: FakeHTTP, scene: Scene, fresh: Fresh) -> None:
    """what was changed is not sent twice: 201, 204, 307 and 409 are returned as they came

    修改请求不会重复发送：201、204、307、409 原样返回
    """
    made, refused = f"/{fresh.word()}/{fresh.number(1, 999)}", fresh.one_of([404, 409, 412])
    http.on("*", made, body=b"followed")

    def ask(method: str, status: int, body: bytes, location: str | None = None) -> None:
        path = f"/{fresh.word()}"
        said = f", Location: {location}" if location else ""
        now(scene, f"the server answers {status}{said}", f"服务器返回 {status}{said}")
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
            f"the header 'location': {location!r}",
            header_names_have_no_case=lambda got: location in got.values(),
        )
        if location:
            scene.expect([request.path for request in http.requests], "received").satisfies(
                lambda got: location not in got,
                f"no request to {location}",
                created_is_no_redirect=lambda got: status == 201,
                change_sent_again=lambda got: True,
            )

    ask("POST", 201, fresh.word().encode("ascii"), made)
    ask("DELETE", 204, b"")
    ask(fresh.one_of(["PUT", "PATCH", "POST"]), fresh.one_of([307, 308]), fresh.word().encode("ascii"), made)
    ask("PUT", refused, fresh.word().encode("ascii"))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        now(scene, "nobody listens at this port", "这个端口上没有人监听")
        student.send("DELETE", f"http://127.0.0.1:{unused.getsockname()[1]}/").raises(
            "NoAnswer",
            error_without_status=raises("AttributeError"),
            refusal_let_out=raises("OSError"),
            no_answer_has_no_status=lambda got: got is None or isinstance(got, dict),
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
    before = len(http.requests)
    for value in (f"{fresh.word()}\r\nX-Evil: {fresh.word()}", f"{fresh.word()}\nX-Evil: 1", f"你好 {fresh.word()}"):
        student.send("PUT", http.url(path), 1, {"X-Note": value}).raises(
            "ValueError",
            header_let_through=lambda got: isinstance(got, dict),
            own_mistake_hidden=raises("NoAnswer"),
        )
    scene.expect(len(http.requests) - before, "received").equals(0)


def test_certificate(
    student: Student, https: FakeHTTP, raw: SERVE_RAW, authority: Authority, scene: Scene, fresh: Fresh
) -> None:
    """a server that cannot prove who it is gets not one byte of the request

    不能证明自己身份的服务器，一个字节的请求也得不到
    """
    path, body = f"/{fresh.word()}", fresh.data(30)
    https.on("GET", path, body=body)
    now(scene, "the server's certificate is right", "服务器的证书是正确的")
    called = student.fetch(https.url(path))
    answer = answered(called, certificate=lambda got: raises("NoAnswer").matches(got) or raises("OSError").matches(got))
    called.part(answer["body"]).equals(body, read_too_late=b"")
    content = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
    for context, english, chinese, reason in (
        (authority.unknown_ca, "is signed by nobody we know", "由我们不认识的机构签发", "certificate_not_checked"),
        (authority.expired, "has expired", "已经过期", "certificate_not_checked"),
        (authority.wrong_host, "is for another host", "属于另一个主机", "host_name_not_checked"),
    ):
        now(scene, f"the server's certificate {english}", f"服务器的证书{chinese}")
        server = raw([ReadRequest(), Send(content)], tls=context)
        called = student.fetch(server.url(f"/{fresh.word()}"))
        called.raises(
            "NoAnswer",
            "OSError",
            error_without_status=raises("AttributeError"),
            **{reason: lambda got: got["body"] == b"hi"},
            no_answer_has_no_status=lambda got: got is None or isinstance(got, dict),
        )
        scene.expect(b"".join(each.received for each in server.connections), "received").equals(b"")
