"""Landlock (landlock(7)): a process gives up, for itself and all that come from it, every file but those named here,
and, from Linux 6.12 on, signals and abstract Unix sockets that lead out."""

from __future__ import annotations

import ctypes
import os
from struct import pack

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
BY_VERSION = ((1, 0x1FFF), (2, REFER), (3, TRUNCATE), (5, IOCTL_DEV))
"""The rights over files that each version of the interface has brought."""
READING = EXECUTE | READ_FILE | READ_DIR
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
"""Rights that a rule may give on something that is no folder."""
SIGNALS_AND_ABSTRACT = 0b11

SCOPED_SINCE = 6


def version() -> int:
    """The version of the kernel's interface; 0 where there is none."""
    found: int = _libc().syscall(CREATE_RULESET, None, 0, 1)
    return max(found, 0)


def restrict(reading: list[str], writing: list[str]) -> None:
    """Only these may be read (and run), only those read and written, with all below them; what does not exist is left
    out. Raises OSError."""
    rights = 0
    for since, more in BY_VERSION:
        if version() >= since:
            rights |= more
    ruleset = _ruleset(rights)
    try:
        for paths, given in ((reading, READING), (writing, rights)):
            for path in paths:
                _add(ruleset, path, given & rights)
        _enforce(ruleset)
    finally:
        os.close(ruleset)


def scope() -> None:
    """From here on, no signal and no abstract Unix socket leads out of this process and those that come from it."""
    if version() >= SCOPED_SINCE:
        ruleset = _ruleset(0)
        try:
            _enforce(ruleset)
        finally:
            os.close(ruleset)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _ruleset(files: int) -> int:
    # struct landlock_ruleset_attr, as long as the kernel's version knows it
    scoped = SIGNALS_AND_ABSTRACT if version() >= SCOPED_SINCE else 0
    attributes = pack("@QQQ", files, 0, scoped)[: 24 if scoped else 8]
    made: int = _libc().syscall(CREATE_RULESET, ctypes.c_char_p(attributes), ctypes.c_size_t(len(attributes)), 0)
    if made < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    return made


def _add(ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= ON_FILES
        rule = pack("=Qi", rights, fd)  # struct landlock_path_beneath_attr is packed
        if _libc().syscall(ADD_RULE, ruleset, 1, ctypes.c_char_p(rule), 0):
            raise OSError(ctypes.get_errno(), f"landlock_add_rule {path}")
    finally:
        os.close(fd)


def _enforce(ruleset: int) -> None:
    if _libc().syscall(RESTRICT_SELF, ruleset, 0):
        raise OSError(ctypes.get_errno(), "landlock_restrict_self")
