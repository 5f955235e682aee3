"""One client says the same to our fakes and to the real servers; what it hears is compared, step by step.

Of a reply only what a program may rely on is compared: the code of SMTP and the keywords of EHLO; +OK or -ERR with its
response code, and all data of POP3; status, some headers and the body of HTTP. Each difference that is meant stands in
a table with its reason. One that is not in the table fails, and so does an entry that is no difference any more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple, Self

from dojo.fakes.maildrop import stuffed
from tests.real.servers import Servers
from tests.real.sides import SIDES, Place, Side

USER, PASSWORD = "ada@example.com", "love lace"

PATIENCE = 40.0
"""Seconds to wait for a reply. dovecot waits some 12 for a maildrop that another session has, before it says so."""


class Differs(NamedTuple):
    """A difference that is meant, and why."""

    fake: object
    real: object
    why: str


class Line:
    """A client that talks in lines, and writes down what it heard under the name of each step."""

    def __init__(self, servers: Servers, place: Place) -> None:
        self._servers = servers
        self.heard: dict[str, object] = {}
        self.reach(place)

    def reach(self, place: Place) -> None:
        """Begin a connection."""
        self.socket = socket.create_connection(place, timeout=PATIENCE)
        self.file = self.socket.makefile("rb")

    def secure(self) -> None:
        """Begin TLS; the certificate is verified."""
        self.socket = self._servers.certificates.trust().wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.file.close()
        self.file = self.socket.makefile("rb")

    def send(self, data: bytes | str) -> None:
        """Send a line, or bytes as they are."""
        self.socket.sendall(f"{data}\r\n".encode() if isinstance(data, str) else data)

    def leave(self) -> None:
        """Close the connection without a word."""
        self.file.close()
        self.socket.close()

    def ended(self) -> str:
        """Whether the server has closed the connection, and how; a server under TLS should say so."""
        try:
            return "more" if self.file.read(1) else "closed"
        except ssl.SSLError:
            return "cut off"
        except ConnectionError:
            return "reset"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


def compare(transcripts: dict[str, dict[str, object]], meant: dict[str, Differs]) -> None:
    """Fail where the two differ and nobody said so, or somebody said so in vain."""
    fake, real = transcripts["fake"], transcripts["real"]
    assert list(fake) == list(real)
    found = {step: (fake[step], real[step]) for step in fake if fake[step] != real[step]}
    assert found == {step: (each.fake, each.real) for step, each in meant.items()}
    assert all(each.why for each in meant.values())


@contextmanager
def both(servers: Servers) -> Iterator[dict[str, Side]]:
    """The two sides."""
    with ExitStack() as stack:
        sides: dict[str, Side] = {}
        for name, kind in SIDES.items():
            made = sides[name] = kind(servers)
            stack.callback(made.close)
        yield sides


# --- SMTP -------------------------------------------------------------------------------------------------


class SMTPLine(Line):
    """Replies are codes (RFC 5321 §4.2)."""

    def hears(self) -> tuple[int, list[str]]:
        """A reply: its code and its lines."""
        lines = []
        while line := self.file.readline().decode("utf-8", "replace").rstrip("\r\n"):
            lines.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]), lines
        return 0, lines

    def says(self, step: str, data: bytes | str | None = None) -> str:
        """Say it (by default the step itself) and write down the code; the text of the reply."""
        self.send(step if data is None else data)
        code, lines = self.hears()
        self.heard[step] = code
        return "\n".join(lines)

    def greets(self, step: str) -> None:
        """EHLO: the code, and the keywords that are offered (RFC 5321 §4.1.1.1)."""
        self.send("EHLO client.example.com")
        code, lines = self.hears()
        words = [re.sub(r"^SIZE \d+$", "SIZE n", line) for line in lines[1:]]
        mechanisms = sorted(word for line in words if line.startswith("AUTH ") for word in line.split()[1:])
        self.heard[step] = code, {word for word in words if not word.startswith("AUTH ")}, mechanisms


def token(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def cram(challenge: str, password: str) -> str:
    digest = hmac.new(password.encode(), base64.b64decode(challenge), "md5").hexdigest()
    return token(f"{USER} {digest}")


MAIL = b"From: <ada@example.com>\r\nTo: <bob@example.net>\r\n\r\n.\r\n..two\r\nthe end\r\n"


def smtp_dialogue(side: Side, servers: Servers) -> dict[str, object]:
    side.account(USER, PASSWORD)
    with SMTPLine(servers, side.smtp(starttls=True)) as client:
        says = client.says
        client.heard["greeting"] = client.hears()[0]
        client.greets("EHLO in the clear")
        says("NOOP")
        says("AUTH in the clear", f"AUTH PLAIN {token(f'{chr(0)}{USER}{chr(0)}{PASSWORD}')}")
        says("STARTTLS with an argument", "STARTTLS now")
        says("STARTTLS")
        client.secure()
        client.greets("EHLO over TLS")
        says("STARTTLS again", "STARTTLS")
        says("RCPT before MAIL", "RCPT TO:<bob@example.net>")
        says("DATA before MAIL", "DATA")
        says("MAIL without login", "MAIL FROM:<ada@example.com>")
        says("RCPT without login", "RCPT TO:<bob@example.net>")
        says("DATA without login", "DATA")
        says("RSET without login", "RSET")
        says("AUTH alone", "AUTH")
        says("AUTH by an unknown mechanism", "AUTH FOO")
        says("AUTH PLAIN, no Base64", "AUTH PLAIN ?")
        says("AUTH PLAIN, wrong password", f"AUTH PLAIN {token(f'{chr(0)}{USER}{chr(0)}wrong')}")
        says("AUTH PLAIN, unknown user", f"AUTH PLAIN {token(f'{chr(0)}eve@example.com{chr(0)}{PASSWORD}')}")
        says("AUTH LOGIN")
        says("AUTH LOGIN, cancelled", "*")
        says("AUTH LOGIN again", "AUTH LOGIN")
        says("AUTH LOGIN, user", token(USER))
        says("AUTH LOGIN, wrong password", token("wrong"))
        challenge = says("AUTH CRAM-MD5")
        client.heard["the challenge is a msg-id"] = bool(re.fullmatch(rb"<.+@.+>", base64.b64decode(challenge)))
        says("AUTH CRAM-MD5, wrong password", cram(challenge, "wrong"))
        says("MAIL after refused logins", "MAIL FROM:<ada@example.com>")
        says("RSET after refused logins", "RSET")
        says("auth plain, right", f"auth plain {token(f'{chr(0)}{USER}{chr(0)}{PASSWORD}')}")
        says("AUTH a second time", f"AUTH PLAIN {token(f'{chr(0)}{USER}{chr(0)}{PASSWORD}')}")
        says("MAIL without an address", "MAIL FROM:")
        says("MAIL without FROM", "MAIL <ada@example.com>")
        says("MAIL with an unknown parameter", "MAIL FROM:<ada@example.com> FOO=1")
        says("MAIL of a size that is too large", "MAIL FROM:<ada@example.com> SIZE=99999999999")
        says("RSET after a size", "RSET")
        says("MAIL FROM:<>")
        says("RSET after MAIL", "RSET")
        says("mail from, in lower case", "mail from:<ada@example.com> size=100 body=8bitmime")
        says("MAIL within MAIL", "MAIL FROM:<ada@example.com>")
        says("DATA without RCPT", "DATA")
        says("RCPT without an address", "RCPT TO:")
        says("RCPT", "RCPT TO:<bob@example.net>")
        says("RCPT with an unknown parameter", "RCPT TO:<bob@example.net> FOO=1")
        says("RCPT, quoted", 'RCPT TO:<"bob b"@example.net>')
        says("RSET after RCPT", "RSET")
        says("RCPT after RSET", "RCPT TO:<bob@example.net>")
        says("MAIL with SMTPUTF8", "MAIL FROM:<ada@example.com> SMTPUTF8")
        says("RCPT with SMTPUTF8", "RCPT TO:<小明@example.net>")
        says("RSET after SMTPUTF8", "RSET")
        says("MAIL", "MAIL FROM:<ada@example.com>")
        says("RCPT of the mail", "RCPT TO:<bob@example.net>")
        says("RCPT of the mail, another", "RCPT TO:<carol@example.net>")
        says("DATA")
        says("the content", stuffed(MAIL) + b".\r\n")
        client.heard["what came"] = side.delivered(2)
        says("DATA after a mail", "DATA")
        says("VRFY", "VRFY bob@example.net")
        says("EXPN", "EXPN staff")
        says("HELP")
        says("an unknown command", "FOO")
        says("an empty line", "")
        says("HELO", "HELO client.example.com")
        says("EHLO without a name", "EHLO")
        says("AUTH after HELO", "AUTH PLAIN AGEAYg==")
        says("NOOP with an argument", "NOOP bla")
        says("RSET with an argument", "RSET bla")
        says("QUIT")
        client.heard["after QUIT"] = client.ended()
    return client.heard


# --- POP3 -------------------------------------------------------------------------------------------------

MAILS = [
    b"Subject: one\r\n\r\n.\r\n..two\r\nthe end\r\n",
    b"Subject: two\r\nX-Byte: \xe4\r\n\r\nfirst\r\nsecond\r\n\r\nlast\r\n",
    b"Subject: three\r\n\r\n",
    b"Subject: four\r\nno body",
]
LISTED = {"LIST", "UIDL", "CAPA", "RETR", "TOP"}
"""Commands whose answer may go on over lines; LIST and UIDL with a number do not."""


class POP3Line(Line):
    """Replies are +OK or -ERR (RFC 1939 §3), perhaps with a response code (RFC 2449 §8)."""

    def hears(self) -> str:
        """The first line of an answer."""
        return self.file.readline().decode("utf-8", "replace").rstrip("\r\n")

    def says(self, step: str, command: str | None = None) -> str:
        """Say it (by default the step itself); write down the status, and what of the rest is data. The first line."""
        command = step if command is None else command
        self.send(command)
        answer = self.hears()
        status, _, rest = answer.partition(" ")
        code = re.match(r"\[[A-Z/-]+\]", rest)
        heard: list[object] = [status + (f" {code[0]}" if code else "")]
        keyword, *arguments = command.upper().split() or [""]
        if status == "+OK":
            if keyword in LISTED and not (keyword in ("LIST", "UIDL") and arguments):
                heard.append(self.rest(keyword))
            elif keyword == "UIDL":
                heard.append(len(rest.split()))
            elif keyword in ("LIST", "STAT"):
                heard.append(rest)
        self.heard[step] = heard
        return answer

    def rest(self, keyword: str) -> object:
        """The lines to the dot: of CAPA as a set, of UIDL without the ids, which no two servers have in common."""
        lines = []
        while (line := self.file.readline()) not in (b".\r\n", b""):
            lines.append(line)
        if keyword == "CAPA":
            return {re.sub(r"^IMPLEMENTATION .*", "IMPLEMENTATION", line.decode().strip()) for line in lines}
        if keyword == "UIDL":
            ids = [line.split() for line in lines]
            return [number for number, _ in ids], len({uid for _, uid in ids})
        return lines


def pop3_dialogue(side: Side, servers: Servers) -> dict[str, object]:
    side.maildrop("ann", PASSWORD, MAILS)
    place = side.pop3(stls=True)
    with POP3Line(servers, place) as client:
        says = client.says

        def log_in(step: str) -> None:
            again()
            says(f"USER, {step}", "USER ann")
            says(f"PASS, {step}", f"PASS {PASSWORD}")

        def again() -> str:
            """A new connection, as dovecot has little patience with bad commands; the greeting."""
            client.leave()
            client.reach(place)
            return client.hears()

        greeting = client.hears()
        client.heard["greeting"] = greeting[:3], bool(re.search(r"<.+@.+>", greeting))
        says("CAPA in the clear", "CAPA")
        for command in ("STAT", "LIST", "RETR 1", "NOOP", "RSET", "FOO", "", "USER", f"PASS {PASSWORD}", "APOP ann"):
            again()
            says(f"{command}, before a login", command)
        greeting = again()
        says("USER ann")
        says("PASS wrong")
        says("USER, unknown", "USER eve")
        says("PASS, unknown", f"PASS {PASSWORD}")
        timestamp = re.findall(r"<.+>", greeting)[0]
        digest = hashlib.md5(f"{timestamp}wrong".encode()).hexdigest()
        says("APOP, wrong", f"APOP ann {digest}")
        says("NOOP after three refused logins", "NOOP")
        again()
        says("STLS")
        client.secure()
        says("CAPA over TLS", "CAPA")
        says("STLS again", "STLS")
        says("user in lower case", "user ann")
        says("pass in lower case", f"pass {PASSWORD}")
        says("CAPA after the login", "CAPA")
        says("USER after the login", "USER ann")
        says("STLS after the login", "STLS")
        says("STAT")
        says("LIST")
        for number in range(1, len(MAILS) + 1):
            for command in ("LIST", "UIDL", "RETR"):
                says(f"{command} {number}")
            for count in (0, 1, 2, 99):
                says(f"TOP {number} {count}")
        says("UIDL")
        for command in ("LIST", "UIDL", "RETR", "DELE"):
            for bad in ("0", "5", "-1", "x", "99999999999999999999"):
                says(f"{command} {bad}")
            says(f"NOOP after bad numbers of {command}", "NOOP")  # who does nothing right for long is thrown out
        for command in ("RETR", "DELE", "TOP", "TOP 1", "TOP 1 x", "TOP 9 0", "TOP 1 -1", "RETR 1 1", "FOO", ""):
            says(f"{command}, not well formed", command)
        for command in ("DELE 2", "DELE 2 ", "RETR 2", "LIST 2", "UIDL 2", "TOP 2 0", "STAT", "LIST", "UIDL"):
            says(f"{command}, after DELE 2", command)
        says("RSET")
        says("STAT after RSET", "STAT")
        says("NOOP")
        says("DELE 1, then gone")

        log_in("after who has gone without QUIT")
        says("STAT, after who has gone without QUIT", "STAT")
        says("DELE 1")
        says("DELE 3")
        says("QUIT")
        client.heard["after QUIT"] = client.ended()

        log_in("after QUIT")
        says("STAT, after QUIT", "STAT")
        says("RETR 1, after QUIT", "RETR 1")
        with POP3Line(servers, place) as other:
            other.hears()
            other.says("USER ann")
            other.says("PASS while another session has the maildrop", f"PASS {PASSWORD}")
        client.heard |= other.heard
        says("QUIT of the last session", "QUIT")
    return client.heard


# --- HTTP -------------------------------------------------------------------------------------------------

PAGES = {"/page": b"a page\r\n", "/empty": b"", "/a b": b"blank"}


class HTTPLine(Line):
    """Each request on a connection of its own, with `Connection: close` unless it says otherwise."""

    def hears(self, *, body: bool = True) -> object:
        """A response: its status, the headers that matter, its body; then how the connection ended."""
        version, _, status = self.file.readline().decode("latin-1").partition(" ")
        if not version.startswith("HTTP/"):
            return "no HTTP"
        headers: dict[str, str] = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", -1))
        content = self.file.read(length) if body else b""
        code = int(status[:3])
        wanted = ["location", "transfer-encoding", "connection"]
        if code < 300:
            wanted += ["content-type", "content-length"]
        told: dict[str, object] = {name: headers[name] for name in wanted if name in headers}
        if "www-authenticate" in headers:
            told["scheme"] = headers["www-authenticate"].split()[0]
        return code, told, content if code < 300 else bool(content)

    def asks(self, step: str, request: bytes | None = None, *, body: bool = True) -> None:
        """Send a request (by default `step` alone, with Host) and write down what comes."""
        self.leave()
        self.reach(self.place)
        request = (
            f"{step} HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n".encode()
            if request is None
            else request
        )
        self.send(request)
        self.heard[step] = self.hears(body=body), self.ended()

    place: Place = ("", 0)


def http_dialogue(side: Side, servers: Servers) -> dict[str, object]:
    place = side.site(PAGES, ("ann", "secret"))
    with HTTPLine(servers, place) as client:
        client.place = place
        asks = client.asks

        def basic(step: str, value: str) -> None:
            head = f"GET /secret HTTP/1.1\r\nHost: example.com\r\nAuthorization: {value}\r\nConnection: close\r\n\r\n"
            asks(step, head.encode())

        asks("GET /page")
        asks("GET /page?a=1&b=%20")
        asks("GET /empty")
        asks("GET /a%20b")
        asks("GET http://example.com/page")
        asks("HEAD /page", body=False)
        asks("HEAD /nothing", body=False)
        asks("GET /nothing")
        asks("GET /moved")
        asks("get /page")
        asks("POST /page")
        asks("GET /secret")
        basic("Basic, right", f"Basic {token('ann:secret')}")
        basic("basic, in lower case", f"basic {token('ann:secret')}")
        basic("Basic, wrong password", f"Basic {token('ann:wrong')}")
        basic("Basic, no Base64", "Basic ???")
        basic("another scheme", "Bearer abc")
        asks("HTTP/1.0", b"GET /page HTTP/1.0\r\n\r\n")
        asks("HTTP/1.1 without Host", b"GET /page HTTP/1.1\r\nConnection: close\r\n\r\n")
        asks("LF for CRLF", b"GET /page HTTP/1.1\nHost: example.com\nConnection: close\n\n")
        asks("no request line", b"hello\r\n\r\n")
        asks("a version that is none", b"GET /page HTTP/x\r\nHost: example.com\r\n\r\n")
        asks("a header without a colon", b"GET /page HTTP/1.1\r\nHost: example.com\r\nFoo\r\nConnection: close\r\n\r\n")
        client.leave()
        client.reach(place)
        client.send(b"GET /page HTTP/1.1\r\nHost: example.com\r\n\r\n")
        client.heard["a connection to keep"] = client.hears()
    return client.heard


# --- the differences that are meant -----------------------------------------------------------------------

EXTENSIONS = {"8BITMIME", "SIZE n", "SMTPUTF8"}
POSTFIX_MORE = {"PIPELINING", "DSN", "ETRN", "VRFY", "ENHANCEDSTATUSCODES", "CHUNKING"}
ALL_MECHANISMS = ["CRAM-MD5", "LOGIN", "PLAIN"]
EXTENSIONS_WHY = (
    "aiosmtpd knows no PIPELINING, DSN, ETRN and CHUNKING, and does not announce VRFY; no kata needs them, and smtplib "
    "asks for none of them. postfix has no HELP."
)
LOGIN_WHY = (
    "The fake refuses who has not logged in at MAIL, with 530 (RFC 4954 §6). postfix lets MAIL pass, as it looks at "
    "the recipient: 554 at RCPT, 'Relay access denied'. A client is refused either way before it can send anything."
)

SMTP: dict[str, Differs] = {
    "EHLO in the clear": Differs(
        (250, EXTENSIONS | {"STARTTLS", "HELP"}, []),
        (250, EXTENSIONS | {"STARTTLS"} | POSTFIX_MORE, []),
        EXTENSIONS_WHY,
    ),
    "EHLO over TLS": Differs(
        (250, EXTENSIONS | {"HELP"}, ALL_MECHANISMS),
        (250, EXTENSIONS | POSTFIX_MORE, ALL_MECHANISMS),
        EXTENSIONS_WHY,
    ),
    "AUTH in the clear": Differs(538, 503, "538 says why: encryption is required. postfix acts as if it knew no AUTH."),
    "STARTTLS again": Differs(503, 554, "RFC 3207 names no code; 503, bad sequence, is the closest of RFC 5321."),
    "MAIL without login": Differs(530, 250, LOGIN_WHY),
    "RCPT without login": Differs(503, 554, LOGIN_WHY),
    "DATA without login": Differs(503, 554, LOGIN_WHY),
    "MAIL after refused logins": Differs(530, 250, LOGIN_WHY),
    "AUTH by an unknown mechanism": Differs(504, 535, "504 by RFC 4954 §4; postfix passes on that dovecot refused."),
    "AUTH PLAIN, no Base64": Differs(501, 535, "501 by RFC 4954 §4; postfix passes on that dovecot refused."),
    "DATA without RCPT": Differs(503, 554, "RFC 5321 §3.3 allows both."),
    "EXPN": Differs(502, 500, "RFC 5321 §3.5.3 allows both for who does not expand lists."),
    "HELP": Differs(250, 500, "postfix has no HELP; RFC 5321 §4.5.1 does not require it."),
}

CAPABILITIES = {"TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"}
CAPA_WHY = (
    "dovecot has AUTH with SASL (RFC 5034), which poplib and the fake have not; it lists CAPA itself, which is no "
    "capability of RFC 2449; the fake tells its IMPLEMENTATION, which dovecot keeps to itself."
)
SASL = "SASL PLAIN LOGIN CRAM-MD5"

POP3: dict[str, Differs] = {
    "CAPA in the clear": Differs(
        ["+OK", CAPABILITIES | {"USER", "STLS", "IMPLEMENTATION"}],
        ["+OK", CAPABILITIES | {"USER", "STLS", "CAPA", SASL}],
        CAPA_WHY,
    ),
    "CAPA over TLS": Differs(
        ["+OK", CAPABILITIES | {"USER", "IMPLEMENTATION"}],
        ["+OK", CAPABILITIES | {"USER", "CAPA", SASL}],
        CAPA_WHY,
    ),
    "CAPA after the login": Differs(
        ["+OK", CAPABILITIES | {"USER", "IMPLEMENTATION"}],
        ["+OK", CAPABILITIES | {"CAPA"}],
        CAPA_WHY + " USER is announced in both states (RFC 2449 §6.3); dovecot drops it after the login.",
    ),
    "USER, before a login": Differs(["-ERR"], ["+OK"], "RFC 1939 §7 requires a name; dovecot refuses at PASS only."),
}

REFUSED = {"connection": "close"}

HTTP: dict[str, Differs] = {
    "GET /empty": Differs(
        ((200, REFUSED | {"content-length": "0"}, b""), "closed"),
        ((200, REFUSED | {"content-type": "application/octet-stream", "content-length": "0"}, b""), "closed"),
        "The fake labels no empty body, so that a kata can have an answer without Content-Type.",
    ),
    "GET /moved": Differs(
        ((302, REFUSED | {"location": "/page"}, False), "closed"),
        ((302, REFUSED | {"location": "/page"}, True), "closed"),
        "nginx puts a page of its own into a redirect; the fake sends what the test has given it.",
    ),
    "get /page": Differs(
        ((404, REFUSED, True), "closed"),
        ((400, REFUSED, True), "closed"),
        "nginx knows no method in lower case; to the fake it is an unknown one, and its 404 tells the student so.",
    ),
    "POST /page": Differs(
        ((404, REFUSED, True), "closed"),
        ((405, REFUSED, True), "closed"),
        "The fake has no answer to what no test has registered, and says so: 404 with the methods that it knows.",
    ),
    "a connection to keep": Differs(
        (
            200,
            {"connection": "close", "content-type": "application/octet-stream", "content-length": "8"},
            PAGES["/page"],
        ),
        (
            200,
            {"connection": "keep-alive", "content-type": "application/octet-stream", "content-length": "8"},
            PAGES["/page"],
        ),
        "The fake closes after each answer, as RFC 9112 §9.6 lets it, and says so.",
    ),
}


def test_smtp(servers: Servers) -> None:
    with both(servers) as sides:
        compare({name: smtp_dialogue(side, servers) for name, side in sides.items()}, SMTP)


def test_pop3(servers: Servers) -> None:
    with both(servers) as sides:
        compare({name: pop3_dialogue(side, servers) for name, side in sides.items()}, POP3)


def test_http(servers: Servers) -> None:
    with both(servers) as sides:
        compare({name: http_dialogue(side, servers) for name, side in sides.items()}, HTTP)
