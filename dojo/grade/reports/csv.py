"""grades.csv: a line a submission, for a spreadsheet program or a learning platform."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from dojo.grade.journal import replacing
from dojo.grade.marks import Row
from dojo.grade.report import Head, Statistics, number
from dojo.grade.submissions import visible

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is taken for a formula by spreadsheet programs, even in quotes."""


def cell(text: str) -> str:
    """Text of a stranger's as one cell: control characters are shown, and a formula is made text by an apostrophe."""
    shown = visible(text, 1000)
    return f"'{shown}" if shown.lstrip().startswith(FORMULA) else shown


class GradesCSV:
    """UTF-8 with the mark at its beginning by which spreadsheet programs know it, CRLF as RFC 4180 has it.

    The points of a kata are empty where a person has to look: that is no 0.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = ExitStack()
        self._people = False

    def begin(self, head: Head) -> None:
        """The line of headings."""
        self._head = head
        file = self._open.enter_context(replacing(self._path))
        self._text = TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
        self._table: Any = csv.writer(self._text)
        self._table.writerow(["submission", *head.katas, "total", "percent", "status", "id", "name", "email"])

    def row(self, row: Row) -> None:
        """One line."""
        points = [row.katas[kata].points for kata in self._head.katas]
        person = row.person
        self._table.writerow(
            [
                cell(row.name),
                *("" if each is None else number(each) for each in points),
                "" if row.total is None else number(row.total),
                "" if row.percent is None else number(row.percent),
                row.status,
                *((cell(person.id), cell(person.name), cell(person.email)) if person else ("", "", "")),
            ]
        )

    def end(self, statistics: Statistics) -> None:
        """The file takes its place."""
        self._text.flush()
        self._text.detach()
        self._open.close()
