"""The levels of isolation, and which of them this machine can offer."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass

from dojo.launch import ROOT

TRIAL_DEADLINE = 60.0
"""Seconds that trying a level may take; it takes a fifth of one where nothing else runs."""


@dataclass(frozen=True)
class Level:
    """One level of isolation; the higher the rank, the better."""

    name: str
    rank: int
    safe: bool
    """Whether marks from this level can be trusted when a submission is hostile."""
    what: str
    """What it does, in a sentence."""


BUBBLEWRAP = Level(
    "bubblewrap",
    3,
    safe=True,
    what="namespaces, a file system with nothing but Python and the submission, a loopback of its own, no network",
)
LANDLOCK = Level(
    "landlock",
    2,
    safe=True,
    what="no file but Python's and the submission's, no signal to others; the network is the machine's own, so that "
    "submissions are judged one at a time",
)
LIMITS = Level(
    "limits",
    1,
    safe=False,
    what="limits on memory, processes and files; what the user can read, the student's code can read",
)
GROUP = Level("group", 0, safe=False, what="a process group of its own, as in `make test`; no limits but on time")

LEVELS = (BUBBLEWRAP, LANDLOCK, LIMITS, GROUP)
"""Best first."""


def named(name: str) -> Level:
    """The level of this name. Raises KeyError."""
    return {level.name: level for level in LEVELS}[name]


def probe() -> Level:
    """The best level that works here, found by really running it."""
    return next((level for level in LEVELS if not trouble(level)), GROUP)


def trouble(level: Level) -> str:
    """Why this level does not work here, in a sentence; empty when it does."""
    if level == GROUP:
        return ""
    if sys.platform != "linux":
        return "it needs Linux"
    try:
        with tempfile.TemporaryDirectory(prefix="dojo-") as folder:
            done = subprocess.run(
                [sys.executable, "-m", "dojo.sandbox.trial", level.name, folder],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=TRIAL_DEADLINE,
                check=False,
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"its trial did not end well: {error}"
    said = done.stdout.decode("utf-8", "replace").strip().splitlines()
    return "" if done.returncode == 0 else (said[-1] if said else f"its trial ended with exit code {done.returncode}")
