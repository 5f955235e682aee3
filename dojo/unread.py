"""How much has come for a connection that its program has not read yet, as the kernel tells it (sock_diag(7)).

Pieces of a stream arrive as pieces only where each is read before the next one is sent. A pause between them is a hope,
which a loaded machine disappoints; the length of the receive queue is not.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable

SOCK_DIAG = 4
"""NETLINK_SOCK_DIAG, the netlink family (linux/netlink.h)."""

BY_FAMILY = 20
"""SOCK_DIAG_BY_FAMILY, the question (linux/sock_diag.h)."""

HEADER = struct.Struct("=IHHII")
"""nlmsghdr: length, type, flags, sequence, port."""

QUESTION = struct.Struct("=BBBxI")
"""The head of inet_diag_req_v2: family, protocol, extensions, states as bits."""

ADDRESSES = struct.Struct("!HH16s16s")
"""The ports and addresses of inet_diag_sockid, in network order."""

ANY_COOKIE = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
"""The rest of inet_diag_sockid: no interface, INET_DIAG_NOCOOKIE."""

RECEIVE_QUEUE = HEADER.size + 4 + ADDRESSES.size + len(ANY_COOKIE) + 4
"""Where an answer (inet_diag_msg) holds the bytes that have come and wait to be read."""


def unread(connected: socket.socket) -> int | None:
    """Bytes sent by this TCP socket that the program at the other end, on this machine, has not read yet; None where
    the kernel does not tell: on other systems than Linux, and of connections that have ended."""
    family = getattr(socket, "AF_NETLINK", None)
    if family is None or connected.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    try:
        (here, port), (there, peer_port) = connected.getsockname()[:2], connected.getpeername()[:2]
        packed = (socket.inet_pton(connected.family, address) for address in (there, here))
        question = QUESTION.pack(connected.family, socket.IPPROTO_TCP, 0, 0xFFFFFFFF)
        question += ADDRESSES.pack(peer_port, port, *packed) + ANY_COOKIE
        with socket.socket(family, socket.SOCK_RAW, SOCK_DIAG) as kernel:
            kernel.settimeout(1.0)
            kernel.send(HEADER.pack(HEADER.size + len(question), BY_FAMILY, 1, 1, 0) + question)  # 1: NLM_F_REQUEST
            answer = kernel.recv(8192)
    except OSError:
        return None
    if len(answer) < RECEIVE_QUEUE + 4 or HEADER.unpack_from(answer)[1] != BY_FAMILY:
        return None
    (waiting,) = struct.unpack_from("=I", answer, RECEIVE_QUEUE)
    return int(waiting)


def is_read(connected: socket.socket, within: float, pause: Callable[[float], None] = time.sleep) -> bool:
    """Whether the program at the other end reads all that was sent, `within` seconds. True where the kernel does not
    tell. `pause` waits between two questions; what it raises ends the waiting."""
    until = time.monotonic() + within
    while unread(connected):
        if time.monotonic() > until:
            return False
        pause(0.001)
    return True
