"""results.json as Exercism's test runners write it, version 3, one for each kata of each submission.

https://exercism.org/docs/building/tooling/test-runners/interface : `status`, and a list of tests with `message` and
`task_id`. Its `error` is for a file of which no test could run, and `output` has at most 500 characters.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dojo.grade.journal import write_whole
from dojo.grade.marks import KataMark, Row
from dojo.grade.report import Head, Statistics, shown_title
from dojo.grade.reports.folder import file_name
from dojo.grade.submissions import visible
from dojo.grade.verdict import IMPORT_ERROR, PASS

MESSAGE = 60_000
OUTPUT = 500
"""Characters that Exercism shows."""


class Exercism:
    """A folder for each submission, in it one for each kata."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, head: Head) -> None:
        """The folder."""
        self._folder.mkdir(parents=True, exist_ok=True)

    def row(self, row: Row) -> None:
        """A file a kata."""
        for kata, mark in row.katas.items():
            path = self._folder / file_name(row.name) / kata / "results.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            said = visible(str(mark.sentence or row.sentence or ""), 1000)
            write_whole(path, json.dumps(as_data(mark, said), indent=1))

    def end(self, statistics: Statistics) -> None:
        """Nothing is left to do."""


def as_data(mark: KataMark, said: str) -> dict[str, Any]:
    """One kata of one submission in Exercism's form."""
    verdicts = {each.verdict for each in mark.tests}
    broken = next((each for each in mark.tests if each.verdict == IMPORT_ERROR), None)
    if said or mark.points is None:
        return {"version": 3, "status": "error", "message": said, "tests": []}
    if broken is not None and verdicts == {IMPORT_ERROR}:
        return {"version": 3, "status": "error", "message": "\n".join(broken.transcript)[:MESSAGE], "tests": []}
    tests = []
    for each in mark.tests:
        data: dict[str, Any] = {
            "name": shown_title(each.test),
            "status": "pass" if each.verdict == PASS else "fail",
            "task_id": each.test.number,
            "test_code": "" if each.test.hidden else each.test.name,
        }
        if each.verdict != PASS and each.test.hidden:
            data["message"] = each.verdict
        elif each.verdict != PASS:
            data["message"] = "\n".join(each.transcript)[:MESSAGE] or each.verdict
            if each.result is not None and each.result.printed:
                data["output"] = visible(each.result.printed, OUTPUT)
        tests.append(data)
    return {"version": 3, "status": "pass" if verdicts == {PASS} else "fail", "tests": tests}
