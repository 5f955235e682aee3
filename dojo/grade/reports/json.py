"""grades.json: everything as data. dojo/grade/reports/grades.schema.json says what it looks like."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from dojo.grade.journal import replacing
from dojo.grade.marks import KataMark, Row, TestMark
from dojo.grade.report import Head, Statistics
from dojo.grade.sentences import Sentence
from dojo.grade.submissions import visible

FORMAT = 1
"""Goes up when a field changes its meaning or is gone; new fields may come at any time."""


def points(value: Any) -> float | None:
    """Points to a hundredth; null when they are not known."""
    return None if value is None else round(float(value), 2)


def text(sentence: Sentence | None) -> str:
    """The sentence for people, without control characters."""
    return "" if sentence is None else visible(str(sentence), 1000)


class GradesJSON:
    """Written submission by submission. ASCII, so that nothing on the way can spoil it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = ExitStack()
        self._first = True

    def begin(self, head: Head) -> None:
        """The part that all have in common."""
        self._head = head
        self._file = self._open.enter_context(replacing(self._path))
        common = {
            "format": FORMAT,
            "dojo": head.dojo,
            "python": head.python,
            "system": head.system,
            "level": head.level,
            "trusted": head.trusted,
            "seed": head.seed,
            "repeat": head.repeat,
            "started": head.started,
            "made": head.made,
            "possible": points(sum(head.scheme.points[kata] for kata in head.katas)),
            "katas": [
                {
                    "kata": kata,
                    "title": head.titles[kata],
                    "possible": points(head.scheme.points[kata]),
                    "tests_sha256": head.digests[kata],
                    "tests": [
                        {
                            "test": test.name,
                            "number": test.number,
                            "title": test.title_en,
                            "title_zh": test.title_zh,
                            "hidden": test.hidden,
                            "weight": float(head.scheme.weight(kata, test.name, hidden=test.hidden)),
                        }
                        for test in head.tests[kata]
                    ],
                }
                for kata in head.katas
            ],
        }
        start = json.dumps(common, indent=1)
        self._file.write(f'{start[:-2]},\n "submissions": ['.encode())

    def row(self, row: Row) -> None:
        """One submission on a line of its own."""
        data = {
            "submission": row.name,
            "status": row.status,
            "sentence": text(row.sentence),
            "notes": [text(note) for note in row.notes],
            "person": vars(row.person) if row.person else None,
            "total": points(row.total),
            "percent": points(row.percent),
            "katas": {kata: self._kata(row.katas[kata]) for kata in self._head.katas},
        }
        self._file.write((b"\n" if self._first else b",\n") + b"  " + json.dumps(data).encode())
        self._first = False

    def _kata(self, mark: KataMark) -> dict[str, Any]:
        return {
            "points": points(mark.points),
            "status": mark.status,
            "sentence": text(mark.sentence),
            "notes": [text(note) for note in mark.notes],
            "passed": mark.passed,
            "of": len(mark.tests),
            "seconds": round(mark.seconds, 3),
            "level": mark.level,
            "seed": mark.seed,
            "key": mark.key,
            "files_sha256": mark.files,
            "tests": [self._test(each) for each in mark.tests],
        }

    def _test(self, mark: TestMark) -> dict[str, Any]:
        data: dict[str, Any] = {"test": mark.test.name, "verdict": mark.verdict}
        if mark.result is not None:
            data["seconds"] = round(mark.result.seconds, 4)
            if mark.verdict != "pass":
                data["reason"] = visible(mark.result.reason, 100)
                data["place"] = visible(mark.result.place, 200)
                data["transcript"] = mark.transcript
        return data

    def end(self, statistics: Statistics) -> None:
        """The file takes its place."""
        numbers = {
            "submissions": statistics.submissions,
            "statuses": dict(statistics.statuses),
            "seconds": round(statistics.seconds, 3),
        }
        self._file.write(f'\n ],\n "statistics": {json.dumps(numbers)}\n}}\n'.encode())
        self._open.close()
