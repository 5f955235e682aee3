"""Fixtures of the machinery's own tests."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dojo import cli
from dojo.launch import ROOT
from tests.dojo.students import Bench

# Where the tests run in the background of a shell, SIGINT came down to them ignored, as it would to what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Judges short student's files."""
    made = Bench(tmp_path)
    yield made
    made.launcher.close()


@pytest.fixture(params=["fork", "spawn"])
def each_bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The same by each way to start a process that this machine has."""
    if request.param == "spawn":
        monkeypatch.setenv("DOJO_LAUNCH", "spawn")
    made = Bench(tmp_path)
    yield made
    made.launcher.close()


Here = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """`python -m dojo …` in English, as tests.dojo.command.dojo runs it, in this process: a new one takes ten times as
    long to say that a word is wrong."""

    def run(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        for name, value in {"DOJO_LANG": "en", **(env or {})}.items():
            monkeypatch.setenv(name, value)
        try:
            code = cli.main(words)
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, said.out, said.err)

    return run


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the project that a test may spoil."""
    return copied(tmp_path)


def copied(to: Path) -> Path:
    """The project without its galleries, copied into this folder."""
    for name in ("dojo", "katas", "reference", "tests"):
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("gallery"))
    shutil.copy(ROOT / "pyproject.toml", to)
    return to
