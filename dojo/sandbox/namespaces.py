"""Namespaces of the judge's own (namespaces(7)): a network with nothing but its loopback, and mounts that end with it.

Two submissions that are judged at the same time cannot meet, not even on one fixed port, and nothing gets out. Only a
process without threads can take them.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
from pathlib import Path
from struct import pack

NEWNS, NEWUSER, NEWNET = 0x00020000, 0x10000000, 0x40000000
"""Flags of unshare(2)."""
NOSUID, NODEV, REC, PRIVATE = 2, 4, 0x4000, 0x40000
"""Flags of mount(2)."""
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40
"""netdevice(7)."""


def enter() -> None:
    """Be root in namespaces of this process's own: users, mounts, network; `lo` is up. Raises OSError where that is
    not allowed here."""
    uid, gid = os.getuid(), os.getgid()
    if uid == 0:
        _as_root()
    else:
        _unshare()
        Path("/proc/self/setgroups").write_text("deny", "ascii")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1", "ascii")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1", "ascii")
    _mount("none", "/", None, REC | PRIVATE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCSIFFLAGS, pack("16sH14x", b"lo", IFF_UP | IFF_RUNNING))


def tmpfs(folder: str, size: int, inodes: int) -> None:
    """A file system in memory at this folder, of `size` bytes and so many files. Raises OSError."""
    _mount("tmpfs", folder, "tmpfs", NOSUID | NODEV, f"size={size},nr_inodes={inodes},mode=0755")


def _as_root() -> None:
    """Every user id keeps its number, so that root may read here what it could read before. Only a process outside can
    say so: a child that was forked before."""
    me = os.getpid()
    go, ready = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(ready)
            os.read(go, 1)  # until the other end is closed: the namespace is there
            for kind in ("uid", "gid"):
                ranges = [line.split() for line in Path(f"/proc/self/{kind}_map").read_text("ascii").splitlines()]
                same = "".join(f"{inside} {inside} {count}\n" for inside, _, count in ranges)
                Path(f"/proc/{me}/{kind}_map").write_text(same, "ascii")
            status = 0
        finally:
            os._exit(status)
    os.close(go)
    try:
        _unshare()
    finally:
        os.close(ready)
        ended = os.waitpid(child, 0)[1]
    if ended:
        raise OSError("the user ids of a namespace could not be set")


def _unshare() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEWUSER | NEWNS | NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, f"no namespaces for this user ({os.strerror(number)})")


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [source.encode(), os.fsencode(target), kind.encode() if kind else None]
    if libc.mount(*words, ctypes.c_ulong(flags), options.encode() or None):
        number = ctypes.get_errno()
        raise OSError(number, f"mount at {target}: {os.strerror(number)}")
