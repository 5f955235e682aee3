"""What GitHub Classroom's reporter (classroom-resources/autograding-grading-reporter) reads, one file a submission.

The reporter prints each message into the log of a workflow, where a line that begins with `::` or `##[` is a command:
one of them would set the points. So no text here has either.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dojo.grade.journal import write_whole
from dojo.grade.marks import Row
from dojo.grade.report import Head, Statistics, shown_title
from dojo.grade.reports.folder import file_name
from dojo.grade.submissions import visible
from dojo.grade.verdict import PASS

LONGEST = 4000
"""Characters of a message: all of them together have to fit into a variable of the environment."""


class Classroom:
    """A folder with a file for each submission."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, head: Head) -> None:
        """The folder."""
        self._folder.mkdir(parents=True, exist_ok=True)

    def row(self, row: Row) -> None:
        """One file."""
        write_whole(self._folder / f"{file_name(row.name)}.json", json.dumps(as_data(row)))

    def end(self, statistics: Statistics) -> None:
        """Nothing is left to do."""


def plain(text: str) -> str:
    """Text that no line of a workflow's log takes for a command."""
    return text.replace("::", ": :").replace("##[", "## [")[:LONGEST]


def as_data(row: Row) -> dict[str, Any]:
    """One submission: whole points a test would be too coarse, so each has its share."""
    tests: list[dict[str, Any]] = []
    for kata, mark in row.katas.items():
        first = next((each for each in mark.tests if each.verdict != PASS and not each.test.hidden), None)
        everything = sum(each.weight for each in mark.tests)
        said = visible(str(mark.sentence or row.sentence or ""), 1000)
        if said:
            tests.append({"name": kata, "status": "error", "score": 0, "message": plain(said)})
            continue
        for each in mark.tests:
            passed = each.verdict == PASS
            worth = float(mark.possible * each.weight / everything) if everything else 0.0
            tests.append(
                {
                    "name": plain(f"{kata} · {shown_title(each.test)}"),
                    "status": "pass" if passed else "fail",
                    "score": round(worth, 4) if passed else 0,
                    "message": None if passed else plain("\n".join(each.transcript if each is first else [])),
                }
            )
    statuses = {test["status"] for test in tests}
    status = next((each for each in ("error", "fail") if each in statuses), "pass")
    return {"version": 1, "status": status, "max_score": round(float(row.possible), 2), "tests": tests}
