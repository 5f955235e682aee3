"""The mail server, met by real clients: what it takes, what it refuses, and that nothing of it is left."""

from __future__ import annotations

import base64
import hmac
import smtplib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from dojo.fakes.smtp import STEPS, FakeSMTP
from dojo.fakes.tls import Authority
from dojo.wire import Note, Sent, Wire

ACCOUNTS = {"ada@example.com": "lovelace"}
ADA = ("ada@example.com", "lovelace")


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with Authority() as authority:
        yield authority


@pytest.fixture(scope="module")
def trust(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.ca_file)


def mail(text: str = "Hello.\n", to: str = "bob@example.com, carol@example.com") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "ada@example.com"
    message["To"] = to
    message["Subject"] = "你好"
    message.set_content(text)
    return message


def notes(wire: Wire) -> list[str]:
    return [entry.text for entry in wire.entries if isinstance(entry, Note)]


def said(wire: Wire, source: str) -> bytes:
    return b"".join(entry.data for entry in wire.entries if isinstance(entry, Sent) and entry.source == source)


def plain(server: FakeSMTP) -> smtplib.SMTP:
    return smtplib.SMTP(server.host, server.port, timeout=5)


def over_tls(server: FakeSMTP, context: ssl.SSLContext) -> smtplib.SMTP_SSL:
    return smtplib.SMTP_SSL(server.host, server.port, timeout=5, context=context)


def session(server: FakeSMTP, context: ssl.SSLContext, timeout: float = 5) -> None:
    """Each step once."""
    client = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=context)
    try:
        client.ehlo()
        client.login(*ADA)
        client.rset()
        client.noop()
        client.send_message(mail())
        client.quit()
    finally:
        client.close()


def test_a_mail_is_kept_as_it_was_sent(wire: Wire) -> None:
    text = ".one dot\n..two dots\n.\n你好\n"
    with FakeSMTP(wire) as server, plain(server) as client:
        assert client.send_message(mail(text)) == {}
        (delivery,) = server.deliveries
    assert (delivery.sender, delivery.recipients) == ("ada@example.com", ("bob@example.com", "carol@example.com"))
    assert (delivery.secured, delivery.user, delivery.connection, delivery.utf8) == (False, None, 1, False)
    assert delivery.content.endswith(b"\r\n\r\n.one dot\r\n..two dots\r\n.\r\n" + "你好\r\n".encode())
    assert delivery.message["Subject"] == "你好"
    assert delivery.message.get_content().splitlines() == text.splitlines()
    assert server.connections[0].verbs == ["EHLO", "MAIL", "RCPT", "RCPT", "DATA", "QUIT"]
    verb, argument = server.connections[0].commands[2]
    assert (verb, argument.upper()) == ("RCPT", "TO:<BOB@EXAMPLE.COM>")
    assert server.auth == b""


@pytest.mark.parametrize("starttls", [False, True])
def test_login_over_tls_and_the_wire_in_plain_text(
    wire: Wire, authority: Authority, trust: ssl.SSLContext, starttls: bool
) -> None:
    # It pins what dojo/fakes/smtp_session.py does with aiosmtpd's `_tls_protocol`: AUTH over implicit TLS.
    with FakeSMTP(wire, tls=authority.good, starttls=starttls, accounts=ACCOUNTS) as server:
        with plain(server) if starttls else over_tls(server, trust) as client:
            if starttls:
                client.ehlo()
                assert not client.has_extn("auth")
                client.starttls(context=trust)
            client.login(*ADA)
            client.send_message(mail())
        assert server.wait_closed(0)
    (delivery,) = server.deliveries
    assert (delivery.secured, delivery.user) == (True, "ada@example.com")
    (talk,) = server.connections
    assert (talk.secured, talk.user, talk.over) == (True, "ada@example.com", True)
    assert talk.logins == [("ada@example.com", "lovelace", True)]
    token = base64.b64encode(b"\0ada@example.com\0lovelace")
    assert server.auth == b"AUTH PLAIN " + token
    assert said(wire, "client") == talk.received
    assert b"\r\n..\r\n" not in said(wire, "client")
    assert said(wire, "server").startswith(b"220 mail.example.com ESMTP\r\n250-mail.example.com\r\n")
    assert said(wire, "server").endswith(b"221 Bye\r\n")
    assert notes(wire) == ["client connected", "login as ada@example.com, password lovelace: right"]


@pytest.mark.parametrize("starttls", [False, True])
@pytest.mark.parametrize(
    ("leaf", "reason"),
    [
        ("unknown_ca", "the client does not trust this certificate"),
        ("wrong_host", "the client refused this certificate: it is not for this host name"),
        ("expired", "the client refused this certificate: it has expired"),
    ],
)
def test_a_wrong_certificate_is_refused_and_the_wire_says_why(
    wire: Wire, authority: Authority, trust: ssl.SSLContext, leaf: str, reason: str, starttls: bool
) -> None:
    with FakeSMTP(wire, tls=getattr(authority, leaf), starttls=starttls, accounts=ACCOUNTS) as server:
        connect = (lambda: plain(server).starttls(context=trust)) if starttls else (lambda: over_tls(server, trust))
        with pytest.raises(ssl.SSLCertVerificationError):
            connect()
        assert server.wait_closed(0)
        (talk,) = server.connections
        assert not talk.secured
        assert talk.verbs == (["EHLO", "STARTTLS"] if starttls else [])
        assert server.auth == b""
    assert notes(wire) == ["client connected", f"the TLS handshake failed: {reason}"]


def test_who_does_not_speak_tls(wire: Wire, authority: Authority) -> None:
    with FakeSMTP(wire, tls=authority.good) as server:
        with socket.create_connection((server.host, server.port), timeout=5) as client:
            client.sendall(b"EHLO example.com\r\n")
            assert server.wait_closed(0)
        with socket.create_connection((server.host, server.port), timeout=5):
            pass
        assert server.wait_closed(1)
    assert [note for note in notes(wire) if "TLS" in note] == [
        "the TLS handshake failed: the client did not speak TLS",
        "the TLS handshake failed: the client left in the middle of it",
    ]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_each_way_to_log_in(wire: Wire, authority: Authority, trust: ssl.SSLContext, mechanism: str) -> None:
    with (
        FakeSMTP(wire, tls=authority.good, accounts={"小明": "密码"}, mechanisms=[mechanism]) as server,
        over_tls(server, trust) as client,
    ):
        client.ehlo()
        assert client.esmtp_features["auth"].split() == [mechanism]
        assert _log_in(client, mechanism.lower(), "小明", "错") == 535
        assert client.docmd("MAIL", "FROM:<ada@example.com>")[0] == 530
        assert _log_in(client, mechanism, "小明", "密码") == 235
        assert client.docmd("MAIL", "FROM:<ada@example.com>")[0] == 250
        assert server.connections[0].user == "小明"
        assert [right for _, _, right in server.connections[0].logins] == [False, True]


def _log_in(client: smtplib.SMTP, mechanism: str, user: str, password: str) -> int:
    """By hand: smtplib itself sends ASCII only."""

    def token(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    if mechanism.upper() == "PLAIN":
        return client.docmd("AUTH", f"{mechanism} {token(f'{chr(0)}{user}{chr(0)}{password}')}")[0]
    challenge = client.docmd("AUTH", mechanism)[1]
    if mechanism.upper() == "LOGIN":
        assert base64.b64decode(challenge) == b"User Name\0"
        assert client.docmd(token(user))[0] == 334
        return client.docmd(token(password))[0]
    digest = hmac.new(password.encode(), base64.b64decode(challenge), "md5").hexdigest()
    return client.docmd(token(f"{user} {digest}"))[0]


def test_no_accounts_no_login(wire: Wire, authority: Authority, trust: ssl.SSLContext) -> None:
    with FakeSMTP(wire, tls=authority.good) as server, over_tls(server, trust) as client:
        with pytest.raises(smtplib.SMTPNotSupportedError):
            client.login(*ADA)
        assert client.docmd("AUTH", "PLAIN AGEAYg==")[0] == 502
        client.send_message(mail())
        assert server.auth == b"AUTH PLAIN AGEAYg=="


def test_a_password_in_the_clear_only_where_a_test_wants_it(wire: Wire, authority: Authority) -> None:
    for clear, status in ((False, 538), (True, 235)):
        with FakeSMTP(wire, accounts=ACCOUNTS, clear_auth=clear) as server, plain(server) as client:
            client.ehlo()
            assert client.has_extn("auth") == (status == 235)
            assert _log_in(client, "PLAIN", *ADA) == status
            assert not client.has_extn("starttls")
    with pytest.raises(ValueError, match="certificate"):
        FakeSMTP(wire, starttls=True)


def test_starttls_once_only_and_what_came_before_is_forgotten(
    wire: Wire, authority: Authority, trust: ssl.SSLContext
) -> None:
    with FakeSMTP(wire, tls=authority.good, starttls=True) as server, plain(server) as client:
        client.starttls(context=trust)
        assert client.docmd("MAIL", "FROM:<ada@example.com>")[0] == 503  # RFC 3207 §4.2: EHLO comes again
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 503


def test_smtputf8_can_be_off(wire: Wire) -> None:
    for on in (True, False):
        with FakeSMTP(wire, smtputf8=on) as server, plain(server) as client:
            if on:
                client.send_message(mail(to="小明@example.com"))
                assert server.deliveries[0].recipients == ("小明@example.com",)
                assert server.deliveries[0].utf8
            else:
                with pytest.raises(smtplib.SMTPNotSupportedError):
                    client.send_message(mail(to="小明@example.com"))


def test_a_mail_can_be_too_large(wire: Wire) -> None:
    with FakeSMTP(wire, largest=1000) as server, plain(server) as client:
        with pytest.raises(smtplib.SMTPSenderRefused, match="552"):
            client.send_message(mail("x" * 60 * 50))
        assert server.deliveries == []


# --- scripted ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "reply", "error"),
    [
        ("CONNECT", "554 5.7.1 Not today", smtplib.SMTPConnectError),
        ("EHLO", "421 4.3.2 Closing", smtplib.SMTPNotSupportedError),
        ("AUTH", "454 4.7.0 Temporary failure", smtplib.SMTPAuthenticationError),
        ("MAIL", "451 4.3.0 Try again later", smtplib.SMTPSenderRefused),
        ("RCPT", "550 5.1.1 Nobody here by that name", smtplib.SMTPRecipientsRefused),
        ("DATA", "451 4.3.0 Try again later", smtplib.SMTPDataError),
        ("CONTENT", "554 5.6.0 We do not want this", smtplib.SMTPDataError),
    ],
)
def test_a_reply_at_each_step(
    wire: Wire, authority: Authority, trust: ssl.SSLContext, step: str, reply: str, error: type[Exception]
) -> None:
    with FakeSMTP(wire, tls=authority.good, accounts=ACCOUNTS) as server:
        server.on(step, reply=reply)
        with pytest.raises(error):
            session(server, trust)
        assert server.deliveries == []
    assert f"{reply}\r\n".encode() in said(wire, "server")


def test_one_recipient_of_two_and_only_once(wire: Wire) -> None:
    with FakeSMTP(wire) as server, plain(server) as client:
        server.on("RCPT", "BOB@example.com", reply="450 4.2.1 Mailbox busy", once=True)
        assert client.send_message(mail()) == {"bob@example.com": (450, b"4.2.1 Mailbox busy")}
        assert client.send_message(mail()) == {}
        assert [delivery.recipients for delivery in server.deliveries] == [
            ("carol@example.com",),
            ("bob@example.com", "carol@example.com"),
        ]


@pytest.mark.parametrize("step", [step for step in STEPS if step not in ("STARTTLS", "HELO")])
@pytest.mark.parametrize("how", ["drop", "silence"])
def test_a_drop_and_silence_at_each_step(
    wire: Wire, authority: Authority, trust: ssl.SSLContext, step: str, how: str
) -> None:
    with FakeSMTP(wire, tls=authority.good, accounts=ACCOUNTS) as server:
        server.on(step, **{how: True})  # type: ignore[arg-type]
        wanted: tuple[type[Exception], ...] = (smtplib.SMTPServerDisconnected, ConnectionResetError)
        if how == "silence":
            wanted = (TimeoutError, smtplib.SMTPServerDisconnected)
        timeout = 0.15 if how == "silence" else 5
        with pytest.raises(wanted) as raised:
            session(server, trust, timeout)
        if how == "silence":
            assert "timed out" in str(raised.value)
        assert server.wait_closed()
    assert ("server dropped the connection" in notes(wire)) == (how == "drop")


def test_a_delay_is_only_that(wire: Wire) -> None:
    with FakeSMTP(wire) as server, plain(server) as client:
        server.on("RCPT", delay=0.01)
        client.send_message(mail())
        assert len(server.deliveries) == 1
    assert notes(wire).count("server waits 0.01 s") == 2


def test_421_closes_and_a_step_must_be_known(wire: Wire) -> None:
    with FakeSMTP(wire) as server:
        server.on("NOOP", reply="421 4.3.2 Going down")
        client = plain(server)
        assert client.noop()[0] == 421
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()
        with pytest.raises(ValueError, match="no step"):
            server.on("rcpt", reply="550 No")


# --- start and stop ----------------------------------------------------------------------------------------


def test_the_clients_end_is_seen(wire: Wire) -> None:
    with FakeSMTP(wire) as server:
        client = plain(server)
        assert not server.wait_closed(0, deadline=0.01)
        client.close()
        assert server.wait_closed(0)
        assert not server.wait_closed(1, deadline=0.01)
        client = plain(server)
        assert client.sock is not None
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        assert server.wait_closed(1)
        assert server.wait_connections(2)
        assert [each.reset_by_client for each in server.connections] == [False, True]
    assert notes(wire) == [
        "client connected",
        "client closed its side",
        "client connected again (connection 2)",
        "client reset the connection",
    ]


def test_stop_with_every_kind_of_client_connected(wire: Wire, authority: Authority, trust: ssl.SSLContext) -> None:
    clients: list[socket.socket | smtplib.SMTP] = []
    before = threading.active_count()
    with (
        FakeSMTP(wire) as clear,
        FakeSMTP(wire, tls=authority.good) as implicit,
        FakeSMTP(wire, tls=authority.good, starttls=True) as upgraded,
    ):
        clear.on("NOOP", silence=True)
        clear.on("RSET", delay=60)
        clients += [plain(clear), over_tls(implicit, trust), plain(upgraded), plain(upgraded)]
        assert isinstance(clients[2], smtplib.SMTP)
        clients[2].starttls(context=trust)
        # One who says nothing where a TLS handshake is due, one in the middle of STARTTLS, two whom nobody answers.
        clients.append(socket.create_connection((implicit.host, implicit.port), timeout=5))
        assert isinstance(clients[3], smtplib.SMTP)
        assert clients[3].docmd("STARTTLS")[0] == 220
        for words in (b"NOOP\r\n", b"RSET\r\n"):
            client = socket.create_connection((clear.host, clear.port), timeout=5)
            client.sendall(words)
            clients.append(client)
        assert implicit.wait_connections(2)
        assert clear.wait(lambda: sum(len(each.commands) for each in clear.connections) == 2, 2)
    assert threading.active_count() == before
    for each in clients:
        each.close()


def test_started_once_stopped_often(wire: Wire) -> None:
    FakeSMTP(wire).stop()
    server = FakeSMTP(wire)
    server.start()
    with pytest.raises(RuntimeError):
        server.start()
    server.stop()
    server.stop()
    with pytest.raises(RuntimeError):
        server.start()
    with pytest.raises(ConnectionRefusedError):
        plain(server)


def test_an_error_inside_is_the_judges(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(step: str, argument: str) -> None:
        if step == "NOOP":
            raise LookupError("a test's own mistake")

    server = FakeSMTP(wire)
    monkeypatch.setattr(server, "fault", broken)
    server.start()
    with plain(server) as client:
        assert client.noop()[0] == 451
    server.stop()
    with pytest.raises(LookupError):
        server.check()
    server.check()


LOGIN = b"AUTH PLAIN " + base64.b64encode(b"\0ada@example.com\0lovelace") + b"\r\n"

BYTES = (
    b"x" * 200_000 + b"\r\n",
    b"\xff\xfe \xff\r\n",
    b"VRFY \xff\r\n",
    b"NOOP \0\xff\r\n",
    b"EHLO \xff\r\n",
    b"HELP\r\n",
    b"MAIL FROM:<\r\n",
    b"MAIL FROM:\r\n",
    b"MAIL FROM:<a@b.example> \xff=\r\n",
    b'MAIL FROM:<"\r\n',
    b"MAIL FROM:<a@\r\n",
    b"MAIL FROM:<@>\r\n",
    b"MAIL FROM:(\r\n",
    b"MAIL FROM:<a@[>\r\n",
    b"AUTH PLAIN \xff\r\n",
    b"AUTH PLAIN =\r\n",
    b"AUTH PLAIN AAAA\r\n",
    b"AUTH CRAM-MD5\r\n" + base64.b64encode("ada é".encode()) + b"\r\n",
    b"AUTH CRAM-MD5\r\n" + base64.b64encode(b"ada \xff") + b"\r\n",
    b"AUTH LOGIN\r\n" + b"A" * 200_000 + b"\r\n",
    b"AUTH LOGIN\r\n\xff\r\n",
    LOGIN + b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n" + b"x" * 200_000 + b"\r\n.\r\n",
    LOGIN + b"DATA\r\nSubject: no recipients\r\n\r\nHello.\r\n.\r\nQUIT\r\n",
    b"QUIT\r\n" + b"NOOP\r\n" * 9,
    b"Received: nonsense\r\n" * 9,
)
"""What a student's program may send by mistake, or somebody on purpose: halves of commands, text where a command is
due, no text at all."""


@pytest.mark.parametrize("ending", ["reads to the end", "closes", "resets", "leaves TLS out"])
@pytest.mark.parametrize("tls", [False, True])
def test_nothing_that_a_client_sends_is_an_error_of_the_fake(
    authority: Authority, trust: ssl.SSLContext, tls: bool, ending: str
) -> None:
    for data in BYTES:
        server = FakeSMTP(
            Wire(),
            tls=authority.good if tls else None,
            accounts=ACCOUNTS,
            clear_auth=True,
            mechanisms=("PLAIN", "LOGIN", "CRAM-MD5"),
        )
        with server, socket.create_connection((server.host, server.port), timeout=5) as raw:
            client = trust.wrap_socket(raw, server_hostname=server.host) if tls else raw
            with client:
                client.sendall(b"EHLO me\r\n" + data)
                if ending == "reads to the end":
                    client.sendall(b"nonsense\r\n" * 9)  # after some of it, the server hangs up
                    _read_all(client)
                elif ending == "resets":
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                elif ending == "leaves TLS out":
                    with socket.socket(fileno=client.detach()) as bare:
                        bare.sendall(b"QUIT\r\n")
            assert server.wait_closed(0), data[:40]


def _read_all(client: socket.socket) -> bytes:
    received = b""
    try:
        while more := client.recv(65536):
            received += more
    except ConnectionError:  # it has hung up with bytes of ours unread
        pass
    return received


def test_auth_after_helo(wire: Wire, authority: Authority, trust: ssl.SSLContext) -> None:
    with FakeSMTP(wire, tls=authority.good, accounts=ACCOUNTS) as server, over_tls(server, trust) as client:
        assert client.docmd("AUTH", "PLAIN")[0] == 503
        client.helo()
        assert client.docmd(LOGIN.decode().strip())[0] == 235
        assert client.docmd("MAIL", "FROM:<ada@example.com>")[0] == 250


def test_ipv6(wire: Wire) -> None:
    with FakeSMTP(wire, host="::1") as server, plain(server) as client:
        assert client.noop()[0] == 250
