"""The marks on the terminal: a line a submission, what a teacher has to look at, where the reports are."""

from __future__ import annotations

from statistics import mean, median

from dojo import terminal
from dojo.grade import marks
from dojo.grade.marks import Row
from dojo.grade.report import Head, Statistics, number, title
from dojo.grade.reports.words import word
from dojo.grade.submissions import visible
from dojo.grade.verdict import PASS
from dojo.terminal import style

MOST_ROWS = 60
"""Lines of a class on the screen; a larger class is told in numbers, and whole in the files."""
MOST_NAME = 30
"""Columns of a name."""


class Table:
    """Not written to a file: `lines` has it when all rows are in."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._rows: list[list[str]] = []
        self._alerts: list[str] = []
        self._left_out = 0

    def begin(self, head: Head) -> None:
        """Remember the head."""
        self._head = head

    def row(self, row: Row) -> None:
        """One line."""
        if row.status in (marks.NEEDS_A_PERSON, marks.UNREADABLE, marks.FLAKY) and len(self._alerts) < MOST_ROWS:
            self._alerts += _alerts(row)
        if len(self._rows) >= MOST_ROWS:
            self._left_out += 1
            return
        cells = [_points(row.katas[kata]) for kata in self._head.katas]
        total = "?" if row.total is None else number(row.total)
        percent = "" if row.percent is None else f"{row.percent:.0f} %"
        self._rows.append([visible(row.name, MOST_NAME), *cells, total, percent, word(row.status)])

    def end(self, statistics: Statistics) -> None:
        """All lines."""
        names = [(kata if terminal.width(kata) <= 11 else f"{kata[:10]}…") for kata in self._head.katas]
        heading = [word("submission"), *names, word("total"), "", word("status")]
        worth = [number(self._head.scheme.points[kata]) for kata in self._head.katas]
        rows = [heading, ["", *worth, self._head.possible(), "", ""], *self._rows]
        widths = [max(terminal.width(row[at]) for row in rows) for at in range(len(heading))]
        for at, row in enumerate(rows):
            first, *middle, last = zip(row, widths, strict=True)
            cells = [_pad(*first, left=True), *(_pad(*each, left=False) for each in middle), _pad(*last, left=True)]
            line = "  ".join(cells)
            self.lines.append(style(line.rstrip(), "dim") if at < 2 else line.rstrip())
        if self._left_out:
            self.lines.append(word("more_rows", number=str(self._left_out)))
        if statistics.totals:
            middling, average = f"{median(statistics.totals):.0f}", f"{mean(statistics.totals):.0f}"
            counts = ", ".join(f"{count} {word(status)}" for status, count in statistics.statuses.most_common())
            told = word("in_numbers", number=str(statistics.submissions), counts=counts, median=middling, mean=average)
            self.lines += ["", told]
        self.lines += [style(line, "yellow") for line in self._alerts[:MOST_ROWS]]


def _points(mark: marks.KataMark) -> str:
    if mark.points is None:
        return "?"
    return number(mark.points) if mark.status in (marks.JUDGED, marks.FLAKY) else "–"


def _pad(text: str, wide: int, *, left: bool) -> str:
    blanks = " " * (wide - terminal.width(text))
    return text + blanks if left else blanks + text


def _alerts(row: Row) -> list[str]:
    """A line for each thing that a teacher should look at."""
    name = visible(row.name, MOST_NAME)
    if row.sentence:
        return [f"! {name}: {visible(str(row.sentence), 300)}"]
    found = []
    for kata, mark in row.katas.items():
        if mark.status in (marks.NEEDS_A_PERSON, marks.UNREADABLE):
            said = mark.sentence or (mark.notes[-1] if mark.notes else "")
            found.append(f"! {name}: {kata}: {visible(str(said), 300)}")
        elif mark.status == marks.FLAKY:
            found += [f"! {name}: {kata}: {visible(str(note), 300)}" for note in mark.notes if note.name == "flaky"]
    return found


def student(row: Row) -> list[str]:
    """One submission: for each kata what `make test` shows, the first failure in full."""
    lines = [style(visible(row.name), "bold") + f"  {word(row.status)}"]
    lines += [f"  {visible(str(sentence), 1000)}" for sentence in (row.sentence, *row.notes) if sentence]
    for kata, mark in row.katas.items():
        points = "?" if mark.points is None else number(mark.points)
        lines += ["", f"{style(kata, 'bold')}  {points} / {number(mark.possible)}  {word(mark.status)}"]
        lines += [f"  {visible(str(sentence), 1000)}" for sentence in (mark.sentence, *mark.notes) if sentence]
        if mark.sentence is not None:
            continue
        first = next((each for each in mark.tests if each.verdict != PASS), None)
        for each in mark.tests:
            sign = style("✓", "green") if each.verdict == PASS else style("✗", "red")
            lines.append(f"  {sign} {each.test.number:<3}{title(each.test)}")
            if each is first:
                lines += [f"       {line}" for line in each.transcript]
    return lines
