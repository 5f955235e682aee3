"""How far a run is: a bar with the time left on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import Any, Self

EVERY = 10.0
"""Seconds between two lines of a log."""


class Progress:
    """Counts what is done. Nothing of a student's is ever shown here."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = self._judged = 0
        self._started = self._told = time.monotonic()
        self._open = ExitStack()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("·"),
                TimeRemainingColumn(elapsed_when_finished=True),
            )
            self._bar = self._open.enter_context(Bar(*columns, console=Console(stderr=True), transient=True))
            self._task = self._bar.add_task("grading", total=self._total)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def step(self, *, judged: bool) -> None:
        """One submission is done; `judged` is false when all of it was known."""
        self._done += 1
        self._judged += judged
        if self._bar is not None:
            self._bar.advance(self._task)
            return
        at = time.monotonic()
        if self._done == self._total or at - self._told >= EVERY:
            self._told = at
            print(self._line(at - self._started), file=sys.stderr, flush=True)

    def _line(self, seconds: float) -> str:
        line = f"{self._done} of {self._total} submissions after {_time(seconds)}"
        if self._judged < self._done:
            line += f", {self._judged} judged now"
        if self._judged and self._done < self._total:
            line += f", about {_time(seconds / self._done * (self._total - self._done))} left"
        return line


def _time(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60:02} min"
