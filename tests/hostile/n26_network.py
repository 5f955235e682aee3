"""Looks for a way out: addresses, names, other machines' services, other kinds of sockets.

only: bubblewrap
"""

import socket

from honest import *
from honest import login as honest_login


def reached():
    """What it has reached; nothing, it must be."""
    found = []
    for host in ("10.0.0.1", "192.168.0.1", "169.254.169.254", "8.8.8.8", "2001:4860:4860::8888"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(family, kind) as sock:
                sock.settimeout(0.5)
                try:
                    sock.connect((host, 53))
                    found.append(host)
                except OSError:
                    pass
    for port in (47081, 22, 111, 631, 5432):
        with socket.socket() as sock:
            sock.settimeout(0.5)
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                found.append(f"port {port}")
    try:
        socket.getaddrinfo("example.com", 80)
        found.append("a name")
    except OSError:
        pass
    for family, kind in ((40, socket.SOCK_STREAM), (17, socket.SOCK_RAW), (38, 5), (2, socket.SOCK_RAW), (31, 3), (29, 3)):
        try:
            socket.socket(family, kind).close()
            found.append(f"family {family}, type {kind}")
        except OSError:
            pass
    for path in ("/run/docker.sock", "/run/dbus/system_bus_socket", "/var/run/nscd/socket", "\0/tmp/hostile-outside"):
        with socket.socket(socket.AF_UNIX) as sock:
            if sock.connect_ex(path) == 0:
                found.append(path)
    return found


def login(url):
    return reached() or honest_login(url)
