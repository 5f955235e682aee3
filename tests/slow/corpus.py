"""The hostile corpus: submissions that try to get marks, or to harm, and what must become of each.

A row is a file, or a folder with the submission's files, in tests/hostile. The docstring says what it tries and what
must happen, a line each:

    kata: echo                      the kata it is a submission for; `urlparse` if it does not say
    fails: test_login: crash|fail   a test that must fail, and with which verdict; every other test must pass
    all: import_error               every test must fail, with this verdict
    notes: conftest.py was ignored  what a teacher must be told
    from: limits                    the lowest level of isolation at which this must hold; `landlock` if it does not say
    only: bubblewrap                the one level at which it must hold

Beside its own file lies `honest.py`, a working solution of the same kata: a row changes a part of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dojo.catalog import Kata
from dojo.launch import ROOT
from dojo.sandbox.levels import Level, named

FOLDER = ROOT / "tests" / "hostile"

LARGE_LINE = b"x = '" + b"y" * (20 << 20) + b"'\n"

MADE = {
    "n34_empty": (b"", "all: fail\nfrom: group"),
    "n34_not_text": (b"\xff\xfe\x00x = 1\n", "all: import_error\nfrom: group"),
    "n34_zero_bytes": (b"x = 1\x00\n", "all: import_error\nfrom: group"),
    "n34_long_line": (LARGE_LINE, "all: fail\nfrom: group"),
    "n34_deep_source": (b"(" * 100_000, "all: import_error\nfrom: group"),
    "n34_deep_attributes": (b"x" + b".x" * 100_000 + b"\n", "all: import_error\nfrom: group"),
    "n34_heavy_source": (b"x = (1,) * 10**8, *((1,) * 10**8)\n", "all: memory|import_error|timeout\nfrom: group"),
}
"""Rows that are better made than kept: by name, the file and what must happen."""


@dataclass(frozen=True)
class Row:
    """One submission, and what must become of it."""

    name: str
    kata: str
    files: dict[str, bytes]
    lowest: Level
    only: Level | None
    fails: dict[str, set[str]] = field(default_factory=dict)
    all: set[str] = field(default_factory=set)
    notes: set[str] = field(default_factory=set)

    def holds_at(self, level: Level) -> bool:
        """Whether what it says must happen at this level."""
        return level == self.only if self.only else level.rank >= self.lowest.rank

    def complaints(self, verdicts: dict[str, str], notes: list[str]) -> list[str]:
        """Where the verdicts are not those that must be."""
        said = [] if verdicts else ["no test ran"]
        for test, got in verdicts.items():
            wanted = self.all or self.fails.get(test, {"pass"})
            if got not in wanted:
                said.append(f"{test} is `{got}`, not `{'|'.join(sorted(wanted))}`")
        said += [f"there is no {test}" for test in self.fails.keys() - verdicts.keys()]
        return said + [f"no note says `{note}`" for note in self.notes - set(notes)]


def rows() -> list[Row]:
    """All rows, by name."""
    found = []
    for path in sorted(FOLDER.iterdir()):
        if path.suffix == ".py":
            found.append(_row(path.stem, path.read_bytes().decode(), {}))
        elif path.is_dir() and path.name != "__pycache__":
            files = {each.name: each.read_bytes() for each in path.iterdir() if each.is_file()}
            (own,) = [name for name in files if (ROOT / "katas" / name.removesuffix(".py")).is_dir()]
            found.append(_row(path.name, files[own].decode(), files))
    made = [_row(name, told, {"urlparse.py": file}) for name, (file, told) in MADE.items()]
    return sorted(found + made, key=lambda row: row.name)


def _row(name: str, text: str, files: dict[str, bytes]) -> Row:
    def told(key: str) -> list[str]:
        return [said.strip() for said in re.findall(rf"^{key}: (.+)$", text, re.MULTILINE)]

    kata = (told("kata") or ["urlparse"])[0]
    only = told("only")
    return Row(
        name,
        kata,
        {f"{kata}.py": text.encode(), **files, "honest.py": Kata(kata).reference.read_bytes()},
        named((told("from") or ["landlock"])[0]),
        named(only[0]) if only else None,
        {test: set(verdicts.split("|")) for test, _, verdicts in (line.partition(": ") for line in told("fails"))},
        {verdict for line in told("all") for verdict in line.split("|")},
        set(told("notes")),
    )
