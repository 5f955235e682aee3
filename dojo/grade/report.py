"""One model for all reports: made from the journal alone, read one submission at a time, so that a class of any size
fits. Each report is a writer that is given the head, then row by row, then the statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from dojo.catalog import Kata
from dojo.grade import marks
from dojo.grade.journal import Journal, now
from dojo.grade.marks import KataMark, Row
from dojo.grade.roster import Person
from dojo.grade.scheme import Scheme, Test
from dojo.grade.sentences import Sentence, say
from dojo.grade.submissions import visible
from dojo.grade.verdict import PASS
from dojo.words import language


@dataclass(frozen=True)
class Head:
    """What all marks of a report have in common."""

    katas: tuple[str, ...]
    titles: dict[str, str]
    tests: dict[str, list[Test]]
    scheme: Scheme
    seed: str
    level: str
    trusted: bool
    """Whether the level keeps a hostile submission from its marks and from others."""
    python: str
    system: str
    dojo: str
    digests: dict[str, str]
    """By kata: the SHA-256 of its tests."""
    repeat: int
    started: str
    made: str

    def possible(self) -> str:
        """The points that there are."""
        return number(sum(self.scheme.points[kata] for kata in self.katas))

    def line(self) -> str:
        """What judged, in one line."""
        return " · ".join(
            (f"dojo {self.dojo}", f"isolation {self.level}", f"seed {self.seed}", f"Python {self.python}", self.system)
        )


@dataclass
class Item:
    """One test over the whole class."""

    test: Test
    verdicts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def judged(self) -> int:
        """How many were judged by it."""
        return self.verdicts.total()


@dataclass
class Statistics:
    """A class in numbers, added up row by row."""

    submissions: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    items: dict[str, list[Item]] = field(default_factory=dict)
    points: dict[str, list[float]] = field(default_factory=dict)
    """By kata: the share earned (0 to 1) by each submission of which it is known."""
    totals: list[float] = field(default_factory=list)
    """In percent."""
    seconds: float = 0.0

    def add(self, row: Row) -> None:
        """Count one row."""
        self.submissions += 1
        self.statuses[row.status] += 1
        if row.percent is not None:
            self.totals.append(row.percent)
        for kata, mark in row.katas.items():
            self.seconds += mark.seconds
            if mark.points is not None:
                self.points.setdefault(kata, []).append(float(mark.points / mark.possible) if mark.possible else 0.0)
            if mark.status not in (marks.JUDGED, marks.FLAKY):
                continue  # a file that was not begun, or could not be loaded, says nothing about a test
            for item, each in zip(self.items[kata], mark.tests, strict=True):
                if each.result is not None:
                    item.verdicts[each.verdict] += 1
                    item.seconds += each.result.seconds
                    if each.verdict != PASS:
                        item.reasons[each.result.reason] += 1


class Writer(Protocol):
    """One report."""

    def begin(self, head: Head) -> None:
        """Start it."""

    def row(self, row: Row) -> None:
        """Take one submission in."""

    def end(self, statistics: Statistics) -> None:
        """Finish it; only now does it take its place."""


def number(points: Any) -> str:
    """Points with at most two decimals: `12.5`, `100`."""
    return f"{float(points):.2f}".rstrip("0").rstrip(".")


def title(test: Test) -> str:
    """The test's title in the language asked for."""
    return test.title_zh if language() == "zh" else test.title_en


def shown_title(test: Test) -> str:
    """The title for a student: of a hidden test, its number alone."""
    return f"hidden {test.number}" if test.hidden else title(test)


def head_of(journal: Journal) -> Head:
    """What the last run's marks have in common."""
    run = journal.run
    tests = {
        kata: [Test(each["name"], each["number"], each["en"], each["zh"], each["hidden"]) for each in of]
        for kata, of in run["tests"].items()
    }
    return Head(
        katas=tuple(run["katas"]),
        titles={name: Kata(name).title for name in run["katas"]},
        tests=tests,
        scheme=Scheme.from_data(run["scheme"]),
        seed=run["seed"],
        level=run["level"],
        trusted=run["trusted"],
        python=run["python"],
        system=run["system"],
        dojo=run["dojo"],
        digests=run["digests"],
        repeat=run["repeat"],
        started=run["at"],
        made=now(),
    )


def rows(journal: Journal, head: Head) -> Iterator[Row]:
    """Every submission of the last run, then everyone on the roster who has none."""
    people = {entry["submission"]: [Person(*each) for each in entry["people"]] for entry in journal.run["roster"]}
    for data in journal.rows():
        row = _row(journal, head, data)
        found = people.get(row.name, [])
        if len(found) == 1:
            row.person = found[0]
        elif found:
            row.notes.append(say("roster_twice", names=", ".join(person.called() for person in found)))
        yield row
    for each in journal.run["absent"]:
        person = Person(*each)
        absent = _without(head, person.called(), marks.NO_SUBMISSION, say("no_submission"))
        absent.person = person
        yield absent


def _row(journal: Journal, head: Head, data: dict[str, Any]) -> Row:
    name = data["submission"]
    notes = [Sentence.from_data(note) for note in data["notes"]]
    if data["trouble"]:
        status = marks.NEEDS_A_PERSON if data["person"] else marks.UNREADABLE
        row = _without(head, name, status, Sentence.from_data(data["trouble"]))
        row.notes = notes
        return row
    row = Row(name, {kata: _mark(journal, head, kata, data["katas"].get(kata)) for kata in head.katas}, notes=notes)
    row.status = marks.row_status(row)
    return row


def _mark(journal: Journal, head: Head, kata: str, entry: dict[str, Any] | None) -> KataMark:
    tests = head.tests[kata]
    if entry is None:
        return marks.unknown(kata, tests, head.scheme)
    if "trouble" in entry:
        return marks.not_judged(kata, entry, tests, head.scheme)
    record = journal.judged(entry["key"]) or journal.failed(entry["key"])
    if record is None:
        return marks.unknown(kata, tests, head.scheme)
    return marks.judged(kata, entry, record, tests, head.scheme)


def _without(head: Head, name: str, status: str, sentence: Sentence) -> Row:
    katas = {kata: marks.nothing(kata, head.tests[kata], head.scheme, status) for kata in head.katas}
    return Row(name, katas, status, sentence)


def write(journal: Journal, writers: Sequence[Writer]) -> Statistics:
    """Write all reports in one pass over the journal."""
    head = head_of(journal)
    statistics = Statistics(items={kata: [Item(test) for test in head.tests[kata]] for kata in head.katas})
    for writer in writers:
        writer.begin(head)
    for row in rows(journal, head):
        statistics.add(row)
        for writer in writers:
            writer.row(row)
    for writer in writers:
        writer.end(statistics)
    return statistics


def open_journal(folder: Path) -> Journal:
    """The journal of an output folder, to be read. Raises UsageError when there is none."""
    from dojo.catalog import UsageError
    from dojo.grade.journal import NAME

    if not (folder / NAME).is_file():
        raise UsageError(f"{visible(str(folder))}: there is no {NAME} of a grading run in it.")
    journal = Journal(folder)
    if not journal.run:
        raise UsageError(f"{visible(str(folder))}: its {NAME} has no run in it.")
    return journal
