r"""A POP3 server for a test: RFC 1939, with CAPA (RFC 2449), STLS (RFC 2595) and response codes (RFC 2449, 3206).

    with FakePOP3(wire, tls=authority.good) as server:
        drop = server.maildrop(user, password, [b"Subject: hello\r\n\r\nHi.\r\n"])
        ...                                      # the student's code talks to 127.0.0.1, server.port
        server.said()                            # ["USER ann", "PASS secret", "STAT", "QUIT"]
        drop.messages                            # what is left once the session has ended by QUIT

What goes wrong on purpose is made of the actions of dojo.fakes.raw, in the place of an answer or before it:

    server.instead("RETR 2", Send(b"-ERR lost\r\n"))      # the second message cannot be had
    server.instead("RETR", Send(b"+OK\r\nhalf"), Reset())
    server.before("STAT", Pause(0.1))
    server.instead("greeting", Silence())
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dojo.fakes.connection import Connection
from dojo.fakes.fake import Fake
from dojo.fakes.maildrop import CRLF, Maildrop, Message, stuffed

if TYPE_CHECKING:
    import ssl

    from dojo.fakes.raw import Action
    from dojo.wire import Wire

LONGEST = 255
"""Octets of a command line, its CRLF included (RFC 2449 §4)."""

PATIENCE = 1.0
"""Seconds that a login waits for a maildrop which another session has: a client that has just closed its connection
may be back before that has been noticed."""


@dataclass(frozen=True)
class Command:
    """A command as it came, its keyword in capitals. `secured`: whether it came over TLS."""

    keyword: str
    argument: str
    connection: int
    secured: bool

    def __str__(self) -> str:
        return f"{self.keyword} {self.argument}".rstrip()


@dataclass(frozen=True)
class _Fault:
    actions: Sequence[Action]
    in_place: bool
    once: bool


class FakePOP3(Fake):
    """A POP3 server on 127.0.0.1, everything on the wire, the plain text also under TLS.

    With `tls` it speaks TLS from the first byte, as on port 995; with `stls` it begins in plain text and changes to TLS
    when the client asks. `clear_login` false: no login before TLS. `apop` false: none by APOP.
    """

    def __init__(
        self,
        wire: Wire,
        tls: ssl.SSLContext | None = None,
        name: str = "server",
        host: str = "127.0.0.1",
        *,
        stls: ssl.SSLContext | None = None,
        clear_login: bool = True,
        apop: bool = True,
    ) -> None:
        super().__init__(wire, tls=tls, name=name, host=host)
        self.stls = stls
        self.clear_login = clear_login
        self.apop = apop
        self.patience = PATIENCE
        self.in_order = True
        """Whether LIST and UIDL go by the numbers. RFC 1939 does not say in which order their lines come; with False,
        each has another."""
        self.commands: list[Command] = []
        """All commands in the order of their coming."""
        self._maildrops: dict[str, Maildrop] = {}
        self._faults: dict[str, _Fault] = {}

    def maildrop(self, user: str, password: str, contents: Iterable[bytes] = ()) -> Maildrop:
        """Keep mail for this user. The contents are whole messages; LF in them becomes CRLF."""
        self._maildrops[user] = made = Maildrop(user, password, contents)
        return made

    def maildrop_of(self, user: str) -> Maildrop | None:
        """The maildrop of this user, if there is one."""
        return self._maildrops.get(user)

    def instead(self, command: str, *actions: Action, once: bool = False) -> None:
        """Do this in the place of answering `command`: a keyword, "RETR", or with its argument, "RETR 2"; "greeting"
        is what is said first. The command has no effect. With `once`, the next time it is answered."""
        self._faults[command] = _Fault(actions, in_place=True, once=once)

    def before(self, command: str, *actions: Action, once: bool = False) -> None:
        """Do this, then answer `command` as always."""
        self._faults[command] = _Fault(actions, in_place=False, once=once)

    def well_again(self) -> None:
        """Forget all that goes wrong on purpose."""
        self._faults.clear()

    def said(self, number: int | None = None) -> list[str]:
        """The commands as text: of all connections, or of the one with this number (from 1)."""
        return [str(command) for command in list(self.commands) if number in (None, command.connection)]

    def wait_command(self, command: str, deadline: float = 2.0) -> bool:
        """True once a client has given this command, as text; False if none has in `deadline` seconds."""
        return self.door.wait(lambda: command in self.said(), deadline)

    def wait_free(self, drop: Maildrop, deadline: float = 2.0) -> bool:
        """True once no session has this maildrop; False if one still has it after `deadline` seconds."""
        return self.door.wait(lambda: not drop.taken, deadline)

    def stop(self) -> None:
        """End all that it does, also a login that waits for a maildrop."""
        self.stopping.set()
        self.door.changed()
        super().stop()

    def serve(self, connection: Connection) -> None:
        """Talk with one client."""
        session = _Session(self, connection)
        try:
            session.run()
        finally:
            session.give_back()

    def goes_wrong(self, connection: Connection, *names: str) -> bool:
        """Do what is to go wrong at the first of these; true if it takes the place of the answer."""
        for name in names:
            fault = self._faults.get(name)
            if fault is None:
                continue
            if fault.once:
                self._faults.pop(name, None)
            for action in fault.actions:
                connection.step = str(action)
                action.perform(connection)
            return fault.in_place
        return False


class _No(Exception):
    """The answer is -ERR, with this text."""


class _Session:
    """One client's session: from the greeting to QUIT, or to the end of the connection."""

    def __init__(self, server: FakePOP3, connection: Connection) -> None:
        self._server = server
        self._connection = connection
        self._timestamp = f"<{secrets.token_hex(6)}@pop.example.com>"
        self._user: str | None = None
        self._drop: Maildrop | None = None
        self._messages: tuple[Message, ...] = ()
        self._deleted: set[Message] = set()
        self._over = False
        self._before_login: dict[str, Callable[[str], bytes]] = {
            "USER": self._user_is,
            "PASS": self._pass,
            "APOP": self._apop,
            "STLS": self._stls,
            "CAPA": self._capa,
            "QUIT": self._quit,
        }
        self._after_login: dict[str, Callable[[str], bytes]] = {
            "STAT": self._stat,
            "LIST": self._list,
            "UIDL": self._uidl,
            "RETR": self._retr,
            "TOP": self._top,
            "DELE": self._dele,
            "RSET": self._rset,
            "NOOP": self._noop,
            "CAPA": self._capa,
            "QUIT": self._quit,
        }

    def run(self) -> None:
        """Answer one command after the other (RFC 1939 §3). Raises ConnectionError when the client is gone."""
        if not self._server.goes_wrong(self._connection, "greeting"):
            self._send(_ok(f"POP3 server ready {self._timestamp}" if self._may_apop() else "POP3 server ready"))
        while not self._over:
            self._connection.step = "wait for a command"
            line = self._connection.read_until(b"\n", limit=8192)
            if len(line) > LONGEST:
                self._send(_no("[SYS/PERM] a command line has at most 255 octets"))
                continue
            text = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
            keyword, _, argument = text.partition(" ")
            command = Command(keyword.upper(), argument, self._connection.number, bool(self._connection.secured))
            self._server.commands.append(command)
            self._server.door.changed()
            if not self._server.goes_wrong(self._connection, str(command), command.keyword):
                self._answer(command)
        self._connection.note("closed_side")
        self._connection.finish()

    def give_back(self) -> None:
        """Leave the maildrop as it is, if this session has it: what was marked as deleted stays."""
        if self._drop is not None:
            self._drop.leave()
            self._drop = None
            self._server.door.changed()

    def _answer(self, command: Command) -> None:
        known = self._before_login if self._drop is None else self._after_login
        try:
            handler = known.get(command.keyword)
            if handler is None:
                raise _No(self._why_not(command.keyword))
            answer = handler(command.argument)
        except _No as refused:
            answer = _no(str(refused))
        if answer:
            self._send(answer)

    def _why_not(self, keyword: str) -> str:
        if keyword in self._after_login:
            return "log in first"
        return "logged in already" if keyword in self._before_login else "unknown command"

    def _send(self, answer: bytes) -> None:
        self._connection.send(answer)

    # --- the AUTHORIZATION state (RFC 1939 §4) --------------------------------------------------------------

    def _may_login(self) -> bool:
        return self._server.clear_login or bool(self._connection.secured)

    def _may_apop(self) -> bool:
        return self._server.apop and self._may_login()

    def _user_is(self, argument: str) -> bytes:
        if not self._may_login():
            raise _No("[AUTH] no login without TLS: STLS first")
        if not argument:
            raise _No("USER needs a name")
        self._user = argument
        return _ok("")  # whether there is such a user is not told to a stranger

    def _pass(self, argument: str) -> bytes:
        if self._user is None:
            raise _No("USER comes first")
        drop, self._user = self._server.maildrop_of(self._user), None
        # All that follows the blank is the password, blanks too (RFC 1939 §7).
        if drop is None or argument != drop.password:
            raise _No("[AUTH] wrong user or password")
        return self._open(drop)

    def _apop(self, argument: str) -> bytes:
        if not self._may_apop():
            raise _No("no APOP here")
        user, _, digest = argument.rpartition(" ")
        if not user:
            raise _No("APOP needs a name and a digest")
        drop = self._server.maildrop_of(user)
        secret = drop.password if drop else secrets.token_hex()
        if digest != hashlib.md5((self._timestamp + secret).encode(), usedforsecurity=False).hexdigest():
            raise _No("[AUTH] wrong user or password")
        assert drop is not None
        return self._open(drop)

    def _open(self, drop: Maildrop) -> bytes:
        """Get the maildrop for this session alone, or say that it is in use (RFC 2449 §8.1.1)."""
        server = self._server
        if not server.door.wait(lambda: server.stopping.is_set() or drop.take(), server.patience):
            raise _No("[IN-USE] another session has this maildrop")
        server.door.check()
        self._drop = drop
        self._messages = drop.messages
        return _ok(f"maildrop has {self._totals()}")

    def _stls(self, argument: str) -> bytes:
        """Begin TLS. What the client said before is forgotten, and what lies here unread too (RFC 2595 §4)."""
        context = self._server.stls
        if argument or context is None or self._connection.secured:
            raise _No("no STLS here" if context is None else "TLS is on already, or STLS has no argument")
        self._send(_ok("begin TLS"))
        early = self._connection.rest()
        if early:
            self._connection.note("early_bytes", number=str(len(early)))
        self._user = None
        self._connection.secure(context)
        return b""

    # --- both states ----------------------------------------------------------------------------------------

    def _capa(self, argument: str) -> bytes:
        if argument:
            raise _No("CAPA has no argument")
        known = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "IMPLEMENTATION dojo"]
        if self._may_login():
            known.append("USER")
        if self._server.stls and not self._connection.secured and self._drop is None:
            known.append("STLS")
        return _lines("what I can do:", known)

    def _quit(self, argument: str) -> bytes:
        """End the session; after a login, what was marked as deleted goes now (RFC 1939 §6)."""
        if argument:
            raise _No("QUIT has no argument")
        if self._drop is not None:
            self._drop.remove(self._deleted)
            self.give_back()
        self._over = True
        return _ok("goodbye")

    # --- the TRANSACTION state (RFC 1939 §5, §7) ------------------------------------------------------------

    def _there(self) -> list[tuple[int, Message]]:
        """The messages with their numbers, from 1, without those that are marked as deleted."""
        return [(n, message) for n, message in enumerate(self._messages, 1) if message not in self._deleted]

    def _totals(self) -> str:
        there = self._there()
        return f"{len(there)} {sum(message.size for _, message in there)}"

    def _message(self, number: str) -> Message:
        index = int(number) - 1 if _is_number(number) else -1
        if not 0 <= index < len(self._messages):
            raise _No("no such message")
        message = self._messages[index]
        if message in self._deleted:
            raise _No("that message is deleted")
        return message

    def _stat(self, argument: str) -> bytes:
        if argument:
            raise _No("STAT has no argument")
        return _ok(self._totals())

    def _list(self, argument: str) -> bytes:
        if argument:
            size = self._message(argument).size
            return _ok(f"{int(argument)} {size}")
        there = self._there()
        lines = [f"{number} {message.size}" for number, message in there]
        return _lines(f"{len(there)} messages", lines if self._server.in_order else lines[1::2] + lines[::2])

    def _uidl(self, argument: str) -> bytes:
        if argument:
            uid = self._message(argument).uid
            return _ok(f"{int(argument)} {uid}")
        lines = [f"{number} {message.uid}" for number, message in self._there()]
        return _lines("unique ids follow", lines if self._server.in_order else lines[::-1])

    def _retr(self, argument: str) -> bytes:
        message = self._message(argument)
        return _ok(f"{message.size} octets") + stuffed(message.content) + b"." + CRLF

    def _top(self, argument: str) -> bytes:
        number, _, lines = argument.partition(" ")
        if not _is_number(lines):
            raise _No("TOP needs a message and a number of lines")
        return _ok("top of message follows") + stuffed(self._message(number).top(int(lines))) + b"." + CRLF

    def _dele(self, argument: str) -> bytes:
        self._deleted.add(self._message(argument))
        return _ok("marked as deleted")

    def _rset(self, argument: str) -> bytes:
        if argument:
            raise _No("RSET has no argument")
        self._deleted.clear()
        return _ok(f"maildrop has {self._totals()}")

    def _noop(self, argument: str) -> bytes:
        if argument:
            raise _No("NOOP has no argument")
        return _ok("")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _ok(text: str) -> bytes:
    return f"+OK {text}".rstrip().encode() + CRLF


def _no(text: str) -> bytes:
    return f"-ERR {text}".encode() + CRLF


def _lines(text: str, lines: Iterable[str]) -> bytes:
    """An answer of several lines, ended by a dot (RFC 1939 §3)."""
    return _ok(text) + b"".join(line.encode() + CRLF for line in lines) + b"." + CRLF
