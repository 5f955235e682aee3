"""Putting the parts of a class together: each part (`--shard i/n`) has a journal, the whole gets one of all records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dojo.catalog import UsageError
from dojo.grade.journal import Journal
from dojo.grade.report import open_journal
from dojo.grade.submissions import natural, visible

ALIKE = ("katas", "tests", "digests", "scheme", "seed", "repeat", "level", "python", "dojo")
"""What must be the same in all parts: else the marks are not of one class."""


def merge(parts: Sequence[Path], whole: Journal) -> None:
    """Write the records of the parts into `whole`. Raises UsageError when they do not belong together."""
    journals: list[Journal] = []
    try:
        for part in parts:
            journals.append(open_journal(part))  # noqa: PERF401 - those already open are closed below
        first = journals[0].run
        for part, journal in zip(parts, journals, strict=True):
            _check(parts[0], first, part, journal.run)
        whole.append([_run(journals)])
        for journal in journals:
            for records in _needed(journal):
                whole.append(records)
    finally:
        for journal in journals:
            journal.close()


def _check(first: Path, its: dict[str, Any], part: Path, run: dict[str, Any]) -> None:
    for name in ALIKE:
        if run[name] != its[name]:
            told = f": {its[name]} and {run[name]}" if isinstance(run[name], (str, int)) else ""
            raise UsageError(f"{visible(str(first))} and {visible(str(part))} differ in {name}{visible(told, 100)}.")


def _run(journals: list[Journal]) -> dict[str, Any]:
    runs = [journal.run for journal in journals]
    names = [name for run in runs for name in run["submissions"]]
    twice = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    if twice:
        raise UsageError(f"{visible(min(twice), 60)} is in more than one part.")
    return {
        **runs[0],
        "at": min(run["at"] for run in runs),
        "shard": "",
        "submissions": sorted(names, key=natural),
        "roster": [entry for run in runs for entry in run["roster"]],
        "absent": [entry for run in runs for entry in run["absent"]],
    }


def _needed(journal: Journal) -> Iterator[list[dict[str, Any]]]:
    """The records that the reports need, a hundred rows at a time: each batch is written to the disk at once."""
    batch: list[dict[str, Any]] = []
    for count, row in enumerate(journal.rows(), 1):
        for entry in row["katas"].values():
            record = journal.judged(entry["key"]) or journal.failed(entry["key"]) if "key" in entry else None
            if record is not None:
                batch.append(record)
        batch.append(row)
        if count % 100 == 0:
            yield batch
            batch = []
    yield batch
