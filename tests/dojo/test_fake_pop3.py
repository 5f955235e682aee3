"""The POP3 server, met by poplib and by plain sockets: what it answers, what it keeps, and that nothing is left."""

from __future__ import annotations

import gc
import hashlib
import poplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from dojo.fakes.maildrop import Maildrop, stuffed
from dojo.fakes.pop3 import FakePOP3
from dojo.fakes.raw import ByteByByte, Close, Pause, Reset, Send, Silence
from dojo.fakes.tls import Authority
from dojo.wire import Note, Wire
from tests.dojo.test_fake_raw import descriptors

MAILS = [
    b"Subject: one\r\n\r\nfirst\r\n",
    b"Subject: two\r\n\r\n.\r\n..dots\r\n.\r\nend\r\n",
    b"Subject: three\n\nlf\nonly",
]


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with Authority() as authority:
        yield authority


@pytest.fixture
def server(wire: Wire) -> Iterator[FakePOP3]:
    with FakePOP3(wire) as server:
        server.maildrop("ann", "pass word", MAILS)
        yield server


class Talk:
    """A client that says lines and hears answers."""

    def __init__(self, server: FakePOP3, context: ssl.SSLContext | None = None, timeout: float = 5) -> None:
        plain = socket.create_connection((server.host, server.port), timeout=timeout)
        self.socket = context.wrap_socket(plain, server_hostname="127.0.0.1") if context else plain
        self.file = self.socket.makefile("rb")

    def hears(self) -> str:
        return self.file.readline().decode().removesuffix("\r\n")

    def asks(self, line: str) -> str:
        self.socket.sendall(f"{line}\r\n".encode())
        return self.hears()

    def rest(self) -> list[str]:
        lines = []
        while (line := self.hears()) != ".":
            lines.append(line)
        return lines

    def login(self) -> None:
        assert self.hears().startswith("+OK")
        assert self.asks("USER ann") == "+OK"
        assert self.asks("PASS pass word") == "+OK maildrop has 3 86"

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def client(server: FakePOP3) -> poplib.POP3:
    made = poplib.POP3(server.host, server.port, timeout=5)
    made.user("ann")
    made.pass_("pass word")
    return made


def content(server: FakePOP3) -> list[bytes]:
    drop = server.maildrop_of("ann")
    assert drop is not None
    return [message.content for message in drop.messages]


def test_a_session_by_poplib(server: FakePOP3) -> None:
    pop = client(server)
    sizes = [23, 35, 28]
    assert pop.stat() == (3, sum(sizes))
    assert pop.list()[1] == [f"{n} {size}".encode() for n, size in enumerate(sizes, 1)]
    drop = server.maildrop_of("ann")
    assert drop is not None
    assert pop.uidl()[1] == [f"{n} {message.uid}".encode() for n, message in enumerate(drop.messages, 1)]
    assert pop.retr(2)[1] == [b"Subject: two", b"", b".", b"..dots", b".", b"end"]
    assert pop.retr(3)[1] == [b"Subject: three", b"", b"lf", b"only"]
    assert pop.top(2, 0)[1] == [b"Subject: two", b""]
    assert pop.top(2, 1)[1] == [b"Subject: two", b"", b"."]
    assert pop.top(2, 99)[1] == [b"Subject: two", b"", b".", b"..dots", b".", b"end"]
    assert pop.capa()["TOP"] == []
    assert pop.noop() == b"+OK"
    assert pop.quit() == b"+OK goodbye"
    assert server.said()[:3] == ["USER ann", "PASS pass word", "STAT"]
    assert server.said()[-1] == "QUIT"
    assert len(content(server)) == 3


def test_a_message_is_stuffed_byte_for_byte(server: FakePOP3, wire: Wire) -> None:
    with closing(Talk(server)) as talk:
        talk.login()
        talk.socket.sendall(b"RETR 2\r\nQUIT\r\n")
        assert talk.file.read() == (
            b"+OK 35 octets\r\nSubject: two\r\n\r\n..\r\n...dots\r\n..\r\nend\r\n.\r\n+OK goodbye\r\n"
        )
    assert stuffed(b".\r\na.\r\n..\r\n") == b"..\r\na.\r\n...\r\n"
    assert any("..dots" in row for row in wire.lines())


def test_what_is_deleted_goes_at_quit_alone(server: FakePOP3) -> None:
    pop = client(server)
    pop.dele(1)
    assert pop.stat() == (2, 63)
    assert pop.list()[1] == [b"2 35", b"3 28"]
    assert len(pop.uidl()[1]) == 2
    for call in (pop.retr, pop.dele, pop.list, pop.uidl):
        with pytest.raises(poplib.error_proto, match="deleted"):
            call(1)
    assert len(content(server)) == 3
    pop.rset()
    assert pop.stat() == (3, 86)
    pop.dele(2)
    pop.close()
    pop = client(server)
    assert pop.stat() == (3, 86)
    pop.dele(2)
    pop.quit()
    assert content(server) == [MAILS[0], b"Subject: three\r\n\r\nlf\r\nonly\r\n"]
    pop = client(server)
    assert pop.retr(2)[1][0] == b"Subject: three"
    pop.quit()


def test_unique_ids_stay_and_are_unique(server: FakePOP3) -> None:
    drop = server.maildrop("bob", "x", [b"same\r\n", b"same\r\n"])
    first, second = (message.uid for message in drop.messages)
    assert first != second
    drop.remove(drop.messages[:1])
    assert [message.uid for message in drop.messages] == [second]
    assert drop.add(b"more", uid="../x").uid == "../x"
    for wrong in ("a b", "ä", "x" * 71):
        with pytest.raises(ValueError):
            drop.add(b"more", uid=wrong)


def test_a_bad_number_ends_nothing(server: FakePOP3) -> None:
    with closing(Talk(server)) as talk:
        talk.login()
        missing = "RETR 0|RETR 4|RETR -1|RETR|RETR x|RETR ²|LIST 0|LIST 1 2|UIDL 9|DELE 0"
        for line in missing.split("|"):
            assert talk.asks(line) == "-ERR no such message", line
        wrong = "TOP 1|TOP 1 -1|TOP 1 x|TOP|STAT 1|RSET 1|NOOP 1|CAPA 1|QUIT 1|XTND|"
        for line in wrong.split("|"):
            assert talk.asks(line).startswith("-ERR "), line
        assert talk.asks("X" * 300).startswith("-ERR [SYS/PERM]")
        assert talk.asks("USER ann") == "-ERR logged in already"
        assert talk.asks("sTaT") == "+OK 3 86"
        assert talk.asks("LIST 2") == "+OK 2 35"


def test_who_is_not_logged_in_gets_nothing(server: FakePOP3) -> None:
    with closing(Talk(server)) as talk:
        talk.hears()
        for line in ("STAT", "LIST", "RETR 1", "TOP 1 0", "UIDL", "DELE 1", "RSET", "NOOP"):
            assert talk.asks(line) == "-ERR log in first"
        assert talk.asks("PASS pass word") == "-ERR USER comes first"
        for user, password in (("ann", "wrong"), ("ann", "pass"), ("eve", "pass word"), ("ann", "pass word ")):
            assert talk.asks(f"USER {user}") == "+OK"
            assert talk.asks(f"PASS {password}") == "-ERR [AUTH] wrong user or password"
        assert talk.asks("USER") == "-ERR USER needs a name"
        assert talk.asks("QUIT") == "+OK goodbye"
        assert talk.hears() == ""


def test_apop_proves_that_the_password_is_known(server: FakePOP3) -> None:
    def answer(talk: Talk, user: str, password: str) -> str:
        greeting = talk.hears()
        timestamp = greeting[greeting.index("<") :]
        return talk.asks(f"APOP {user} {hashlib.md5((timestamp + password).encode()).hexdigest()}")

    for user, password in (("ann", "wrong"), ("eve", "pass word")):
        with closing(Talk(server)) as talk:
            assert answer(talk, user, password) == "-ERR [AUTH] wrong user or password"
    pop = poplib.POP3(server.host, server.port, timeout=5)
    assert pop.apop("ann", "pass word") == b"+OK maildrop has 3 86"
    pop.quit()
    with FakePOP3(Wire(), apop=False) as other, closing(Talk(other)) as talk:
        assert "<" not in talk.hears()
        assert talk.asks("APOP ann 0") == "-ERR no APOP here"


def test_one_session_has_the_maildrop(server: FakePOP3) -> None:
    server.patience = 0.01
    pop = client(server)
    with closing(Talk(server)) as talk:
        talk.hears()
        talk.asks("USER ann")
        assert talk.asks("PASS pass word") == "-ERR [IN-USE] another session has this maildrop"
    server.patience = 5
    late: list[tuple[int, int]] = []

    def come_later() -> None:
        other = client(server)
        late.append(other.stat())
        other.quit()

    waiting = threading.Thread(target=come_later)
    waiting.start()
    drop = server.maildrop_of("ann")
    assert drop is not None
    assert drop.taken
    drop.add(b"Subject: new\r\n\r\n")
    assert pop.stat() == (3, 86)  # what comes in the middle is for the next session
    pop.close()
    waiting.join(5)
    assert late == [(4, 102)]


def test_a_login_that_waits_ends_with_the_server(wire: Wire) -> None:
    with FakePOP3(wire) as server:
        server.maildrop("ann", "pass word", MAILS)
        server.patience = 60
        pop = client(server)
        talk = Talk(server)
        talk.asks("USER ann")
        talk.socket.sendall(b"PASS pass word\r\n")
        assert server.wait_command("PASS pass word")
    talk.close()
    pop.close()


def test_tls_at_once(wire: Wire, authority: Authority) -> None:
    context = ssl.create_default_context(cafile=authority.ca_file)
    with FakePOP3(wire, tls=authority.good) as server:
        server.maildrop("ann", "pass word", MAILS)
        pop = poplib.POP3_SSL(server.host, server.port, context=context, timeout=5)
        assert b"STLS" not in b"".join(pop._longcmd("CAPA")[1])  # type: ignore[attr-defined]
        pop.user("ann")
        pop.pass_("pass word")
        assert pop.stat() == (3, 86)
        pop.quit()
        assert server.wait_closed()
    assert all(command.secured for command in server.commands)
    assert any("PASS pass word" in row for row in wire.lines())
    for wrong in (authority.unknown_ca, authority.wrong_host, authority.expired):
        with FakePOP3(wire, tls=wrong) as server:
            address = server.host, server.port
            with socket.create_connection(address, timeout=5) as plain, pytest.raises(ssl.SSLCertVerificationError):
                context.wrap_socket(plain, server_hostname="127.0.0.1")
            assert server.wait_closed()
            assert server.connections[0].received == b""


def test_stls_begins_tls_and_forgets_what_was_said_before(wire: Wire, authority: Authority) -> None:
    context = ssl.create_default_context(cafile=authority.ca_file)
    with FakePOP3(wire, stls=authority.good, clear_login=False) as server:
        server.maildrop("ann", "pass word", MAILS)
        pop = poplib.POP3(server.host, server.port, timeout=5)
        before = pop.capa()
        assert "STLS" in before
        assert "USER" not in before
        with pytest.raises(poplib.error_proto, match="STLS first"):
            pop.user("ann")
        pop.stls(context)
        after = pop.capa()
        assert "STLS" not in after
        assert "USER" in after
        with pytest.raises(poplib.error_proto, match="USER comes first"):
            pop.pass_("pass word")
        pop.user("ann")
        pop.pass_("pass word")
        assert pop.stat() == (3, 86)
        pop.quit()
        in_clear = [command.keyword for command in server.commands if not command.secured]
        assert in_clear[0] == "CAPA"
        assert in_clear[-1] == "STLS"
        assert "PASS" not in in_clear
        # What somebody slips in behind STLS, in plain text, is never taken for a command that came over TLS.
        with closing(Talk(server)) as talk:
            talk.hears()
            talk.socket.sendall(b"STLS\r\nUSER eve\r\n")
            assert talk.hears() == "+OK begin TLS"
            with context.wrap_socket(talk.socket.dup(), server_hostname="127.0.0.1") as secure:
                secure.sendall(b"CAPA\r\n")
                assert secure.recv(100).startswith(b"+OK")
        assert "USER eve" not in server.said()
    assert any("threw away 10 bytes" in entry.text for entry in wire.entries if isinstance(entry, Note))


def test_no_stls_where_none_is_offered(server: FakePOP3) -> None:
    with closing(Talk(server)) as talk:
        talk.hears()
        assert talk.asks("STLS") == "-ERR no STLS here"
        talk.asks("CAPA")
        known = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "IMPLEMENTATION dojo", "USER"]
        assert talk.rest() == known


def test_faults_in_place_of_an_answer_and_before_it(server: FakePOP3) -> None:
    server.instead("RETR 2", Send(b"-ERR lost\r\n"))
    server.instead("DELE", Send(b"-ERR no\r\n"), once=True)
    server.before("STAT", Pause(0.01))
    server.before("LIST", ByteByByte(b""))
    pop = client(server)
    assert pop.retr(1)[1][0] == b"Subject: one"
    with pytest.raises(poplib.error_proto, match="lost"):
        pop.retr(2)
    with pytest.raises(poplib.error_proto, match="no"):
        pop.dele(1)
    pop.dele(1)
    assert pop.stat() == (2, 63)
    server.instead("QUIT", Send(b"-ERR the disk is full\r\n"))
    with pytest.raises(poplib.error_proto, match="full"):
        pop.quit()
    pop.close()
    assert server.wait_closed()
    assert len(content(server)) == 3
    server.well_again()
    server.instead("RETR 1", Send(b"+OK\r\nhalf"), Reset())
    pop = client(server)
    assert pop.stat() == (3, 86)
    with pytest.raises((ConnectionResetError, poplib.error_proto)):
        pop.retr(1)
    pop.close()
    server.instead("greeting", Send(b"-ERR go away\r\n"), Close())
    with closing(Talk(server)) as talk:
        assert talk.hears() == "-ERR go away"
        assert talk.hears() == ""
    server.instead("greeting", Silence())
    with closing(Talk(server)) as talk:
        talk.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            talk.hears()


def test_lists_in_no_order(server: FakePOP3) -> None:
    server.in_order = False
    pop = client(server)
    listed = [[int(line.split()[0]) for line in lines] for lines in (pop.list()[1], pop.uidl()[1])]
    assert listed == [[2, 1, 3], [3, 2, 1]]
    pop.quit()


def test_what_happens_between_sessions(server: FakePOP3) -> None:
    drop = server.maildrop_of("ann")
    assert drop is not None
    drop.afterwards(lambda: drop.add(b"Subject: four\r\n\r\n"))
    pop = client(server)
    pop.dele(1)
    assert len(drop.messages) == 3
    pop.quit()
    assert [message.content[9:12] for message in drop.messages] == [b"two", b"thr", b"fou"]
    pop = client(server)
    assert pop.stat()[0] == 3
    pop.quit()
    assert len(drop.messages) == 3  # it happens once


def test_eight_bit_and_long_lines_pass(server: FakePOP3) -> None:
    drop = Maildrop("bob", "密码", ["Subject: 你好\r\n\r\n".encode() + b"x" * 3000 + b"\r\n\xff\xfe\r\rlone\r\n"])
    server.maildrop("bob", "密码", [message.content for message in drop.messages])
    with closing(Talk(server)) as talk:
        talk.hears()
        talk.asks("USER bob")
        assert talk.asks("PASS 密码").startswith("+OK")
        talk.socket.sendall(b"RETR 1\r\nQUIT\r\n")
        (message,) = drop.messages
        assert talk.file.read() == f"+OK {message.size} octets\r\n".encode() + message.content + b".\r\n+OK goodbye\r\n"


def test_nothing_is_left_after_many(authority: Authority) -> None:
    context = ssl.create_default_context(cafile=authority.ca_file)

    def cycle(tls: bool) -> None:
        with FakePOP3(Wire(), tls=authority.good if tls else None) as server:
            server.maildrop("ann", "pass word", MAILS)
            with closing(Talk(server, context if tls else None)) as talk:
                talk.login()

    cycle(tls=True)
    gc.collect()
    before = threading.active_count(), descriptors()
    for number in range(50):
        cycle(tls=number % 10 == 0)
    gc.collect()
    assert (threading.active_count(), descriptors()) == before
