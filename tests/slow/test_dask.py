"""Judging on a cluster: a real scheduler and real workers on this machine, one of which is killed in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dojo import cli
from dojo.catalog import Kata, UsageError
from dojo.grade import command, remote
from dojo.grade.runner import Judged, Request
from dojo.launch import ROOT
from dojo.sandbox.levels import GROUP
from tests.dojo.classroom import hand_in
from tests.dojo.grading import rows

pytestmark = pytest.mark.timeout(600)

DEADLINE = 120.0
"""Seconds for anything that a loaded machine may be slow with."""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dask.distributed, in a folder of its own: no student needs it."""
    folder = tmp_path_factory.mktemp("packages")
    wanted = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder), remote.needs()]
    done = subprocess.run(wanted, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


class Cluster:
    """A scheduler and workers, each a process."""

    def __init__(self, folder: Path, packages: Path) -> None:
        self._environment = {**os.environ, "PYTHONPATH": f"{packages}{os.pathsep}{ROOT}", "DOJO_LANG": "en"}
        self._folder = folder
        self._file = folder / "scheduler.json"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(self._file))
        self._wait(self._file.exists)
        self.address = json.loads(self._file.read_text())["address"].replace("tcp://", "dask://")

    def _start(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        log = (self._folder / f"{what}-{len(self._processes)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{what}", "--no-dashboard", *words],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        """One more worker, which judges one submission at a time."""
        words = ("--scheduler-file", str(self._file), "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1")
        process = self._start("worker", *words)
        log = self._folder / f"worker-{len(self._processes) - 1}.log"
        self._wait(lambda: b"Registered to" in log.read_bytes())
        return process

    def grade(self, folder: Path) -> subprocess.Popen[bytes]:
        """The grader, which has its submissions judged by the workers."""
        words = ["grade", str(folder / "class"), "--out", str(folder / "out"), "--kata", "qs", "--seed", "7", "--allow"]
        return subprocess.Popen(
            [sys.executable, "-m", "dojo", *words, "--executor", self.address],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def _wait(self, for_what: object) -> None:
        assert callable(for_what)
        until = time.monotonic() + DEADLINE
        while not for_what():
            assert time.monotonic() < until
            time.sleep(0.02)

    def wait_until_judged(self, folder: Path, number: int) -> None:
        """Wait until so many results are in the journal."""
        journal = folder / "out" / "journal.jsonl"
        self._wait(lambda: journal.exists() and journal.read_bytes().count(b'"kind":"judged"') >= number)

    def close(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path, packages: Path) -> Iterator[Cluster]:
    (tmp_path / "cluster").mkdir()
    made = Cluster(tmp_path / "cluster", packages)
    yield made
    made.close()


def fill(folder: Path) -> None:
    """A class of twelve, right ones and wrong ones, one with a helper beside it."""
    qs = Kata("qs")
    sources = [qs.reference, *sorted(qs.gallery.glob("*.py"))[:11]]
    for number, source in enumerate(sources):
        hand_in(folder / "class" / f"student-{number}", qs=source.read_bytes() + b"\n")
    hand_in(folder / "class" / "helped", qs="from helper import *\n", helper=qs.reference.read_bytes())


def test_a_worker_is_killed_and_the_marks_are_those_of_one_machine(tmp_path: Path, cluster: Cluster) -> None:
    fill(tmp_path)
    first = cluster.worker()
    cluster.worker()
    running = cluster.grade(tmp_path)
    cluster.wait_until_judged(tmp_path, 2)
    first.kill()
    said, _ = running.communicate(timeout=DEADLINE)
    assert running.returncode == 0, said.decode()
    found = rows(tmp_path)
    assert len(found) == 13
    assert {row["submission"]: row["total"] for row in found}["helped"] == "100"
    words = [
        "grade",
        str(tmp_path / "class"),
        "--out",
        str(tmp_path / "here"),
        "--kata",
        "qs",
        "--seed",
        "7",
        "--allow",
    ]
    assert cli.main(words) == 0
    assert rows(tmp_path, "here") == found


def test_a_cluster_without_workers_or_without_a_scheduler_is_one_sentence(tmp_path: Path, cluster: Cluster) -> None:
    hand_in(tmp_path / "class" / "ada", qs="# ada\n")
    running = cluster.grade(tmp_path)
    said, _ = running.communicate(timeout=DEADLINE)
    assert running.returncode == 2
    assert b"the dask scheduler has no workers" in said
    cluster.close()
    running = cluster.grade(tmp_path)
    said, _ = running.communicate(timeout=DEADLINE)
    assert running.returncode == 2
    assert b"no dask scheduler at 127.0.0.1" in said


# --- without a cluster ------------------------------------------------------------------------------------------


def test_what_is_not_installed_is_told_with_the_command(tmp_path: Path) -> None:
    hand_in(tmp_path / "class" / "ada", qs="# ada\n")
    words = ["grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), "--executor"]
    with pytest.raises(UsageError, match=r"pip install distributed=="):
        command.grade(cli._parser().parse_args([*words, "dask://127.0.0.1:1"]))
    with pytest.raises(UsageError, match="dask://host:port"):
        command.grade(cli._parser().parse_args([*words, "ssh://host"]))


def judged(data: bytes) -> Judged:
    return remote.unpacked(remote.judge_bytes(data))


def test_a_worker_judges_what_it_was_sent_or_nothing(tmp_path: Path) -> None:
    path = hand_in(tmp_path / "ada", qs=Kata("qs").reference.read_bytes()) / "qs.py"
    data = remote.packed(Request("qs", path, "7"), GROUP)
    whole = judged(data)
    assert not whole.infrastructure
    assert {result.status for result in whole.results} == {"pass"}
    assert "not what was sent" in judged(data[:-10] + b"0" * 10).infrastructure
    other = remote.packed(Request("qs", path, "7"), GROUP).replace(b'"python": "3.', b'"python": "2.')
    assert "not what was sent" in judged(other).infrastructure
    from hashlib import sha256

    assert "differs from the grader in python" in judged(sha256(other[32:]).digest() + other[32:]).infrastructure
