"""Where hostile submissions are judged: `python -m tests.slow.stand LEVEL`, as the user who calls it.

A line of JSON comes in, {"kata": …, "files": {name: base64}}; a line goes out: the verdicts, and what was left behind.
At the level with a loopback of its own an honest submission is judged beside each hostile one.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
from base64 import b64decode
from pathlib import Path
from typing import Any

from dojo.catalog import Kata
from dojo.grade.runner import Judged, Request, Runner
from dojo.grade.verdict import verdict
from dojo.inside.guard import descendants
from dojo.sandbox.cell import STUDENTS
from dojo.sandbox.levels import BUBBLEWRAP, Level, named
from dojo.sandbox.limits import Limits


class Stand:
    """One level, one user, two runners."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self.runners = [Runner(level, Limits()) for _ in range(2 if level == BUBBLEWRAP else 1)]
        self.folder = Path(tempfile.mkdtemp(prefix=f"stand-{os.getpid()}-"))
        self.folder.chmod(0o755)
        tempfile.tempdir = str(self.folder)
        honest = self.folder / "neighbour"
        honest.mkdir()
        shutil.copy(Kata("urlparse").reference, honest / "urlparse.py")
        self.neighbour = Request("urlparse", honest / "urlparse.py", "7")

    def judge(self, order: dict[str, Any]) -> dict[str, Any]:
        """Judge one submission, and look at what is left."""
        subject = self.folder / "submission"
        subject.mkdir()
        for name, data in order["files"].items():
            (subject / name).write_bytes(b64decode(data))
        beside: list[Judged] = []
        neighbour = threading.Thread(target=lambda: beside.append(self.runners[1].judge(self.neighbour)))
        if len(self.runners) > 1:
            neighbour.start()
        judged = self.runners[0].judge(Request(order["kata"], subject / f"{order['kata']}.py", "7"))
        if len(self.runners) > 1:
            neighbour.join()
        shutil.rmtree(subject)
        return {
            "level": judged.level,
            "seconds": judged.seconds,
            "verdicts": {result.test: verdict(result) for result in judged.results},
            "infrastructure": judged.infrastructure,
            "notes": judged.notes,
            "told": [result.as_data() for result in judged.results],
            "beside": [verdict(result) for each in beside for result in each.results],
            "left": self._left(),
        }

    def _left(self) -> list[str]:
        """Processes and files that should be gone."""
        left = [f"a file: {each.name}" for each in self.folder.iterdir() if each.name != "neighbour"]
        for pid in descendants(os.getpid()):
            said = _command(pid)
            if "forkserver.main" in said or "bwrap" in said:
                left.append(f"a process: {said[:80]}")
        # Whoever has lost its parents belongs to the first process of the machine.
        left += [f"a process of nobody's: {_command(pid)[:80]}" for pid in _children(1) if _owner(pid) >= STUDENTS]
        return left


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except OSError:
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def _owner(pid: int) -> int:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return -1


if __name__ == "__main__":
    stand = Stand(named(sys.argv[1]))
    try:
        for line in sys.stdin:
            print(json.dumps(stand.judge(json.loads(line))), flush=True)
    finally:
        for runner in stand.runners:
            runner.close()
        shutil.rmtree(stand.folder, ignore_errors=True)
