"""The README is true: the example kata on it is built as it stands there, and proved as any other."""

from __future__ import annotations

import re
from pathlib import Path

from dojo.launch import ROOT
from tests.dojo.command import Checker, dojo
from tests.dojo.example import README, build, example


def test_the_example_kata_is_complete(house: Path) -> None:
    assert set(example()) == {
        "katas/cut/README.md",
        "katas/cut/cut.py",
        "katas/cut/hints.toml",
        "reference/cut.py",
        "tests/test_cut.py",
        "tests/gallery/cut/wrong_splitlines.py",
    }
    build(house)
    with Checker(house) as checker:
        assert checker.complaints() == ""
    assert "0 of 1" in dojo("test", "cut", cwd=house).stdout


def test_every_kata_and_every_link_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link
    listed = re.findall(r"\]\((\w+)/README\.md\)", (ROOT / "katas/README.md").read_text("utf-8"))
    table = README.partition("## The katas")[2].partition("## How")[0]
    assert re.findall(r"\]\(katas/(\w+)/README\.md\)", table) == listed
