"""`make check`: the tests are tested. Each job is a sentence that must hold; what it finds is said in sentences."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dojo import agree, catalog, gallery
from dojo.catalog import Kata
from dojo.judge import JudgeError, Options, judge
from dojo.launch import ROOT
from dojo.result import PASS, Result
from dojo.terminal import style
from dojo.warm import stop_pytest

CORES = max(2, os.cpu_count() or 2)

WORKERS = CORES + 1
"""Jobs at a time that compute: one more than can, as a judge and the student's process wait for each other."""

WAITERS = 3 * CORES
"""Beside them, jobs at a time that mostly wait: a wrong server is found by what does not come from it. Not many more,
or a program that spins gets too little of a processor to be told from one that waits."""

PATIENT = ("echo", "udp_echo", "chat", "mail", "inbox")
"""The katas whose solutions are such jobs."""

RUNS_OF_OWN = 4
"""The machinery's own tests are shared out among this many runs of pytest."""

NAMED = 1
"""Tests that a wrong solution is judged by, of those that it names. One that does nothing as it should names ten, and
may wait for seconds in each: all that it names is left to the slower proofs."""


@dataclass(frozen=True)
class Job:
    """Something that must hold: its name, and the function that finds what is against it."""

    name: str
    find: Callable[[], list[str]]
    waits: bool = False


def main() -> int:
    """Run all jobs, show how far they are, tell what they found. 0 when they found nothing."""
    return run(jobs())


def jobs() -> list[Job]:
    """All that `make check` proves, the long jobs first so that no core waits for the last one."""
    own = sorted(map(str, (ROOT / "tests" / "dojo").glob("test_*.py")))
    made = [
        *(
            Job(f"the dojo's own, run {run + 1}", partial(tool, "pytest", "-q", *own[run::RUNS_OF_OWN]))
            for run in range(RUNS_OF_OWN)
        ),
        Job("types (mypy --strict)", partial(tool, "mypy")),
        Job("lint (ruff)", partial(tool, "ruff", "check", ".")),
    ]
    for kata in catalog.katas():
        made.append(Job(f"{kata.name}: its files agree", partial(agree.complaints, kata)))
        made.append(Job(f"{kata.name}: every test on the stub says what to do", partial(stub, kata)))
        made.append(Job(f"{kata.name}: the reference passes in any order", partial(reference, kata, sys.executable)))
        for file in (*gallery.right(kata), *gallery.wrong(kata)):
            name = f"{kata.name}: {file.stem} gets the verdict it names"
            made.append(Job(name, partial(exhibit, kata, file), waits=kata.name in PATIENT))
    return made


def run(made: list[Job]) -> int:
    """Run these jobs on all cores. 0 when none found anything."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # several hundred interpreters load the same modules
    started = time.monotonic()
    found: dict[str, list[str]] = {}
    with ThreadPoolExecutor(WORKERS) as pool, ThreadPoolExecutor(WAITERS) as patient:
        futures: dict[Future[list[str]], Job] = {(patient if job.waits else pool).submit(job.find): job for job in made}
        try:
            for done, future in enumerate(as_completed(futures), 1):
                job = futures[future]
                said = _outcome(future)
                if said:
                    found[job.name] = said
                    _clear()
                    print(f"{style('✗', 'red')} {job.name}")
                    for sentence in said:
                        print("\n".join(f"    {line}" for line in sentence.splitlines()))
                _show(done, len(made), time.monotonic() - started)
        except KeyboardInterrupt:
            for each in (pool, patient):
                each.shutdown(wait=False, cancel_futures=True)
            stop_pytest()
            raise
    _clear()
    passed = len(made) - len(found)
    print(f"{passed} passed, {len(found)} failed in {time.monotonic() - started:.0f} s")
    return 1 if found else 0


def _outcome(future: Future[list[str]]) -> list[str]:
    try:
        return future.result()
    except JudgeError as error:
        return [str(error)]
    except Exception as error:  # a job that breaks has not held
        return [f"the check itself broke: {type(error).__name__}: {error}"]


def _show(done: int, total: int, seconds: float) -> None:
    if sys.stderr.isatty():
        filled = 40 * done // total
        bar = "━" * filled + "·" * (40 - filled)
        sys.stderr.write(f"\r{bar} {done} of {total}, {seconds:.0f} s\x1b[K")
        sys.stderr.flush()
    elif done % 25 == 0 or done == total:
        print(f"{done} of {total} after {seconds:.0f} s", flush=True)


def _clear() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


# --- the jobs ----------------------------------------------------------------------------------------------


def stub(kata: Kata) -> list[str]:
    """Every test of an untouched stub fails by one plain sentence, none by an error or a hang."""
    results = judge(kata, Options(subject=str(_untouched(kata))))
    said = [
        f"{result.test} on the stub: {result.status}, `{result.reason}`, not `not_written`"
        for result in results
        if result.reason != "not_written"
    ]
    return said if results else ["no test ran"]


def _untouched(kata: Kata) -> Path:
    """The stub as it was handed out: a student who runs `make check` has filled it in."""
    path = kata.stub.relative_to(ROOT).as_posix()
    told = subprocess.run(["git", "show", f"HEAD:{path}"], cwd=ROOT, capture_output=True, check=False)
    if told.returncode or os.environ.get("CI"):
        return kata.stub
    kept = ROOT / ".dojo" / "stubs" / kata.stub.name
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(told.stdout)
    return kept


def reference(kata: Kata, python: str) -> list[str]:
    """The reference passes, its tests in another order each time."""
    seed = os.urandom(4).hex()
    results = judge(kata, Options(subject="reference", shuffle=seed, seed=seed, python=python))
    return _failures(results, f"SEED={seed}")


def exhibit(kata: Kata, file: Path, *, named: int | None = NAMED) -> list[str]:
    """A file of the gallery gets the verdict that it names: a right one passes every test. A wrong one fails the first
    `named` of the tests that it names. With None it is judged by every test, and passes all that it does not name.
    """
    seed = os.urandom(4).hex()
    promised = dict(list(gallery.promised(file).items())[:named])
    only = "" if named is None else ",".join(promised)
    results = judge(kata, Options(subject=str(file), seed=seed, test=only))
    said = gallery.complaints(file, promised, results, gallery.may_fail(file))
    return [f"{sentence} (SEED={seed})" for sentence in said]


def _failures(results: list[Result], note: str) -> list[str]:
    said = [
        f"{result.test} fails for `{result.reason}` ({note}) {result.rows} {result.internal}"
        for result in results
        if result.status != PASS
    ]
    return said if results else ["no test ran"]


def tool(module: str, *words: str) -> list[str]:
    """What a module run as a program (`python -m module words`) says when it does not end well."""
    done = run_apart([sys.executable, "-m", module, *words], ROOT)
    return [done.stdout.decode("utf-8", "replace").strip()[-6000:]] if done.returncode else []


def run_apart(command: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a program, both of its outputs kept in one. Pytest makes its folders in one for this run alone: it tidies up
    what earlier runs have left, and one that runs beside it stumbles over that."""
    with tempfile.TemporaryDirectory(prefix="check-", ignore_cleanup_errors=True) as temporary:
        return subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTEST_DEBUG_TEMPROOT": temporary},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
