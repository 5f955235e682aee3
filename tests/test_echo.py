"""echo: sockets, from the server's side and from the client's. In the order of the contract."""

from __future__ import annotations

import contextlib
import dataclasses
import select
import socket
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from dojo.expect import Scene, Student, matching, raises
from dojo.failure import Failed, Row
from dojo.fakes.connection import LINGER_NOT, Connection
from dojo.fakes.raw import Action, FakeTCP, Pieces, ReadUntilClose, Reset, Send, Silence
from dojo.fresh import Fresh
from dojo.ipv6 import has_ipv6
from dojo.outcome import Hung, Raised, Returned, Standing
from dojo.peers import Peer
from dojo.server import Server
from dojo.unread import is_read, unread
from dojo.words import LANGUAGES, language
from dojo.words import word as said

Raw = Callable[..., FakeTCP]
Mistakes = dict[str, Any]

HOST = "127.0.0.1"
SOON = 1.5
"""Seconds that a peer waits where a wrong server would let it wait for ever."""
HUNG = SOON + 1.0
"""Seconds that a client of the student's gets when its own timeout is SOON."""

SILENT = 0.6
"""Seconds that a client of the server says nothing. It may say nothing for an hour; who waits longer than this and not
for ever is not found."""

SEND_BUFFER = 64 * 1024
"""Bytes that the system is asked to keep for a client that does not read, where the usual megabytes would take long to
fill."""

UNHEARD = 1_000_000
"""Bytes that a client sends whose echo nobody reads: several times what the system keeps for it then."""

CANNOT_LISTEN = {"address_in_two": "exactly one argument", "address_of_another": "assign requested address"}
"""Mistakes that show before a server listens, by what the exception says."""


# --- helpers ------------------------------------------------------------------------------------------------


def either(english: str, chinese: str) -> str:
    """The one in the reader's language."""
    return (english, chinese)[LANGUAGES.index(language())]


def listens(scene: Scene, name: str, *arguments: Any, send_buffer: int = 0, **mistakes: str) -> Server:
    """Begin a server, which must listen at the host and port that it was given."""
    try:
        server = scene.serve(name, *arguments, send_buffer=send_buffer)
    except Failed as failed:
        error = " ".join(row.text for row in failed.failure.rows if row.label == "raised")
        for reason, part in {**CANNOT_LISTEN, **mistakes}.items():
            if part in error:
                scene.fail(dataclasses.replace(failed.failure, reason=reason))
        raise
    if len(arguments) == 1:  # a path
        scene.expect(server.address, "got").equals(arguments[0], listens_elsewhere=lambda _: True)
        return server
    if arguments[0] == "localhost":
        scene.expect(server.address, "got").satisfies(
            lambda address: address[0] in (HOST, "::1"),
            ("an address that localhost stands for: 127.0.0.1 or ::1", "localhost 代表的地址：127.0.0.1 或 ::1"),
            listens_elsewhere=lambda _: True,
        )
    else:
        wanted = (arguments[0], arguments[1] or server.address[1])
        scene.expect(server.address, "got").equals(wanted, listens_elsewhere=lambda _: True)
    return server


def comes(server: Server, name: str, **mistakes: Any) -> Peer:
    """A client that connects to a server which must still be there."""
    try:
        return server.peer(name)
    except Failed as failed:
        server.has_ended(0.2)
        reason = matching(mistakes, server.end)
        if reason and failed.failure.reason == "cannot_connect":
            server.fail(reason, tuple(row for row in failed.failure.rows if row.label != "ended"))
        raise


def silent(server: Server) -> Callable[[Any], bool]:
    """Nothing was heard, though the server goes on."""
    return lambda got: got == b"" and server.end is None


def open_still(got: Any) -> bool:
    """Nothing was heard where the end should be: the connection is open, whatever became of the server."""
    return bool(got == b"")


def returned(got: Any) -> bool:
    """The server's function has come to its end by itself."""
    return isinstance(got, Returned)


def hung(got: Any) -> bool:
    """The call had not ended when the judge gave up."""
    return isinstance(got, Hung)


def busy_hung(got: Any) -> bool:
    """The call had not ended, and it was no waiting."""
    return isinstance(got, Hung) and got.busy is not False


def waited(got: Any) -> bool:
    """The call waited for what does not come, for ever or until its timeout."""
    return hung(got) or raises("TimeoutError").matches(got)


def at_rest(server: Server) -> None:
    """Wait until the main thread of the server stands still: an interrupt in the middle of an accept() would lose
    the socket that it brings, which is nobody's mistake."""
    until = time.monotonic() + SOON
    places: list[Any] = []
    while time.monotonic() < until:
        standing = server.standing()
        main = [thread.frames for thread in standing.threads if thread.main] if standing else None
        places.append(main)
        if len(places) > 2 and places[-1] == places[-2] == places[-3]:
            return
        time.sleep(0.005)


def idle(server: Server) -> None:
    """Wait until the server has done what it can do: nothing moves any more, at two looks. It fails when it goes on
    computing though it can do nothing."""
    until = time.monotonic() + HUNG
    looks = 0
    while looks < 2 and time.monotonic() < until:
        looks = looks + 1 if server.processor_share(0.04) < 0.1 else 0
    if looks < 2:
        rests(server, "spins_while_owing")


def rests(server: Server, reason: str) -> None:
    """The server computes nothing; if it does, it fails for this reason."""
    share = server.processor_share()
    if share > 0.1:
        found = either(f"{share:.0%} of a processor", f"一个处理器的 {share:.0%}")
        server.fail(reason, (Row("got", found),))


def bound_only() -> socket.socket:
    """A socket that has a port and does not listen: who connects there is refused."""
    sock = socket.socket()
    sock.bind((HOST, 0))
    return sock


@dataclasses.dataclass(frozen=True)
class EchoInPieces(Action):
    """An echo server's client: what comes goes back, in three pieces, each read before the next one."""

    pause: float = 0.01
    capitals: bool = False

    def perform(self, connection: Connection) -> None:
        while data := connection.receive():
            data = data.upper() if self.capitals else data
            third = max(len(data) // 3, 1)
            for index, piece in enumerate((data[:third], data[third : 2 * third], data[2 * third :])):
                if index:
                    connection.pause_after_piece(self.pause)
                if piece:
                    connection.send(piece, piece=True)

    def __str__(self) -> str:
        return "send back what comes, in three pieces"


@dataclasses.dataclass
class NarrowEcho(Action):
    """An echo server with small buffers: it reads on only when its echo is read."""

    got: int = 0
    sent_back: int = 0

    def perform(self, connection: Connection) -> None:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            connection.socket.setsockopt(socket.SOL_SOCKET, option, 131072)
        try:
            while data := connection.socket.recv(65536):  # past the wire: nobody reads megabytes there
                self.got += len(data)
                connection.socket.sendall(data)
                self.sent_back += len(data)
        except OSError as error:
            raise ConnectionResetError("the client is gone") from error
        finally:
            connection.note("has_echoed", received=f"{self.got:,}", sent=f"{self.sent_back:,}")

    def __str__(self) -> str:
        return "send back what comes, and read on only when that is read"


@dataclasses.dataclass(frozen=True)
class EchoSome(Action):
    """Send back the first bytes of what comes."""

    size: int

    def perform(self, connection: Connection) -> None:
        connection.send(connection.receive()[: self.size])

    def __str__(self) -> str:
        return f"send back {self.size} bytes"


def begins(whole: Any) -> Callable[[Any], bool]:
    """The beginning of what should have come, which is text or bytes."""
    return lambda got: isinstance(got, type(whole)) and len(got) > 0 and bool(whole.startswith(got))


def more_than_buffers(fresh: Fresh) -> bytes:
    """More than the system's buffers can hold on the way from a program to another that does not read."""
    largest = 4 * 1024 * 1024
    with contextlib.suppress(OSError, ValueError):
        largest = int(Path("/proc/sys/net/ipv4/tcp_wmem").read_text("ascii").split()[2])
    block = fresh.word(65_521).encode("ascii")  # letters cross the pipe faster than bytes of any value
    return block * ((min(largest, 12 * 1024 * 1024) + 1024 * 1024) // len(block))


# --- the first steps ----------------------------------------------------------------------------------------


def test_greet(scene: Scene, fresh: Fresh) -> None:
    """a client that connects hears the text, then the end

    连上来的客户端收到文本，然后收到连接结束
    """
    text = f"Hello, {fresh.name()}!"
    sent = text.encode("utf-8")
    server = listens(scene, "greet", HOST, 0, text)
    alice = comes(server, "alice")
    alice.hears(
        sent,
        within=SOON,
        text_not_encoded=raises("TypeError", "bytes-like"),
        other_encoding=lambda got: (
            raises("UnicodeEncodeError").matches(got)
            or got in [text.encode(name, "replace") for name in ("utf-16", "gbk", "ascii", "latin-1", "utf-8-sig")]
        ),
        nothing_sent=silent(server),
    )
    alice.hears_end(within=SOON, more_than_the_text=lambda got: len(got) > 0, never_closed=open_still)
    alice.closes()
    server.returns(within=SOON)


def test_read_text(student: Student, scene: Scene, fresh: Fresh, raw: Raw) -> None:
    """all the text arrives, though it comes in pieces that are cut anywhere

    文本分成几段到达，切在哪里都有可能，但一个字也不少
    """
    scene.now(
        "The server sends the text in pieces, one of them cut inside a character, then it ends the connection.",
        "服务器分几段发送文本，其中一处切在一个字符的中间，然后结束连接。",
    )
    first, middle, last = f"{fresh.word()}, ", f"{fresh.word()}汉字", f"字 {fresh.word()} \n"
    text = first + middle + last
    data = text.encode("utf-8")
    cuts = [0, len(first.encode()), len((first + middle).encode()) - 2, len(data)]
    pieces = [data[a:b] for a, b in pairwise(cuts)]
    server = raw([Pieces(pieces)])
    student.within(HUNG).read_text(HOST, server.port, SOON).returns(
        text,
        spins_on_the_end=busy_hung,
        one_read=begins(text),
        halves_decoded=raises("UnicodeDecodeError"),
        halves_thrown_away=lambda got: isinstance(got, str) and got.replace("\ufffd", "") == text.replace("字字", "字"),
    )
    long = fresh.word(20) * fresh.number(10_000, 12_000)
    scene.now(
        f"The server sends {len(long):,} bytes, then it ends the connection.",
        f"服务器发送 {len(long):,} 个字节，然后结束连接。",
    )
    server = raw([Send(long.encode())])
    student.within(HUNG).read_text(HOST, server.port, SOON).returns(long, one_read=begins(long))
    scene.now(
        "The server sends bytes that are not UTF-8, then it ends the connection.",
        "服务器发送不是 UTF-8 的字节，然后结束连接。",
    )
    server = raw([Send(b"caf\xe9")])
    student.within(HUNG).read_text(HOST, server.port, SOON).raises("UnicodeDecodeError")


def test_echo_one(scene: Scene, fresh: Fresh) -> None:
    """one client gets back every byte it sends, at once and unchanged, until it ends

    一个客户端发来的每个字节都立刻、原样送回，直到它结束
    """
    server = listens(scene, "echo_one", HOST, 0)
    alice = comes(server, "alice")
    mistakes: Mistakes = {
        "text_not_encoded": raises("TypeError", "bytes-like"),
        "bytes_as_text": raises("UnicodeDecodeError"),
        "echo_only_once": returned,
        "echo_held_back": silent(server),
    }
    for byte in fresh.word(3).encode("ascii"):
        alice.sends(bytes([byte]))
        alice.hears(bytes([byte]), within=SOON, **mistakes)
    text = f" \t{fresh.word()}  \r\n".encode()
    every = b"\xe5\xb0" + bytes(fresh.shuffled(range(256)))
    for pieces in ((text[:5], text[5:]), (every[:1], every[1:])):
        alice.sends_in_pieces(*pieces)
        alice.hears(b"".join(pieces), within=SOON, **mistakes, bytes_changed=lambda got: len(got) > 0)
    last = fresh.word(20_000).encode("ascii")
    alice.sends(last)
    alice.half_closes()
    alice.hears(last, within=SOON, **mistakes, rest_not_sent=lambda got: got != b"" and last.startswith(got))
    alice.hears_end(within=SOON, spins_on_the_end=server.spins(), never_closed=open_still)
    alice.closes()
    server.returns(within=SOON, spins_on_the_end=server.spins())


# --- clients ------------------------------------------------------------------------------------------------


def test_get_echo(student: Student, scene: Scene, fresh: Fresh, raw: Raw) -> None:
    """a client sends, and gets all of it back, though it comes in pieces

    客户端发送数据，分几段收回全部
    """
    scene.tell(
        "The server sends back what it gets, in three pieces, and does not end the connection.",
        "服务器把收到的数据分三段送回，并且不结束连接。",
    )
    for data in (f"{fresh.word(12)}\r\n {fresh.word()}\n ".encode(), b"\xff\x00" + fresh.data(28)):
        server = raw([EchoInPieces()])
        student.within(HUNG).get_echo(HOST, server.port, data, SOON).returns(
            data,
            one_read=begins(data),
            waits_for_end=waited,
            bytes_as_text=raises("UnicodeDecodeError"),
            bytes_changed=lambda got: isinstance(got, bytes),
        )
    scene.now("This server sends back capitals.", "这个服务器送回的是大写字母。")
    data = fresh.word(12).encode("ascii")
    server = raw([EchoInPieces(capitals=True)])
    student.within(HUNG).get_echo(HOST, server.port, data, SOON).returns(data.upper(), own_data_returned=data)
    scene.now("There is nothing to send, so nothing comes back.", "没有要发送的，也就没有要送回的。")
    server = raw([EchoInPieces()])
    student.get_echo(HOST, server.port, b"", 1.0).returns(b"", waits_for_nothing=waited)


def test_ask(student: Student, scene: Scene, fresh: Fresh, raw: Raw) -> None:
    """a client ends its side of the connection, and still hears the answer

    客户端结束自己这一侧的连接，仍然能收到回答
    """
    scene.tell(
        "The server reads until the client has ended its side. Only then it answers, and ends the connection.",
        "服务器一直读到客户端结束自己这一侧，然后才回答，并结束连接。",
    )
    question = f"how are you, {fresh.name()}?".encode()
    answer = [f"well, {fresh.word()} \r\n".encode(), b"\xff\x00" + fresh.data(10), fresh.word(20).encode("ascii")]
    server = raw([ReadUntilClose(), Pieces(answer)])
    student.within(HUNG).ask(HOST, server.port, question, 1.0).returns(
        b"".join(answer),
        spins_on_the_end=busy_hung,
        question_never_ends=waited,
        closed_both_ways=lambda got: got == b"" or raises("OSError").matches(got),
        one_read=begins(b"".join(answer)),
    )
    scene.expect(server.connections[0].received, "received").equals(question)


def test_client_errors(student: Student, scene: Scene, fresh: Fresh, raw: Raw) -> None:
    """a client that gets no whole answer raises an error, and never waits for ever

    客户端得不到完整的回答就抛出异常，绝不会一直等下去
    """
    data = fresh.word(12).encode("ascii")
    calls: list[tuple[str, tuple[Any, ...]]] = [("read_text", ()), ("get_echo", (data,)), ("ask", (data,))]
    as_answer: Mistakes = {"failure_is_an_answer": lambda got: got is None or isinstance(got, (str, bytes))}
    with bound_only() as nobody:
        scene.now("At this port nobody listens.", "这个端口上没有人在监听。")
        for name, arguments in calls:
            port = nobody.getsockname()[1]
            getattr(student.within(SOON), name)(HOST, port, *arguments, 1.0).raises("ConnectionError", **as_answer)
    scene.now("The server sends back 5 bytes, then it ends the connection.", "服务器送回 5 个字节，然后结束连接。")
    server = raw([EchoSome(5)])
    student.within(SOON).get_echo(HOST, server.port, data, 1.0).raises(
        "ConnectionError", half_an_echo=lambda got: got == data[:5], spins_on_the_end=busy_hung, **as_answer
    )
    scene.now("The server resets the connection.", "服务器重置连接。")
    server = raw([Reset()])
    student.within(SOON).read_text(HOST, server.port, 1.0).raises("ConnectionError", **as_answer)
    scene.now("The server takes the connection and then says nothing.", "服务器接受了连接，然后什么也不说。")
    for name, arguments in calls:
        server = raw([Silence()])
        getattr(student.within(SOON), name)(HOST, server.port, *arguments, 0.1).raises(
            "TimeoutError", no_timeout=hung, **as_answer
        )


# --- the server for many ------------------------------------------------------------------------------------


def test_next_client(scene: Scene, fresh: Fresh) -> None:
    """one client after the other is served, however the one before has left

    客户端一个接一个地得到服务，不管前一个是怎样离开的
    """
    server = listens(scene, "serve", HOST, 0, send_buffer=SEND_BUFFER)
    mistakes: Mistakes = {
        "serves_one_only": returned,
        "reset_ends_server": raises("ConnectionError"),
        "would_block": raises("BlockingIOError"),
    }
    for name in ("alice", "bob", "carol", "dave", "erin"):
        word = fresh.word().encode("ascii")
        peer = comes(server, name, **mistakes)
        peer.sends(word)
        peer.hears(word, within=SOON, **mistakes)
        if name == "alice":
            peer.closes()
        elif name == "bob":
            peer.half_closes()
            peer.hears_end(within=SOON, spins_on_the_end=server.spins(), never_closed=open_still)
        elif name == "carol":
            peer.resets()
        elif name == "dave":
            leaves_unheard(peer, fresh)


def leaves_unheard(peer: Peer, fresh: Fresh) -> None:
    """Send until the server cannot send it back any more, say that this was all, and leave without having read it. To
    who has heard that the other side has ended, the system reports a reset by BrokenPipeError."""
    data = fresh.word(16384).encode("ascii")
    sent = 0
    peer.socket.settimeout(0.1)
    with contextlib.suppress(OSError):
        while sent < UNHEARD and is_read(peer.socket, 0.1):
            sent += peer.socket.send(data)
    peer.server.wire.note(
        f"{peer.name} sends {sent:,} bytes, and does not read", f"{peer.name} 发送 {sent:,} 个字节，但是不读"
    )
    peer.half_closes()
    peer.resets()


def test_at_once(scene: Scene, fresh: Fresh) -> None:
    """several clients talk at once, and one that is silent keeps nobody waiting

    几个客户端同时交谈，一个不说话的客户端不会让别人等待
    """
    scene.tell(
        "Eight clients connect. The first says nothing; the others speak, the last one first.",
        "八个客户端先后连上。第一个不说话；其他的从最后一个开始依次发言。",
    )
    server = listens(scene, "serve", HOST, 0)
    ended: Mistakes = {"serves_one_only": returned}
    names = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi")
    peers = [comes(server, name, **ended) for name in names]

    def for_another(got: Any) -> bool:
        """What one should have heard has come to another."""
        for other in peers:
            other._fill(lambda: False, 0.05)
        return isinstance(got, bytes) and (got != b"" or any(other.unread for other in peers))

    mistakes: Mistakes = {
        **ended,
        "clients_mixed_up": for_another,
        "pool_too_small": lambda got: got == b"" and server.end is None and 1 < served(server, peers) < len(peers),
        "one_at_a_time": silent(server),
    }
    for peer in (*reversed(peers[1:]), *reversed(peers[1:]), peers[0]):
        if peer is peers[0]:
            time.sleep(SILENT)
            # All the others were served while she was silent: it is her silence that did it.
            del mistakes["pool_too_small"], mistakes["one_at_a_time"]
            mistakes["silent_client_dropped"] = lambda got: got == b"" and not isinstance(server.end, Returned)
        word = fresh.word().encode("ascii")
        peer.sends(word)
        peer.hears(word, within=SOON, **mistakes)


def served(server: Server, peers: list[Peer]) -> int:
    """How many of these get an answer when they speak, all at once. Asked only where something failed."""
    for peer in peers:
        with contextlib.suppress(OSError):
            peer.socket.sendall(b"?")
    until = time.monotonic() + 1.0
    answered: set[str] = set()
    while len(answered) < len(peers) and (left := until - time.monotonic()) > 0:
        waiting = {peer.socket: peer.name for peer in peers if peer.name not in answered}
        for sock in select.select(list(waiting), [], [], left)[0]:
            answered.add(waiting[sock])
    names = ", ".join(peer.name for peer in peers if peer.name in answered)
    served = f"{len(answered)}/{len(peers)}"
    server.wire.note(f"all speak at once: {served} are served ({names})", f"同时说话：{served} 得到服务（{names}）")
    return len(answered)


def test_slow_reader(scene: Scene, fresh: Fresh) -> None:
    """a client that reads late gets every byte, and holds up nobody

    一个迟迟不读的客户端最后也收到每一个字节，而且不耽误别人
    """
    data = more_than_buffers(fresh)
    scene.tell(
        f"slow sends {len(data):,} bytes, ends its side, and does not read. bob comes and talks. Then slow reads.",
        f"slow 发送 {len(data):,} 个字节，结束自己这一侧，但是不读。bob 连上来交谈。然后 slow 才开始读。",
    )
    server = listens(scene, "serve", HOST, 0)
    slow = server.peer("slow", receive_buffer=131072)
    mistakes: Mistakes = {
        "serves_one_only": returned,
        "would_block": raises("BlockingIOError"),
        "slow_stops_all": silent(server),
    }
    with sending(slow, data) as sender:
        sender.until_stuck()
        idle(server)
        bob = comes(server, "bob", **mistakes)
        for _ in range(3):
            word = fresh.word().encode("ascii")
            bob.sends(word)
            bob.hears(word, within=SOON, **mistakes)
        got = b""
        while len(got) < len(data) and unread(slow.socket):
            before, got = len(got), got + read_bytes(slow, min(65536, len(data) - len(got)))
            if len(got) == before:
                break
        idle(server)  # now it has read the end as well, and owes the rest
        got += read_bytes(slow, len(data) - len(got))
    if got != data:
        lost = {"serves_one_only": returned, "would_block": raises("BlockingIOError")}
        right = common(data, got)
        expected = either(f"{len(data):,} bytes, unchanged", f"{len(data):,} 个字节，原样")
        heard = either(
            f"{len(got):,} bytes; the first {right:,} are right", f"{len(got):,} 个字节；前 {right:,} 个是对的"
        )
        rows = (Row("heard_wanted", f"slow: {expected}"), Row("heard", heard))
        server.fail_as(got, {**lost, "rest_not_sent": lambda got: isinstance(got, bytes)}, rows)


def common(one: bytes, other: bytes) -> int:
    """How many bytes at their beginning are the same."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


class sending:  # noqa: N801 - reads as a word: `with sending(slow, data)`
    """A peer sends in a thread of its own, so that it need not read meanwhile, then ends its side."""

    def __init__(self, peer: Peer, data: bytes) -> None:
        self.sent = 0
        self._peer = peer
        self._data = data
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> Self:
        self._peer.server.wire.sent(self._peer.name, "server", self._data)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            if self.sent < len(self._data):
                self._peer.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _send(self) -> None:
        rest = memoryview(self._data)
        with contextlib.suppress(OSError):
            while rest:
                size = self._peer.socket.send(rest[:65536])
                self.sent += size
                rest = rest[size:]
            self._peer.socket.shutdown(socket.SHUT_WR)

    def until_stuck(self) -> None:
        """Wait until all is sent, or nothing has moved for a while."""
        before = -1
        while before < self.sent < len(self._data):
            before = self.sent
            self._thread.join(0.15)


def read_bytes(peer: Peer, size: int, within: float = 6.0) -> bytes:
    """The next bytes that the peer gets, as many as that, or what came until there was no more."""
    got = bytearray()
    until = time.monotonic() + within
    with contextlib.suppress(OSError):
        while len(got) < size and time.monotonic() < until:
            data = peer.socket.recv(min(65536, size - len(got)))
            if not data:
                break
            got += data
    peer.server.wire.sent("server", peer.name, bytes(got))
    return bytes(got)


def comes_and_goes(server: Server, number: int, resets: bool) -> bytes:
    """What a client hears that sends one byte and then leaves, or resets the connection, half of these in the middle
    of a word."""
    try:
        with socket.create_connection((server.address[0], int(server.address[1])), SOON) as sock:
            sock.sendall(b"x")
            heard = sock.recv(1)
            if resets:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
                if number % 2:
                    sock.sendall(b"yz")
            return heard
    except OSError:
        return b""


def left_over(server: Server, before: Standing | None, *, threads_too: bool) -> tuple[int, int]:
    """How many files and threads there are more than before, once few are left, or the time is up."""
    until = time.monotonic() + SOON
    while True:
        after = server.standing()
        if before is None or after is None:
            return 0, 0  # the process cannot say; what bob hears will tell more
        files, threads = after.open_files - before.open_files, len(after.threads) - len(before.threads)
        if not threads_too:
            threads = 0
        if (files <= 10 and threads <= 50) or time.monotonic() > until:
            return files, threads
        time.sleep(0.01)


def test_nothing_left(scene: Scene, fresh: Fresh) -> None:
    """of a client that has left nothing is left: no open socket, no thread, no work

    客户端离开之后什么都不留下：没有打开的套接字，没有线程，也不再计算
    """
    scene.tell(
        "alice ends her side. 66 clients come and go, then 34 that reset. Then bob is there, and says nothing more.",
        "alice 结束自己这一侧。66 个客户端来了又走，然后 34 个重置连接。最后 bob 连着，不再说话。",
    )
    server = listens(scene, "serve", HOST, 0)
    ended: Mistakes = {"serves_one_only": returned, "reset_ends_server": raises("ConnectionError")}

    def talks(name: str) -> Peer:
        peer = comes(server, name, **ended)
        word = fresh.word().encode("ascii")
        peer.sends(word)
        peer.hears(word, within=SOON, **ended)
        return peer

    alice = talks("alice")
    alice.half_closes()
    alice.hears_end(within=SOON, spins_on_the_end=server.spins(), never_closed=open_still)
    alice.closes()
    before = server.standing()
    for count, resets, note, leak in (
        (66, False, ("66 clients come, get an echo, and go", "66 个客户端来了，得到回显，离开"), "descriptor_leak"),
        (34, True, ("34 clients come, get an echo, and reset", "34 个客户端来了，得到回显，重置连接"), "reset_leak"),
    ):
        server.wire.note(*note)
        for number in range(count):
            one = comes_and_goes(server, number, resets)
            if one != b"x":
                server.fail_as(one, ended, (Row("heard_wanted", "b'x'"), Row("heard", repr(one))))
        files, threads = left_over(server, before, threads_too=resets)
        if files > 10 or threads > 50:
            if files > 10:
                server.fail(leak, (Row("got", either(f"+{files} open files", f"多出 {files} 个打开的文件")),))
            server.fail("threads_pile_up", (Row("got", either(f"+{threads} threads", f"多出 {threads} 个线程")),))
    talks("bob")
    rests(server, "busy_while_idle")


def test_stop(student: Student, scene: Scene, fresh: Fresh) -> None:
    """Ctrl-C ends the server and every connection, and the port can be used again at once

    Ctrl-C 结束服务器和每一个连接，端口马上可以再用
    """
    scene.tell(
        "alice and bob have talked, and are still connected when Ctrl-C is pressed.",
        "alice 和 bob 说过话；按下 Ctrl-C 时两个都还连着。",
    )
    server = listens(scene, "serve", HOST, 0)
    word = fresh.word().encode("ascii")
    ended: Mistakes = {"serves_one_only": returned}
    peers = []
    for name in ("alice", "bob"):
        peers.append(comes(server, name, **ended))
        peers[-1].sends(word)
        peers[-1].hears(word, within=SOON, **ended, one_at_a_time=silent(server))
    at_rest(server)
    server.interrupts()
    server.returns(
        within=3.0,
        interrupt_escapes=lambda got: isinstance(got, Raised),
        waits_for_clients=lambda got: got is None,
    )
    for peer in peers:
        peer.hears_end(within=SOON, closed_without_shutdown=open_still)
    assert not isinstance(server.address, str)
    scene.now(
        "Another program listens at the port that serve is given.",
        "另一个程序已经在 serve 要用的端口上监听。",
    )
    with socket.create_server((HOST, 0)) as other:
        student.within(SOON).serve(HOST, other.getsockname()[1]).raises("OSError", cannot_listen_hidden=None)
    scene.now(
        "serve is called again, with the port that it had before; alice and bob have just left.",
        "再次调用 serve，用刚才的端口；alice 和 bob 刚刚离开。",
    )
    again = listens(scene, "serve", HOST, server.address[1], port_in_use="in use")
    for peer in peers:
        peer.closes()
    carol = comes(again, "carol", **ended)
    carol.sends(word)
    carol.hears(word, within=SOON)


# --- other addresses ----------------------------------------------------------------------------------------


def test_ipv6(student: Student, scene: Scene, fresh: Fresh, raw: Raw) -> None:
    """servers and clients work with IPv6 and with names as well

    服务器和客户端也能用 IPv6 和主机名
    """
    text = fresh.word()
    data = text.encode("ascii")
    mistakes: Mistakes = {
        "text_not_encoded": raises("TypeError", "bytes-like"),
        "address_of_two": raises("ValueError", "unpack"),
    }

    def greets(host: str, **unknown: Any) -> None:
        server = listens(scene, "greet", host, 0, text, **unknown)
        peer = comes(server, "alice")
        peer.hears(data, within=SOON, **mistakes, nothing_sent=silent(server))
        peer.closes()
        server.returns(within=SOON)

    def echoes(name: str) -> None:
        server = listens(scene, name, "::1", 0, ipv4_only="gaierror")
        peer = comes(server, "bob", **mistakes)
        peer.sends(data)
        peer.hears(data, within=SOON, **mistakes, echo_held_back=silent(server))
        if name == "echo_one":
            peer.closes()
            server.returns(within=SOON, spins_on_the_end=server.spins())

    if not has_ipv6():  # a server must not listen elsewhere, nor a client find anybody
        greets("localhost", name_taken_for_address="rror")
        student.serve("::1", 0).raises("OSError")
        student.read_text("::1", 2007, 1.0).raises("OSError")
        return
    scene.now("greet is to listen at ::1.", "greet 要在 ::1 上监听。")
    greets("::1", ipv4_only="gaierror")
    scene.now("greet is to listen at localhost, a name.", "greet 要在 localhost 上监听，这是一个主机名。")
    greets("localhost", name_taken_for_address="rror")
    wrong: Mistakes = {"ipv4_only": raises("gaierror"), "spins_on_the_end": busy_hung}
    scene.now("A server at ::1 sends a word and ends.", "在 ::1 上的服务器发送一个单词，然后结束。")
    server = raw([Send(data)], host="::1")
    student.within(HUNG).read_text("::1", server.port, SOON).returns(text, **wrong)
    scene.now("A server at ::1 sends back what it gets, and ends.", "在 ::1 上的服务器送回它收到的内容，然后结束。")
    server = raw([EchoSome(len(data))], host="::1")
    student.within(HUNG).get_echo("::1", server.port, data, SOON).returns(data, **wrong)
    scene.now("A server at ::1 answers with the question, and ends.", "在 ::1 上的服务器用问题本身来回答，然后结束。")
    server = raw([EchoSome(len(data))], host="::1")
    deaf: Mistakes = {"closed_both_ways": lambda got: got == b"" or raises("OSError").matches(got)}
    student.within(HUNG).ask("::1", server.port, data, SOON).returns(data, **wrong, **deaf)
    scene.now("echo_one is to listen at ::1.", "echo_one 要在 ::1 上监听。")
    echoes("echo_one")
    scene.now("serve is to listen at ::1.", "serve 要在 ::1 上监听。")
    echoes("serve")


def test_unix(student: Student, scene: Scene, fresh: Fresh) -> None:
    """the same server at a Unix socket, though an old socket file lies there

    同样的服务器放在 Unix 套接字上，即使那里还留着旧的套接字文件
    """
    path = str(scene.folder() / "door")
    if not hasattr(socket, "AF_UNIX"):
        student.serve_unix(path).raises("Exception")
        return
    with socket.socket(socket.AF_UNIX) as earlier:
        earlier.bind(path)
    scene.tell("An earlier server has left its socket file.", "先前的服务器留下了它的套接字文件。")
    server = listens(scene, "serve_unix", path, old_file_in_the_way="in use")
    for name in ("alice", "bob"):
        word = fresh.word().encode("ascii")
        peer = comes(server, name, serves_one_only=returned)
        peer.sends(word)
        peer.hears(word, within=SOON, serves_one_only=returned)
        peer.half_closes()
        peer.hears_end(within=SOON, spins_on_the_end=server.spins(), never_closed=open_still)


# --- two finer points ---------------------------------------------------------------------------------------


def test_many_bytes(student: Student, scene: Scene, fresh: Fresh, raw: Raw) -> None:
    """a client with many megabytes reads its echo while it sends

    要发送许多兆字节的客户端，一边发送一边读回声
    """
    data = more_than_buffers(fresh)
    scene.tell(
        "The server has small buffers: it reads on only when its echo is read.",
        "服务器的缓冲区很小：回声被读走以后，它才继续读。",
    )
    echo = NarrowEcho()
    server = raw([echo])
    student.get_echo(HOST, server.port, data, 3.0).satisfies(
        lambda got: bool(got == data),
        (f"the {len(data):,} bytes that were sent", f"发送出去的 {len(data):,} 个字节"),
        all_sent_first=lambda got: waited(got) and echo.sent_back < echo.got,
        one_send=lambda got: waited(got) and echo.got < len(data),
        waits_for_end=waited,
        one_read=begins(data),
    )


def test_greet_talker(scene: Scene, fresh: Fresh) -> None:
    """a client that talks out of turn still hears the whole text, not a reset

    不该说话时说了话的客户端，也能收到全部文本，而不是连接重置
    """
    scene.tell(
        "alice sends lines from the moment that she is connected until the text begins, and another when she has read"
        " a part of it.",
        "alice 一连上就发送一行又一行，直到文本开始到达；读了一部分文本之后又发送一行。",
    )
    text = fresh.word(10) * 100_000
    data = text.encode("ascii")
    server = listens(scene, "greet", HOST, 0, text)
    alice = server.peer("alice", receive_buffer=131072)
    until = time.monotonic() + SOON
    alice.sends(f"{fresh.word()}\r\n".encode())
    while not select.select([alice.socket], [], [], 0.02)[0]:  # who waits until she has done never sends
        if time.monotonic() > until:
            nothing = Row("heard", said("heard_nothing", seconds=f"{SOON:g}"))
            server.fail_as(b"", {"waits_for_silence": silent(server)}, (nothing,))
        alice.sends(f"{fresh.word()}\r\n".encode())
    got = read_bytes(alice, 100_000)
    # Who does not read to the end has closed by now. The next line then comes to a connection that is no more.
    closed = server.has_ended(0.1) and isinstance(server.end, Returned)
    broken = alice.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
    early = closed and not broken and len(got) == 100_000
    if not broken:
        alice.sends(f"{fresh.word()}\r\n".encode())
        got += read_bytes(alice, len(data) - len(got))
    wanted = either(f"alice: {len(data):,} bytes; ", f"alice：{len(data):,} 个字节，然后") + said("heard_end")
    found = either(f"{len(got):,} bytes; ", f"{len(got):,} 个字节，然后") + said("heard_reset")
    rows = (Row("heard_wanted", wanted), Row("heard", found))
    mistakes: Mistakes = {
        "text_not_encoded": raises("TypeError", "bytes-like"),
        "closed_too_soon": lambda got: early and isinstance(got, bytes),
        "closed_unread": lambda got: isinstance(got, bytes) and not isinstance(server.end, Raised),
    }
    if got != data:
        server.fail_as(got, mistakes, rows)
    alice.hears_end(within=SOON, waits_before_end=open_still, more_than_the_text=lambda got: len(got) > 0)
    if alice.reset:
        server.fail("closed_too_soon" if early else "closed_unread", rows)
    alice.closes()
    server.returns(within=SOON)
