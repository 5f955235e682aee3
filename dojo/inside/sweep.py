"""Removing what a student's program has left: however deep, however many, however closed. No link is followed.

The programs must have ended: nobody changes the folders while they are swept.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)


def sweep(folder: str, keep: Collection[str] = ()) -> None:
    """Remove all that is in the folder but the names to keep; what cannot be removed is left."""
    with suppress(OSError):
        top = os.open(folder, _FOLDER)
        try:
            number = 0
            while True:
                found = [entry for entry in os.scandir(top) if entry.name not in keep]
                before = number
                for entry in found:
                    number += _remove(top, entry, number)
                if number == before:
                    return
        finally:
            os.close(top)


def _remove(top: int, entry: os.DirEntry[str], number: int) -> int:
    """Remove one entry of the top folder; the folders in it are moved up, so that there is no depth to go down to.
    How many names were dealt with."""
    with suppress(OSError):
        if not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.name, dir_fd=top)
            return 1
        os.chmod(entry.name, 0o700, dir_fd=top)
        inner = os.open(entry.name, _FOLDER, dir_fd=top)
        done = 1
        try:
            for each in os.scandir(inner):
                if each.is_dir(follow_symlinks=False):
                    os.chmod(each.name, 0o700, dir_fd=inner)
                    os.rename(each.name, f".swept-{number + done}-{entry.inode()}", src_dir_fd=inner, dst_dir_fd=top)
                else:
                    os.unlink(each.name, dir_fd=inner)
                done += 1
        finally:
            os.close(inner)
        os.rmdir(entry.name, dir_fd=top)
        return done
    return 0
