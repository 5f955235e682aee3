"""`make bench-grade`, second part: what grading one submission costs here and with other graders, in one run.

The same function, the same ten tests, the same right submission for each. Every round each grader is run once, in turn,
so that whatever else the machine does falls on all alike; medians are compared. The processor's time is that of all
processes of a run: on a busy machine it says more. Ours is `python -m dojo grade` on a class, as a teacher runs it: in
the sandbox, a process for each test, with its journal and a report, its own start shared by the class. The others run
by their own command, once a submission, as they do. Each lives in a venv of its own under .dojo/bench.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dojo.launch import ROOT
from dojo.warm import adopt_orphans

ROUNDS = 5
CLASS = 40
"""Submissions that ours grades a round."""

MOST_SECONDS = 0.10
"""What one submission may take with ours, on a machine that does nothing else."""
MOST_OF_CHECK50 = 1 / 3

DEADLINE = 300.0
"""Seconds that one run of a grader may take."""
LEFT_DEADLINE = 5.0
"""Seconds that the processes which it has left may take to end."""

CASES = [
    ("a=1", [("a", "1")]),
    ("a=1&b=2", [("a", "1"), ("b", "2")]),
    ("b=2&a=1", [("b", "2"), ("a", "1")]),
    ("a=1&a=2", [("a", "1"), ("a", "2")]),
    ("a=", [("a", "")]),
    ("a=1+2", [("a", "1 2")]),
    ("a=1%202", [("a", "1 2")]),
    ("a%26b=1", [("a&b", "1")]),
    ("a=b=c", [("a", "b=c")]),
    ("n=%E4%BD%A0", [("n", "\u4f60")]),
]
"""What is asked of the function `pairs`, and what it returns."""

RIGHT = '''"""A submission: the pairs of a query."""

from urllib.parse import unquote_plus


def pairs(query):
    cut = [each.partition("=") for each in query.split("&")]
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in cut]
'''


@dataclass(frozen=True)
class Cost:
    """Of one submission, in seconds."""

    wall: float
    cpu: float
    """Processor time of all processes."""


class UnusableError(Exception):
    """A grader that cannot be installed or run here, and why."""


@dataclass(frozen=True)
class Grader:
    """One of the others: its package, what else it needs, and how a course for it is made in a folder."""

    package: str
    prepare: Callable[[Path, Path], list[str]]
    """Make the course in this folder, with the venv in that one; the command that grades the one submission."""
    verdict: Callable[[Path, str], bool]
    """Whether it says in the folder, or in its output, that all ten tests passed: what was not judged is not timed."""
    needs: tuple[str, ...] = ()


def main() -> int:
    """Measure, print, and tell by the exit code whether our limits hold."""
    if sys.platform == "linux":
        adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="dojo-") as name:
        folder = Path(name)
        runs = {"ours": _ours(folder / "ours")}
        versions = {"ours": "this project"}
        for grader in GRADERS:
            try:
                versions[grader.package], runs[grader.package] = _ready(grader, folder / grader.package)
            except (UnusableError, OSError, subprocess.SubprocessError) as error:
                print(f"{grader.package} is left out: {' '.join(str(error).split())[:200]}")
        costs: dict[str, list[Cost]] = {each: [] for each in runs}
        for number in range(ROUNDS + 1):
            for each, run in list(runs.items()):
                try:
                    cost = run()
                except (UnusableError, OSError, subprocess.SubprocessError) as error:
                    if each == "ours":
                        raise
                    print(f"{each} is left out: {' '.join(str(error).split())[:200]}")
                    del runs[each]
                    continue
                if number:  # the first round only fills the caches
                    costs[each].append(cost)
    return _told({each: _median(costs[each]) for each in runs}, versions)


def _median(costs: list[Cost]) -> Cost:
    return Cost(statistics.median(each.wall for each in costs), statistics.median(each.cpu for each in costs))


def _told(medians: dict[str, Cost], versions: dict[str, str]) -> int:
    print(f"a submission of 10 tests, one at a time; median of {ROUNDS} rounds; Python {sys.version.split()[0]}")
    print(f"  {'':<31} seconds            of the processor")
    ours = medians["ours"]
    for each, median in sorted(medians.items(), key=lambda item: item[1].wall):
        wall = f"{median.wall:6.2f} {median.wall / ours.wall:6.1f} ×"
        cpu = f"{median.cpu:6.2f} {median.cpu / ours.cpu:6.1f} ×"
        print(f"  {each:<17} {versions[each]:<13} {wall}    {cpu}")
    holds = ours.wall <= MOST_SECONDS
    print(f"ours: at most {MOST_SECONDS:.2f} s on a machine that does nothing else: {'holds' if holds else 'TOO SLOW'}")
    if "check50" in medians:
        beside = ours.wall <= medians["check50"].wall * MOST_OF_CHECK50
        print(f"ours: at most a third of check50's: {'holds' if beside else 'TOO SLOW'}")
        holds = holds and beside
    return 0 if holds else 1


# --- ours -------------------------------------------------------------------------------------------------------


def _ours(folder: Path) -> Callable[[], Cost]:
    """A copy of the machinery with this one kata, and a class. One run judges them all anew."""
    shutil.copytree(ROOT / "dojo", folder / "dojo")
    (folder / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "tests")
    shutil.copy(ROOT / "pyproject.toml", folder)
    _written(folder / "katas" / "pairs" / "README.md", "# pairs\n")
    _written(folder / "katas" / "pairs" / "pairs.py", "def pairs(query):\n    raise NotImplementedError\n")
    words = 'en = "Other pairs."\nzh = "结果不对。"\nhints_en = ["a", "b", "c"]\nhints_zh = ["a", "b", "c"]\n'
    hints = "\n".join(f"[case_{number}]\n{words}" for number in range(len(CASES)))
    _written(folder / "katas" / "pairs" / "hints.toml", hints)
    tests = [
        f"def test_case_{number}(student):\n    student.pairs({query!r}).returns({wanted!r})\n"
        for number, (query, wanted) in enumerate(CASES)
    ]
    _written(folder / "tests" / "test_pairs.py", "\n\n".join(tests))
    for number in range(CLASS):
        _written(folder / "class" / f"student{number}" / "pairs.py", f"{RIGHT}\n# {number}\n")
    command = [sys.executable, "-m", "dojo", "grade", "class", "--kata", "pairs", "--jobs", "1", "--out", "grades"]

    def run() -> Cost:
        shutil.rmtree(folder / "grades", ignore_errors=True)
        cost, _ = timed([*command, "--reports", "json"], folder)
        told = json.loads((folder / "grades" / "grades.json").read_text("utf-8"))
        if [each["percent"] for each in told["submissions"]] != [100] * CLASS:
            raise UnusableError("it did not give full marks to every submission")
        return Cost(cost.wall / CLASS, cost.cpu / CLASS)

    return run


# --- the others -------------------------------------------------------------------------------------------------


def _ready(grader: Grader, folder: Path) -> tuple[str, Callable[[], Cost]]:
    """Install it, if it is not there yet, and make its course. Its version, and what grades one submission."""
    venv = ROOT / ".dojo" / "bench" / grader.package
    python = venv / "bin" / "python"
    done = venv / ".complete"
    if not done.exists():
        print(f"installing {grader.package} in .dojo/bench …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True, timeout=DEADLINE)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        timed([*command, grader.package, *grader.needs], ROOT)
        done.touch()
    asked = f"from importlib.metadata import version; print(version({grader.package!r}))"
    version = timed([str(python), "-c", asked], ROOT)[1].strip()
    folder.mkdir()
    command = grader.prepare(folder, venv)

    def run() -> Cost:
        cost, said = timed(command, folder, venv)
        if not grader.verdict(folder, said):
            raise UnusableError(f"it did not give full marks to the right submission: {said[-150:]}")
        return cost

    return version, run


def timed(command: list[str], cwd: Path, venv: Path | None = None) -> tuple[Cost, str]:
    """Run it, in a folder and with the programs of a venv: what it cost, and what it printed (UTF-8). Raises
    UnusableError when its exit code is not 0."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    if venv is not None:
        environment |= {"PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(cwd)}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=DEADLINE,
        check=False,
    )
    taken = time.perf_counter() - started
    _wait_for_all()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        raise UnusableError(f"exit code {done.returncode}: {said.strip()[-150:]}")
    return Cost(taken, cpu), said


def _wait_for_all() -> None:
    """Wait for those whose parents ended before them: what they used counts once they have been waited for."""
    until = time.monotonic() + LEFT_DEADLINE
    with suppress(ChildProcessError):
        while time.monotonic() < until:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.01)


def _written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _check50(folder: Path, venv: Path) -> list[str]:
    _written(folder / "pairs.py", RIGHT)
    _written(folder / "checks" / ".cs50.yaml", "check50:\n  checks: __init__.py\n")
    checks = [
        f'@check50.check()\ndef case_{number}():\n    """case {number}"""\n'
        f'    got = check50.py.import_("pairs.py").pairs({query!r})\n'
        f"    if got != {wanted!r}:\n        raise check50.Failure(str(got))\n"
        for number, (query, wanted) in enumerate(CASES)
    ]
    _written(folder / "checks" / "__init__.py", "\n\n".join(["import check50\nimport check50.py", *checks]))
    return [str(venv / "bin" / "check50"), "--dev", "--output", "json", "--output-file", "out.json", "--", "checks"]


def _check50_verdict(folder: Path, _: str) -> bool:
    results = json.loads((folder / "out.json").read_text("utf-8"))["results"]
    return [each["passed"] for each in results] == [True] * len(CASES)


def _gradescope(folder: Path, venv: Path) -> list[str]:
    _written(folder / "pairs.py", RIGHT)
    tests = [
        f"    @weight(1)\n    def test_case_{number}(self):\n        self.assertEqual(pairs({query!r}), {wanted!r})\n"
        for number, (query, wanted) in enumerate(CASES)
    ]
    start = (
        "import unittest\nfrom gradescope_utils.autograder_utils.decorators import weight\nfrom pairs import pairs\n"
    )
    _written(folder / "tests" / "test_pairs.py", "\n".join([start, "class TestPairs(unittest.TestCase):", *tests]))
    _written(
        folder / "run_tests.py",
        "import unittest\nfrom gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner\n"
        'suite = unittest.defaultTestLoader.discover("tests")\n'
        'with open("out.json", "w") as out:\n    JSONTestRunner(visibility="visible", stream=out).run(suite)\n',
    )
    return [str(venv / "bin" / "python"), "run_tests.py"]


def _gradescope_verdict(folder: Path, _: str) -> bool:
    return bool(json.loads((folder / "out.json").read_text("utf-8"))["score"] == len(CASES))


def _otter(folder: Path, venv: Path) -> list[str]:
    _written(folder / "submission" / "pairs.py", RIGHT)
    (folder / "out").mkdir()
    for number, (query, wanted) in enumerate(CASES):
        case = {"code": f">>> pairs({query!r}) == {wanted!r}\nTrue", "hidden": False, "locked": False}
        suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
        test = {"name": f"case_{number}", "points": 1, "suites": [suite]}
        _written(folder / "tests" / f"case_{number}.py", f"OK_FORMAT = True\n\ntest = {test!r}\n")
    otter = str(venv / "bin" / "otter")
    timed([otter, "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment"], folder, venv)
    return [otter, "run", "-a", "autograder.zip", "-o", "out", "--no-logo", "submission/pairs.py"]


def _otter_verdict(folder: Path, _: str) -> bool:
    tests = json.loads((folder / "out" / "results.json").read_text("utf-8"))["tests"]
    return bool(sum(each.get("score", 0) for each in tests) == len(CASES))


def _nbgrader(folder: Path, venv: Path) -> list[str]:
    def cell(name: str, source: str, *, solution: bool) -> dict[str, object]:
        about = {"grade": not solution, "solution": solution, "locked": not solution, "task": False}
        marks = {"schema_version": 3, "grade_id": name, **about, **({} if solution else {"points": 1})}
        kept = {"metadata": {"nbgrader": marks}, "source": source, "id": name}
        return {"cell_type": "code", "execution_count": None, "outputs": [], **kept}

    cells = [cell("pairs", RIGHT, solution=True)]
    for number, (query, wanted) in enumerate(CASES):
        cells.append(cell(f"case-{number}", f"assert pairs({query!r}) == {wanted!r}", solution=False))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    book = json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})
    _written(folder / "source" / "ps" / "pairs.ipynb", book)
    _written(folder / "submitted" / "student" / "ps" / "pairs.ipynb", book)
    _written(folder / "nbgrader_config.py", "c = get_config()\nc.CourseDirectory.course_id = 'course'\n")
    nbgrader = str(venv / "bin" / "nbgrader")
    timed([nbgrader, "generate_assignment", "ps", "--create", "--force"], folder, venv)
    return [nbgrader, "autograde", "ps", "--student", "student", "--create", "--force"]


def _nbgrader_verdict(folder: Path, _: str) -> bool:
    book = json.loads((folder / "autograded" / "student" / "ps" / "pairs.ipynb").read_text("utf-8"))
    graded = [each for each in book["cells"] if each["metadata"].get("nbgrader", {}).get("grade")]
    ran = all(each["execution_count"] and not each["outputs"] for each in graded)
    return ran and len(graded) == len(CASES)


GRADERS = (
    Grader("check50", _check50, _check50_verdict),
    Grader("otter-grader", _otter, _otter_verdict, ("ipykernel",)),
    Grader("gradescope-utils", _gradescope, _gradescope_verdict),
    Grader("nbgrader", _nbgrader, _nbgrader_verdict, ("ipykernel",)),
)
