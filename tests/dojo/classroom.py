"""A class for the grader's tests: submissions of one line, and a stand-in for the runner that reads its verdict there.

# fails: 3 5            these tests fail, all others pass
# infrastructure: why   the machine failed, every time
# once: why             the machine failed, the first time
# turns: 2              test 2 passes the first time alone
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from pathlib import Path

from dojo.catalog import Kata
from dojo.grade.runner import Judged, Request
from dojo.grade.scheme import tests_in
from dojo.result import FAIL, PASS, Result


class StandIn:
    """Judges by what the file says of itself."""

    def __init__(self) -> None:
        self.judged: Counter[str] = Counter()
        """By the first line of the file: how often it was judged."""
        self.seeds: list[str] = []
        self.folders: list[list[str]] = []
        """What lay beside each file."""
        self.closed = 0

    def judge(self, request: Request) -> Judged:
        """As the runner does."""
        source = request.subject.read_text("utf-8")
        name = source.partition("\n")[0]
        self.judged[name] += 1
        self.seeds.append(request.seed)
        self.folders.append(sorted(path.name for path in request.subject.parent.iterdir()))
        times = self.judged[name]
        said = dict(re.findall(r"^# (\w+): (.*)$", source, re.MULTILINE))
        if "infrastructure" in said or ("once" in said and times == 1):
            return Judged((), "stand-in", 0.01, said.get("infrastructure") or said["once"])
        failing = set(said.get("fails", "").split())
        if times > 1:
            failing |= set(said.get("turns", "").split())
        tests = list(tests_in(Kata(request.kata).tests))
        if request.extra_tests:
            tests += tests_in(request.extra_tests)
        results = []
        for number, test in enumerate(tests, 1):
            result = Result(request.kata, test.name, number, {"en": test.title_en, "zh": test.title_zh}, PASS, 0.001)
            if str(number) in failing:
                result.status, result.reason = FAIL, said.get("reason", "returned_none")
                result.values = {"call": "fields('q=1')"}
                result.place = f"{request.subject}:1"
                result.printed = said.get("printed", "").encode().decode("unicode_escape")
            results.append(result)
        return Judged(tuple(results), "stand-in", 0.01)

    def close(self) -> None:
        """As the runner does."""
        self.closed += 1


def hand_in(folder: Path, **files: str | bytes) -> Path:
    """A submission: `hand_in(folder / "ada", qs="…")` has a qs.py; `katas_qs` is katas/qs/qs.py."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        kata = name.removeprefix("katas_")
        path = folder / f"{kata}.py" if kata == name else folder / "katas" / kata / f"{kata}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


class Stepwise(StandIn):
    """Says on its standard output that it judges, and goes on only when it is told to: a test kills it in between."""

    def judge(self, request: Request) -> Judged:
        """As the runner does."""
        os.write(1, b"judging\n")
        if not sys.stdin.readline():
            sys.exit(1)
        return super().judge(request)


def main() -> None:
    """`python -m tests.dojo.classroom grade …`: the command with a stand-in that goes step by step."""
    from dojo import cli
    from dojo.grade import command

    options = cli._parser().parse_args(sys.argv[1:])
    sys.exit(command.grade(options, Stepwise))


if __name__ == "__main__":
    main()
