"""One conversation between the judge and a student's process: JSON texts, each behind its length."""

from __future__ import annotations

import socket
from json import dumps, loads
from struct import Struct
from time import monotonic
from typing import Any

LARGEST = 32 * 1024 * 1024
"""Bytes that one message may have; a larger answer is refused by name, not truncated."""

LENGTH = Struct("!I")


class TooLarge(Exception):
    """The message has more than LARGEST bytes."""


class Closed(Exception):
    """The other side closed the conversation, in the middle of a message or between two."""


def send(sock: socket.socket, message: dict[str, Any]) -> None:
    """Send one message. Raises TooLarge before a byte is sent, OSError when the other side is gone."""
    body = dumps(message, ensure_ascii=True, check_circular=False).encode("ascii")
    if len(body) > LARGEST:
        raise TooLarge(len(body))
    sock.sendall(LENGTH.pack(len(body)) + body)


def receive(sock: socket.socket, deadline: float | None = None) -> dict[str, Any]:
    """The next message. `deadline` in seconds is for all of it: one that drips in byte by byte is late too.

    Raises Closed at the end, TimeoutError, ValueError when what came is not a message.
    """
    until = None if deadline is None else monotonic() + deadline
    (size,) = LENGTH.unpack(_exactly(sock, LENGTH.size, until))
    if size > LARGEST:
        raise ValueError("a message longer than any that is sent here")
    message = loads(_exactly(sock, size, until))
    if type(message) is not dict:
        raise ValueError("not a message")
    return message


def _exactly(sock: socket.socket, size: int, until: float | None) -> bytes:
    parts = []
    while size:
        if until is not None:
            sock.settimeout(max(until - monotonic(), 0.001))
        try:
            part = sock.recv(min(size, 1 << 20))
        except ConnectionError:
            part = b""
        if not part:
            raise Closed
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
