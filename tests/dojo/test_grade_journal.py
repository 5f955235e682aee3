"""Nothing is lost, nothing is done twice: the journal, the lock, and runs that are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dojo.catalog import UsageError
from dojo.grade.journal import LOCK, Journal, key_of, locked, replacing
from dojo.grade.journal import NAME as JOURNAL
from dojo.grade.staging import NOTE
from dojo.launch import ROOT
from dojo.sandbox import levels
from tests.dojo.classroom import StandIn, hand_in
from tests.dojo.grading import grade, marks

KEY = key_of(files={"qs.py": "1"})


def record(key: str = KEY, infrastructure: str = "") -> dict[str, Any]:
    return {"kind": "judged", "key": key, "infrastructure": infrastructure, "results": [{"test": "test_a"}]}


def test_what_was_written_is_found_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "out", writing=True)
    row = {"kind": "row", "submission": "小明\n<b>", "katas": {}}
    journal.append([{"kind": "run", "seed": "1", "submissions": ["小明\n<b>", "ada"]}, record(), row])
    journal.close()
    again = Journal(tmp_path / "out")
    assert again.run["seed"] == "1"
    assert again.judged(KEY) == record()
    assert list(again.rows()) == [row]
    assert not again.has(key_of(files={"qs.py": "2"}))
    again.close()


@pytest.mark.parametrize("torn", [b'{"kind": "judged", "key', b'{"kind": "judged"}', b"\x00\x00\x00", b""])
def test_a_torn_last_line_is_cut_off(torn: bytes, tmp_path: Path) -> None:
    journal = Journal(tmp_path, writing=True)
    journal.append([record()])
    journal.close()
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(torn)
    journal = Journal(tmp_path, writing=True)
    other = key_of(files={})
    journal.append([record(other)])
    journal.close()
    assert [json.loads(line)["key"] for line in (tmp_path / JOURNAL).read_text().splitlines()] == [KEY, other]


def test_a_line_that_a_broken_disk_left_costs_that_record_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path, writing=True)
    other = key_of(files={})
    journal.append([record(), record(other)])
    journal.close()
    path = tmp_path / JOURNAL
    path.write_bytes(path.read_bytes().replace(b'"kind"', b'\x00kind"', 1))
    journal = Journal(tmp_path)
    assert not journal.has(KEY)
    assert journal.has(other)
    journal.close()


def test_where_nothing_is_known_it_is_judged_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, writing=True)
    journal.append([record(infrastructure="no room")])
    assert not journal.has(KEY)
    assert journal.failed(KEY) is not None
    journal.append([record()])
    assert journal.has(KEY)
    assert journal.failed(KEY) is None
    journal.close()


def test_a_report_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    path.write_text("before")
    with suppress(KeyboardInterrupt), replacing(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["grades.csv"]


# --- a second run ------------------------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_run_again(tmp_path: Path) -> None:
    ada = hand_in(tmp_path / "class" / "ada", qs="# ada\n# fails: 1\n")
    hand_in(tmp_path / "class" / "bob", qs="# bob\n")
    first, second, third, fourth = StandIn(), StandIn(), StandIn(), StandIn()
    assert grade(tmp_path, first) == 0
    before = marks(tmp_path)
    assert first.judged == {"# ada": 1, "# bob": 1}
    assert grade(tmp_path, second) == 0
    assert not second.judged
    assert marks(tmp_path) == before
    (ada / "qs.py").write_text("# ada, better\n")
    assert grade(tmp_path, third) == 0
    assert third.judged == {"# ada, better": 1}
    assert marks(tmp_path)["ada"] == "100"
    assert grade(tmp_path, fourth, "--force") == 0
    assert fourth.judged == {"# ada, better": 1, "# bob": 1}


def test_another_helper_another_level_other_hidden_tests_are_judged_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(levels, "trouble", lambda level: "")
    hand_in(tmp_path / "class" / "ada", qs="# ada\n")
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "test_qs.py").write_text("def test_more():\n    pass\n")
    (tmp_path / "points.toml").write_text('[hidden]\nfolder = "hidden"\n')
    scheme = ("--scheme", str(tmp_path / "points.toml"))
    runs: list[tuple[str, ...]] = [(), ("--level", "limits"), ("--seed", "7"), ("--repeat", "2"), scheme]
    # What is asked for twice is known the second time.
    for words, times in zip(runs, (1, 1, 1, 2, 1), strict=True):
        for expected in (times, 0):
            stand_in = StandIn()
            assert grade(tmp_path, stand_in, *words) == 0
            assert stand_in.judged.total() == expected, words
    (tmp_path / "hidden" / "test_qs.py").write_text("def test_another():\n    pass\n")
    (tmp_path / "class" / "ada" / "helper.py").write_text("")
    stand_in = StandIn()
    assert grade(tmp_path, stand_in, *scheme) == 0
    assert stand_in.judged.total() == 1


def test_the_seed_stays_until_another_is_asked_for(tmp_path: Path) -> None:
    for name in ("ada", "bob"):
        hand_in(tmp_path / "class" / name, qs=f"# {name}\n")
    seeds = []
    for words in ((), ("--force",), ("--seed", "7")):
        stand_in = StandIn()
        grade(tmp_path, stand_in, *words)
        assert len(set(stand_in.seeds)) == 1  # one class, one seed: the same data for everyone
        seeds.append(stand_in.seeds[0])
        hand_in(tmp_path / "class" / f"late{len(seeds)}", qs=f"# late {len(seeds)}\n")
        late = StandIn()
        grade(tmp_path, late, *[word for word in words if word != "--force"])
        assert late.seeds == [seeds[-1]]
    assert len(set(seeds)) == 3
    assert seeds[-1] == "7"


# --- killed, and two at once ---------------------------------------------------------------------------------------


def start(tmp_path: Path) -> subprocess.Popen[bytes]:
    words = ["grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), "--kata", "qs", "--level", "group"]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.dojo.classroom", *words, "--jobs", "1"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "DOJO_LANG": "en"},
    )


def step(running: subprocess.Popen[bytes], times: int) -> None:
    """Let it judge this often; it then stands in the middle of the next one."""
    assert running.stdin is not None
    assert running.stdout is not None
    for _ in range(times):
        assert running.stdout.readline() == b"judging\n"
        running.stdin.write(b"go on\n")
        running.stdin.flush()
    assert running.stdout.readline() == b"judging\n"


@pytest.fixture
def eight(tmp_path: Path) -> Path:
    for number in range(8):
        hand_in(tmp_path / "class" / f"student-{number}", qs=f"# {number}\n# fails: {' '.join('1234567'[:number])}\n")
    return tmp_path


def _judged(tmp_path: Path) -> list[bytes]:
    """The whole lines of the journal that tell a verdict."""
    path = tmp_path / "out" / JOURNAL
    whole = path.read_bytes().rpartition(b"\n")[0].splitlines() if path.exists() else []
    return [line for line in whole if b'"kind":"judged"' in line]


def test_killed_at_any_moment_it_goes_on_and_ends_with_the_same_marks(eight: Path) -> None:
    whole = eight / "whole"
    whole.mkdir()
    (whole / "class").symlink_to(eight / "class")
    assert grade(whole, StandIn()) == 0
    known = 0
    for times in (0, 3, 2):
        with start(eight) as running:
            step(running, times)
            known += times
            while len(_judged(eight)) < known:  # a journal that is written at the end never gets there
                time.sleep(0.01)
            running.kill()
        assert len(_judged(eight)) == known
        lines = (eight / "out" / JOURNAL).read_bytes().splitlines()
        with (eight / "out" / JOURNAL).open("ab") as file:
            file.write(lines[-1][: len(lines[-1]) // 2])  # and torn, as power that fails leaves it
    left = Path((eight / "out" / NOTE).read_text())
    assert list(left.iterdir())  # nobody can tidy up behind a kill -9
    last = StandIn()
    assert grade(eight, last) == 0
    assert not left.exists()
    assert last.judged.total() == 8 - known
    assert marks(eight) == marks(whole)
    keys = [json.loads(line).get("key") for line in (eight / "out" / JOURNAL).read_bytes().splitlines()]
    assert len([key for key in keys if key]) == len({key for key in keys if key}) == 8


def test_a_journal_that_ends_anywhere_is_gone_on_with(eight: Path) -> None:
    assert grade(eight, StandIn(), "--seed", "7") == 0
    before, path = marks(eight), eight / "out" / JOURNAL
    whole = path.read_bytes()
    ends = [at + 1 for at, byte in enumerate(whole) if byte == ord("\n")]
    for cut in sorted({*(ends[5] + more for more in (-1, 0, 1)), *range(0, len(whole), len(whole) // 9)}):
        path.write_bytes(whole[:cut])
        judged = whole[:cut].count(b'"kind":"judged"') - (0 if cut in (0, *ends) else _torn(whole[:cut]))
        stand_in = StandIn()
        assert grade(eight, stand_in, "--seed", "7", "--reports", "csv") == 0
        assert marks(eight) == before, cut
        assert stand_in.judged.total() == 8 - judged, cut


def _torn(journal: bytes) -> int:
    return journal.rpartition(b"\n")[2].count(b'"kind":"judged"')


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_being_told_to_stop_loses_nothing(number: signal.Signals, eight: Path) -> None:
    with start(eight) as running:
        step(running, 3)
        running.send_signal(number)
        _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert b"goes on from here" in said
    assert b"Traceback" not in said
    assert not (eight / "out" / "grades.csv").exists()
    known = (eight / "out" / JOURNAL).read_bytes().count(b'"kind":"judged"')
    assert known >= 1
    last = StandIn()
    assert grade(eight, last) == 0
    assert last.judged.total() == 8 - known


def test_a_second_grader_says_who_is_at_work(eight: Path) -> None:
    with start(eight) as running:
        step(running, 0)
        with pytest.raises(
            UsageError, match=rf"another grader is at work there \(process {running.pid} on .*, since 2"
        ):
            grade(eight, StandIn())
        running.kill()
    assert grade(eight, StandIn()) == 0


def test_the_lock_of_a_process_that_is_gone_holds_nobody(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("process 1 on a machine that lost its power, since 2026-01-01T00:00:00Z\n")
    with locked(tmp_path):
        assert f"process {os.getpid()}" in (tmp_path / LOCK).read_text()
        with pytest.raises(UsageError, match="another grader"), locked(tmp_path):
            pass
    with locked(tmp_path):
        pass


def test_an_output_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"), locked(tmp_path / "file" / "out"):
        pass
