"""The slower proofs, for a machine that has the time: the whole project on every Python found, and every right
solution many times under load."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from dojo import catalog, gallery, pythons
from dojo.catalog import Kata
from dojo.check import NAMED, Job, exhibit, reference, run, run_apart, tool
from dojo.judge import Options, judge
from dojo.launch import ROOT
from dojo.result import PASS

LOAD = 4
"""Busy processes that compete with the tests."""

TIMED = ("echo", "udp_echo", "chat", "mail", "inbox")
"""The katas in which threads meet and timeouts pass."""

LONG = ("html_mail",)
"""The katas of which every test of every wrong solution would take minutes."""

RUNS = 1
"""Runs of each right solution under load; `DOJO_RUNS=1000` for the full measure."""


def main() -> int:
    """Run the proofs, the long ones first, in peace; then under load. 0 when nothing failed."""
    return run([*tools(), *real(), *slow(), *on_other_pythons(), *whole_galleries()]) or under_load()


def whole_galleries() -> list[Job]:
    """The wrong solutions by every test: they fail those that they name and no other. Those of the TIMED katas by all
    that they name: what a mistake among threads or timeouts brings down with it is not the same in every run. Those of
    the LONG ones too."""
    made = []
    for kata in catalog.katas():
        for file in gallery.wrong(kata):
            named = len(gallery.promised(file))
            if kata.name not in (*TIMED, *LONG):
                made.append(Job(f"{kata.name}: {file.stem} by every test", partial(exhibit, kata, file, named=None)))
            elif named > NAMED:
                name = f"{kata.name}: {file.stem} by all that it names"
                made.append(Job(name, partial(exhibit, kata, file, named=named), waits=kata.name in TIMED))
    return made


def tools() -> list[Job]:
    """The reference servers and clients against ncat, socat and curl, which must be installed."""
    return [Job("ncat, socat and curl meet the references", partial(tool, "pytest", "-q", "tests/tools"))]


def real() -> list[Job]:
    """The fakes and the references against real servers and clients, which must be installed; each file starts its
    own."""
    return [
        Job(f"beside real servers: {file.stem}", partial(tool, "pytest", "-q", str(file)), waits=True)
        for file in sorted((ROOT / "tests" / "real").glob("test_*.py"))
    ]


def slow() -> list[Job]:
    """The project's own tests that take too long for `make check`; some of them need Chromium."""
    return [
        Job(f"the dojo's own, slow: {file.stem}", partial(tool, "pytest", "-q", str(file)))
        for file in sorted((ROOT / "tests" / "slow").glob("test_*.py"))
    ]


def on_other_pythons() -> list[Job]:
    """With each Python found but this one: the project set up anew with its references, and the references judged from
    here, by this Python. The machinery's own tests too with the newest: those between differ from it by less."""
    this = f"{sys.version_info[0]}.{sys.version_info[1]}"
    others = {version: python for version, python in pythons.found().items() if version != this}
    made = []
    for version, python in others.items():
        newest = version == list(others)[-1]
        name = f"set up and references{', own tests' if newest else ''} on Python {version}"
        made.append(Job(name, partial(_set_up_with, python, own_tests=newest)))
        for kata in catalog.katas():
            name = f"{kata.name}: the reference passes in any order on Python {version}"
            made.append(Job(name, partial(reference, kata, python)))
    return made


def _set_up_with(python: str, *, own_tests: bool) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="dojo-") as folder:
        house = Path(folder) / "house"
        left_out = shutil.ignore_patterns(".venv", ".git", ".dojo", "__pycache__", ".*_cache")
        shutil.copytree(ROOT, house, ignore=left_out)
        commands = [["make", "-s", "test", f"PYTHON={python}", "SUBJECT=reference"]]
        if own_tests:
            commands.append([".venv/bin/python", "-m", "pytest", "-q", "tests/dojo"])
        for words in commands:
            done = run_apart(words, house)
            if done.returncode:
                return [f"{' '.join(words)}: {done.stdout.decode('utf-8', 'replace').strip()[-4000:]}"]
    return []


def under_load() -> int:
    """Every right solution, again and again, beside busy processes. 0 when every run passed."""
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
    chosen = os.environ.get("KATA", "").split()
    for kata in catalog.katas():
        if chosen and kata.name not in chosen:
            continue
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
