"""What no limit of a single process can hold: how much memory and how many processes all of them have together."""

from __future__ import annotations

import os
from contextlib import suppress

EVERY = 0.05
"""Seconds between two looks."""

class Guard:
    """Looks at all processes that come from this one."""

    def __init__(self, resident: int, together: int) -> None:
        self._resident = resident
        self._together = together

    def exceeded(self) -> str:
        """`memory` or `processes` when there are more bytes or processes than there may be; empty when all is well."""
        below = descendants(os.getpid())
        if len(below) > self._together:
            return "processes"
        return "memory" if sum(map(_resident, below)) > self._resident else ""


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
