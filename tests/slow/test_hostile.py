"""Every hostile submission on every level of isolation that this machine has, as root and as a plain user.

For each: the verdicts that its docstring names, marks for its honest part alone, an honest neighbour judged at the
same time with full marks, no process, file or port left, nothing told that lies outside of the submission.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dojo.inside.guard import descendants
from dojo.launch import ROOT
from dojo.sandbox.levels import GROUP, LEVELS, Level, named
from tests.slow.corpus import Row, rows

NOBODY = 65534

BUDGET = 120
"""Seconds for one row. A test may hang five seconds for each call and is then ended; the rest is the load of others."""

HELD = b"27080"
"""The port that the daemon of a row holds. The system gives no such port to who asks for any."""

OUTSIDE = b"47081"
"""Stands in a row for the port of a service that runs outside."""

pytestmark = pytest.mark.timeout(2 * BUDGET)


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


@pytest.fixture(scope="module")
def stands() -> Iterator[dict[Place, subprocess.Popen[str]]]:
    """A stand at each place, started when it is first asked for."""
    made: dict[Place, subprocess.Popen[str]] = {}
    yield made
    for process in made.values():
        assert process.stdin is not None
        process.stdin.close()
    for process in made.values():
        assert process.stdout is not None
        process.wait(60)
        process.stdout.close()


def order(row: Row, ports: dict[bytes, int]) -> str:
    files = {}
    for name, data in row.files.items():
        for written, port in ports.items():
            data = data.replace(written, b"%d" % port)
        files[name] = b64encode(data).decode()
    return json.dumps({"kata": row.kata, "files": files}) + "\n"


def judged(process: subprocess.Popen[str], row: Row, ports: dict[bytes, int]) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(order(row, ports))
    process.stdin.flush()
    reply: dict[str, Any] = json.loads(process.stdout.readline())
    return reply


RUNS = [(place, row) for place in PLACES for row in rows() if row.holds_at(place.level)]


@pytest.mark.parametrize(("place", "row"), RUNS, ids=[f"{place}-{row.name}" for place, row in RUNS])
def test_hostile(place: Place, row: Row, stands: dict[Place, subprocess.Popen[str]]) -> None:
    if place not in stands:
        stands[place] = place.start()
    with socket.create_server(("127.0.0.1", 0)) as service:  # some other one of this machine
        reply = judged(stands[place], row, {OUTSIDE: service.getsockname()[1]})
    assert reply["infrastructure"] == ""
    assert reply["level"] == place.level.name
    why = {told["test"]: (told["reason"], told["rows"], told["internal"][-800:]) for told in reply["told"]}
    assert row.complaints(reply["verdicts"], reply["notes"]) == [], why
    assert set(reply["beside"]) <= {"pass"}
    assert reply["left"] == []
    assert reply["seconds"] < BUDGET
    told = json.dumps(reply["told"])
    assert "root:x:0:0" not in told
    assert len(told) < 1 << 20
    if HELD in row.files[f"{row.kata}.py"]:
        with socket.create_server(("127.0.0.1", int(HELD))):
            pass


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
