"""A large class: what the grader itself needs grows with the class no faster than the class, and its memory does not.

The judging is a stand-in's, so that only the grader is measured, in a process of its own. What is compared is how many
calls it makes, in Python and into C, which no other work on the machine changes; seconds are shown, not judged.

.venv/bin/python -m pytest -s tests/slow/test_grade_scale.py        # -s shows the seconds
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dojo.catalog import Kata
from dojo.launch import ROOT
from tests.dojo.classroom import hand_in

pytestmark = pytest.mark.timeout(600)

GRADE = """
import itertools, json, resource, sys, threading
from dojo import cli
from dojo.grade import command
from tests.dojo.classroom import StandIn
counted = sys.argv.pop(1) == "counted"
options = cli._parser().parse_args(sys.argv[1:])
calls = itertools.count()
def count(frame, event, argument):
    if event in ("call", "c_call"):
        next(calls)
if counted:
    threading.setprofile(count)
    sys.setprofile(count)
code = command.grade(options, StandIn)
sys.setprofile(None)
used = resource.getrusage(resource.RUSAGE_SELF)
seconds = used.ru_utime + used.ru_stime
print(json.dumps({"code": code, "calls": next(calls), "cpu": seconds, "memory": used.ru_maxrss / 1024}))
"""


def grade(folder: Path, *words: str, counted: bool = True) -> dict[str, Any]:
    """Grade folder/class; the exit code, the calls, seconds of processor time and the most memory (MB) that it took.
    Counting the calls doubles the seconds."""
    command = ["grade", str(folder / "class"), "--out", str(folder / "out"), "--kata", "qs", "--level", "group", *words]
    done = subprocess.run(
        [sys.executable, "-c", GRADE, "counted" if counted else "plain", *command],
        cwd=ROOT,
        env={**os.environ, "DOJO_LANG": "en"},
        stdout=subprocess.PIPE,
        timeout=250,
        check=True,
    )
    used: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(used)
    return used


def made(folder: Path, size: int) -> Path:
    """A class of so many submissions in this folder, as large as the reference, each another."""
    source = Kata("qs").reference.read_text("utf-8")
    for number in range(size):
        failing = f"# fails: {number % 15 + 1} {number % 4 + 1}\n# reason: hang\n"
        hand_in(folder / "class" / f"student-{number}", qs=f"# {number}\n{failing}{source}")
    return folder


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One of 50 and one of 500 submissions."""
    return made(tmp_path_factory.mktemp("small"), 50), made(tmp_path_factory.mktemp("large"), 500)


def compare(classes: tuple[Path, Path]) -> None:
    """Grade both: ten times the class takes ten times the work, and no more memory."""
    small, large = (grade(folder) for folder in classes)
    assert small["code"] == large["code"] == 0
    assert large["calls"] <= 10.5 * small["calls"], (small, large)
    assert large["memory"] <= small["memory"] + 20, (small, large)


def test_ten_times_the_class_takes_ten_times_the_work_and_no_more_memory(classes: tuple[Path, Path]) -> None:
    compare(classes)


def test_where_all_is_known_the_same_holds(classes: tuple[Path, Path]) -> None:
    compare(classes)


def test_all_reports_of_a_large_class_are_there(tmp_path: Path) -> None:
    used = grade(made(tmp_path, 1000), "--reports", "all", counted=False)
    assert used["memory"] < 300
    out = tmp_path / "out"
    assert len((out / "grades.csv").read_text("utf-8-sig").splitlines()) == 1001
    assert len(json.loads((out / "grades.json").read_text("ascii"))["submissions"]) == 1000
    assert len(list((out / "gradescope").iterdir())) == 1000
    assert (out / "grades.html").stat().st_size < 25_000_000
