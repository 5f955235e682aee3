"""The moment at which a student's server can be reached, told to the judge without a line of the student's.

`listen()` (and, for datagrams, `bind()`) is wrapped, so that a test knows the port without asking for it and never
sleeps in the hope that a server is ready. Every way to a server goes through here: socket, socketserver, asyncio.

A program may bind several sockets for datagrams, and close some of them again: each is told, and the test decides.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

Tell = Callable[[dict[str, Any]], None]


def watch(tell: Tell, send_buffer: int = 0) -> None:
    """From now on, tell of every socket that begins to listen: its address, family and type. `send_buffer` in bytes:
    what the system keeps for a connection whose other side does not read (SO_SNDBUF, which accepted ones inherit)."""
    plain_listen, plain_bind = socket.socket.listen, socket.socket.bind

    def listen(self: socket.socket, *arguments: Any) -> None:
        if send_buffer:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        plain_listen(self, *arguments)
        tell(_told(self))

    def bind(self: socket.socket, *arguments: Any) -> None:
        plain_bind(self, *arguments)
        if self.type == socket.SOCK_DGRAM:
            tell(_told(self))

    changed: Any = socket.socket
    changed.listen = listen
    changed.bind = bind


def _told(sock: socket.socket) -> dict[str, Any]:
    address = sock.getsockname()
    name = address if isinstance(address, str) else list(address[:2])
    return {"address": name, "family": int(sock.family), "type": int(sock.type)}
