"""Near-copies are told, independent solutions are not."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dojo.catalog import Kata, UsageError
from dojo.grade import similar
from dojo.launch import ROOT
from tests.dojo.classroom import hand_in

pytestmark = pytest.mark.timeout(600)

URLPARSE = Kata("urlparse")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """copydetect, in a folder of its own."""
    folder = tmp_path_factory.mktemp("packages")
    wanted = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder), similar.needs()]
    done = subprocess.run(wanted, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def disguised(source: str) -> str:
    """The same program with other names, other comments, other blanks and its functions in another order."""
    source = re.sub(r"(?m)#.*$", "", source)
    for name in ("parts", "netloc", "host", "rest", "path", "scheme", "base"):
        source = re.sub(rf"\b{name}(?=\s*=[^=])", f"my_{name}", source)
    head, *functions = re.split(r"(?m)^(?=def |class )", source)
    return head + "\n# all my own work\n\n\n".join(reversed(functions))


def test_copies_are_told_and_independent_solutions_are_not(tmp_path: Path, packages: Path) -> None:
    right = {path.stem: path.read_text("utf-8") for path in sorted(URLPARSE.gallery.glob("right_*.py"))}
    assert len(right) >= 3
    for name, source in right.items():
        hand_in(tmp_path / "class" / name, urlparse=source)
    copied = next(iter(right))
    hand_in(tmp_path / "class" / "copier", katas_urlparse=disguised(right[copied]))
    hand_in(tmp_path / "class" / "reader", urlparse="from helper import *\n", helper=URLPARSE.reference.read_bytes())
    hand_in(tmp_path / "class" / "beginner", urlparse=URLPARSE.stub.read_bytes() + b"\n# begun\n")
    hand_in(tmp_path / "class" / "=cmd()", urlparse="def f(:\n" * 1000)
    words = [
        "grade",
        str(tmp_path / "class"),
        "--out",
        str(tmp_path / "out"),
        "--kata",
        "urlparse",
        "--allow",
        "--similar",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "dojo", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(packages), "DOJO_LANG": "en"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "similar.csv").open(encoding="utf-8-sig", newline="") as file:
        found = {frozenset((row["one"], row["other"])) for row in csv.DictReader(file)}
    assert found == {frozenset((copied, "copier")), frozenset((similar.REFERENCE, "reader"))}
    assert "much in common (similar.csv): 2" in done.stdout


def test_what_is_not_installed_is_told_with_the_command() -> None:
    with pytest.raises(UsageError, match=r"pip install copydetect=="):
        similar.library()
