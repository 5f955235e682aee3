"""dovecot behind the face of FakePOP3: its maildrops are Maildirs, filled and read as files."""

from __future__ import annotations

import os
import secrets
import ssl
from collections.abc import Collection, Iterable
from pathlib import Path

from dojo.fakes.connection import Connection
from dojo.fakes.maildrop import Maildrop, Message, travelling
from dojo.fakes.pop3 import Command, FakePOP3
from dojo.fakes.raw import Action
from dojo.wire import Wire
from tests.real.behind import Far, Unplayable, servers
from tests.real.servers import NOBODY, NOGROUP

LISTS = {"CAPA": 0, "LIST": 0, "UIDL": 0, "RETR": 1, "TOP": 2}
"""Commands whose +OK is followed by lines up to a dot, if they have so many arguments (RFC 1939)."""


class RealMaildrop(Maildrop):
    """A Maildir of dovecot's. The unique ids are ours: dovecot takes them from its list of the folder."""

    def __init__(self, folder: Path, user: str, password: str, contents: Iterable[bytes] = ()) -> None:
        self._folder = folder
        self._ids: dict[str, str] = {}
        self.sessions = 0
        for name in ("tmp", "new", "cur"):
            (folder / name).mkdir(parents=True)
        super().__init__(user, password, contents)
        self._write_list()

    def add(self, content: bytes, uid: str | None = None) -> Message:
        """As Maildrop.add."""
        uid = uid or secrets.token_hex(8)
        name = f"{len(self._ids) + 1:06}.dojo"
        self._ids[name] = uid
        (self._folder / "new" / name).write_bytes(travelling(content))
        self._write_list()
        return Message(travelling(content), uid)

    def _write_list(self) -> None:
        """dovecot's own list: for each file a number, here its place, and after P what POP3 tells as unique id."""
        count = len(self._ids)
        lines = [f"3 V1 N{count + 1} G{'0' * 31}1"]
        lines += [f"{number} P{uid} :{name}" for number, (name, uid) in enumerate(self._ids.items(), 1)]
        (self._folder / "dovecot-uidlist").write_text("\n".join(lines) + "\n", "utf-8")
        for path in (self._folder, *self._folder.rglob("*")):
            os.chown(path, NOBODY, NOGROUP)

    def _paths(self) -> dict[str, Path]:
        """The files that are there, by unique id, in order."""
        there = {
            path.name.partition(":")[0]: path for place in ("new", "cur") for path in (self._folder / place).iterdir()
        }
        return {uid: there[name] for name, uid in self._ids.items() if name in there}

    @property
    def messages(self) -> tuple[Message, ...]:
        """What is in it now, the oldest first."""
        return tuple(Message(path.read_bytes(), uid) for uid, path in self._paths().items())

    def remove(self, gone: Collection[Message]) -> None:
        """Take these messages out for good."""
        paths = self._paths()
        for message in gone:
            paths[message.uid].unlink()

    @property
    def taken(self) -> bool:
        """Whether a session has it."""
        return self.sessions > 0


class RealPOP3(FakePOP3):
    """What FakePOP3 is for a test, with dovecot doing the work."""

    def __init__(
        self,
        wire: Wire,
        tls: ssl.SSLContext | None = None,
        name: str = "server",
        host: str = "127.0.0.1",
        *,
        stls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(wire, tls, name, host, stls=stls)
        self.real = servers()

    def maildrop(self, user: str, password: str, contents: Iterable[bytes] = ()) -> Maildrop:
        """As FakePOP3.maildrop."""
        self.real.dovecot.account(user, password)
        self._maildrops[user] = made = RealMaildrop(self.real.dovecot.mail / user, user, password, contents)
        return made

    def instead(self, command: str, *actions: Action, once: bool = False) -> None:
        """dovecot misbehaves for nobody."""
        raise Unplayable(f"something else than an answer to {command}")

    before = instead

    def well_again(self) -> None:
        """It was never ill."""

    def serve(self, connection: Connection) -> None:
        """Pass on what one client and dovecot say to each other."""
        dovecot = self.real.dovecot
        drop: RealMaildrop | None = None
        user = ""
        with Far(dovecot.pop3s if self.door.tls else dovecot.pop3, self.real.certificates.trust()) as far:
            far.connect()
            if self.door.tls:
                far.secure()
            try:
                connection.send(far.read_line())
                while True:
                    line = connection.read_line()
                    keyword, _, argument = line.decode("utf-8", "surrogateescape").rstrip("\r\n").partition(" ")
                    keyword = keyword.upper()
                    self.commands.append(Command(keyword, argument, connection.number, bool(connection.secured)))
                    self.door.changed()
                    far.send(line)
                    answer = far.read_line()
                    good = answer.startswith(b"+OK")
                    lines = [answer]
                    if good and LISTS.get(keyword) == len(argument.split()):
                        while lines[-1] not in (b".\r\n", b""):
                            lines.append(far.read_line())
                    if good and keyword == "USER":
                        user = argument
                    if good and keyword == "PASS":
                        found = self.maildrop_of(user)
                        assert isinstance(found, RealMaildrop)
                        drop = found
                        drop.sessions += 1
                    if good and keyword == "QUIT":
                        far.read_to_the_end()  # what it had to delete is gone
                    connection.send(b"".join(lines))
                    if good and keyword == "STLS":
                        assert self.stls is not None
                        connection.secure(self.stls)
                        far.secure()
                    if keyword == "QUIT":
                        break
            finally:
                if drop is not None:
                    drop.over()
                    drop.sessions -= 1
                    self.door.changed()
        connection.finish()
