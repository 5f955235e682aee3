"""The HTTP server, met by real clients: what it answers, what it records, and that nothing of it is left."""

from __future__ import annotations

import gc
import http.client
import http.cookiejar
import json
import random
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from dojo.fakes.http import FakeHTTP, NoSuchContent, NoSuchRequest, Received, Response
from dojo.fakes.tls import Authority
from dojo.wire import Note, Sent, Wire

# No proxy of whoever runs the tests, and no default opener that another test might have installed.
urlopen = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def server(wire: Wire) -> Iterator[FakeHTTP]:
    with FakeHTTP(wire) as server:
        yield server


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with Authority() as authority:
        yield authority


def notes(wire: Wire) -> list[str]:
    return [entry.text for entry in wire.entries if isinstance(entry, Note)]


def raw(server: FakeHTTP, *pieces: bytes) -> bytes:
    """What comes back for these bytes, until the server closes."""
    with socket.create_connection((server.host, server.port), timeout=5) as client:
        for piece in pieces:
            client.sendall(piece)
        answer = b""
        while data := client.recv(65536):
            answer += data
        return answer


def fetch(
    server: FakeHTTP, method: str, path: str, body: bytes | None = None
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """What http.client, which follows and raises nothing, gets."""
    client = http.client.HTTPConnection(server.host, server.port, timeout=5)
    client.request(method, path, body=body)
    response = client.getresponse()
    content = response.read()
    client.close()
    return response.status, response.headers, content


def descriptors() -> int:
    folder = Path("/dev/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_what_is_registered_is_answered(server: FakeHTTP) -> None:
    server.on("GET", "/text", body="wörld")
    server.on("GET", "/bytes", body=b"\xff\x00")
    server.on("POST", "/json", status=201, json={"name": "wörld"})
    server.on("GET", "/none", status=204)
    status, headers, content = fetch(server, "GET", "/text?a=1")
    assert (status, content.decode()) == (200, "wörld")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Content-Length"] == "6"
    assert headers["Connection"] == "close"
    status, headers, content = fetch(server, "GET", "/bytes")
    assert (headers["Content-Type"], content) == ("application/octet-stream", b"\xff\x00")
    status, headers, content = fetch(server, "POST", "/json")
    assert (status, json.loads(content)) == (201, {"name": "wörld"})
    assert headers["Content-Type"] == "application/json"
    status, headers, content = fetch(server, "GET", "/none")
    assert (status, content) == (204, b"")
    assert headers["Content-Type"] is None
    assert headers["Content-Length"] is None
    assert headers["Transfer-Encoding"] is None


def test_headers_are_sent_as_they_are_given(server: FakeHTTP) -> None:
    server.on("GET", "/twice", headers=[("Set-Cookie", "a=1"), ("X-lower", "x"), ("Set-Cookie", "b=2")], body="x")
    server.on(
        "GET",
        "/latin",
        headers={"content-type": "text/plain; charset=latin-1"},
        body="wörld".encode("latin-1"),
    )
    server.on("GET", "/untyped", headers={"Content-Type": None}, body="x")
    server.on("GET", "/jsonish", headers={"Content-Type": "application/problem+json"}, json=[1])
    headers = fetch(server, "GET", "/twice")[1]
    assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert "X-lower" in headers.keys()  # noqa: SIM118 - the mapping itself knows no case
    assert fetch(server, "GET", "/latin")[1].get_all("Content-Type") == ["text/plain; charset=latin-1"]
    assert fetch(server, "GET", "/untyped")[1]["Content-Type"] is None
    assert fetch(server, "GET", "/jsonish")[1].get_all("Content-Type") == ["application/problem+json"]


def test_what_is_not_registered_is_a_404_and_recorded(server: FakeHTTP) -> None:
    server.on("GET", "/x", body="x")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urlopen(server.url("/y"), timeout=5)
    with caught.value:
        assert caught.value.code == 404
        assert caught.value.read() == b"No answer to GET /y. Nothing is known of this path.\n"
    status, _, content = fetch(server, "POST", "/x", b"a")
    assert (status, content) == (404, b"No answer to POST /x. It is known for GET.\n")
    assert [str(request) for request in server.requests] == ["GET /y", "POST /x"]
    assert server.unexpected == server.requests
    server.check()


def test_methods_have_case_and_any_is_a_star(server: FakeHTTP) -> None:
    server.on("PUT", "/put", body="x")
    server.on("*", "/any", handler=lambda request: request.method)
    assert fetch(server, "put", "/put")[0] == 404
    assert server.only_request().method == "put"
    assert fetch(server, "PUT", "/put")[0] == 200
    for method in ("GET", "PATCH", "DELETE", "weird"):
        assert fetch(server, method, "/any")[2].decode() == method


def test_head_has_the_headers_and_not_the_body(server: FakeHTTP) -> None:
    server.on("GET", "/x", body="hello")
    server.on("GET", "/paced", pieces=[b"a", b"b"])
    status, headers, content = fetch(server, "HEAD", "/x")
    assert (status, headers["Content-Length"], content) == (200, "5", b"")
    assert raw(server, b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n").endswith(b"\r\n\r\n")
    assert raw(server, b"HEAD /paced HTTP/1.1\r\nHost: a\r\n\r\n").endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
def test_no_body_where_there_may_be_none(server: FakeHTTP, status: int) -> None:
    server.on("GET", "/x", status=status, body="hello")
    answer = raw(server, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert answer.endswith(b"\r\n\r\n")
    assert b"hello" not in answer
    assert b"Content-Length" not in answer


def test_the_latest_registration_counts_and_once_comes_first(server: FakeHTTP) -> None:
    server.on("GET", "/x", body="old")
    server.on("GET", "/x", body="new")
    server.on("GET", "/x", body="first", once=True)
    server.on("GET", "/x", body="second", once=True)
    assert [fetch(server, "GET", "/x")[2] for _ in range(4)] == [b"first", b"second", b"new", b"new"]


def test_once_is_once_for_clients_at_the_same_moment(server: FakeHTTP) -> None:
    server.on("GET", "/x", body="rest")
    for number in range(4):
        server.on("GET", "/x", body=f"{number}", once=True)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(fetch(server, "GET", "/x")[2])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted([b"0", b"1", b"2", b"3", *[b"rest"] * 4])


def test_a_request_is_recorded_as_it_was_on_the_wire(server: FakeHTTP) -> None:
    server.on("POST", "/a b/ü", body="x")
    answer = raw(
        server,
        b"POST /a%20b/%C3%BC?q=%20+&q= HTTP/1.1\r\nHost: h\r\nX-dup: 1\r\nx-DUP:  two\t\r\nX_under: 3\r\n",
        b"Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: 9\r\nX-Bytes: \xe4\r\n\r\n[1, ",
        b'"\xc3\xa4"]',
    )
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    request = server.only_request()
    assert request.target == "/a%20b/%C3%BC?q=%20+&q="
    assert request.version == "HTTP/1.1"
    assert (request.path, request.query) == ("/a b/ü", "q=%20+&q=")
    assert request.parameters() == [("q", "  "), ("q", "")]
    assert [name for name, _ in request.headers] == [
        "Host", "X-dup", "x-DUP", "X_under", "Content-Type", "Content-Length", "X-Bytes",
    ]  # fmt: skip
    assert request.all_headers("x-dup") == ["1", "two"]
    assert request.header("HOST") == "h"
    assert request.header("missing") is None
    assert request.header("x-bytes") == "ä"
    assert request.media_type == "application/json"
    assert request.json() == [1, "ä"]


def test_a_form_is_read_as_pairs(server: FakeHTTP) -> None:
    server.on("POST", "/form", body="x")
    pairs = [("name", "你好 & co"), ("empty", ""), ("name", "again")]
    urlopen(server.url("/form"), data=urlencode(pairs).encode(), timeout=5).close()
    request = server.request_to("/form")
    assert request.form() == pairs
    assert request.media_type == "application/x-www-form-urlencoded"
    with pytest.raises(NoSuchContent, match=r"^The body is not JSON: name=%E4%BD%A0"):
        request.json()


@pytest.mark.parametrize("body", [b"\xff\xfe=\x1b&a", "ä=ö".encode(), b""])
def test_a_body_of_any_bytes_can_be_looked_at(body: bytes) -> None:
    request = Received("POST", "/", "HTTP/1.1", (), body)
    assert isinstance(request.form(), list)
    assert isinstance(request.text, str)
    with pytest.raises(NoSuchContent) as caught:
        request.json()
    assert str(caught.value).isprintable()
    assert request.media_type is None


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a?b?c#d", "/a", "b?c#d"),
        ("/a#b", "/a", ""),
        ("//a/b", "//a/b", ""),
        ("http://h:1/a%2Fb?c", "/a/b", "c"),
        ("http://h?c", "/", "c"),
        ("*", "*", ""),
        ("", "", ""),
        ("/go?to=http://other/x", "/go", "to=http://other/x"),
    ],
)
def test_the_parts_of_a_target(target: str, path: str, query: str) -> None:
    request = Received("GET", target, "HTTP/1.1", ())
    assert (request.path, request.query) == (path, query)


def test_a_chunked_body_is_put_together(server: FakeHTTP) -> None:
    server.on("POST", "/x", handler=lambda request: request.body)
    request = urllib.request.Request(server.url("/x"), data=iter([b"one ", b"two"]), method="POST")
    with urlopen(request, timeout=5) as response:
        assert response.read() == b"one two"
    assert server.only_request().body == b"one two"
    assert server.only_request().header("transfer-encoding") == "chunked"


def test_a_body_that_waits_for_100_continue(server: FakeHTTP) -> None:
    server.on("POST", "/x", handler=lambda request: request.body)
    with socket.create_connection((server.host, server.port), timeout=5) as client:
        client.sendall(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"ok")
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_pieces_are_paced_and_chunked(server: FakeHTTP, wire: Wire) -> None:
    server.on("GET", "/x", pieces=[b"one ", b"two ", b"three"])
    with urlopen(server.url("/x"), timeout=5) as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert response.read() == b"one two three"
    sent = [entry.data for entry in wire.entries if isinstance(entry, Sent) and entry.source == "server"]
    assert [data for data in sent if not data.startswith(b"HTTP")][-3:] == [
        b"4\r\ntwo \r\n", b"5\r\nthree\r\n", b"0\r\n\r\n",
    ]  # fmt: skip


def test_pieces_of_a_known_length_are_not_chunked(server: FakeHTTP, wire: Wire) -> None:
    server.on("GET", "/x", pieces=["你".encode()[:1], "你".encode()[1:]], headers={"Content-Length": "3"})
    with urlopen(server.url("/x"), timeout=5) as response:
        assert response.headers["Transfer-Encoding"] is None
        assert response.read().decode() == "你"
    rows = [row.partition("   ")[2] for row in wire.lines(limit=100)]
    assert "\\xe4" in rows
    assert "\\xbd\\xa0" in rows


def test_an_old_client_gets_no_chunks(server: FakeHTTP) -> None:
    server.on("GET", "/x", pieces=[b"one ", b"two"])
    answer = raw(server, b"GET /x HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.0 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\none two")


def test_a_length_that_promises_too_much(server: FakeHTTP) -> None:
    server.on("GET", "/x", body=b"short", headers={"Content-Length": "100"})
    with urlopen(server.url("/x"), timeout=5) as response, pytest.raises(http.client.IncompleteRead):
        response.read()


def test_redirects_are_followed_by_who_follows(server: FakeHTTP) -> None:
    server.on("GET", "/old", status=302, headers={"Location": "/new?x=1"})
    server.on("GET", "/new", body="here")
    with urlopen(server.url("/old"), timeout=5) as response:
        assert response.read() == b"here"
    assert [str(request) for request in server.requests] == ["GET /old", "GET /new?x=1"]
    with pytest.raises(NoSuchRequest, match="received 2 requests, not one: GET /old, GET /new"):
        server.only_request()
    assert fetch(server, "GET", "/old")[1]["Location"] == "/new?x=1"


def test_basic(server: FakeHTTP) -> None:
    server.protect_basic("/secret", "ann", "p:w 密", realm="vault", body="welcome")
    manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    manager.add_password(None, server.url("/secret"), "ann", "p:w 密")
    status, headers, _ = fetch(server, "GET", "/secret")
    assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="vault", charset="UTF-8"')
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPBasicAuthHandler(manager))
    with opener.open(server.url("/secret"), timeout=5) as response:
        assert response.read() == b"welcome"
    assert server.request_to("/secret").basic == ("ann", "p:w 密")


@pytest.mark.parametrize(
    "value",
    ["", "Basic", "Basic !!!", "Basic b'YTpi'", "Basic YQ==", "Basic /w==", "Bearer YTpi", "Basic YTpi YTpi"],
)
def test_credentials_that_are_none(value: str) -> None:
    assert Received("GET", "/", "HTTP/1.1", (("Authorization", value),)).basic is None


def test_credentials_with_the_scheme_in_any_case() -> None:
    assert Received("GET", "/", "HTTP/1.1", (("authorization", "bAsIc YTpiOmM="),)).basic == ("a", "b:c")


def test_a_login_form_with_a_cookie(server: FakeHTTP) -> None:
    def login(request: Received) -> Response:
        if dict(request.form()) != {"user": "ann", "password": "pw"}:
            return Response("Wrong user or password.", 403)
        return Response(status=303, headers=[("Location", "/home"), ("Set-Cookie", "session=s3; Path=/; HttpOnly")])

    def home(request: Received) -> Response | str:
        return "Welcome." if request.cookies.get("session") == "s3" else Response("Log in first.", 401)

    server.on("POST", "/login", handler=login)
    server.on("GET", "/home", handler=home)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )
    with opener.open(server.url("/login"), data=b"user=ann&password=pw", timeout=5) as response:
        assert response.read() == b"Welcome."
    assert server.request_to("/home").cookies == {"session": "s3"}
    assert fetch(server, "GET", "/home")[0] == 401
    assert fetch(server, "POST", "/login", b"user=ann")[0] == 403


def test_an_error_in_a_handler_reaches_the_judge(wire: Wire) -> None:
    server = FakeHTTP(wire)
    server.on("GET", "/x", handler=failing)
    server.start()
    status, _, content = fetch(server, "GET", "/x")
    assert (status, content) == (500, b"The handler of this fake server failed.\n")
    server.stop()
    assert "the handler in the server failed: LookupError: /x" in notes(wire)
    with pytest.raises(LookupError, match="/x"):
        server.check()
    server.check()


def use_a_failing_handler(wire: Wire) -> None:
    with FakeHTTP(wire) as server:
        server.on("GET", "/x", handler=failing)
        fetch(server, "GET", "/x")


def use_a_failing_handler_and_fail(wire: Wire) -> None:
    with FakeHTTP(wire) as server:
        server.on("GET", "/x", handler=failing)
        fetch(server, "GET", "/x")
        raise ZeroDivisionError


def test_leaving_the_block_checks_but_hides_no_error(wire: Wire) -> None:
    with pytest.raises(LookupError, match="/x"):
        use_a_failing_handler(wire)
    with pytest.raises(ZeroDivisionError):
        use_a_failing_handler_and_fail(wire)


def failing(request: Received) -> str:
    raise LookupError(request.path)


def test_an_assertion_in_a_handler_reaches_the_judge_too(wire: Wire) -> None:
    server = FakeHTTP(wire)
    server.on("GET", "/x", handler=asserting)
    server.start()
    fetch(server, "GET", "/x")
    server.stop()
    with pytest.raises(AssertionError, match="seen twice"):
        server.check()


def asserting(request: Received) -> str:
    raise AssertionError(f"{request.path} seen twice")


def test_a_body_that_ends_too_early(server: FakeHTTP, wire: Wire) -> None:
    server.on("POST", "/x", body="x")
    with socket.create_connection((server.host, server.port), timeout=5) as client:
        client.sendall(b"POST /x HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
    request = server.only_request()
    assert (request.body, request.truncated) == (b"half", True)
    assert "server got 4 of the 10 bytes of body that Content-Length promised" in notes(wire)
    with socket.create_connection((server.host, server.port), timeout=5) as client:
        client.sendall(b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe")
    assert server.door.wait(lambda: len(server.requests) == 2, 5)
    assert server.requests[1].truncated


def test_stop_waits_for_nobody(wire: Wire, authority: Authority) -> None:
    def hold(request: Received) -> str:
        held.stopping.wait(60)
        return "too late"

    server = held = FakeHTTP(wire)
    server.on("GET", "/hold", handler=hold)
    server.on("GET", "/paced", pieces=[b"a", b"b"], pause=60)
    secret = FakeHTTP(wire, tls=authority.good)
    server.start()
    secret.start()
    words = [
        b"",
        b"GET /",
        b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /paced HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /x HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf",
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
    ]
    clients = [socket.create_connection((server.host, server.port), timeout=5) for _ in words]
    for client, said in zip(clients, words, strict=True):
        client.sendall(said)
    clients.append(socket.create_connection((secret.host, secret.port), timeout=5))
    assert server.wait_connections(len(words))
    assert secret.wait_connections(1)
    server.request_to("/hold", within=5)
    server.request_to("/paced", within=5)
    # Raises if a thread does not end, long before the 60 s that some of them wait for.
    server.stop()
    secret.stop()
    server.check()
    secret.check()
    for client in clients:
        client.close()


def test_a_silent_client_keeps_nobody_waiting(authority: Authority, wire: Wire) -> None:
    for tls in (None, authority.good):
        with (
            FakeHTTP(wire, tls=tls) as server,
            socket.create_connection((server.host, server.port), timeout=5),
        ):
            server.on("GET", "/x", body="x")
            context = ssl.create_default_context(cafile=authority.ca_file)
            handler = urllib.request.HTTPSHandler(context=context)
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)
            with opener.open(server.url("/x"), timeout=5) as response:
                assert response.read() == b"x"


def test_that_the_client_closes_is_seen(server: FakeHTTP) -> None:
    server.on("GET", "/x", body="hello")
    with socket.create_connection((server.host, server.port), timeout=5) as client:
        client.sendall(b"GET /x HTTP/1.1\r\n\r\n")
        while client.recv(1000):
            pass
        assert not server.wait_closed(deadline=0.05)
    assert server.wait_closed()


@pytest.mark.parametrize("leaf", ["good", "wrong_host", "expired", "unknown_ca"])
def test_tls_is_refused_by_who_verifies(authority: Authority, wire: Wire, leaf: str) -> None:
    with FakeHTTP(wire, tls=getattr(authority, leaf)) as server:
        server.on("GET", "/x", body="x")
        handler = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=authority.ca_file))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)
        assert server.url("/x").startswith("https://")
        if leaf == "good":
            for host in ("127.0.0.1", "localhost"):
                with opener.open(server.url("/x", host), timeout=5) as response:
                    assert response.read() == b"x"
            assert len(server.requests) == 2
            assert any(row.endswith("client → server   GET /x HTTP/1.1⏎") for row in wire.lines())
        else:
            with pytest.raises(urllib.error.URLError):
                opener.open(server.url("/x"), timeout=5)
            assert server.wait_closed()
            assert server.requests == []
            assert notes(wire)[-1].startswith("the TLS handshake failed: the client ")


def test_tls_to_a_plain_port_is_named(server: FakeHTTP, wire: Wire) -> None:
    with pytest.raises(urllib.error.URLError):
        urlopen(server.url("/x").replace("http:", "https:"), timeout=5)
    assert server.wait_closed()
    assert "server speaks plain HTTP, but the client began a TLS handshake" in notes(wire)
    server.check()


@pytest.mark.parametrize(
    "words",
    [
        b"\r\n",
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /a b c HTTP/1.1\r\n\r\n",
        b"GET http://[x HTTP/1.1\r\n\r\n",
        b"GET /x HTTP/9.9\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"GET /x HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /x HTTP/1.1\r\n: no name\r\n folded\r\n\r\n",
        b"GET /x HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"GET /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnot hex\r\n",
        b"GET /x HTTP/1.1\r\n" + b"X-Many: 1\r\n" * 200 + b"\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /x HTTP/1.1\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n",
    ],
)
def test_nonsense_is_the_clients_fault_not_the_judges(server: FakeHTTP, words: bytes) -> None:
    with socket.create_connection((server.host, server.port), timeout=5) as client:
        client.sendall(words)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass
    assert server.wait_closed()
    server.check()


def test_a_bad_request_is_answered_as_such(server: FakeHTTP) -> None:
    server.on("GET", "/x", body="hello")
    assert raw(server, b"GET /x HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400 ")  # without Host: RFC 9112 §3.2
    assert [request.path for request in server.requests] == ["/x"]
    assert raw(server, b"GET /x HTTP/1.0\r\n\r\n").endswith(b"hello")
    assert raw(server, b"hello\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_random_nonsense(server: FakeHTTP) -> None:
    chance = random.Random(4)
    words = [
        b"GET ",
        b"/x",
        b" HTTP/1.1",
        b"\r\n",
        b"\n",
        b":",
        b"Content-Length: 3",
        b"Host",
        b"\0",
        b"\xff",
        b" ",
        b"//",
    ]
    for _ in range(150):
        with socket.create_connection((server.host, server.port), timeout=5) as client:
            client.sendall(b"".join(chance.choices(words, k=chance.randrange(12))))
    assert server.wait_connections(150)
    assert server.wait_closed(deadline=5)
    server.check()


def test_nothing_is_printed_or_logged(server: FakeHTTP, capfd: pytest.CaptureFixture[str]) -> None:
    server.on("GET", "/x", body="x")
    fetch(server, "GET", "/x")
    fetch(server, "GET", "/nothing")
    raw(server, b"nonsense\r\n\r\n")
    assert server.wait_closed()
    server.stop()
    assert capfd.readouterr() == ("", "")


def test_clients_at_the_same_moment(server: FakeHTTP) -> None:
    together = threading.Barrier(4)

    def meet(request: Received) -> str:
        together.wait(5)
        return request.query

    server.on("GET", "/meet", handler=meet)
    answers = []
    threads = [
        threading.Thread(target=lambda number=number: answers.append(fetch(server, "GET", f"/meet?{number}")[2]))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [b"0", b"1", b"2", b"3"]


def test_nothing_is_left_after_many(authority: Authority) -> None:
    context = ssl.create_default_context(cafile=authority.ca_file)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))

    def cycle(number: int) -> None:
        with FakeHTTP(Wire(), tls=authority.good if number % 10 == 0 else None) as server:
            server.on("GET", "/x", body=f"{number}")
            # One in two servers is stopped with a silent client connected.
            silent = socket.create_connection((server.host, server.port)) if number % 2 else None
            with opener.open(server.url("/x"), timeout=5) as response:
                assert response.read() == f"{number}".encode()
            if silent:
                assert server.wait_connections(2)
        if silent:
            silent.close()

    cycle(0)
    cycle(1)
    gc.collect()
    before = threading.active_count(), descriptors()
    for number in range(200):
        cycle(number)
    gc.collect()
    assert (threading.active_count(), descriptors()) == before
