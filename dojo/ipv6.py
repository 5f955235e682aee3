"""Whether this machine speaks IPv6 with itself: some have it switched off."""

from __future__ import annotations

import socket


def has_ipv6() -> bool:
    """Whether a socket can be bound to ::1, the loopback address of IPv6 (RFC 4291 §2.5.3)."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
