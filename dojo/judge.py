"""Running katas by pytest: here, for a student's screen, or in a process of its own, for results as data."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dojo.catalog import Kata
from dojo.launch import ROOT
from dojo.result import NOT_RUN, Result
from dojo.warm import run_pytest

# Only these plugins: every other one that happens to be installed would be loaded by each run of a student's. And no
# rewriting of assert statements (the tests speak by dojo.expect), no collecting of garbage at the end to find leaks.
PLUGINS = ("-p", "pytest_timeout", "-p", "dojo.plugin", "--assert=plain", "-p", "no:unraisableexception")


class JudgeError(Exception):
    """The judge did not come to an end: nothing is known about the student's file."""


@dataclass(frozen=True)
class Options:
    """How to run."""

    subject: str = ""
    seed: str = ""
    test: str = ""
    shuffle: str = ""
    python: str = ""
    foreground: bool = False
    stop_at_first: bool = False


def arguments(katas: list[Kata], options: Options) -> list[str]:
    """The command line for pytest."""
    made = collecting(katas)
    for name, value in choices(options).items():
        made += [f"--{name.replace('_', '-')}", value]
    if options.foreground:
        made += ["--foreground", "--capture=no", "-o", "timeout=0", "-o", "faulthandler_timeout=0"]
    if options.stop_at_first:
        made.append("-x")
    return made


def collecting(katas: list[Kata]) -> list[str]:
    """The part of the command line that says which tests there are."""
    return [*PLUGINS, "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), *(str(k.tests) for k in katas)]


def choices(options: Options) -> dict[str, str]:
    """The part that says whom they judge, which of them, and in what order: an option of dojo.plugin's each."""
    named = {
        "subject": options.subject,
        "seed": options.seed,
        "shuffle": options.shuffle,
        "student_python": options.python,
        "test": options.test,
    }
    return {name: value for name, value in named.items() if value}


def judge(kata: Kata, options: Options, deadline: float = 300.0) -> list[Result]:
    """Judge one file by one kata, in a process of its own. `deadline` in seconds.

    Raises JudgeError when no complete report came back: no report is never a pass.
    """
    with tempfile.TemporaryDirectory(prefix="dojo-") as folder:
        report, log = Path(folder) / "results.json", Path(folder) / "log.txt"
        status = run_pytest(collecting([kata]), {**choices(options), "results": str(report)}, log, deadline)
        if status is None:
            raise JudgeError(f"{kata.name}: no verdict on {options.subject} after {deadline:g} s")
        return reported(f"{kata.name}: {options.subject}", report, log)


def reported(what: str, report: Path, log: Path, *, partial: bool = False) -> list[Result]:
    """The results of a run, from its report. With `partial`, the run may have been ended before it was through: the
    tests that it did not come to have the status `not_run`.

    Raises JudgeError when there are none, or they are not complete.
    """
    try:
        told = [json.loads(line) for line in report.read_text("utf-8").splitlines()]
        results = [Result.from_data(line["result"]) for line in told if "result" in line]
        complete = any("complete" in line for line in told)
        if not complete and partial:
            done = {result.number for result in results}
            left = [Result.from_data(each) for each in told[0]["awaited"]]
            return results + [dataclasses.replace(each, status=NOT_RUN) for each in left if each.number not in done]
    except (OSError, ValueError, LookupError, TypeError):
        results, complete = [], False
    if not complete:
        said = log.read_text("utf-8", "replace")[-2000:] if log.exists() else ""
        raise JudgeError(f"{what}: no complete report; pytest said:\n{said}")
    return results
