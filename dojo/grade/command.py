"""`make grade`, `python -m dojo report` and `merge`: from the words on the command line to marks."""

from __future__ import annotations

import argparse
import errno
import os
import platform
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dojo import catalog
from dojo.catalog import Kata, UsageError
from dojo.grade import judging, pool, report, reports, roster, scheme, similar, submissions
from dojo.grade.journal import Journal, locked, now
from dojo.grade.judging import Judge, Plan, Task
from dojo.grade.marks import NEEDS_A_PERSON
from dojo.grade.progress import Progress
from dojo.grade.report import Statistics
from dojo.grade.reports import words
from dojo.grade.reports.table import Table, student
from dojo.grade.runner import Runner
from dojo.grade.staging import staging
from dojo.grade.submissions import Entry, visible
from dojo.sandbox import levels
from dojo.sandbox.levels import Level
from dojo.sandbox.limits import Limits
from dojo.words import word

OK, PERSON, INTERRUPTED = 0, 3, 130
MOST_PAIRS = 20
"""Pairs of near-copies on the screen."""


@dataclass(frozen=True)
class Judges:
    """Where judging is done: at which level, by what, and how many at a time where nothing is said."""

    level: Level
    judge: Callable[[], Judge]
    jobs: int


def grade(options: argparse.Namespace, judge: Callable[[], Judge] | None = None) -> int:
    """Grade a class. The exit code as arguments.py lists them. `judge` makes a stand-in for the runner."""
    katas = [catalog.kata(name) for name in dict.fromkeys(_kata_names(options))] or catalog.katas()
    jobs = _whole_number("JOBS", options.jobs, 1, 1024) if options.jobs else 0
    repeat = _whole_number("REPEAT", options.repeat, 1, 100)
    shard = _shard(options.shard)
    writers = _report_names(options.reports)
    reports.writers(Path(), writers)
    if options.similar:
        similar.library()
    if not options.submissions:
        raise UsageError("which submissions? For example: make grade SUBMISSIONS=folder")
    folder, out = Path(options.submissions), Path(options.out)
    marks = scheme.read(Path(options.scheme), katas) if options.scheme else scheme.default(katas)
    people = roster.read(Path(options.roster)) if options.roster else None
    given = [Path(each) for each in (options.roster, options.scheme) if each]
    every = submissions.single(folder) if options.one else submissions.entries(folder, [out, *given])
    mine = list(submissions.with_shard(every, shard))
    with _judges(options, judge) as judges, locked(out), _terminated(), _journal(out) as journal:
        kept = "" if options.force else journal.run.get("seed", "")
        plan = Plan(
            tuple(katas),
            marks,
            options.seed or kept or os.urandom(4).hex(),
            bool(options.seed),
            judges.level.name,
            repeat,
            repr(Limits()),
            judging.nothing_known if options.force else journal.has,
        )
        journal.append([_run_record(plan, judges.level, mine, people, every, options.shard)])
        try:
            _judge_all(journal, out, mine, plan, judges.judge, jobs or judges.jobs)
        except KeyboardInterrupt:
            print(f"\n{word('interrupted')} {words.word('goes_on')}", file=sys.stderr)
            return INTERRUPTED
        code = _finish(journal, out, writers)
    if options.similar:
        _tell_similar(out, mine, katas)
    return code


@contextmanager
def _judges(options: argparse.Namespace, stand_in: Callable[[], Judge] | None) -> Iterator[Judges]:
    """Those of this machine, or the workers of a cluster."""
    if not options.executor:
        level = _level(options)
        yield Judges(level, stand_in or (lambda: Runner(level, Limits())), os.cpu_count() or 1)
        return
    from dojo.grade.remote import AHEAD, Cluster

    with closing(Cluster(options.executor)) as cluster:
        weakest = cluster.level(options.level)
        _refuse_weak(weakest, options)
        yield Judges(weakest, lambda: cluster.judge(weakest), AHEAD * cluster.threads)


@contextmanager
def _journal(out: Path) -> Iterator[Journal]:
    """The journal, for writing. A disk that is full is a sentence; what is in the journal stays there."""
    try:
        with closing(Journal(out, writing=True)) as journal:
            yield journal
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None), errno.EROFS, errno.EIO):
            raise UsageError(
                f"OUT={visible(str(out))}: {error.strerror}. Nothing is lost: make room, and run the command again."
            ) from error
        raise


def _judge_all(
    journal: Journal, out: Path, mine: list[Entry], plan: Plan, judge: Callable[[], Judge], jobs: int
) -> None:
    """Judge what the journal does not know. What is done is in the journal before the next is looked at."""
    tasks, parts_of_each = judging.tasks(mine, plan.katas, jobs)
    begun: dict[str, list[dict[str, Any]]] = {}
    """Rows of submissions of which a part is done."""
    judged_now: set[str] = set()
    with staging(out) as folder, Progress(len(mine)) as bar:

        def work(judge: Judge, task: Task) -> list[dict[str, Any]]:
            return judging.judge_task(judge, task, plan, folder)

        for done in pool.run(tasks, work, judge, min(jobs, max(1, len(tasks)))):
            name = done.task.entry.name
            records = done.made if done.made is not None else judging.broken(done.task.entry, done.error or Exception())
            *judged, part = records
            journal.append(judged)
            if judged:
                judged_now.add(name)
            begun.setdefault(name, []).append(part)
            if len(begun[name]) == parts_of_each:
                row = judging.whole_row(begun.pop(name), plan)
                if journal.row(name) != row:
                    journal.append([row])
                bar.step(judged=name in judged_now)
                judged_now.discard(name)


def _finish(journal: Journal, out: Path, names: list[str]) -> int:
    table = Table()
    statistics = report.write(journal, [table, *reports.writers(out, names)])
    print("\n".join(table.lines))
    print(report.head_of(journal).line())
    print(words.word("written", folder=visible(str(out)), names=", ".join(names)))
    return _code(statistics)


def _tell_similar(out: Path, mine: list[Entry], katas: list[Kata]) -> None:
    found = similar.pairs(mine, katas)
    similar.write(out / "similar.csv", found)
    print()
    print(words.word("alike", number=str(len(found) or words.word("nothing"))))
    for pair in found[:MOST_PAIRS]:
        print(f"  {pair.most:>3} %  {pair.kata}: {visible(pair.one, 40)} · {visible(pair.other, 40)}")


def _code(statistics: Statistics) -> int:
    return PERSON if statistics.statuses[NEEDS_A_PERSON] else OK


def make_reports(options: argparse.Namespace) -> int:
    """`python -m dojo report OUT`: the reports again, from the journal alone."""
    out = Path(options.out)
    names = _report_names(options.reports)
    reports.writers(Path(), names)
    with closing(report.open_journal(out)) as journal:
        if not options.student:
            return _finish(journal, out, names)
        head = report.head_of(journal)
        found = [row for row in report.rows(journal, head) if options.student in (row.name, *_called(row))]
        if not found:
            raise UsageError(f"no submission `{visible(options.student, 60)}` in {visible(str(out))}.")
        print("\n".join(student(found[0])))
        return OK


def merge(options: argparse.Namespace) -> int:
    """`python -m dojo merge PART…`: one class from its parts."""
    from dojo.grade.merge import merge as merge_parts

    out = Path(options.out)
    names = _report_names(options.reports)
    reports.writers(Path(), names)
    parts = [Path(part) for part in options.parts]
    if out.resolve() in [part.resolve() for part in parts]:
        raise UsageError(f"OUT={visible(str(out))} is one of the parts; choose another folder for the whole.")
    with locked(out), _journal(out) as journal:
        merge_parts(parts, journal)
        return _finish(journal, out, names)


def _called(row: Any) -> tuple[str, ...]:
    return (row.person.id, row.person.name, row.person.email) if row.person else ()


# --- what was asked for ---------------------------------------------------------------------------------------


def _kata_names(options: argparse.Namespace) -> list[str]:
    given = options.kata or os.environ.get("KATA", "").split()
    return [name for each in given for name in re.split(r"[,\s]+", each) if name]


def _whole_number(name: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or not low <= int(text) <= high:
        raise UsageError(f"{name}={visible(text, 40)}: a whole number from {low} to {high}.")
    return int(text)


def _shard(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    found = re.fullmatch(r"([0-9]{1,5})/([0-9]{1,5})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"SHARD={visible(text, 40)}: I/N, for example 1/8, 2/8, … 8/8.")
    return int(found[1]), int(found[2])


def _report_names(text: str) -> list[str]:
    names = [name for name in re.split(r"[,\s]+", text) if name]
    return list(reports.KINDS) if names == ["all"] else names or list(reports.USUAL)


def _level(options: argparse.Namespace) -> Level:
    """The level asked for, or the best one here. A weak one must be asked for, by its name or by ALLOW=1."""
    if options.level:
        try:
            level = levels.named(options.level)
        except KeyError:
            there = ", ".join(level.name for level in levels.LEVELS)
            raise UsageError(f"no isolation level `{visible(options.level, 40)}`; there are {there}.") from None
        trouble = levels.trouble(level)
        if trouble:
            raise UsageError(f"isolation level {level.name} does not work here: {trouble} (python -m dojo doctor)")
        return level
    best = levels.probe()
    _refuse_weak(best, options)
    return best


def _refuse_weak(best: Level, options: argparse.Namespace) -> None:
    if not (best.safe or options.level or options.allow):
        raise UsageError(
            f"the best isolation here is `{best.name}`, which a hostile submission can get around: python -m dojo "
            f"doctor says what is missing. For a class that you trust as you trust yourself, add ALLOW=1 (--allow)."
        )


def _run_record(
    plan: Plan,
    level: Level,
    mine: list[Entry],
    people: roster.Roster | None,
    every: list[Entry],
    shard: str,
) -> dict[str, Any]:
    """All that reports need besides the results."""
    found, absent = _matched(mine, people, every, _shard(shard))
    return {
        "kind": "run",
        "at": now(),
        "katas": [kata.name for kata in plan.katas],
        "tests": {kata.name: _tests(plan, kata) for kata in plan.katas},
        "digests": {kata.name: judging.tests_digest(kata, plan.scheme.hidden.get(kata.name)) for kata in plan.katas},
        "scheme": plan.scheme.as_data(),
        "seed": plan.seed,
        "repeat": plan.repeat,
        "level": plan.level,
        "trusted": level.safe,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "dojo": judging.dojo_version(),
        "shard": shard,
        "submissions": [entry.name for entry in mine],
        "roster": found,
        "absent": absent,
    }


def _tests(plan: Plan, kata: Kata) -> list[dict[str, Any]]:
    return [
        {"name": each.name, "number": each.number, "en": each.title_en, "zh": each.title_zh, "hidden": each.hidden}
        for each in plan.scheme.tests(kata)
    ]


def _matched(
    mine: list[Entry], people: roster.Roster | None, every: list[Entry], shard: tuple[int, int] | None
) -> tuple[list[dict[str, Any]], list[list[str]]]:
    """Whose submission each one is, and who has none."""
    if people is None:
        return [], []
    found: list[dict[str, Any]] = []
    there: set[roster.Person] = set()
    ours = {entry.name for entry in mine}
    for entry in every:
        names = people.find(submissions.plain_name(entry.path.name))
        there.update(names)
        if names and entry.name in ours:
            found.append({"submission": entry.name, "people": [[each.id, each.name, each.email] for each in names]})
    absent = [
        [each.id, each.name, each.email]
        for each in people.people
        if each not in there and (shard is None or submissions.shard_of(each.called(), shard[1]) == shard[0])
    ]
    return found, absent


@contextmanager
def _terminated() -> Iterator[None]:
    """While grading, being told to end (SIGTERM, as batch systems do) is the same as Ctrl-C."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
