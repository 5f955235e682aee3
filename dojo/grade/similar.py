"""Near-copies: of each other, and of the reference (`grade --similar`).

copydetect compares the programs as tokens, whatever their names and comments are (winnowing, Schleimer, Wilkerson and
Aiken 2003); what every student was handed out, the stub, is left out of it. A high share is a reason to look at two
programs side by side, and no more: small programs that do the same may be alike by chance.
"""

from __future__ import annotations

import csv
import io
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import combinations
from pathlib import Path
from typing import Any

from dojo.catalog import Kata, UsageError
from dojo.grade.journal import replacing
from dojo.grade.reports.csv import cell
from dojo.grade.submissions import Entry, stage, stub
from dojo.launch import ROOT

NOISE = 25
"""Tokens: a shorter piece in common says nothing."""
WINDOW = 6
"""Of each so many pieces one is kept: what is in common over NOISE + WINDOW - 1 tokens is surely found."""
LARGEST = 200_000
"""Characters of a submission that are compared: reading tokens from more would take a minute."""
ALIKE = 60
"""Percent of the smaller program from which on a pair is told. Solutions that were written independently have
up to 30 % in common in these katas."""
REFERENCE = "the reference"


@dataclass(frozen=True)
class Pair:
    """Two programs with much in common."""

    kata: str
    one: str
    other: str
    of_one: int
    """Percent of the first that is in the second."""
    of_other: int

    @property
    def most(self) -> int:
        """The larger share."""
        return max(self.of_one, self.of_other)


def needs() -> str:
    """What has to be installed, as pip takes it."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    return " ".join(groups["similar"])


def library() -> Any:
    """The library. Raises UsageError with the command that installs it."""
    try:
        import copydetect  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise UsageError(f"--similar needs copydetect: .venv/bin/python -m pip install {needs()}") from None
    return copydetect


def pairs(entries: Sequence[Entry], katas: Iterable[Kata], alike: int = ALIKE) -> list[Pair]:
    """All pairs that have at least `alike` percent in common, the most alike first."""
    found = [pair for kata in katas for pair in _of_kata(library(), entries, kata, alike)]
    return sorted(found, key=lambda pair: -pair.most)


def write(path: Path, found: Iterable[Pair]) -> None:
    """similar.csv, a line a pair."""
    with replacing(path) as file:
        text = TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
        table = csv.writer(text)
        table.writerow(["kata", "one", "other", "percent of one", "percent of other"])
        for pair in found:
            table.writerow([pair.kata, cell(pair.one), cell(pair.other), pair.of_one, pair.of_other])
        text.detach()


def _of_kata(copydetect: Any, entries: Sequence[Entry], kata: Kata, alike: int) -> Iterator[Pair]:
    handed_out = _prints(copydetect, stub(kata).decode("utf-8"), [])
    prints = {REFERENCE: _prints(copydetect, kata.reference.read_text("utf-8"), handed_out.hashes)}
    for entry in entries:
        source = _source(entry, kata)
        if source:
            prints[entry.name] = _prints(copydetect, source, handed_out.hashes)
    for (one, first), (other, second) in combinations(prints.items(), 2):
        smaller = min(len(first.hashes), len(second.hashes))
        # Cheap, and on the safe side: each piece in common stands for a few tokens, each token for several pieces.
        if not smaller or len(first.hashes & second.hashes) * 100 < smaller * alike / 2:
            continue
        _, shares, _ = copydetect.compare_files(first, second)
        of_one, of_other = (min(100, round(100 * float(share))) for share in shares)
        if max(of_one, of_other) >= alike:
            yield Pair(kata.name, one, other, of_one, of_other)


def _prints(copydetect: Any, source: str, handed_out: Iterable[int]) -> Any:
    return copydetect.CodeFingerprint(
        "solution.py", NOISE, WINDOW, boilerplate=list(handed_out), fp=io.StringIO(source[:LARGEST])
    )


def _source(entry: Entry, kata: Kata) -> str:
    """All files of a submission for this kata, one after the other: a copy in a helper is a copy too."""
    with tempfile.TemporaryDirectory(prefix="dojo-grade-") as folder:
        found = stage(entry, [kata], Path(folder)).found.get(kata.name)
        if found is None or found.file is None:
            return ""
        files = [found.file.parent / name for name in found.digests]
        return "\n".join(file.read_text("utf-8", "replace") for file in files)
