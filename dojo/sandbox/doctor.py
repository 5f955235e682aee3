"""`python -m dojo doctor`: can a class be graded safely here, and what is missing."""

from __future__ import annotations

import os
import platform
import sys

from dojo import pythons, terminal
from dojo.inside import landlock, seccomp
from dojo.sandbox.cell import others_can_run
from dojo.sandbox.levels import BUBBLEWRAP, GROUP, LEVELS, Level, trouble
from dojo.sandbox.limits import MB, Limits
from dojo.terminal import style

BARRED = (
    "User namespaces seem to be barred. Ubuntu 24.04: an AppArmor profile for bwrap that allows `userns`, or "
    "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`. Debian before 11: `sysctl "
    "kernel.unprivileged_userns_clone=1`. Docker: `--security-opt seccomp=unconfined --security-opt "
    "apparmor=unconfined --security-opt systempaths=unconfined`, or a virtual machine."
)
"""What helps where bubblewrap is installed and does not run."""


def main() -> int:
    """Print it. 0 when grading is safe here, 1 when it is not."""
    found = {level: trouble(level) for level in LEVELS}
    best = next(level for level, why in found.items() if not why)
    for line in report(best, found):
        print(line)
    return 0 if best.safe else 1


def report(best: Level, found: dict[Level, str]) -> list[str]:
    """The lines of the screen: the best level, and why each level does not work that does not."""
    made = _entry("isolation", f"{best.name}: {best.what}")
    for level, why in found.items():
        if why:
            made += _entry(f"not {level.name}", why)
            if level == BUBBLEWRAP and "not installed" not in why and sys.platform == "linux":
                made += _entry("", BARRED)
    made += _entry("limits", limits(Limits()))
    made += _entry("user", user(best))
    filtering = "filtered" if seccomp.known() else f"not filtered: the table for {platform.machine()} is missing"
    if sys.platform == "linux":
        version = landlock.version()
        made += _entry("kernel", f"Linux {platform.release()}; Landlock {version or 'is not there'}; calls {filtering}")
    made += _entry("Python", f"{platform.python_version()} judges and runs submissions, from {sys.base_prefix}")
    others = ", ".join(pythons.found()) or "none"
    made += _entry("Pythons", f"found here: {others}")
    verdict = "Grading is safe here." if best.safe else "Grading is not safe here: judge only code that you would run."
    return [*made, style(verdict, "green" if best.safe else "red", "bold")]


def user(best: Level) -> str:
    """Who judges, and who a submission is then."""
    if not _root():
        return "a plain user, and so is a submission"
    own = best != GROUP and others_can_run(best)
    return "root: a submission runs as a user of its own" if own else "root, and so is a submission"


def limits(at: Limits) -> str:
    """The limits in words."""
    return (
        f"{at.cpu} s of processor time a process, {at.memory // MB} MB of address space a process, "
        f"{at.resident // MB} MB of memory, {at.together} processes and {at.processes} threads, {at.files} open files, "
        f"{at.space // MB} MB and {at.inodes} files on disk, {at.wall:g} s for one kata"
    )


def _root() -> bool:
    return hasattr(os, "getuid") and os.getuid() == 0


def _entry(name: str, text: str) -> list[str]:
    room = max(40, terminal.columns() - 18)
    lines = terminal.wrap(text, room)
    return [f"{style(f'{name if at == 0 else str():<16}', 'dim')}  {line}" for at, line in enumerate(lines)]
