"""Every hostile submission on every level of isolation that this machine has, as root and as a plain user.

For each: the verdicts that its docstring names, marks for its honest part alone, an honest neighbour judged at the
same time with full marks, no process, file or port left, nothing told that lies outside of the submission.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

from dojo.inside.guard import descendants
from dojo.launch import ROOT
from dojo.sandbox.levels import GROUP, LEVELS, Level, named
from tests.slow.corpus import Row, rows

NOBODY = 65534

BUDGET = 180
"""Seconds for one row. A test may hang five seconds for each call and is then ended; the rest is the load of others."""

HELD = 27080
"""The first of the ports that the daemon of a row holds, one for each place. The system gives no such port to who asks
for any."""

pytestmark = pytest.mark.timeout(3600)  # a test may wait for the rows before it, each with its budget


@dataclass(frozen=True)
class Place:
    """A level and a user."""

    level: Level
    plain: bool

    def __str__(self) -> str:
        return f"{self.level.name}-{'plain' if self.plain else 'root' if os.getuid() == 0 else 'user'}"

    def start(self) -> subprocess.Popen[str]:
        """A stand there."""
        drop: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if self.plain else {}
        folders = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
        return subprocess.Popen(
            [_python_for_all(), "-B", "-m", "tests.slow.stand", self.level.name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(folders), "LC_ALL": "C.UTF-8"},
            **drop,
        )


@cache
def _python_for_all() -> str:
    """A Python of this version that every user can read: this one, or the system's."""
    for path in (sys.executable, f"/usr/bin/python3.{sys.version_info[1]}"):
        found = Path(path).resolve()
        above = [found.parent.parent, *found.parent.parent.parents]
        if found.is_file() and (os.getuid() != 0 or all(each.stat().st_mode & 0o001 for each in above)):
            return path
    raise FileNotFoundError("no Python here that a plain user can run")


PLACES = [
    Place(level, plain)
    for level in LEVELS
    if level != GROUP
    for plain in ([False, True] if os.getuid() == 0 else [False])
]


def order(row: Row, ports: dict[bytes, int]) -> str:
    files = {}
    for name, data in row.files.items():
        for written, port in ports.items():
            data = data.replace(written, b"%d" % port)
        files[name] = b64encode(data).decode()
    return json.dumps({"kata": row.kata, "files": files}) + "\n"


class Stands:
    """A stand at each place, a few of them at work at a time: most of the time is waiting for deadlines."""

    AT_ONCE = 2

    def __init__(self, asked: list[tuple[Place, Row]]) -> None:
        self.replies: dict[tuple[Place, str], Future[dict[str, Any]]] = {}
        self.over = threading.Event()
        self._pool = ThreadPoolExecutor(self.AT_ONCE)
        for place in dict.fromkeys(place for place, _ in asked):
            mine = [row for each, row in asked if each == place]
            self.replies |= {(place, row.name): Future() for row in mine}
            self._pool.submit(self._work, place, mine)

    def _work(self, place: Place, mine: list[Row]) -> None:
        process = place.start()
        for row in mine:
            if self.over.is_set():
                break
            future = self.replies[place, row.name]
            try:
                future.set_result(self._judged(process, place, row))
            except Exception as error:  # this row has ended the stand
                future.set_exception(error)
                process.kill()
                self._end(process)
                process = place.start()
        self._end(process)

    @staticmethod
    def _judged(process: subprocess.Popen[str], place: Place, row: Row) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        held = HELD + PLACES.index(place)
        with socket.create_server(("127.0.0.1", 0)) as service:  # some other one of this machine
            process.stdin.write(order(row, {b"27080": held, b"47081": service.getsockname()[1]}))
            process.stdin.flush()
            if not select.select([process.stdout], [], [], BUDGET)[0]:
                raise TimeoutError(f"{row.name} took more than {BUDGET} s")
            reply: dict[str, Any] = json.loads(process.stdout.readline())
        with socket.create_server(("127.0.0.1", held)):
            pass
        return reply

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.wait(60)
        process.stdout.close()

    def close(self) -> None:
        """Wait for what is under way, and for no more."""
        self.over.set()
        self._pool.shutdown()


RUNS = [(place, row) for place in PLACES for row in rows() if row.holds_at(place.level)]


@pytest.fixture(scope="module")
def stands(request: pytest.FixtureRequest) -> Iterator[Stands]:
    """Every run that was asked for is begun at once; the tests wait for theirs."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    asked = [item.callspec.params for item in items if item.originalname == "test_hostile"]
    made = Stands([(cast(Place, params["place"]), cast(Row, params["row"])) for params in asked])
    yield made
    made.close()


@pytest.mark.parametrize(("place", "row"), RUNS, ids=[f"{place}-{row.name}" for place, row in RUNS])
def test_hostile(place: Place, row: Row, stands: Stands) -> None:
    reply = stands.replies[place, row.name].result()
    assert reply["infrastructure"] == ""
    assert reply["level"] == place.level.name
    why = {told["test"]: (told["reason"], told["rows"], told["internal"][-800:]) for told in reply["told"]}
    assert row.complaints(reply["verdicts"], reply["notes"]) == [], why
    assert set(reply["beside"]) <= {"pass"}
    assert reply["left"] == []
    told = json.dumps(reply["told"])
    assert "root:x:0:0" not in told
    assert len(told) < 1 << 20


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_grader_that_is_killed_leaves_nothing(place: Place) -> None:
    (row,) = [row for row in rows() if row.name == "n05_deaf_loop"]
    with place.start() as process:
        try:
            assert process.stdin is not None
            process.stdin.write(order(row, {}))
            process.stdin.flush()
            until = time.monotonic() + 60
            while not any(map(_spins, descendants(process.pid))) and time.monotonic() < until:
                time.sleep(0.05)
            all_of_them = descendants(process.pid)
            assert any(map(_spins, all_of_them)), "the submission never ran"
        finally:
            process.send_signal(signal.SIGKILL)
    until = time.monotonic() + 30
    while (alive := [pid for pid in all_of_them if _runs(pid)]) and time.monotonic() < until:
        time.sleep(0.05)
    for left in Path("/tmp").glob(f"stand-{process.pid}-*"):  # nobody was left to remove it
        shutil.rmtree(left)
    assert alive == []


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def _runs(pid: int) -> bool:
    told = _stat(pid)
    return bool(told) and told[0] not in "ZX"


def _spins(pid: int) -> bool:
    """Whether it is a student's process that has used a third of a second of processor time."""
    told = _stat(pid)
    try:
        own = b"forkserver.main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return own and len(told) > 12 and int(told[11]) > os.sysconf("SC_CLK_TCK") / 3


def test_the_levels_are_those_that_doctor_tells() -> None:
    assert [named(level.name) for level in LEVELS] == list(LEVELS)
