"""What the fork server and each student's process give up before a student's code runs, by the rules of the judge.

The rules are plain data: `limits` (as in dojo/sandbox/limits.py), `user` (a user id to become, or None), `filter`
(system calls are filtered), `files` (None, or the folders that may be read and written), `scope` (signals stay
inside), `alone` (whatever this process may signal is of this sandbox).
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from contextlib import suppress
from typing import Any

from dojo.inside import landlock, seccomp

Rules = dict[str, Any]

PDEATHSIG, DUMPABLE, NO_NEW_PRIVS = 1, 4, 38
"""Options of prctl(2)."""


def server(rules: Rules) -> None:
    """For the fork server: another user, nothing to look into, nothing to gain, and only SIGKILL from the kernel ends
    it. Raises OSError when a rule cannot be kept."""
    # As the first process of its own namespace it gets those signals only that it has a handler for: Python's one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if rules["user"] is not None:
        os.setgroups([])
        os.setresgid(*[rules["user"]] * 3)
        os.setresuid(*[rules["user"]] * 3)
    _prctl(PDEATHSIG, signal.SIGKILL)  # now, as a change of user forgets it
    _prctl(NO_NEW_PRIVS, 1)
    if rules["scope"]:
        landlock.scope()
    if rules["filter"]:
        seccomp.restrict()
    _prctl(DUMPABLE, 0)  # no ptrace, no /proc/…/mem or environ of it, not even for its own user


def student(rules: Rules) -> None:
    """For a student's process, forked from that server. Raises OSError when a rule cannot be kept."""
    _prctl(DUMPABLE, 1)
    # If memory runs out, the kernel takes this one first.
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
        score.write("1000")
    if rules["files"] is not None:
        landlock.restrict([*rules["files"]["read"], "/proc/self"], rules["files"]["write"])
        seccomp.keep_modes()
    limit(rules["limits"])


def limit(limits: dict[str, int]) -> None:
    """Set the limits that a process has. One that is set lower already stays."""
    for name, kind in (
        ("cpu", resource.RLIMIT_CPU),
        ("memory", resource.RLIMIT_AS),
        ("file_size", resource.RLIMIT_FSIZE),
        ("files", resource.RLIMIT_NOFILE),
        ("processes", resource.RLIMIT_NPROC),
    ):
        if name in limits:
            most = resource.getrlimit(kind)[1]
            value = limits[name] if most == resource.RLIM_INFINITY else min(limits[name], most)
            resource.setrlimit(kind, (value, value))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {option}")
