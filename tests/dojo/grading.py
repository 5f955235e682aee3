"""`grade` over a folder of a test, with a stand-in for the runner."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from dojo import cli
from dojo.grade import command
from tests.dojo.classroom import StandIn


def grade(folder: Path, stand_in: StandIn, *words: str, kata: str = "qs") -> int:
    """Grade folder/class into folder/out. The exit code."""
    given = ["grade", str(folder / "class"), "--out", str(folder / "out"), "--kata", kata, "--level", "group", *words]
    return command.grade(cli._parser().parse_args(given), lambda: stand_in)


def rows(folder: Path, out: str = "out") -> list[dict[str, str]]:
    """The lines of grades.csv."""
    with (folder / out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def marks(folder: Path, out: str = "out") -> dict[str, str]:
    """Each submission's total, as grades.csv has it."""
    return {row["submission"]: row["total"] for row in rows(folder, out)}


def data(folder: Path, out: str = "out") -> dict[str, Any]:
    """grades.json."""
    loaded: dict[str, Any] = json.loads((folder / out / "grades.json").read_text("ascii"))
    return loaded
