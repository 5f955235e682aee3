"""`make test` and `make hint`: a student's loop."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Generator
from contextlib import suppress
from typing import Any

from dojo import catalog, launch, memory
from dojo.catalog import Kata, UsageError
from dojo.words import word


def test(options: argparse.Namespace) -> int:
    """Run the katas, show the screen. The exit code as cli.py lists them."""
    chosen = [catalog.kata(name) for name in dict.fromkeys(options.kata)] or catalog.katas()
    if options.subject.endswith(".py") and len(chosen) > 1:
        raise UsageError(f"SUBJECT={options.subject} is one file: say which kata it solves, KATA=…")
    # A file that is not there is said before anything starts.
    subjects = [catalog.subject_file(each, options.subject) for each in chosen]
    if options.debug:
        if len(chosen) != 1:
            raise UsageError("DEBUG=1 runs one test of one kata: add KATA=urlparse, say")
        options.test = options.test or _first_failure(chosen[0], options)
    # The student's interpreter warms up on the other core while this one loads pytest.
    warm = launch.launcher(subjects[0], options.python or sys.executable, options.debug)
    try:
        return _session(chosen, options, warm)
    finally:
        with suppress(OSError):
            warm.close()


def _first_failure(kata: Kata, options: argparse.Namespace) -> str:
    from dojo.judge import Options, judge

    results = judge(kata, Options(subject=options.subject, seed=options.seed))
    failed = [result for result in results if result.status != "pass"]
    if not failed:
        raise UsageError(f"every test of {kata.name} passes; name the one to debug: TEST=1")
    return str(failed[0].number)


def _session(chosen: list[Kata], options: argparse.Namespace, warm: launch.Launcher) -> int:
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    gc.disable()  # a short run that mostly loads modules: looking for garbage costs more than the garbage
    import pytest

    from dojo import cli, judge, screen
    from dojo.plugin import Session
    from dojo.result import ERROR, PASS

    class Quiet:
        """Says nothing but where the run is, and that on a terminal alone."""

        session: Session
        collected = 0

        def pytest_configure(self, config: pytest.Config) -> None:
            session = config.pluginmanager.get_plugin("dojo-session")
            assert isinstance(session, Session)
            self.session = session
            session.warm = warm

        def pytest_collection_finish(self, session: pytest.Session) -> None:
            self.collected = len(session.items)

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
            if sys.stderr.isatty() and not options.debug:
                done, total = len(self.session.results), item.session.testscollected
                sys.stderr.write(f"\r  {done} / {total}\x1b[K")
                sys.stderr.flush()
            return (yield)

    quiet = Quiet()
    run = judge.Options(options.subject, options.seed, options.test, "", options.python, options.debug)
    words = ["-p", "no:terminal", *judge.arguments(chosen, run)]
    status = pytest.main(words, plugins=[quiet])
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    if status == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    results = quiet.session.results
    if not results:
        if options.test:
            raise UsageError(f"no test `{options.test}` in {', '.join(k.name for k in chosen)}: see make test KATA=…")
        print(word("infrastructure"), f"pytest {status!r}", file=sys.stderr)
        return cli.BROKEN
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or len(results) < quiet.collected:
        print(word("infrastructure"), f"{len(results)} of {quiet.collected} tests, {status!r}", file=sys.stderr)
        return cli.BROKEN
    by_kata = {kata: [result for result in results if result.kata == kata.name] for kata in chosen}
    if len(chosen) == 1:
        lines = _one(chosen[0], by_kata[chosen[0]], options, quiet.session.seed)
    else:
        lines = screen.overview(by_kata, full=options.all)
    print("\n".join(lines))
    if not options.subject:
        for kata, own in by_kata.items():
            _remember(kata, own, one_of_many=bool(options.test))
    if any(result.status == ERROR for result in results):
        return cli.BROKEN
    return cli.OK if all(result.status == PASS for result in results) else cli.FAILED


def _one(kata: Kata, results: list[Any], options: argparse.Namespace, seed: str) -> list[str]:
    from dojo import screen

    stub = all(result.reason == "not_written" for result in results)
    lines = screen.kata_screen(kata, results, full=options.all, is_stub=stub, hinted=not options.subject)
    subject = catalog.subject_file(kata, options.subject)
    return lines + screen.footer(kata, results, subject, seed, whole=not options.test)


def _remember(kata: Kata, results: list[Any], *, one_of_many: bool) -> None:
    failed = next((result for result in results if result.status == "fail"), None)
    if failed is None:
        if not one_of_many:  # else another test may still fail, as remembered
            memory.save(kata.name, None)
        return
    before = memory.load().get(kata.name, {})
    same = before.get("reason") == failed.reason and before.get("test") == failed.test
    seen = before.get("seen", 0) if same else 0
    entry = {"test": failed.test, "reason": failed.reason, "titles": failed.titles, "seen": seen}
    memory.save(kata.name, entry)


def hint(kata: Kata) -> int:
    """Show the next hint for the first failure of the last run."""
    from dojo import hints
    from dojo.words import language

    entry = memory.load().get(kata.name)
    if not entry:
        raise UsageError(f"no failure to give a hint for: run make test KATA={kata.name} first.")
    seen = int(entry["seen"])
    reason = hints.reason(entry["reason"], kata.hints)
    print(f"{kata.name} · {entry['titles'][language()]}")
    for number in range(min(seen + 1, 3)):
        print(f"  {number + 1}/3  {reason.hint(number)}")
    if seen < 2:
        print(f"  {word('another_hint', command=f'make hint KATA={kata.name}')}")
    memory.save(kata.name, {**entry, "seen": min(seen + 1, 2)})
    return 0
