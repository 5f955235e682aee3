"""What no limit of a single process can hold: how much memory, how many processes and files they have together."""

from __future__ import annotations

import os
from contextlib import suppress

EVERY = 0.05
"""Seconds between two looks."""

FILES_EVERY = 10
"""Looks after which the files are counted, too."""


class Guard:
    """Looks at all processes that come from this one. `limits` as in dojo/sandbox/limits.py; `folders` are those where
    files have to be counted, as their file system sets no limit itself."""

    def __init__(self, limits: dict[str, int], folders: list[str]) -> None:
        self._limits = limits
        self._folders = folders
        self._looks = 0

    def exceeded(self) -> str:
        """`memory`, `processes` or `space` when there is more than there may be; empty when all is well."""
        below = descendants(os.getpid())
        if len(below) > self._limits["together"]:
            return "processes"
        if sum(map(_resident, below)) > self._limits["resident"]:
            return "memory"
        self._looks += 1
        full = self._looks % FILES_EVERY == 0 and any(map(self._full, self._folders))
        return "space" if full else ""

    def _full(self, folder: str) -> bool:
        files = size = 0
        left = [folder]
        while left:
            with suppress(OSError), os.scandir(left.pop()) as entries:
                for entry in entries:
                    files += 1
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    else:
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if files > self._limits["inodes"] or size > self._limits["space"]:
                        return True
        return False


def descendants(pid: int) -> list[int]:
    """The processes that come from this one, as far as they have not been ended. Linux alone tells it so."""
    found = []
    left = [pid]
    while left:
        each = left.pop()
        with suppress(OSError):
            for thread in os.listdir(f"/proc/{each}/task"):
                with open(f"/proc/{each}/task/{thread}/children", encoding="ascii") as children:
                    more = [int(child) for child in children.read().split()]
                found += more
                left += more
    return found


def _resident(pid: int) -> int:
    """Bytes in memory that belong to no file; 0 when the process has ended. Memory that several processes share by a
    mapping counts for each."""
    total = 0
    with suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as told:
        for line in told:
            if line.startswith(("RssAnon:", "RssShmem:")):
                total += int(line.split()[1]) * 1024
    return total
