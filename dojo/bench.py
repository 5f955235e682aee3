"""`make bench`: what a student's loop costs, as ratios to a bare `pytest` on one empty test, in one run.

Each command is run in turn, round after round, so that whatever else the machine does falls on all of them
alike; the medians are compared.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dojo import bench_chat
from dojo.launch import ROOT

ROUNDS = 15
LIMITS = {"urlparse": 1.5, "qs": 2.0, "http_client": 3.0, "protected": 3.0}
"""What each kata may cost, as a multiple of the bare pytest."""

SECONDS = {"echo": 3.0, "udp_echo": 3.0, "chat": 5.0, "mail": 3.0, "html_mail": 3.0, "inbox": 3.0}
"""What the katas may take in which somebody has to wait."""

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Installed packages always come compiled; what is measured beside them has to be allowed the same."""

MEMORY_LIMIT = 200
"""MB that all processes of a run may take together."""


def main() -> int:
    """Measure, print, and tell by the exit code whether the limits hold."""
    with tempfile.TemporaryDirectory(prefix="dojo-") as folder:
        empty = Path(folder) / "test_empty.py"
        empty.write_text("def test_empty():\n    pass\n", "utf-8")
        commands = {"bare pytest": ([sys.executable, "-m", "pytest", "-q", str(empty)], Path(folder))}
        for name in LIMITS:
            commands[name] = (["make", "-s", "test", f"KATA={name}", "SUBJECT=reference"], ROOT)
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(ROUNDS + 1):
            for name, (command, cwd) in commands.items():
                taken = _timed(command, cwd)
                if number:  # the first round only fills the caches
                    seconds[name].append(taken)
    bare = statistics.median(seconds["bare pytest"])
    print(f"median of {ROUNDS} rounds; bare pytest on one empty test: {bare * 1000:.0f} ms")
    good = True
    for name, limit in LIMITS.items():
        median = statistics.median(seconds[name])
        holds = median <= limit * bare
        good &= holds
        verdict = "" if holds else "   TOO SLOW"
        print(f"make test KATA={name:<12} {median * 1000:4.0f} ms   {median / bare:.2f} × (at most {limit}){verdict}")
    for name, most in SECONDS.items():
        command = ["make", "-s", "test", f"KATA={name}", "SUBJECT=reference"]
        median = statistics.median(_timed(command, ROOT) for _ in range(3))
        good &= median <= most
        verdict = "" if median <= most else "   TOO SLOW"
        print(f"make test KATA={name:<12} {median:.1f} s (at most {most} s){verdict}")
    peak = _peak_memory(["make", "-s", "test", "SUBJECT=reference"])
    holds = peak <= MEMORY_LIMIT
    verdict = "" if holds else "   TOO MUCH"
    print(f"make test, all processes together: {peak:.0f} MB at the peak (at most {MEMORY_LIMIT}){verdict}")
    bench_chat.main()
    return 0 if good and holds else 1


def _timed(command: list[str], cwd: Path) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=cwd, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def _peak_memory(command: list[str]) -> float:
    """MB that the command and all below it took at most, shared pages counted once (PSS), by sampling."""
    peak = 0.0
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, sum(_proportional(pid) for pid in _family(process.pid)) / 1024)
            time.sleep(0.005)
    return peak


def _family(root: int) -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text("utf-8", "replace")
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    family = {root}
    while True:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        if not more:
            return family
        family |= more


def _proportional(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
