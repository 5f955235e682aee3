"""The reports of a graded class: one file for each kind, all made from the model in dojo/grade/report.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from dojo.catalog import UsageError
from dojo.grade.report import Writer
from dojo.grade.reports.classroom import Classroom
from dojo.grade.reports.csv import GradesCSV
from dojo.grade.reports.exercism import Exercism
from dojo.grade.reports.gradescope import Gradescope
from dojo.grade.reports.html import Page
from dojo.grade.reports.json import GradesJSON
from dojo.grade.reports.junit import JUnit

KINDS: dict[str, Callable[[Path], Writer]] = {
    "csv": lambda out: GradesCSV(out / "grades.csv"),
    "json": lambda out: GradesJSON(out / "grades.json"),
    "html": lambda out: Page(out / "grades.html"),
    "junit": lambda out: JUnit(out / "junit.xml"),
    "gradescope": lambda out: Gradescope(out / "gradescope"),
    "classroom": lambda out: Classroom(out / "classroom"),
    "exercism": lambda out: Exercism(out / "exercism"),
}
"""Every kind of report, by its name; the last three are files for each submission."""

USUAL = ("csv", "json", "html", "junit")
"""What is written where nothing else is asked for."""


def writers(out: Path, names: Iterable[str] = USUAL) -> list[Writer]:
    """The writers of these reports. Raises UsageError for a name that there is not."""
    made = []
    for name in dict.fromkeys(names):
        if name not in KINDS:
            raise UsageError(f"no report `{ascii(name)[1:-1][:60]}`; there are {', '.join(KINDS)}.")
        made.append(KINDS[name](out))
    return made
