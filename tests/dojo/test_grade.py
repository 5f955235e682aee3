"""Grading a class: marks, weights, hidden tests, doubtful results, parts of a class, and bad input."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dojo import cli
from dojo.catalog import Kata, UsageError
from dojo.grade import judging, pool, submissions
from dojo.grade.command import make_reports, merge
from dojo.grade.judging import Judge
from dojo.grade.runner import Judged, Request
from dojo.grade.submissions import Entry, Submission
from dojo.launch import ROOT
from dojo.sandbox import levels
from tests.dojo.classroom import StandIn, hand_in
from tests.dojo.command import dojo
from tests.dojo.grading import data, grade, marks, rows

QS = Kata("qs")


# --- the real thing ------------------------------------------------------------------------------------------


def test_a_class_of_four(tmp_path: Path) -> None:
    right, wrong = QS.reference.read_text("utf-8"), ROOT / "tests/gallery/qs/wrong_limit_cut.py"
    hand_in(tmp_path / "class" / "ada", qs=right)
    hand_in(tmp_path / "class" / "bob", katas_qs=wrong.read_bytes())
    hand_in(tmp_path / "class" / "eve", qs="import os\nos._exit(0)\n")
    hand_in(tmp_path / "class" / "小明", qs="def fields(:\n")
    words = ["grade", str(tmp_path / "class"), "--kata", "qs", "--jobs", "2", "--allow", "--seed", "7"]
    done = dojo(*words, "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert marks(tmp_path) == {"ada": "100", "bob": "93.33", "eve": "0", "小明": "0"}
    assert [row["status"] for row in rows(tmp_path) if row["submission"] != "eve"] == ["judged", "judged", "unreadable"]
    assert "Python cannot read your file: qs.py:1" in done.stdout
    assert "4 of 4 submissions" in done.stderr
    assert "seed 7" in done.stdout
    by_name = {each["submission"]: each["katas"]["qs"]["tests"] for each in data(tmp_path)["submissions"]}
    failed = [test for test in by_name["bob"] if test["verdict"] != "pass"]
    assert [test["reason"] for test in failed] == ["limit_cut"] or len(failed) == 1
    assert any("expected" in line for line in failed[0]["transcript"])
    # The same seed, the same data, to the letter; and nothing of it is run when it is known.
    again = dojo(*words, "--out", str(tmp_path / "again"))
    assert again.returncode == 0
    assert _untimed(data(tmp_path, "again")) == _untimed(data(tmp_path))
    assert "0 judged now" in dojo(*words, "--out", str(tmp_path / "out")).stderr


def _untimed(value: object) -> object:
    if isinstance(value, dict):
        return {name: _untimed(each) for name, each in value.items() if name not in ("seconds", "started", "made")}
    return [_untimed(each) for each in value] if isinstance(value, list) else value


# --- marks ---------------------------------------------------------------------------------------------------


def test_only_a_pass_scores_and_weights_count(tmp_path: Path) -> None:
    hand_in(tmp_path / "class" / "ada", qs="# ada\n# fails: 1 15\n")
    (tmp_path / "points.toml").write_text("[points]\nqs = 30\n[weights.qs]\n1 = 4\n15 = 0\n")
    assert grade(tmp_path, StandIn(), "--scheme", str(tmp_path / "points.toml")) == 0
    assert marks(tmp_path) == {"ada": f"{30 * 13 / 17:.2f}"}
    # Other weights need no other run.
    (tmp_path / "points.toml").write_text("[points]\nqs = 15\n")
    stand_in = StandIn()
    assert grade(tmp_path, stand_in, "--scheme", str(tmp_path / "points.toml")) == 0
    assert marks(tmp_path) == {"ada": "13"}
    assert not stand_in.judged


def test_hidden_tests_count_and_are_marked(tmp_path: Path) -> None:
    hand_in(tmp_path / "class" / "ada", qs="# ada\n# fails: 16\n")
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "test_qs.py").write_text('def test_more():\n    """more of it"""\n')
    (tmp_path / "points.toml").write_text('[hidden]\nfolder = "hidden"\nweight = 5\n')
    assert grade(tmp_path, StandIn(), "--scheme", str(tmp_path / "points.toml"), "--reports", "all") == 0
    assert marks(tmp_path) == {"ada": "75"}
    assert data(tmp_path)["katas"][0]["tests"][-1]["hidden"] is True
    # Students see that there is one, and nothing of it.
    assert "more of it" in (tmp_path / "out" / "grades.html").read_text("utf-8")
    for name in ("classroom/ada.json", "exercism/ada/qs/results.json"):
        told = (tmp_path / "out" / name).read_text("ascii")
        assert "more of it" not in told
        assert "test_more" not in told
        assert '"hidden 16"' in told or "hidden 16" in told
    tests = json.loads((tmp_path / "out" / "gradescope" / "ada.json").read_text("ascii"))["tests"]
    assert [test["visibility"] for test in tests] == ["visible"] * 15 + ["hidden"]


def test_the_machines_fault_is_tried_again_and_then_asks_for_a_person(tmp_path: Path) -> None:
    hand_in(tmp_path / "class" / "ada", qs="# ada\n# once: out of breath\n")
    hand_in(tmp_path / "class" / "bob", qs="# bob\n# infrastructure: no room\n", urlparse="# url\n")
    stand_in = StandIn()
    assert grade(tmp_path, stand_in, kata="qs,urlparse") == 3
    assert stand_in.judged == {"# ada": 2, "# bob": 2, "# url": 1}
    ada, bob = rows(tmp_path)
    assert (ada["qs"], ada["status"]) == ("50", "judged")
    assert (bob["qs"], bob["urlparse"], bob["total"], bob["status"]) == ("", "50", "", "needs a person")
    # It is tried again by the next run, and only it.
    stand_in = StandIn()
    assert grade(tmp_path, stand_in, kata="qs,urlparse") == 3
    assert stand_in.judged == {"# bob": 2}


def test_a_result_that_lacks_a_test_is_the_machines_fault(tmp_path: Path) -> None:
    class Forgetful(StandIn):
        def judge(self, request: Request) -> Judged:
            judged = super().judge(request)
            return Judged(judged.results[1:], judged.level, judged.seconds)

    hand_in(tmp_path / "class" / "ada", qs="# ada\n")
    assert grade(tmp_path, Forgetful()) == 3
    assert rows(tmp_path)[0]["total"] == ""


def test_of_several_runs_the_worst_counts_and_it_is_flagged(tmp_path: Path) -> None:
    hand_in(tmp_path / "class" / "ada", qs="# ada\n")
    hand_in(tmp_path / "class" / "eve", qs="# eve\n# turns: 2 5\n")
    stand_in = StandIn()
    assert grade(tmp_path, stand_in, "--repeat", "3", "--seed", "7", "--jobs", "1") == 0
    assert stand_in.seeds == ["7", "7.1", "7.2"] * 2
    assert [(row["total"], row["status"]) for row in rows(tmp_path)] == [("100", "judged"), ("86.67", "flaky")]
    notes = data(tmp_path)["submissions"][1]["katas"]["qs"]["notes"]
    assert len(notes) == 1
    assert "the worst of 3 runs counts" in notes[0]


def test_the_grader_stumbles_over_one_submission_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stage(entry: Entry, *others: Any) -> Submission:
        if entry.name == "bob":
            raise RuntimeError("a fault of ours")
        return submissions.stage(entry, *others)

    monkeypatch.setattr(judging, "stage", stage)
    for name in ("ada", "bob", "eve"):
        hand_in(tmp_path / "class" / name, qs=f"# {name}\n")
    assert grade(tmp_path, StandIn()) == 3
    assert {row["submission"]: row["status"] for row in rows(tmp_path)} == {
        "ada": "judged",
        "bob": "needs a person",
        "eve": "judged",
    }


def test_the_judge_sees_one_submissions_files_alone_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    for name in ("ada", "bob"):
        hand_in(tmp_path / "class" / name, qs=f"# {name}\n", helper="", urlparse="# other\n")
    stand_in = StandIn()
    assert grade(tmp_path, stand_in) == 0
    assert stand_in.folders == [["helper.py", "qs.py"]] * 2
    assert list((tmp_path / "tmp").iterdir()) == []
    assert stand_in.closed


# --- several at once -----------------------------------------------------------------------------------------


def test_workers_work_at_the_same_time_and_ask_for_no_more_than_they_need() -> None:
    meeting = threading.Barrier(3, timeout=20)
    asked: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(9):
            asked.append(number)
            yield number

    def work(judge: Judge, number: int) -> int:
        meeting.wait()  # three at once, or none gets on
        return number

    done = []
    for each in pool.run(tasks(), work, StandIn, 3):
        done.append(each.made)
        # three at work, six in the queue, and the one that was just taken out
        assert len(asked) <= len(done) + 3 + 6
    assert sorted(each for each in done if each is not None) == list(range(9))


def test_when_nobody_asks_any_more_every_judge_is_told_to_end() -> None:
    ended = threading.Event()

    class Stuck(StandIn):
        def close(self) -> None:
            ended.set()

    def work(judge: Judge, number: int) -> int:
        if number:
            assert ended.wait(20)
        return number

    results = pool.run(iter([0, 1, 2]), work, Stuck, 2)
    assert next(results).made == 0
    results.close()  # type: ignore[attr-defined]
    assert ended.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("grader")]


# --- parts of a class ----------------------------------------------------------------------------------------


def test_a_class_in_parts_is_the_same_class(tmp_path: Path) -> None:
    names = [f"student-{number}" for number in range(12)]
    for number, name in enumerate(names):
        hand_in(tmp_path / "class" / name, qs=f"# {name}\n# fails: {number + 1}\n# once: {number}\n")
    (tmp_path / "class.csv").write_text("id\n" + "\n".join([*names, "gone-1", "gone-2", "gone-3"]))
    roster = ("--roster", str(tmp_path / "class.csv"), "--seed", "7")
    judged = 0
    parts = []
    for part in ("1/3", "2/3", "3/3"):
        out = f"part-{part[0]}"
        stand_in = StandIn()
        grade(tmp_path, stand_in, *roster, "--shard", part, "--out", str(tmp_path / out))
        judged += len(stand_in.judged)
        parts.append(str(tmp_path / out))
        assert len(rows(tmp_path, out)) < 15
    assert judged == 12
    grade(tmp_path, StandIn(), *roster)
    options = cli._parser().parse_args(["merge", *parts, "--out", str(tmp_path / "whole")])
    assert merge(options) == 0
    assert {each["submission"]: each for each in rows(tmp_path, "whole")} == {
        each["submission"]: each for each in rows(tmp_path)
    }
    with pytest.raises(UsageError, match="is in more than one part"):
        merge(cli._parser().parse_args(["merge", parts[0], parts[0], "--out", str(tmp_path / "twice")]))
    grade(tmp_path, StandIn(), "--seed", "8", "--shard", "1/3", "--out", str(tmp_path / "other"))
    with pytest.raises(UsageError, match="differ in seed: 7 and 8"):
        merge(cli._parser().parse_args(["merge", parts[1], str(tmp_path / "other"), "--out", str(tmp_path / "odd")]))
    with pytest.raises(UsageError, match="is one of the parts"):
        merge(cli._parser().parse_args(["merge", *parts, "--out", parts[0]]))


def test_one_submission_alone(tmp_path: Path) -> None:
    hand_in(tmp_path / "class", qs="# ada\n")
    assert grade(tmp_path, StandIn(), "--one", "--reports", "gradescope") == 0
    assert [path.name for path in (tmp_path / "out" / "gradescope").iterdir()] == ["class.json"]


# --- bad input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "env", "says"),
    [
        (["grade"], {}, "make grade SUBMISSIONS=folder"),
        (["grade", "nowhere"], {}, "SUBMISSIONS=nowhere: there is no such folder"),
        (["grade"], {"SUBMISSIONS": "no\nwhere"}, "no\\nwhere"),
        (["grade", "class", "--kata", "qz"], {}, "did you mean qs?"),
        (["grade", "class"], {"KATA": "qs qz"}, "did you mean qs?"),
        (["grade", "class", "--jobs", "0"], {}, "JOBS=0: a whole number from 1"),
        (["grade", "class"], {"JOBS": "many"}, "JOBS=many: a whole number"),
        (["grade", "class", "--repeat", "-1"], {}, "REPEAT=-1: a whole number"),
        (["grade", "class", "--shard", "3/2"], {}, "SHARD=3/2: I/N"),
        (["grade", "class", "--reports", "pdf"], {}, "no report `pdf`"),
        (["grade", "class", "--roster", "nowhere"], {}, "ROSTER=nowhere: cannot be read"),
        (["grade", "class", "--scheme", "nowhere"], {}, "SCHEME=nowhere: cannot be read"),
        (["grade", "class", "--level", "moat"], {}, "no isolation level `moat`"),
        (["report", "nowhere"], {}, "there is no journal.jsonl"),
        (["merge", "nowhere"], {}, "there is no journal.jsonl"),
    ],
)
def test_bad_input_is_one_sentence(
    words: list[str],
    env: dict[str, str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hand_in(tmp_path / "class" / "ada")
    words = [str(tmp_path / word) if word == "class" else word for word in words]
    for name, value in {"OUT": str(tmp_path / "out"), **env}.items():
        monkeypatch.setenv(name, value)
    assert cli.main(words) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_weak_isolation_must_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "probe", lambda: levels.LIMITS)
    hand_in(tmp_path / "class" / "ada", qs="# ada\n")
    with pytest.raises(UsageError, match="add ALLOW=1"):
        _grade(tmp_path)
    monkeypatch.setattr(levels, "trouble", lambda level: "" if level.rank < 2 else "it is not installed")
    with pytest.raises(UsageError, match="bubblewrap does not work here: it is not installed"):
        _grade(tmp_path, "--level", "bubblewrap")
    assert _grade(tmp_path, "--level", "group") == 0
    assert data(tmp_path)["level"] == "group"
    assert data(tmp_path)["trusted"] is False
    assert "trust marks as you trust the class" in (tmp_path / "out" / "grades.html").read_text("utf-8")
    assert _grade(tmp_path, "--allow") == 0
    monkeypatch.setattr(levels, "probe", lambda: levels.BUBBLEWRAP)
    assert _grade(tmp_path) == 0
    assert data(tmp_path)["trusted"] is True
    assert "trust marks as you trust the class" not in (tmp_path / "out" / "grades.html").read_text("utf-8")


def _grade(folder: Path, *words: str) -> int:
    from dojo.grade import command

    given = ["grade", str(folder / "class"), "--out", str(folder / "out"), "--kata", "qs", *words]
    return command.grade(cli._parser().parse_args(given), StandIn)


def test_help_says_what_there_is() -> None:
    done = dojo("grade", "--help")
    assert done.returncode == 0
    for each in ("exit codes: 0", "--roster", "--scheme", "--repeat", "--shard", "katas/chat/chat.py", "urlparse"):
        assert each in done.stdout


def test_a_student_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    hand_in(tmp_path / "class" / "ada", qs="# ada\n")
    grade(tmp_path, StandIn())
    with pytest.raises(UsageError, match="no submission `bob`"):
        make_reports(cli._parser().parse_args(["report", str(tmp_path / "out"), "--student", "bob"]))


def test_the_table_shows_a_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(70):
        hand_in(tmp_path / "class" / f"学生-{number}", qs=f"# {number}\n")
    grade(tmp_path, StandIn())
    said = capsys.readouterr().out
    assert re.search(r"^学生-2 +100 +100  100 %  judged$", said, re.MULTILINE)
    assert "… and 10 more, in the files" in said
    assert "70 submissions (70 judged); median 100 %" in said


# --- where others run it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("settings", "score"), [('KATA="qs"\nALLOW=1\n', 100.0), ('KATA="qz"\n', None)])
def test_gradescope_gets_results_whatever_happens(settings: str, score: float | None, tmp_path: Path) -> None:
    hand_in(tmp_path / "submission", qs=QS.reference.read_text("utf-8"))
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "net-dojo").symlink_to(ROOT)
    (tmp_path / "source" / "settings").write_text(settings)
    script = ROOT / "dojo/grade/platforms/gradescope/run_autograder"
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "LC_", "LANG"))}
    subprocess.run(["bash", script], env={**clean, "AUTOGRADER": str(tmp_path)}, timeout=50, check=True)
    results = json.loads((tmp_path / "results" / "results.json").read_text("utf-8"))
    assert results.get("score") == score
    assert ("did you mean qs?" in results["output"]) == (score is None)
