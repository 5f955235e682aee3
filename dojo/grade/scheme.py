"""The teacher's grading file: what each kata and each test is worth.

[points]                 # points a kata; all katas asked for, 100 points spread evenly, where this is left out
chat = 60
qs = 40

[weights.chat]           # a test by its number or name weighs 1 where nothing else is said
4 = 3
a_reset_is_no_end = 0

[hidden]                 # tests that students never get: hidden/test_chat.py runs after tests/test_chat.py
folder = "hidden"
weight = 2               # of each of them
"""

from __future__ import annotations

import ast
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from dojo.catalog import Kata, UsageError
from dojo.grade.submissions import visible

DEFAULT_TOTAL = 100


@dataclass(frozen=True)
class Test:
    """A test as its file has it."""

    name: str
    number: int
    title_en: str
    title_zh: str
    hidden: bool = False


@cache
def tests_in(file: Path) -> tuple[Test, ...]:
    """The tests of one file in their order, read from its source, nothing of it run."""
    import inspect
    import re

    found: list[Test] = []
    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test"):
            said = inspect.cleandoc(ast.get_docstring(node) or node.name)
            lines = [line.strip() for line in said.splitlines() if line.strip()]
            chinese = next((line for line in lines if re.search(r"[\u4e00-\u9fff]", line)), lines[0])
            found.append(Test(node.name, len(found) + 1, lines[0], chinese))
    return tuple(found)


@dataclass(frozen=True)
class Scheme:
    """What is worth how much."""

    points: Mapping[str, Fraction]
    weights: Mapping[str, Mapping[str, Fraction]] = field(default_factory=dict)
    """By kata and test, where it is not 1."""
    hidden: Mapping[str, Path] = field(default_factory=dict)
    """By kata: the file of hidden tests."""
    hidden_weight: Fraction = Fraction(1)

    def weight(self, kata: str, test: str, *, hidden: bool) -> Fraction:
        """What this test weighs among those of its kata."""
        return self.weights.get(kata, {}).get(test, self.hidden_weight if hidden else Fraction(1))

    def tests(self, kata: Kata) -> tuple[Test, ...]:
        """All tests of the kata, the hidden ones last."""
        own = tests_in(kata.tests)
        if kata.name not in self.hidden:
            return own
        more = tests_in(self.hidden[kata.name])
        return own + tuple(
            Test(each.name, len(own) + each.number, each.title_en, each.title_zh, hidden=True) for each in more
        )

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON; fractions as text."""
        return {
            "points": {kata: str(points) for kata, points in self.points.items()},
            "weights": {kata: {t: str(w) for t, w in of.items()} for kata, of in self.weights.items()},
            "hidden_weight": str(self.hidden_weight),
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Scheme:
        """The scheme again, without the files of hidden tests: enough to count marks."""
        return cls(
            {kata: Fraction(points) for kata, points in data["points"].items()},
            {kata: {t: Fraction(w) for t, w in of.items()} for kata, of in data["weights"].items()},
            {},
            Fraction(data["hidden_weight"]),
        )


def default(katas: Sequence[Kata]) -> Scheme:
    """100 points, spread evenly over these katas."""
    return Scheme({kata.name: Fraction(DEFAULT_TOTAL, len(katas)) for kata in katas})


def read(path: Path, katas: Sequence[Kata]) -> Scheme:
    """Read a grading file for these katas. Raises UsageError with one sentence."""
    shown = f"SCHEME={visible(str(path))}"
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{shown}: not a TOML file: {error}.") from error
    unknown = set(data) - {"points", "weights", "hidden"}
    if unknown:
        raise UsageError(f"{shown}: there is no section `{visible(min(unknown))}`; there are points, weights, hidden.")
    hidden, hidden_weight = _hidden(shown, path, _table(shown, data, "hidden"), katas)
    points = _points(shown, _table(shown, data, "points"), katas)
    scheme = Scheme(points, {}, hidden, hidden_weight)
    weights = _weights(shown, _table(shown, data, "weights"), katas, scheme)
    return Scheme(points, weights, hidden, hidden_weight)


def _table(shown: str, data: dict[str, Any], name: str) -> dict[str, Any]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"{shown}: `{name}` is a section: write [{name}] and below it a line each.")
    return table


def _number(shown: str, what: str, value: Any) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise UsageError(f"{shown}: {what} is a number from 0 on, not {visible(repr(value), 60)}.")
    return Fraction(str(value))


def _points(shown: str, table: dict[str, Any], katas: Sequence[Kata]) -> dict[str, Fraction]:
    if not table:
        return dict(default(katas).points)
    asked = [kata.name for kata in katas]
    for name in table:
        _known(shown, name)
    missing = [name for name in asked if name not in table]
    if missing:
        raise UsageError(f"{shown}: [points] says nothing of {missing[0]}; give it points, or name others by KATA=.")
    points = {name: _number(shown, f"points of {name}", table[name]) for name in asked}
    if not sum(points.values()):
        raise UsageError(f"{shown}: nothing has any points.")
    return points


def _known(shown: str, name: str) -> None:
    from dojo.catalog import kata

    try:
        kata(name)
    except UsageError as error:
        raise UsageError(f"{shown}: {error}") from error


def _hidden(shown: str, path: Path, table: dict[str, Any], katas: Sequence[Kata]) -> tuple[dict[str, Path], Fraction]:
    weight = _number(shown, "the weight of hidden tests", table.get("weight", 1))
    if set(table) - {"folder", "weight"}:
        raise UsageError(f"{shown}: [hidden] has a folder and a weight, and nothing else.")
    if "folder" not in table:
        return {}, weight
    folder = path.resolve().parent / str(table["folder"])
    if not folder.is_dir():
        raise UsageError(f"{shown}: there is no folder {visible(str(folder))} with hidden tests.")
    hidden = {kata.name: folder / kata.tests.name for kata in katas if (folder / kata.tests.name).is_file()}
    for name, file in hidden.items():
        try:
            tests = tests_in(file)
        except (SyntaxError, ValueError) as error:
            raise UsageError(f"{shown}: {file.name} of the hidden tests is no Python: {error}.") from error
        known = {test.name for test in tests_in(Kata(name).tests)}
        if not tests:
            raise UsageError(f"{shown}: there is no test in {file.name} of the hidden tests.")
        twice = known & {test.name for test in tests}
        if twice:
            raise UsageError(f"{shown}: {min(twice)} is a test of {name} already; call the hidden one otherwise.")
    if not hidden:
        raise UsageError(f"{shown}: no test_….py in {visible(str(folder))} is for a kata that is graded here.")
    return hidden, weight


def _weights(
    shown: str, table: dict[str, Any], katas: Sequence[Kata], scheme: Scheme
) -> dict[str, dict[str, Fraction]]:
    weights: dict[str, dict[str, Fraction]] = {}
    asked = {kata.name: kata for kata in katas}
    for name, of in table.items():
        _known(shown, name)
        if not isinstance(of, dict):
            raise UsageError(f"{shown}: `weights.{name}` is a section: [weights.{name}], then a line a test.")
        if name not in asked:
            continue
        tests = scheme.tests(asked[name])
        weights[name] = {}
        for key, value in of.items():
            named = [t for t in tests if key in (str(t.number), t.name, t.name.removeprefix("test_"))]
            if not named:
                raise UsageError(f"{shown}: {name} has no test `{visible(key, 60)}`; it has 1 to {len(tests)}.")
            weights[name][named[0].name] = _number(shown, f"the weight of {name}.{visible(key, 60)}", value)
        if not sum(scheme_weight(weights[name], test, scheme) for test in tests):
            raise UsageError(f"{shown}: no test of {name} weighs anything.")
    return weights


def scheme_weight(weights: Mapping[str, Fraction], test: Test, scheme: Scheme) -> Fraction:
    """What a test weighs by these weights."""
    return weights.get(test.name, scheme.hidden_weight if test.hidden else Fraction(1))
