"""The scripted server, met by real clients: what it sends, what it sees, and that nothing of it is left."""

from __future__ import annotations

import gc
import http.client
import socket
import ssl
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from dojo.fakes.connection import LINGER_NOT
from dojo.fakes.fake import NoSuchRequest
from dojo.fakes.raw import (
    ByteByByte,
    Close,
    FakeTCP,
    HalfClose,
    KeepAlive,
    Pause,
    Pieces,
    ReadLine,
    ReadRequest,
    ReadUntilClose,
    Reset,
    Send,
    Silence,
    in_words,
)
from dojo.fakes.request import parse_head
from dojo.fakes.tls import Authority
from dojo.wire import Note, Sent, Wire

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with Authority() as authority:
        yield authority


def connect(server: FakeTCP) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=5)


def read_all(client: socket.socket) -> bytes:
    data = b""
    while piece := client.recv(65536):
        data += piece
    return data


def notes(wire: Wire) -> list[str]:
    return [entry.text for entry in wire.entries if isinstance(entry, Note)]


def sent_by(wire: Wire, source: str) -> list[bytes]:
    return [entry.data for entry in wire.entries if isinstance(entry, Sent) and entry.source == source]


def descriptors() -> int:
    folder = Path("/dev/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_a_request_is_read_whole_and_recorded_as_it_came(wire: Wire) -> None:
    with FakeTCP(wire, [ReadRequest(), Send(ANSWER)]) as server, connect(server) as client:
        for piece in (
            b"POST /a%20b?x=1&x= HTTP/1.1\r\nX-one: 1\r\nx-ONE: two ",
            b" \r\nContent-Len",
            b"gth: 5\r\n\r",
            b"\nhe",
        ):
            client.sendall(piece)
        client.sendall(b"llo")
        assert read_all(client) == ANSWER
    request = server.only_request()
    assert (request.method, request.target, request.version) == ("POST", "/a%20b?x=1&x=", "HTTP/1.1")
    assert (request.path, request.query) == ("/a b", "x=1&x=")
    assert request.parameters() == [("x", "1"), ("x", "")]
    assert request.headers == (("X-one", "1"), ("x-ONE", "two"), ("Content-Length", "5"))
    assert request.header("x-one") == "1"
    assert request.all_headers("X-One") == ["1", "two"]
    assert request.body == b"hello"
    assert not request.truncated
    assert server.connections[0].requests == [request]


def test_urllib_gets_its_answer_and_the_closing_is_seen(wire: Wire) -> None:
    with FakeTCP(wire, [ReadRequest(), Send(ANSWER), Close()]) as server:
        response = urllib.request.urlopen(server.url("/x"), timeout=5)
        assert not server.wait_closed(0, deadline=0.05)
        assert response.read() == b"ok"
        response.close()
        assert server.wait_closed(0)
        assert server.connections[0].closed_by_client
        assert not server.connections[0].reset_by_client
        assert not server.wait_closed(1, deadline=0.01)
    assert notes(wire) == ["client connected", "server closed its side", "client closed its side"]


def test_byte_by_byte_arrives_whole_and_shows_as_lines(wire: Wire) -> None:
    with FakeTCP(wire, [ReadRequest(), ByteByByte(ANSWER)]) as server:
        with urllib.request.urlopen(server.url(), timeout=5) as response:
            assert response.read() == b"ok"
        assert server.wait_closed()
    assert sent_by(wire, "server") == [bytes([byte]) for byte in ANSWER]
    rows = [row.partition("  ")[2] for row in wire.lines()]
    assert f"server sends the next {len(ANSWER)} bytes one by one, 1 ms apart" in rows
    assert "server → client   HTTP/1.1 200 OK⏎" in rows
    assert rows[-3:] == ["server → client   ok", "server closed its side", "client closed its side"]


def test_pieces_come_one_by_one_and_show_as_pieces(wire: Wire) -> None:
    with FakeTCP(wire, [Pieces([b"one l", b"ine\ntw", "ö".encode()[:1], "ö".encode()[1:]])]) as server:
        with connect(server) as client:
            pieces = []
            while True:
                time.sleep(0.1)  # busy with other things, for longer than the pause
                if not (piece := client.recv(65536)):
                    break
                pieces.append(piece)
        # On other systems nobody tells what the client has read.
        expected = [b"one l", b"ine\ntw", b"\xc3", b"\xb6"]
        assert pieces == expected if sys.platform == "linux" else b"".join(pieces) == b"".join(expected)
        assert server.wait_closed()
    rows = [row.partition("   ")[2] for row in wire.lines() if "→" in row]
    assert rows == ["one l", "ine␊", "tw", "\\xc3", "\\xb6"]


def test_scripts_for_successive_connections_the_last_repeated(wire: Wire) -> None:
    with FakeTCP(wire, [[Send(b"first")], [Send(b"next")]]) as server:
        answers = []
        for _ in range(3):
            with connect(server) as client:
                answers.append(read_all(client))
        assert answers == [b"first", b"next", b"next"]
        assert server.wait_closed()
        assert server.wait_connections(3)
        assert [connection.number for connection in server.connections] == [1, 2, 3]
    assert notes(wire)[0] == "client connected"
    assert "client connected again (connection 3)" in notes(wire)


def test_a_script_is_one_or_many_not_both(wire: Wire) -> None:
    server = FakeTCP(wire, [Send(b"x"), [Send(b"y")]])
    with pytest.raises(TypeError, match="not both"):
        server.in_words()


def test_keep_alive_serves_many_requests_on_one_connection(wire: Wire) -> None:
    with FakeTCP(wire, [KeepAlive([ReadRequest(), Send(ANSWER)])]) as server:
        client = http.client.HTTPConnection(server.host, server.port, timeout=5)
        for number in range(3):
            client.request("POST", f"/{number}", body=b"x" * number)
            assert client.getresponse().read() == b"ok"
        assert not server.connections[0].closed_by_client
        client.close()
        assert server.wait_closed(0)
        assert [request.target for request in server.requests] == ["/0", "/1", "/2"]
        assert [request.connection for request in server.requests] == [1, 1, 1]
        assert len(server.connections) == 1


def test_a_reader_to_the_end_never_gets_it_from_keep_alive(wire: Wire) -> None:
    with FakeTCP(wire, [KeepAlive([ReadRequest(), Send(ANSWER)])]) as server, connect(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            read_all(client)


def test_silence_holds_until_stop_and_sees_the_client_leave(wire: Wire) -> None:
    with FakeTCP(wire, [[ReadLine(), Silence()], [Silence()]]) as server:
        with connect(server) as client:
            client.sendall(b"hello\nis anybody there?\n")
            client.settimeout(0.05)
            with pytest.raises(TimeoutError):
                client.recv(1)
            assert server.connections[0].step == "say nothing and keep the connection open"
            assert not server.connections[0].closed_by_client
        assert server.wait_closed(0)
        assert server.connections[0].received == b"hello\nis anybody there?\n"
        with connect(server) as client:
            client.shutdown(socket.SHUT_WR)
            client.settimeout(0.05)
            with pytest.raises(TimeoutError):
                client.recv(1)


def test_a_reset_is_a_reset(wire: Wire) -> None:
    with FakeTCP(wire, [[ReadLine(), Reset()], [ReadRequest(), Reset()]]) as server:
        with connect(server) as client:
            client.sendall(b"hello\n")
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        with pytest.raises(ConnectionResetError):
            urllib.request.urlopen(server.url(), timeout=5)
    assert "server reset the connection" in notes(wire)


def test_an_empty_answer_is_an_end(wire: Wire) -> None:
    with (
        FakeTCP(wire, [ReadRequest(), Close()]) as server,
        pytest.raises(http.client.RemoteDisconnected),
    ):
        urllib.request.urlopen(server.url(), timeout=5)


def test_half_close_ends_one_direction_only(wire: Wire) -> None:
    with FakeTCP(wire, [Send(b"bye"), HalfClose(), ReadUntilClose()]) as server:
        with connect(server) as client:
            assert read_all(client) == b"bye"
            client.sendall(b"but I go on")
        assert server.wait_closed(0)
        assert server.connections[0].received == b"but I go on"


def test_what_the_client_sent_too_much_costs_it_no_answer(wire: Wire) -> None:
    for _ in range(20):
        with FakeTCP(wire, [ReadLine(), Send(b"x" * 100_000), Close()]) as server, connect(server) as client:
            client.sendall(b"hello\n" + b"y" * 100_000)
            assert len(read_all(client)) == 100_000


def test_the_client_that_leaves_too_early(wire: Wire) -> None:
    with FakeTCP(wire, [ReadRequest(), Send(ANSWER)]) as server:
        with connect(server) as client:
            client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
        assert server.wait_closed(0)
        request = server.only_request()
        assert request.truncated
        assert request.body == b"half"
    assert sent_by(wire, "server") == []


def test_the_client_that_resets(wire: Wire) -> None:
    with FakeTCP(wire, [ReadUntilClose()]) as server:
        client = connect(server)
        client.sendall(b"hello")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        client.close()
        assert server.wait_closed(0)
        assert server.connections[0].reset_by_client
    assert notes(wire) == ["client connected", "client reset the connection"]


def test_a_request_that_never_came_says_what_did(wire: Wire) -> None:
    with FakeTCP(wire, [KeepAlive([ReadRequest(), Send(ANSWER)])], name="api") as server:
        with pytest.raises(NoSuchRequest, match=r"^No request has reached the api\.$") as nothing:
            server.only_request(within=0.01)
        assert nothing.value.seen == []
        for path in ("/a", "/b?\x1b[31m"):
            with connect(server) as client:
                client.sendall(f"GET {path} HTTP/1.1\r\n\r\n".encode())
                client.recv(1000)
        with pytest.raises(NoSuchRequest) as many:
            server.only_request()
        assert many.value.seen == ["GET /a", "GET /b?\\x1b[31m"]
        assert str(many.value) == "The api received 2 requests, not one: GET /a, GET /b?\\x1b[31m."
        with pytest.raises(NoSuchRequest, match=r"^No POST /a has reached the api, only GET /a, GET /b"):
            server.request_to("/a", "POST", within=0.01)
        assert server.request_to("/b").query == "\x1b[31m"


def test_a_request_that_is_on_its_way_is_waited_for(wire: Wire) -> None:
    with FakeTCP(wire, [ReadRequest()]) as server, connect(server) as client:
        late = threading.Timer(0.02, client.sendall, [b"GET /late HTTP/1.1\r\n\r\n"])
        late.start()
        assert server.only_request(within=5).target == "/late"
        late.join()


def test_what_is_no_request_at_all() -> None:
    request = parse_head(b"\xff\xfe \x00\nno colon\n: no name\r\n a b : c \r\n\r\n")
    assert request.method == "\xff\xfe"
    assert request.target == "\x00"
    assert request.headers == (("no colon", ""), ("", "no name"), (" a b ", "c"))
    assert parse_head(b"").method == ""
    assert parse_head(b"GET  /a b HTTP/1.1").target == " /a b"


@pytest.mark.parametrize("length", ["-1", "ten", "1e3", "9" * 5000, "²", ""])
def test_a_content_length_that_is_none_counts_as_zero(wire: Wire, length: str) -> None:
    with FakeTCP(wire, [ReadRequest(), Send(ANSWER)]) as server, connect(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nContent-Length: " + length.encode() + b"\r\n\r\n")
        assert read_all(client) == ANSWER


def test_the_script_in_words() -> None:
    assert (
        in_words([ReadRequest(), Send(b"HTTP/1.1 200 OK\r\n\r\n"), Pause(0.5), Close()])
        == "read a request; send HTTP/1.1 200 OK⏎⏎; wait 0.5 s; close the connection"
    )
    assert str(Pieces([b"a", b"b\n"])) == "send 2 pieces, 20 ms apart: a, b␊"
    assert (
        str(KeepAlive([ReadLine(), Silence()]))
        == "again and again: read a line; say nothing and keep the connection open"
    )
    for action in (ReadUntilClose(), HalfClose(), Reset(), ByteByByte(b"\x1b" * 100)):
        assert str(action).isprintable()


def test_an_error_in_a_script_is_the_judges(wire: Wire) -> None:
    server = FakeTCP(wire, [Send("text")])  # type: ignore[arg-type]
    server.start()
    with connect(server) as client:
        assert client.recv(1) == b""
    server.stop()
    with pytest.raises(TypeError):
        server.check()
    server.check()


def test_ipv6(wire: Wire) -> None:
    with FakeTCP(wire, [ReadRequest(), Send(ANSWER)], host="::1") as server:
        assert server.url("/x") == f"http://[::1]:{server.port}/x"
        with urllib.request.urlopen(server.url("/x"), timeout=5) as response:
            assert response.read() == b"ok"


def test_stop_ends_each_kind_of_waiting(wire: Wire, authority: Authority) -> None:
    actions = [
        ReadRequest(),
        ReadLine(),
        ReadUntilClose(),
        Silence(),
        Pause(60),
        Pieces([b"a", b"b"], pause=60),
    ]
    flood = Send(b"x" * 20_000_000)
    servers = [FakeTCP(wire, [action]) for action in [*actions, flood]]
    # And one who says nothing where a TLS handshake is due.
    servers.append(FakeTCP(wire, [ReadLine()], tls=authority.good))
    clients = []
    for server in servers:
        server.start()
        clients.append(connect(server))
        assert server.wait_connections(1)
    for server in servers:
        # Raises if a thread does not end, long before the 60 s that some of them wait for.
        server.stop()
        server.check()
    for client in clients:
        client.close()


def test_stopping_twice_or_unstarted_is_fine_and_starting_twice_is_not(wire: Wire) -> None:
    FakeTCP(wire, [Close()]).stop()
    server = FakeTCP(wire, [Close()])
    server.start()
    with pytest.raises(RuntimeError):
        server.start()
    server.stop()
    server.stop()
    with pytest.raises(RuntimeError):
        server.start()
    with pytest.raises(ConnectionRefusedError):
        connect(server).close()


def test_nothing_is_left_after_many(authority: Authority) -> None:
    context = ssl.create_default_context(cafile=authority.ca_file)

    def cycle(tls: bool) -> None:
        with FakeTCP(Wire(), [ReadLine(), Send(b"ok"), Silence()], tls=authority.good if tls else None) as server:
            client = connect(server)
            if tls:
                client = context.wrap_socket(client, server_hostname="127.0.0.1")
            with client:
                client.sendall(b"hello\n")
                assert client.recv(10) == b"ok"

    cycle(tls=True)
    gc.collect()
    before = threading.active_count(), descriptors()
    for number in range(200):
        cycle(tls=number % 10 == 0)
    gc.collect()
    assert (threading.active_count(), descriptors()) == before
