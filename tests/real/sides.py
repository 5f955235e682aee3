"""Two sides that a client is to find alike: the dojo's fakes, and postfix, dovecot and nginx."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from dojo.fakes.http import FakeHTTP
from dojo.fakes.maildrop import travelling
from dojo.fakes.pop3 import FakePOP3
from dojo.fakes.smtp import FakeSMTP
from dojo.wire import Wire
from tests.real.programs import WITHIN
from tests.real.servers import ADDRESSES, NOBODY, NOGROUP, Servers

MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")

Place = tuple[str, int]
"""An address and a port."""


class Side(Protocol):
    """What a test needs of either side. `leaf` names the certificate, one of LEAVES."""

    def account(self, user: str, password: str) -> None:
        """Let this user send, before the first `smtp`."""

    def smtp(self, *, starttls: bool = False, leaf: str = "good") -> Place:
        """A mail server that takes mail for everybody, from who has logged in."""

    def delivered(self, count: int) -> list[bytes]:
        """The contents of the mails that have come, each once for each recipient, in CRLF and in no certain order.
        Waits until there are as many."""

    def maildrop(self, user: str, password: str, contents: Iterable[bytes]) -> None:
        """Mail for this user."""

    def left(self, user: str, count: int) -> list[bytes]:
        """What is in the maildrop, in CRLF, once there are so many: a client may be gone before its QUIT is done."""

    def pop3(self, *, stls: bool = False, leaf: str = "good") -> Place:
        """A POP3 server with the maildrops; with `stls` it begins in the clear."""

    def site(self, pages: dict[str, bytes], secret: tuple[str, str], *, leaf: str | None = None) -> Place:
        """A web server: the pages by their paths; `/secret` ("welcome") for this user and password, by Basic; `/moved`
        leads to `/page` (302). With `leaf` over TLS."""


class Fakes:
    """The dojo's own."""

    def __init__(self, servers: Servers) -> None:
        self.wire = Wire()
        self._certificates = servers.certificates
        self._stack = ExitStack()
        self._accounts: dict[str, str] = {}
        self._mail: list[FakeSMTP] = []
        self._drops: dict[str, tuple[str, list[bytes]]] = {}
        self._pop3: list[FakePOP3] = []

    def account(self, user: str, password: str) -> None:
        self._accounts[user] = password

    def smtp(self, *, starttls: bool = False, leaf: str = "good") -> Place:
        made = FakeSMTP(
            self.wire,
            tls=self._certificates.context(leaf),
            starttls=starttls,
            accounts=self._accounts,
            mechanisms=MECHANISMS,
        )
        self._mail.append(self._stack.enter_context(made))
        return made.host, made.port

    def delivered(self, count: int) -> list[bytes]:
        return [
            each.content for server in self._mail for each in server.deliveries for _ in range(len(each.recipients))
        ]

    def maildrop(self, user: str, password: str, contents: Iterable[bytes]) -> None:
        self._drops[user] = password, list(contents)
        for server in self._pop3:
            server.maildrop(user, *self._drops[user])

    def left(self, user: str, count: int) -> list[bytes]:
        server = self._pop3[0]
        drop = server.maildrop_of(user)
        assert drop is not None
        server.door.wait(lambda: len(drop.messages) == count, WITHIN)
        return [message.content for message in drop.messages]

    def pop3(self, *, stls: bool = False, leaf: str = "good") -> Place:
        context = self._certificates.context(leaf)
        made = FakePOP3(self.wire, stls=context) if stls else FakePOP3(self.wire, tls=context)
        for user, (password, contents) in self._drops.items():
            made.maildrop(user, password, contents)
        self._pop3.append(self._stack.enter_context(made))
        return made.host, made.port

    def site(self, pages: dict[str, bytes], secret: tuple[str, str], *, leaf: str | None = None) -> Place:
        made = FakeHTTP(self.wire, tls=self._certificates.context(leaf) if leaf else None)
        for path, content in pages.items():
            made.on("GET", path, body=content)
        made.protect_basic("/secret", *secret)
        made.on("GET", "/moved", status=302, headers={"Location": "/page"})
        self._stack.enter_context(made)
        return made.host, made.port

    def close(self) -> None:
        """Stop them, and raise what went wrong inside."""
        self._stack.close()


class Real:
    """postfix, dovecot, nginx."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._stack = ExitStack()
        for old in servers.dovecot.mail.iterdir():
            shutil.rmtree(old)  # with what dovecot has noted about it

    def account(self, user: str, password: str) -> None:
        self._servers.dovecot.account(user, password)

    def smtp(self, *, starttls: bool = False, leaf: str = "good") -> Place:
        way = "starttls" if starttls else "tls"
        return "127.0.0.1", self._servers.postfix.ports[way if leaf == "good" else f"{way}_{leaf}"]

    def delivered(self, count: int) -> list[bytes]:
        folder = self._servers.dovecot.mail / "all" / "new"
        deadline = time.monotonic() + WITHIN
        while not folder.exists() or len(list(folder.iterdir())) < count:
            assert time.monotonic() < deadline, self._servers.postfix.log()
            time.sleep(0.01)
        return [as_sent(path.read_bytes()) for path in folder.iterdir()]

    def maildrop(self, user: str, password: str, contents: Iterable[bytes]) -> None:
        self._servers.dovecot.account(user, password)
        fill(self._servers.dovecot.mail / user, map(travelling, contents))

    def left(self, user: str, count: int) -> list[bytes]:
        folder = self._servers.dovecot.mail / user
        deadline = time.monotonic() + WITHIN
        while len(paths := [*folder.glob("new/*"), *folder.glob("cur/*")]) != count and time.monotonic() < deadline:
            time.sleep(0.01)
        return [travelling(path.read_bytes()) for path in sorted(paths, key=lambda path: path.name)]

    def pop3(self, *, stls: bool = False, leaf: str = "good") -> Place:
        dovecot = self._servers.dovecot
        return ADDRESSES[leaf], dovecot.pop3 if stls else dovecot.pop3s

    def site(self, pages: dict[str, bytes], secret: tuple[str, str], *, leaf: str | None = None) -> Place:
        folder = self._servers.room()
        for path, content in {**pages, "/secret": b"welcome"}.items():
            (folder / path.lstrip("/")).write_bytes(content)
        (folder / "users").write_text(f"{secret[0]}:{{PLAIN}}{secret[1]}\n", "utf-8")
        tls = ""
        if leaf:
            file = self._servers.certificates.file(leaf)
            tls = f"ssl_certificate {file}; ssl_certificate_key {file};"

        def http(port: int) -> str:
            return (
                f"default_type application/octet-stream; absolute_redirect off;\n"
                f"server {{ listen 127.0.0.1:{port}{' ssl' if leaf else ''}; {tls} root {folder};\n"
                f'location = /secret {{ auth_basic "dojo"; auth_basic_user_file {folder}/users; }}\n'
                f"location = /users {{ return 404; }}\n"
                f"location = /moved {{ return 302 /page; }}\n}}"
            )

        nginx, port = self._servers.nginx(http)
        self._stack.callback(nginx.close)
        return "127.0.0.1", port

    def close(self) -> None:
        """End what is of this test alone."""
        self._stack.close()


SIDES: dict[str, type[Fakes | Real]] = {"fake": Fakes, "real": Real}


def fill(maildir: Path, contents: Iterable[bytes]) -> None:
    """Deliver these mails, by writing files as a Maildir has them."""
    for name in ("tmp", "new", "cur"):
        (maildir / name).mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(contents, len(list(maildir.glob("*/*"))) + 1):
        (maildir / "new" / f"{number:06}.dojo").write_bytes(content)
    for path in (maildir, *maildir.rglob("*")):
        os.chown(path, NOBODY, NOGROUP)


def as_sent(stored: bytes) -> bytes:
    """A mail in postfix's Maildir as it was sent: in CRLF, and without the headers that the server puts before it."""
    trace = re.match(rb"Return-Path: .*\nX-Original-To: .*\nDelivered-To: .*\nReceived: .*\n(?:[ \t].*\n)*", stored)
    assert trace is not None, stored
    return travelling(stored[trace.end() :])
