"""The gallery: right solutions that must pass and wrong ones that must fail, by the tests and for the reasons
that they name.

    \"\"\"Believes that the port is always there.

    fails: test_port: port_missing
    \"\"\"
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from pathlib import Path

from dojo.catalog import Kata
from dojo.result import PASS, Result

# What a mistake may bring down with it, now and then, where threads meet: said, and not judged.
MAY_FAIL = re.compile(r"^\s*may fail:\s*(test_\w+)\s*$", re.MULTILINE)
FAILS = re.compile(r"^\s*fails:\s*(test_\w+)\s*:\s*(\w+)\s*$", re.MULTILINE)


def right(kata: Kata) -> list[Path]:
    """The solutions that must pass."""
    return sorted(kata.gallery.glob("right_*.py"))


def wrong(kata: Kata) -> list[Path]:
    """The solutions that must fail."""
    return sorted(kata.gallery.glob("wrong_*.py"))


def promised(file: Path) -> dict[str, str]:
    """The tests that a wrong solution says it fails, and the reason of each."""
    doc = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return dict(FAILS.findall(doc))


def may_fail(file: Path) -> set[str]:
    """The tests that a wrong solution may bring down too, for whatever reason."""
    return set(MAY_FAIL.findall(ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""))


def complaints(
    file: Path, expected: dict[str, str], results: list[Result], open_ended: Collection[str] = ()
) -> list[str]:
    """Where the verdict is not the one that was promised, a sentence each; `open_ended` tests are not looked at."""
    results = [result for result in results if result.test not in open_ended]
    actual = {result.test: result for result in results if result.status != PASS}
    said = []
    if not results:
        said.append("no test ran")
    if not expected and file.name.startswith("wrong_"):
        said.append("names no test that must fail (`fails: test_x: reason` in its docstring)")
    said += [f"there is no {test}" for test in expected.keys() - {result.test for result in results}]
    for test, reason in expected.items():
        if test in actual and actual[test].reason != reason:
            said.append(f"{test} fails for `{actual[test].reason}`, not for `{reason}`")
        elif test not in actual:
            said.append(f"{test} passes, and should fail for `{reason}`")
    for test in actual.keys() - expected.keys():
        rows = "; ".join(f"{label} {text}" for label, text in actual[test].rows)
        said.append(f"{test} fails for `{actual[test].reason}`, which was not promised ({rows[:300]})")
    return said
