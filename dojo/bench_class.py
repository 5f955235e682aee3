"""`make bench-grade`, first part: what a submission of each kata costs, to plan a large class with.

For each kata a class is graded as a teacher would: all right solutions of the gallery, and as many of the wrong ones.
The processor's time is that of all processes, so it can be divided among as many cores as there are.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from dojo import gallery
from dojo.bench_grade import UnusableError, timed
from dojo.catalog import Kata, katas
from dojo.launch import ROOT
from dojo.warm import adopt_orphans


def main() -> None:
    """Measure and print."""
    if sys.platform == "linux":
        adopt_orphans()
    print("processor time a submission, half of them right and half wrong")
    whole = 0.0
    for kata in katas():
        with tempfile.TemporaryDirectory(prefix="dojo-") as folder:
            seconds = _seconds(kata, Path(folder))
        whole += seconds
        print(f"  {kata.name:<12} {seconds:5.2f} s", flush=True)
    print(f"  {'all':<12} {whole:5.2f} s")


def _seconds(kata: Kata, folder: Path) -> float:
    """Seconds of the processor that one submission takes."""
    right = gallery.right(kata)
    wrong = gallery.wrong(kata)
    spread = [wrong[number * len(wrong) // len(right)] for number in range(len(right))]
    for file in (*right, *spread):
        (folder / "class" / file.stem).mkdir(parents=True)
        shutil.copy(file, folder / "class" / file.stem / f"{kata.name}.py")
    words = ["grade", str(folder / "class"), "--kata", kata.name, "--out", str(folder / "out"), "--reports", "json"]
    cost, _ = timed([sys.executable, "-m", "dojo", *words], ROOT)
    rows = json.loads((folder / "out" / "grades.json").read_text("utf-8"))["submissions"]
    misjudged = [row["submission"] for row in rows if (row["percent"] == 100) != row["submission"].startswith("right_")]
    if misjudged:
        raise UnusableError(f"{kata.name}: not judged as the gallery says: {', '.join(misjudged)}")
    return cost.cpu / len(rows)
