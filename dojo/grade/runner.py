"""Judging one submission's file by one kata, in a sandbox of the level that the machine can offer."""

from __future__ import annotations

import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from dojo import places
from dojo.catalog import Kata
from dojo.judge import collecting, reported
from dojo.result import Result
from dojo.sandbox.levels import BUBBLEWRAP, GROUP, Level
from dojo.sandbox.limits import Limits
from dojo.warm import Interpreter, run_pytest


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
        self._warm: Interpreter | None = None

    def judge(self, request: Request) -> Judged:
        """Judge it. Raises only KeyboardInterrupt: what goes wrong is told in `infrastructure`."""
        started = time.monotonic()
        results: list[Result] = []
        trouble, notes = "", []
        try:
            notes = beside(request.subject)
            results = self._judge(request, notes)
        except Exception as error:  # whatever it is, nothing is known of the submission, and the next one is judged
            self.close()
            trouble = f"{type(error).__name__}: {error}"
        return Judged(tuple(results), self.level.name, time.monotonic() - started, trouble, tuple(notes))

    def _judge(self, request: Request, notes: list[str]) -> list[Result]:
        tests = collecting([Kata(request.kata)])
        if request.extra_tests is not None:
            tests += [str(request.extra_tests), "--extra"]
        with _temporary() as folder, _alone(self.level):
            report, log, inside = folder / "results.json", folder / "log.txt", folder / "c"
            inside.mkdir()
            sandbox = {
                "level": self.level.name,
                "limits": asdict(self.limits),
                "folder": str(inside),
                "subject": str(request.subject),
            }
            chosen = {"seed": request.seed, "results": str(report)}
            if self.level == GROUP:
                chosen["subject"] = str(request.subject)
            if sys.platform == "linux":
                self._warm = self._warm or Interpreter()
                status = self._warm.run(tests, chosen, log, self.limits.wall, sandbox)
            else:
                status = run_pytest(tests, chosen, log, self.limits.wall)
            if status is None:
                notes.append(f"the tests were ended after {self.limits.wall:g} s; those that had not begun did not run")
            return reported(request.kata, report, log, partial=status is None)

    def close(self) -> None:
        """End what was kept warm. Another thread may call it, to end a run that is under way."""
        if self._warm is not None:
            self._warm.close()
            self._warm = None


@contextmanager
def _temporary() -> Iterator[Path]:
    """A folder that is removed whatever a submission has left in it."""
    folder = tempfile.mkdtemp(prefix="dojo-")
    try:
        yield Path(folder)
    finally:
        places.leave(folder)


_one_at_a_time = threading.Lock()


@contextmanager
def _alone(level: Level) -> Iterator[None]:
    """Where submissions share the machine's loopback, they are judged one at a time: two could meet on a port, and
    one could speak to the other's servers."""
    if level == BUBBLEWRAP:
        yield
        return
    with _one_at_a_time:
        yield


IGNORED = re.compile(
    r"conftest\.py|pytest\.ini|tox\.ini|setup\.cfg|pyproject\.toml|.*\.pth|sitecustomize\.py|usercustomize\.py"
)
"""Files by which other graders can be told to do something else."""


def beside(subject: Path) -> list[str]:
    """What a teacher should know of the files beside the one that is judged."""
    notes = []
    for name in sorted(each.name for each in subject.parent.iterdir()):
        shown = name if name.isprintable() else ascii(name)[1:-1]
        module = name.removesuffix(".py")
        if IGNORED.fullmatch(name):
            notes.append(f"{shown} was ignored")
        elif name != subject.name and module in sys.stdlib_module_names:
            notes.append(f"{shown} beside the file shadows the standard library's {module} for the student's own code")
    return notes
