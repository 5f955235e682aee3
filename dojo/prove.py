"""The slower proofs, for a machine that has the time: every right solution many times under load, and the
machinery's own tests on every Python found."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

from dojo import catalog, gallery, pythons
from dojo.catalog import Kata
from dojo.check import Job, reference, run
from dojo.judge import Options, judge
from dojo.launch import ROOT
from dojo.result import PASS

LOAD = 4
"""Busy processes that compete with the tests."""

RUNS = 25
"""Runs of each right solution under load; `DOJO_RUNS=1000` for the full measure."""


def main() -> int:
    """Run the proofs under load. 0 when nothing failed."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(LOAD)]
    try:
        return run(jobs())
    finally:
        for process in busy:
            process.kill()
            process.wait()


def jobs() -> list[Job]:
    """Each right solution, again and again, on each Python in turn."""
    runs = int(os.environ.get("DOJO_RUNS", RUNS))
    found = list(pythons.found().values())
    made = []
    for kata in catalog.katas():
        for number in range(runs):
            python = found[number % len(found)]
            name = f"{kata.name}: the reference under load, run {number + 1}"
            made.append(Job(name, partial(reference, kata, python)))
            for file in gallery.right(kata):
                name = f"{kata.name}: {file.stem} under load, run {number + 1}"
                made.append(Job(name, partial(_passes, kata, str(file), python)))
    return made


def _passes(kata: Kata, subject: str, python: str) -> list[str]:
    seed = os.urandom(4).hex()
    results = judge(kata, Options(subject=subject, seed=seed, python=python))
    path = os.path.relpath(subject, ROOT)
    said = [f"{path}: {r.test} fails for `{r.reason}` (SEED={seed}) {r.rows}" for r in results if r.status != PASS]
    return said if results else ["no test ran"]
