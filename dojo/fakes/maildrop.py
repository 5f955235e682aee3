"""What a POP3 server keeps for a user between sessions. RFC 1939 calls it the maildrop."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

CRLF = b"\r\n"


@dataclass(frozen=True)
class Message:
    """A message as it travels: its lines end with CRLF, the last one too. `uid` is its unique id (RFC 1939 §7)."""

    content: bytes
    uid: str

    @property
    def size(self) -> int:
        """Its size in octets, each line end counted as two, no dot counted twice (RFC 1939 §11)."""
        return len(self.content)

    def top(self, lines: int) -> bytes:
        """The header, the blank line and so many lines of the body, or all if there are not so many (RFC 1939 §7)."""
        head, blank, body = self.content.partition(CRLF + CRLF)
        return head + blank + b"".join(_lines(body)[:lines])


def _lines(data: bytes) -> list[bytes]:
    """`data` in lines that end with CRLF: unlike bytes.splitlines, a lone CR ends nothing."""
    return [line for line in re.split(rb"(?<=\r\n)", data) if line]


def travelling(content: bytes) -> bytes:
    """`content` as it goes over the wire: every line end CRLF, one at the very end too."""
    content = re.sub(rb"\r?\n", CRLF, content)
    return content if not content or content.endswith(CRLF) else content + CRLF


def stuffed(content: bytes) -> bytes:
    """A travelling message with a dot put before each line that begins with one (RFC 1939 §3)."""
    return re.sub(rb"(?m)^\.", b"..", content)


class Maildrop:
    """The messages of one user. One session at a time may have it; what it deletes is gone when it ends by QUIT."""

    def __init__(self, user: str, password: str, contents: Iterable[bytes] = ()) -> None:
        self.user = user
        self.password = password
        self._lock = threading.Lock()
        self._messages: list[Message] = []
        self._taken = False
        self._afterwards: Callable[[], object] | None = None
        for content in contents:
            self.add(content)

    def add(self, content: bytes, uid: str | None = None) -> Message:
        """Deliver a message. A session that is going on does not see it. `uid`: 1 to 70 printable ASCII characters,
        no space; without it, one that nobody can guess."""
        uid = uid or secrets.token_hex(8)
        if not re.fullmatch(r"[\x21-\x7e]{1,70}", uid):
            raise ValueError(f"no unique id: {uid!r}")
        message = Message(travelling(content), uid)
        with self._lock:
            self._messages.append(message)
        return message

    @property
    def messages(self) -> tuple[Message, ...]:
        """What is in it now, the oldest first."""
        with self._lock:
            return tuple(self._messages)

    @property
    def taken(self) -> bool:
        """Whether a session has it."""
        with self._lock:
            return self._taken

    def take(self) -> bool:
        """Get it for a session; False if another has it."""
        with self._lock:
            if self._taken:
                return False
            self._taken = True
            return True

    def afterwards(self, happens: Callable[[], object]) -> None:
        """Let this happen once, when the session that has it, or the next one, is over: before any other can begin."""
        self._afterwards = happens

    def over(self) -> None:
        """A session is over: let happen what was to happen then."""
        happens, self._afterwards = self._afterwards, None
        if happens is not None:
            happens()

    def leave(self) -> None:
        """Give it back."""
        self.over()
        with self._lock:
            self._taken = False

    def remove(self, gone: Collection[Message]) -> None:
        """Take these messages out for good."""
        with self._lock:
            self._messages = [message for message in self._messages if message not in gone]
