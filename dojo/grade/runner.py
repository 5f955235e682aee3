"""Judging one submission's file by one kata, in a sandbox of the level that the machine can offer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from dojo.catalog import Kata
from dojo.judge import JudgeError, Options, judge
from dojo.result import Result
from dojo.sandbox.levels import GROUP, Level
from dojo.sandbox.limits import Limits


@dataclass(frozen=True)
class Request:
    """What is to be judged, and by what."""

    kata: str
    subject: Path
    """The absolute path of the one file to judge, in a folder that holds only this submission's files for the kata."""
    seed: str
    """The seed of the fresh data: the same seed, the same data."""
    extra_tests: Path | None = None
    """A teacher's hidden tests for this kata, a file, run after the kata's own."""


@dataclass(frozen=True)
class Judged:
    """What came of it."""

    results: tuple[Result, ...]
    """One a test."""
    level: str
    """The name of the level at which it ran."""
    seconds: float
    infrastructure: str = ""
    """A sentence when nothing is known (then there are no results): never the student's fault."""
    notes: tuple[str, ...] = ()
    """What a teacher should know, a sentence each."""


class Runner:
    """Judges one request after the other: one runner for each worker thread."""

    def __init__(self, level: Level, limits: Limits) -> None:
        self.level = level
        self.limits = limits

    def judge(self, request: Request) -> Judged:
        """Judge it. Raises only KeyboardInterrupt: what goes wrong is told in `infrastructure`."""
        started = time.monotonic()
        options = Options(subject=str(request.subject), seed=request.seed)
        results: tuple[Result, ...] = ()
        trouble = ""
        try:
            results = tuple(judge(Kata(request.kata), options, self.limits.wall))
        except JudgeError as error:
            trouble = str(error)
        return Judged(results, GROUP.name, time.monotonic() - started, trouble)

    def close(self) -> None:
        """End what was kept warm."""
