"""From results to marks. Only a pass scores; of what is not known, nothing is said but that a person has to look."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from dojo import hints, screen, terminal
from dojo.catalog import Kata
from dojo.grade.judging import result_from
from dojo.grade.roster import Person
from dojo.grade.scheme import Scheme, Test
from dojo.grade.sentences import Sentence, say
from dojo.grade.submissions import visible
from dojo.grade.verdict import IMPORT_ERROR, NOT_RUN, PASS
from dojo.result import Result

JUDGED = "judged"
FLAKY = "flaky"
"""Judged, but not the same each time: the worst counts."""
MISSING = "missing"
NOT_STARTED = "not started"
UNREADABLE = "unreadable"
NO_SUBMISSION = "no submission"
NEEDS_A_PERSON = "needs a person"
"""The machine or the dojo failed: there is no mark."""

STATUSES = (JUDGED, MISSING, NOT_STARTED, FLAKY, NO_SUBMISSION, UNREADABLE, NEEDS_A_PERSON)
"""Of a kata and of a submission, the ones that matter more to a teacher last."""


@dataclass(frozen=True)
class TestMark:
    """One test of one submission."""

    test: Test
    verdict: str
    weight: Fraction
    result: Result | None = None
    """None where it was not run."""

    @cached_property
    def transcript(self) -> list[str]:
        """A failure in full, as `make test` shows it; nothing for a pass, or what was not run. All text of the
        student's is escaped as for a terminal; HTML and XML need their own escaping on top."""
        if self.result is None or self.verdict in (PASS, NOT_RUN):
            return []
        try:
            with terminal.on_paper():
                return screen.details(self.result)
        except KeyError:  # a sentence that this version of the dojo has not
            return [visible(self.result.reason)]


@dataclass
class KataMark:
    """One kata of one submission."""

    kata: str
    possible: Fraction
    points: Fraction | None = Fraction(0)
    """None when nothing is known."""
    status: str = JUDGED
    sentence: Sentence | None = None
    """Why it was not judged."""
    tests: list[TestMark] = field(default_factory=list)
    notes: list[Sentence] = field(default_factory=list)
    seconds: float = 0.0
    level: str = ""
    seed: str = ""
    files: dict[str, str] = field(default_factory=dict)
    key: str = ""

    @property
    def passed(self) -> int:
        """How many tests passed."""
        return sum(mark.verdict == PASS for mark in self.tests)


@dataclass
class Row:
    """One submission, or one person of the roster without any."""

    name: str
    katas: dict[str, KataMark] = field(default_factory=dict)
    status: str = JUDGED
    sentence: Sentence | None = None
    notes: list[Sentence] = field(default_factory=list)
    person: Person | None = None

    @property
    def possible(self) -> Fraction:
        """The points that there are."""
        return sum((mark.possible for mark in self.katas.values()), Fraction(0))

    @property
    def total(self) -> Fraction | None:
        """The points earned; None when one of them is not known."""
        points = [mark.points for mark in self.katas.values() if mark.points is not None]
        return sum(points, Fraction(0)) if len(points) == len(self.katas) else None

    @property
    def percent(self) -> float | None:
        """The points earned as a share of 100."""
        return None if self.total is None else float(100 * self.total / self.possible)


def points_of(mark: KataMark) -> Fraction:
    """Points by the weight of the tests passed."""
    everything = sum((each.weight for each in mark.tests), Fraction(0))
    passed = sum((each.weight for each in mark.tests if each.verdict == PASS), Fraction(0))
    return mark.possible * passed / everything if everything else Fraction(0)


def judged(kata: str, entry: dict[str, Any], record: dict[str, Any], tests: list[Test], scheme: Scheme) -> KataMark:
    """The mark of one kata that was judged: `entry` is what the row says of it, `record` what came of it."""
    mark = _empty(kata, entry, tests, scheme)
    mark.level, mark.seed, mark.seconds, mark.key = record["level"], record["seed"], record["seconds"], record["key"]
    mark.notes += [Sentence.from_data(note) for note in record["notes"]]
    if record["infrastructure"]:
        mark.status, mark.points = NEEDS_A_PERSON, None
        mark.sentence = say("infrastructure", why=record["infrastructure"])
        return mark
    results = {data["test"]: data for data in record["results"]}
    mark.tests = [
        TestMark(each.test, results[each.test.name]["verdict"], each.weight, result_from(kata, results[each.test.name]))
        if each.test.name in results
        else each
        for each in mark.tests
    ]
    mark.points = points_of(mark)
    if record["flaky"]:
        mark.status = FLAKY
    elif all(each.verdict == IMPORT_ERROR for each in mark.tests):
        mark.status = UNREADABLE
        mark.notes.append(_sentence(mark.tests[0]))
    elif all(each.result is not None and each.result.reason == "not_written" for each in mark.tests):
        mark.status = NOT_STARTED
    return mark


def _sentence(mark: TestMark) -> Sentence:
    """What a student is told of a file that could not be loaded, once for all tests."""
    assert mark.result is not None
    try:
        reason = hints.reason(mark.result.reason, Kata(mark.result.kata).hints)
    except KeyError:
        return say("said", what=mark.result.reason)
    return say("said", what=reason.sentence(mark.result.values))


def not_judged(kata: str, entry: dict[str, Any], tests: list[Test], scheme: Scheme) -> KataMark:
    """The mark of one kata of which there is nothing to judge."""
    mark = _empty(kata, entry, tests, scheme)
    mark.sentence = Sentence.from_data(entry["trouble"])
    mark.status = {"missing": MISSING, "misnamed": MISSING, "not_started": NOT_STARTED}.get(
        mark.sentence.name, UNREADABLE
    )
    return mark


def unknown(kata: str, tests: list[Test], scheme: Scheme) -> KataMark:
    """The mark of one kata of which the journal has no result, though the row says that it was judged."""
    mark = _empty(kata, {}, tests, scheme)
    mark.status, mark.points = NEEDS_A_PERSON, None
    mark.sentence = say("infrastructure", why="")
    return mark


def nothing(kata: str, tests: list[Test], scheme: Scheme, status: str) -> KataMark:
    """The mark of one kata of a submission of which nothing could be read, or that is not there."""
    mark = _empty(kata, {}, tests, scheme)
    mark.status = status
    if status == NEEDS_A_PERSON:
        mark.points = None
    return mark


def _empty(kata: str, entry: dict[str, Any], tests: list[Test], scheme: Scheme) -> KataMark:
    return KataMark(
        kata,
        scheme.points[kata],
        tests=[TestMark(test, NOT_RUN, scheme.weight(kata, test.name, hidden=test.hidden)) for test in tests],
        notes=[Sentence.from_data(note) for note in entry.get("notes", [])],
        files=dict(entry.get("files", {})),
    )


def row_status(row: Row) -> str:
    """What a teacher should know of the submission: the most urgent of its katas' words. That one kata of several is
    missing or not begun needs no telling, it has 0 points."""
    words = {mark.status for mark in row.katas.values()}
    if len(words) > 1:
        words -= {MISSING, NOT_STARTED} if words - {MISSING, NOT_STARTED} else {MISSING}
    return max(words, key=STATUSES.index) if words else JUDGED
