"""One conversation between the judge and a student's process: JSON texts, each behind its length."""

from __future__ import annotations

import socket
from json import dumps, loads
from struct import Struct
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


def receive(sock: socket.socket) -> dict[str, Any]:
    """The next message. Raises Closed at the end, TimeoutError by the socket's timeout, ValueError when
    what came is not a message."""
    (size,) = LENGTH.unpack(_exactly(sock, LENGTH.size))
    if size > LARGEST:
        raise ValueError("a message longer than any that is sent here")
    message = loads(_exactly(sock, size))
    if type(message) is not dict:
        raise ValueError("not a message")
    return message


def _exactly(sock: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        try:
            part = sock.recv(min(size, 1 << 20))
        except ConnectionError:
            part = b""
        if not part:
            raise Closed
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
