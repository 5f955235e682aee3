"""What no limit of a single process can hold: how much memory and how many processes all of them have together."""

from __future__ import annotations

import os
from contextlib import suppress

EVERY = 0.05
"""Seconds between two looks."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


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
        return "memory" if sum(map(_private, below)) > self._resident else ""


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


def _private(pid: int) -> int:
    """Bytes in memory that the process does not share with others; 0 when it has ended."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as told:
            _, resident, shared, *_ = told.read().split()
    except OSError:
        return 0
    return (int(resident) - int(shared)) * _PAGE
