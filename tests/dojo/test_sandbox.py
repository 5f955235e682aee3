"""The sandbox: what a submission can reach and cannot, what is told when a run does not come to its end."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dojo.grade.runner import Judged, Request, Runner
from dojo.grade.verdict import PASS, verdict
from dojo.inside.guard import descendants
from dojo.inside.seccomp import MACHINES, OWN_ONLY, REFUSED, filtering
from dojo.inside.sweep import sweep
from dojo.launch import ROOT
from dojo.sandbox import doctor
from dojo.sandbox.levels import BUBBLEWRAP, GROUP, LEVELS, Level, probe
from dojo.sandbox.limits import Limits
from tests.slow.corpus import rows

Judge = Callable[..., Judged]


@pytest.fixture(scope="module")
def best() -> Level:
    return probe()


@pytest.fixture(scope="module")
def runner(best: Level) -> Iterator[Runner]:
    made = Runner(best, Limits())
    yield made
    made.close()


@pytest.fixture
def judge(runner: Runner, tmp_path: Path) -> Judge:
    """Judges a file for the kata urlparse, which has a working solution beside it, `honest.py`."""

    def judged(source: str | bytes, extra: Path | None = None, **files: str) -> Judged:
        folder = tmp_path / "submission"
        folder.mkdir(exist_ok=True)
        shutil.copy(ROOT / "reference" / "urlparse.py", folder / "honest.py")
        for name, text in {"urlparse.py": source, **files}.items():
            (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return runner.judge(Request("urlparse", folder / "urlparse.py", "7", extra))

    return judged


def verdicts(judged: Judged) -> dict[str, str]:
    assert judged.infrastructure == ""
    return {result.test: verdict(result) for result in judged.results if verdict(result) != PASS}


def test_an_honest_submission_passes(judge: Judge, best: Level) -> None:
    judged = judge("from honest import *\n")
    assert judged.level == best.name
    assert verdicts(judged) == {}
    assert len(judged.results) == 15


@pytest.mark.parametrize("name", ["n01_exit_at_import", "n15_kills_everybody", "n24_reads_the_solution"])
def test_a_hostile_one_gets_what_it_must(name: str, judge: Judge, best: Level) -> None:
    (row,) = [row for row in rows() if row.name == name]
    if row.holds_at(best):  # elsewhere it is not even run: nothing there would keep it from killing this test
        judged = judge(row.files["urlparse.py"])
        assert row.complaints({r.test: verdict(r) for r in judged.results}, list(judged.notes)) == []


def test_what_lies_beside_the_file_is_noted_and_not_run(judge: Judge) -> None:
    judged = judge("from honest import *\n", **{"conftest.py": "raise SystemExit", "json.py": "raise SystemExit"})
    assert verdicts(judged) == {}
    assert judged.notes[0] == "conftest.py was ignored"
    assert "json.py beside the file shadows" in judged.notes[1]


def test_a_link_in_a_submission_leads_nowhere(judge: Judge, best: Level, tmp_path: Path) -> None:
    if best == GROUP:  # where nothing is kept from it
        return
    (tmp_path / "secret.py").write_text("login = None\n", "utf-8")
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "linked.py").symlink_to(tmp_path / "secret.py")
    judged = judge("from honest import *\ntry:\n    import linked\n    del login\nexcept ImportError:\n    pass\n")
    assert verdicts(judged) == {}


def test_a_teachers_own_tests_come_last(judge: Judge, tmp_path: Path) -> None:
    extra = tmp_path / "test_more.py"
    extra.write_text(
        "def test_more(student):\n"
        "    '''the host of a long URL'''\n"
        "    student.host('http://a.example.com/').returns('a.example.com')\n\n\n"
        "def test_wrong(student):\n"
        "    student.host('http://a.example.com/').returns('b.example.com')\n\n\n"
        "def test_plain(student):\n"
        "    assert student.host('http://a.example.com/').value() == 'c', 'not c'\n",
        "utf-8",
    )
    judged = judge("from honest import *\n", extra)
    assert verdicts(judged) == {"test_wrong": "fail", "test_plain": "fail"}
    more, wrong, plain = judged.results[-3:]
    assert [list(row) for row in plain.rows] == [["got", "not c"]]
    assert (more.kata, more.number, more.extra) == ("urlparse", 16, True)
    assert more.titles["en"] == "the host of a long URL"
    assert wrong.reason == "extra_test"


def test_extra_tests_that_are_broken_are_no_fault_of_the_students(judge: Judge, tmp_path: Path) -> None:
    extra = tmp_path / "test_broken.py"
    extra.write_text("import no_such_module\n", "utf-8")
    judged = judge("from honest import *\n", extra)
    assert judged.results == ()
    assert "no_such_module" in judged.infrastructure


def test_what_did_not_run_says_so(best: Level, tmp_path: Path) -> None:
    if sys.platform != "linux":  # where a run that has to be ended is worth nothing
        return
    (tmp_path / "urlparse.py").write_text("def scheme(url):\n    while True:\n        pass\n", "utf-8")
    runner = Runner(best, replace(Limits(), wall=1.0))
    try:
        judged = runner.judge(Request("urlparse", tmp_path / "urlparse.py", "7"))
    finally:
        runner.close()
    assert judged.infrastructure == ""
    assert {verdict(result) for result in judged.results} == {"not_run"}
    assert "ended after 1 s" in judged.notes[0]


def test_closing_a_runner_ends_what_is_under_way(best: Level, tmp_path: Path) -> None:
    if sys.platform != "linux":
        return
    (tmp_path / "urlparse.py").write_text("import time\ntime.sleep(600)\n", "utf-8")
    before = set(descendants(os.getpid()))
    runner = Runner(best, Limits())
    judged: list[Judged] = []
    request = Request("urlparse", tmp_path / "urlparse.py", "7")
    judging = threading.Thread(target=lambda: judged.append(runner.judge(request)))
    judging.start()
    until = time.monotonic() + 20
    while not _confined(before) and time.monotonic() < until:
        time.sleep(0.01)
    assert _confined(before)
    runner.close()
    judging.join(20)
    assert not judging.is_alive()
    assert judged[0].results == ()
    assert "is gone" in judged[0].infrastructure
    while _confined(before) and time.monotonic() < until:
        time.sleep(0.01)
    assert not _confined(before)


def _confined(before: set[int]) -> list[int]:
    """The fork servers that have been started since, and the processes below them."""
    found = []
    for pid in set(descendants(os.getpid())) - before:
        try:
            said = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"forkserver.main" in said:
            found.append(pid)
    return found


def test_a_level_that_is_not_there_is_no_fault_of_the_students(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        return
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "urlparse.py").write_text("", "utf-8")
    runner = Runner(BUBBLEWRAP, Limits())
    try:
        judged = runner.judge(Request("urlparse", tmp_path / "urlparse.py", "7"))
    finally:
        runner.close()
    assert judged.results == ()
    assert "bubblewrap is not installed" in judged.infrastructure


def test_doctor_says_why_a_level_does_not_work() -> None:
    found = dict.fromkeys(LEVELS, "") | {BUBBLEWRAP: "mount at /: Operation not permitted"}
    said = "\n".join(doctor.report(GROUP, found))
    assert "not bubblewrap" in said
    assert "Operation not permitted" in said
    assert "not safe here" in said


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_each_machine_has_a_number_for_each_call(machine: str) -> None:
    numbers = dict(entry.split("=") for entry in MACHINES[machine][1].split())
    assert set(REFUSED) | set(OWN_ONLY) <= set(numbers)
    assert len(set(numbers.values())) == len(numbers)
    assert len(filtering(machine)) % 8 == 0


def test_all_is_swept_but_what_is_kept(tmp_path: Path) -> None:
    if sys.platform != "linux":
        return
    outside = tmp_path / "outside"
    outside.write_text("stays", "utf-8")
    top = tmp_path / "top"
    (top / "kept").mkdir(parents=True)
    (top / "link").symlink_to(tmp_path)
    deep = top
    for _ in range(200):
        deep = deep / "deeper"
        deep.mkdir()
    (deep / "file").write_text("goes", "utf-8")
    (top / "deeper").chmod(0)
    sweep(str(top), ["kept"])
    assert [each.name for each in top.iterdir()] == ["kept"]
    assert outside.read_text("utf-8") == "stays"
