"""The start of a student's process where a warm interpreter cannot be forked (macOS, Windows)."""

from __future__ import annotations

import site
import socket

from dojo.inside import child


def main(port: int, token: str, subject: str) -> None:
    """Meet the judge at 127.0.0.1:port, once for the calls and once for the watcher, then serve."""
    site.setquit()
    site.sethelper()
    met = []
    for purpose in ("calls", "watch"):
        sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        sock.settimeout(None)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(f"{token} {purpose}\n".encode("ascii"))
        met.append(sock)
    child.run(met[0], met[1], subject)
