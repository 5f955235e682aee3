"""The result of one test as data: what the screen shows, the galleries compare and the graders count."""

from __future__ import annotations

import inspect
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dojo.expect import Scene
from dojo.failure import Failure
from dojo.trouble import place, raised_text

PASS, FAIL, ERROR, NOT_RUN = "pass", "fail", "error", "not_run"
"""`error` is a fault of the dojo itself, never of the student's file; `not_run`: the time for all tests was over."""


WIRE_COLUMNS = 200
"""Columns of a row of the transcript: a request line is there to be read whole."""


@dataclass
class Result:
    """One test of one kata."""

    kata: str
    test: str
    number: int
    titles: dict[str, str]
    status: str = ""
    seconds: float = 0.0
    reason: str = ""
    values: dict[str, str] = field(default_factory=dict)
    rows: list[tuple[str, str]] = field(default_factory=list)
    place: str = ""
    source: str = ""
    told: list[tuple[str, str]] = field(default_factory=list)
    died: list[tuple[str, str]] = field(default_factory=list)
    """Threads of the student's that ended with an exception: the name, the error and its place."""
    threads: list[str] = field(default_factory=list)
    wire: list[str] = field(default_factory=list)
    printed: str = ""
    internal: str = ""
    """For an error of the dojo: the traceback."""
    extra: bool = False
    """One of a teacher's own tests, which stand in no kata."""

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Result:
        """The result again."""
        return cls(**data)

    def failed(self, failure: Failure, scene: Scene) -> None:
        """Take over what the failure and its scene tell."""
        self.status = FAIL
        self.reason = failure.reason
        self.values = dict(failure.values)
        self.rows = [(row.label, row.text) for row in failure.rows]
        self.told = list(scene.told)
        self.threads = list(failure.threads)
        if failure.place is not None:
            self.place = place(failure.place)
            self.source = failure.place.source()
        if scene.process is not None:
            scene.process.end()
            self.printed = scene.process.printed()
            for error in scene.process.thread_errors:
                frame = error.own_frame()
                where = f", {place(frame)}" if frame else ""
                self.died.append((str(error.thread), raised_text(error) + where))
        if scene.wire is not None:
            self.wire = scene.wire.lines(columns=WIRE_COLUMNS, since=scene.wire_since)


def titles(function: Any) -> dict[str, str]:
    """The test's title in each language: the first line of its docstring, and the first line with Chinese in it."""
    lines = [line.strip() for line in (inspect.getdoc(function) or function.__name__).splitlines() if line.strip()]
    chinese = next((line for line in lines if re.search(r"[\u4e00-\u9fff]", line)), lines[0])
    return {"en": lines[0], "zh": chinese}


def kata_of(tests: Path) -> str:
    """`tests/test_qs.py` judges the kata `qs`."""
    return tests.stem.removeprefix("test_")
