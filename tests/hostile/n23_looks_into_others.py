"""Looks into every process that it can see: memory, environment, descriptors, files.
"""

import ctypes
import os

from honest import *
from honest import login as honest_login


def seen():
    """What it has seen; nothing, it must be."""
    libc = ctypes.CDLL(None, use_errno=True)
    found = []
    pids = []
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        pass
    for pid in {1, os.getppid(), *pids} - {os.getpid()}:
        for name in ("mem", "environ", "maps", "auxv", "stack", "syscall"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    if file.read(1):
                        found.append(f"{pid}/{name}")
            except OSError:
                pass
        for name in ("cwd", "root", "exe"):
            try:
                found.append(os.readlink(f"/proc/{pid}/{name}"))
            except OSError:
                pass
        for name in ("fd", "map_files"):
            try:
                found += os.listdir(f"/proc/{pid}/{name}")
            except OSError:
                pass
        if libc.ptrace(16, pid, 0, 0) == 0:
            found.append(f"ptrace {pid}")
        vector = (ctypes.c_void_p * 2)(id(found), 8)
        if libc.process_vm_readv(pid, vector, 1, vector, 1, 0) > 0:
            found.append(f"process_vm_readv {pid}")
        held = libc.syscall(434, pid, 0)
        if held >= 0 and any(libc.syscall(438, held, fd, 0) >= 0 for fd in range(16)):
            found.append(f"pidfd_getfd {pid}")
    return found


def login(url):
    return seen() or honest_login(url)
