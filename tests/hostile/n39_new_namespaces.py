"""Looks for a namespace, a mount, a user or a root of its own.
"""

import ctypes
import os

from honest import *
from honest import login as honest_login


def done():
    """What has worked; nothing, it must be."""
    libc = ctypes.CDLL(None, use_errno=True)
    found = []
    for name, flag in (("user", 0x10000000), ("mount", 0x20000), ("net", 0x40000000), ("pid", 0x20000000)):
        if os.fork() == 0:
            os._exit(0 if libc.unshare(flag) == 0 else 1)
        if os.wait()[1] == 0:
            found.append(f"unshare {name}")
    if libc.mount(b"none", os.environ["HOME"].encode(), b"tmpfs", 0, None) == 0:
        found.append("mount")
    if libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0) == 0:
        os._exit(0)
    for name, change in (
        ("setuid", lambda: os.setuid(0)),
        ("setgid", lambda: os.setgid(0)),
        ("setgroups", lambda: os.setgroups([0])),
        ("chroot", lambda: os.chroot(".")),
        ("mknod", lambda: os.mknod("disk", 0o060666, os.makedev(254, 0))),
        ("nice", lambda: os.nice(-5)),
    ):
        if os.fork() == 0:
            try:
                change()
                os._exit(0)
            except OSError:
                os._exit(1)
        if os.wait()[1] == 0:
            found.append(name)
    return found


def login(url):
    return done() or honest_login(url)
