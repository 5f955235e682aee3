"""results.json as Gradescope's autograders write it, one for each submission.

https://gradescope-autograders.readthedocs.io/en/latest/specs/ : `score` for a test and for all, `output` in a format.
A hidden test counts and is shown to teachers alone (`visibility`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dojo.grade.journal import write_whole
from dojo.grade.marks import Row
from dojo.grade.report import Head, Statistics, number, title
from dojo.grade.reports.folder import file_name
from dojo.grade.submissions import visible
from dojo.grade.verdict import PASS


class Gradescope:
    """A folder with a file for each submission; with `--one`, the one that Gradescope asks for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, head: Head) -> None:
        """The folder."""
        self._head = head
        self._folder.mkdir(parents=True, exist_ok=True)

    def row(self, row: Row) -> None:
        """One file."""
        write_whole(self._folder / f"{file_name(row.name)}.json", json.dumps(as_data(row, self._head), indent=1))

    def end(self, statistics: Statistics) -> None:
        """Nothing is left to do."""


def as_data(row: Row, head: Head) -> dict[str, Any]:
    """One submission in Gradescope's form."""
    tests: list[dict[str, Any]] = []
    for kata, mark in row.katas.items():
        everything = sum(each.weight for each in mark.tests)
        for each in mark.tests:
            worth = float(mark.possible * each.weight / everything) if everything else 0.0
            data: dict[str, Any] = {
                "name": f"{kata} · {title(each.test)}",
                "number": f"{kata}.{each.test.number}",
                "max_score": round(worth, 4),
                "output": "\n".join(each.transcript),
                "output_format": "text",
                "visibility": "hidden" if each.test.hidden else "visible",
            }
            if mark.points is not None:
                data["score"] = round(worth if each.verdict == PASS else 0.0, 4)
                data["status"] = "passed" if each.verdict == PASS else "failed"
            tests.append(data)
    said = [visible(str(sentence), 1000) for sentence in (row.sentence, *row.notes) if sentence]
    for kata, mark in row.katas.items():
        said += [f"{kata}: {visible(str(sentence), 1000)}" for sentence in (mark.sentence, *mark.notes) if sentence]
    data = {
        "output": "\n".join([*said, head.line()]),
        "output_format": "text",
        "execution_time": round(sum(mark.seconds for mark in row.katas.values())),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"level": head.level, "seed": head.seed, "dojo": head.dojo, "status": row.status},
    }
    if row.total is not None:  # without a score, Gradescope asks a person
        data["score"] = float(number(row.total))
    return data
