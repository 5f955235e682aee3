"""Asks the kernel for what no kata needs.
"""

import ctypes
import os

from honest import *
from honest import login as honest_login


CALLS = {
    "io_uring_setup": (425, 8, bytes(120)),
    "userfaultfd": (323, 1),
    "memfd_create": (319, b"x", 0),
    "memfd_secret": (447, 0),
    "shmget": (29, 0, 1 << 30, 0o1600),
    "msgget": (68, 0, 0o1600),
    "keyctl": (250, 0, -3, 1),
    "add_key": (248, b"user", b"x", b"x", 1, -3),
    "bpf": (321, 0, bytes(128), 128),
    "perf_event_open": (298, bytes(128), 0, -1, -1, 0),
    "fanotify_init": (300, 0, 0),
    "open_by_handle_at": (304, -100, bytes(64), 0),
    "personality": (135, 0x0040000),
    "x32": (0x40000000 | 39,),
}


def done():
    """What has worked; nothing, it must be."""
    if os.uname().machine != "x86_64":
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    return [name for name, words in CALLS.items() if libc.syscall(*words) >= 0]


def login(url):
    return done() or honest_login(url)
