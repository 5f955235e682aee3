"""Judging one submission: stage its files, judge each kata that the journal does not know yet, tell what came of it."""

from __future__ import annotations

import platform
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from dojo.catalog import Kata
from dojo.grade.journal import key_of
from dojo.grade.runner import Judged, Request
from dojo.grade.scheme import Scheme
from dojo.grade.sentences import say
from dojo.grade.submissions import Entry, Found, Submission, stage
from dojo.grade.verdict import INFRASTRUCTURE, VERDICTS, verdict
from dojo.launch import ROOT
from dojo.result import Result

TEXT = 4000
"""Characters kept of each text in a result: a student's program may have made it."""
LINES = 200
"""Lines kept of each list in a result, the first half and the last."""


class Judge(Protocol):
    """What can judge a request: the runner in the sandbox, one on another machine, or a stand-in of a test."""

    def judge(self, request: Request) -> Judged:
        """Judge it."""

    def close(self) -> None:
        """End all that it has started."""


def nothing_known(key: str) -> bool:  # noqa: ARG001 - in the place of a journal's `has`
    """No key is known: everything is judged."""
    return False


@dataclass(frozen=True)
class Plan:
    """What a run is asked for: all that a judgement depends on, apart from the student's files."""

    katas: tuple[Kata, ...]
    scheme: Scheme
    seed: str
    seed_given: bool
    """Whether the seed was asked for: then a result that another seed gave is not taken over."""
    level: str
    repeat: int = 1
    limits: str = ""
    known: Callable[[str], bool] = nothing_known
    """Whether the journal has this key."""

    def key(self, kata: Kata, found: Found) -> str:
        """The key of what comes of this file."""
        return key_of(
            kata=kata.name,
            files=found.digests,
            tests=tests_digest(kata, self.scheme.hidden.get(kata.name)),
            dojo=dojo_digest(),
            level=self.level,
            limits=self.limits,
            seed=self.seed if self.seed_given else "fresh",
            repeat=self.repeat,
            python=platform.python_version(),
            system=platform.system(),
        )


@cache
def tests_digest(kata: Kata, hidden: Path | None) -> str:
    """The hash of the tests and sentences that a kata's verdict comes from, and of what tests share."""
    made = sha256()
    shared = sorted(path for path in kata.tests.parent.glob("*.py") if not path.name.startswith("test_"))
    for path in (kata.tests, kata.hints, *shared, *([hidden] if hidden else [])):
        made.update(path.read_bytes() + b"\0")
    return made.hexdigest()


@cache
def dojo_digest() -> str:
    """The hash of the machinery that judges. Reports are not part of it: they are made from what was judged."""
    made = sha256()
    for path in sorted((ROOT / "dojo").rglob("*")):
        inside = path.relative_to(ROOT / "dojo").as_posix()
        if path.suffix in (".py", ".toml") and not inside.startswith("grade/report"):
            made.update(inside.encode() + b"\0" + path.read_bytes() + b"\0")
    return made.hexdigest()


def dojo_version() -> str:
    """`0.1.0`, with the first digits of its hash behind a plus sign (PEP 440, local versions)."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return f"{version}+{dojo_digest()[:12]}"


@dataclass(frozen=True)
class Task:
    """One submission and some katas, which one judge does one after the other."""

    entry: Entry
    katas: tuple[Kata, ...]


def tasks(entries: Sequence[Entry], katas: tuple[Kata, ...], jobs: int) -> tuple[list[Task], int]:
    """The tasks, and how many there are of each submission: all katas in one go, or, where there are few submissions,
    each by itself, so that no worker waits for the last one."""
    groups = [katas] if len(entries) > 4 * jobs else [(kata,) for kata in katas]
    return [Task(entry, group) for entry in entries for group in groups], len(groups)


def judge_task(judge: Judge, task: Task, plan: Plan, staging: Path) -> list[dict[str, Any]]:
    """The records of one task for the journal: what was judged now, and the row of these katas, which comes last."""
    folder = Path(tempfile.mkdtemp(dir=staging))
    try:
        return _records(judge, stage(task.entry, task.katas, folder), plan)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def whole_row(parts: Sequence[dict[str, Any]], plan: Plan) -> dict[str, Any]:
    """The row of a submission, from those of its tasks."""
    found = {name: entry for part in parts for name, entry in part["katas"].items()}
    trouble = next((part["trouble"] for part in parts if part["trouble"]), None)
    katas = {kata.name: found[kata.name] for kata in plan.katas if kata.name in found}
    return {**parts[0], "trouble": trouble, "person": any(part["person"] for part in parts), "katas": katas}


def broken(entry: Entry, error: BaseException) -> list[dict[str, Any]]:
    """The records of a submission over which the grader itself stumbled: a person has to look at it."""
    submission = Submission(entry, trouble=say("intake_broke", why=f"{type(error).__name__}: {error}"[:300]))
    return [_row(submission, {}, person=True)]


def _records(judge: Judge, submission: Submission, plan: Plan) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    row: dict[str, Any] = {}
    for kata in plan.katas:
        found = submission.found.get(kata.name)
        if found is None:
            continue
        notes = [note.as_data() for note in found.notes]
        if found.file is None or found.trouble is not None:
            trouble = found.trouble or say("missing", file=f"{kata.name}.py")
            row[kata.name] = {"trouble": trouble.as_data(), "notes": notes}
            continue
        key = plan.key(kata, found)
        row[kata.name] = {"key": key, "origin": found.origin, "files": found.digests, "notes": notes}
        if not plan.known(key):
            made.append(_judged(judge, kata, found, key, plan))
    return [*made, _row(submission, row)]


def _row(submission: Submission, katas: dict[str, Any], *, person: bool = False) -> dict[str, Any]:
    return {
        "kind": "row",
        "submission": submission.entry.name,
        "entry": submission.entry.path.name.encode("utf-8", "backslashreplace").decode("utf-8"),
        "trouble": submission.trouble.as_data() if submission.trouble else None,
        "person": person,
        "notes": [note.as_data() for note in submission.entry.notes],
        "katas": katas,
    }


def _judged(judge: Judge, kata: Kata, found: Found, key: str, plan: Plan) -> dict[str, Any]:
    """Judge one file as often as is asked for, and keep the worst result of each test."""
    assert found.file is not None
    expected = {test.name for test in plan.scheme.tests(kata)}
    runs: list[Judged] = []
    seconds = 0.0
    retried = 0
    trouble = ""
    for number in range(plan.repeat):
        seed = plan.seed if number == 0 else f"{plan.seed}.{number}"
        request = Request(kata.name, found.file, seed, plan.scheme.hidden.get(kata.name))
        judged = judge.judge(request)
        seconds += judged.seconds
        trouble = _trouble(judged, expected)
        if trouble:  # once more: the machine may have been out of breath
            retried += 1
            judged = judge.judge(request)
            seconds += judged.seconds
            trouble = _trouble(judged, expected)
            if trouble:
                runs = [judged]
                break
        runs.append(judged)
    results, flaky = worst([run.results for run in runs])
    notes = [say("said", what=note) for note in dict.fromkeys(note for run in runs for note in run.notes)]
    if flaky:
        notes.append(say("flaky", tests=", ".join(flaky), times=str(plan.repeat)))
    folder = f"{found.file.parent}/"
    return {
        "kind": "judged",
        "key": key,
        "kata": kata.name,
        "level": runs[0].level if runs else plan.level,
        "python": platform.python_version(),
        "seed": plan.seed,
        "seconds": round(seconds, 3),
        "retried": retried,
        "infrastructure": bounded(trouble, folder),
        "flaky": flaky,
        "notes": [note.as_data() for note in notes],
        "results": [_result_data(result, folder) for result in results],
    }


def _trouble(judged: Judged, expected: set[str]) -> str:
    """Why nothing can be said, or nothing. A judgement counts only if it has a word on every test that there is."""
    if judged.infrastructure:
        return judged.infrastructure
    told = {result.test for result in judged.results}
    if told != expected:
        return f"{len(told & expected)} of {len(expected)} tests have a result"
    broke = [result for result in judged.results if verdict(result) == INFRASTRUCTURE]
    if broke:
        return f"{broke[0].test}: {broke[0].internal or broke[0].reason}"
    return ""


def worst(runs: list[tuple[Result, ...]]) -> tuple[list[Result], list[str]]:
    """Of each test the worst result of all runs, and the names of the tests that did not always end the same way."""
    results, flaky = [], []
    for same in zip(*runs, strict=True):
        verdicts = [verdict(result) for result in same]
        if ("pass" in verdicts) and len(set(verdicts)) > 1:
            flaky.append(same[0].test)
        results.append(max(same, key=lambda result: VERDICTS.index(verdict(result)) > 0))
    return results, flaky


# --- keeping results within bounds --------------------------------------------------------------------------


def bounded(text: str, folder: str) -> str:
    """The text without the path of the staging folder, cut in its middle where it is long."""
    text = text.replace(folder, "")
    if len(text) <= TEXT:
        return text
    return f"{text[: TEXT // 2]} … {len(text) - TEXT:,} … {text[-TEXT // 2 :]}"


def _result_data(result: Result, folder: str) -> dict[str, Any]:
    data = result.as_data()
    del data["kata"]
    data["verdict"] = verdict(result)
    data["seconds"] = round(result.seconds, 4)
    return {name: _bounded(value, folder) for name, value in data.items() if value or name == "number"}


def _bounded(value: Any, folder: str) -> Any:
    if isinstance(value, str):
        return bounded(value, folder)
    if isinstance(value, dict):
        return {bounded(name, folder): _bounded(each, folder) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        if len(value) > LINES:
            value = [*value[: LINES // 2], *value[-LINES // 2 :]]
        return [_bounded(each, folder) for each in value]
    return value


def result_from(kata: str, data: dict[str, Any]) -> Result:
    """The result again, from what the journal has."""
    fields = {name: value for name, value in data.items() if name != "verdict"}
    fields["rows"] = [(row[0], row[1]) for row in fields.get("rows", [])]
    return Result(kata=kata, **fields)
