"""The teacher's grading file, and marks made by it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from dojo.catalog import Kata, UsageError, katas
from dojo.grade import scheme
from dojo.grade.scheme import Scheme

CHAT, QS = Kata("chat"), Kata("qs")
HIDDEN = 'def test_hidden(student):\n    """a hidden one\n\n    隐藏\n    """\n'


def read(tmp_path: Path, text: str) -> Scheme:
    path = tmp_path / "points.toml"
    path.write_text(text, "utf-8")
    return scheme.read(path, [QS, CHAT])


def test_100_points_are_spread_evenly_where_nothing_is_said() -> None:
    made = scheme.default(katas())
    assert sum(made.points.values()) == 100
    assert len(set(made.points.values())) == 1


def test_points_weights_and_hidden_tests(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "test_qs.py").write_text(HIDDEN, "utf-8")
    made = read(
        tmp_path,
        '[points]\nqs = 40\nchat = 0.5\n[weights.qs]\n2 = 3\nfields = 0\n[hidden]\nfolder = "secret"\nweight = 2\n',
    )
    assert made.points == {"qs": 40, "chat": Fraction(1, 2)}
    tests = made.tests(QS)
    assert (tests[-1].name, tests[-1].hidden, tests[-1].title_zh) == ("test_hidden", True, "隐藏")
    assert tests[-1].number == len(tests)
    assert made.weight("qs", tests[1].name, hidden=False) == 3
    assert made.weight("qs", "test_hidden", hidden=True) == 2
    assert made.weight("chat", "anything", hidden=False) == 1
    again = Scheme.from_data(made.as_data())
    assert (again.points, again.weights, again.hidden_weight) == (made.points, made.weights, made.hidden_weight)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("points = [", "not a TOML file"),
        ("[point]\n", "no section `point`"),
        ("points = 3\n", "`points` is a section"),
        ("[points]\nqs = 1\nchta = 1\n", "did you mean chat"),
        ("[points]\nqs = 1\n", r"says nothing of chat"),
        ("[points]\nqs = -1\nchat = 1\n", "points of qs is a number from 0 on"),
        ("[points]\nqs = nan\nchat = 1\n", "points of qs is a number"),
        ("[points]\nqs = true\nchat = 1\n", "points of qs is a number"),
        ("[points]\nqs = 0\nchat = 0\n", "nothing has any points"),
        ("[weights]\nqs = 1\n", r"`weights.qs` is a section"),
        ("[weights.qs]\n99 = 1\n", "qs has no test `99`"),
        ("[weights.qs]\n1 = 'x'\n", "the weight of qs.1 is a number"),
        ("[hidden]\nfolder = 'nowhere'\n", "no folder"),
        ("[hidden]\nfolder = '.'\n", "is for a kata that is graded here"),
        ("[hidden]\nfile = 'x'\n", "a folder and a weight"),
    ],
)
def test_a_bad_grading_file_is_one_sentence(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def test_(", "is no Python"),
        ("x = 1\n", "there is no test"),
        ("def test_fields(): pass\n", "call the hidden one otherwise"),
    ],
)
def test_bad_hidden_tests_are_one_sentence(source: str, says: str, tmp_path: Path) -> None:
    name = "test_fields" if "otherwise" in says else ""
    source = source.replace("test_fields", scheme.tests_in(QS.tests)[0].name) if name else source
    (tmp_path / "test_qs.py").write_text(source)
    with pytest.raises(UsageError, match=says):
        read(tmp_path, "[hidden]\nfolder = '.'\n")


def test_the_tests_are_those_that_the_judge_runs() -> None:
    from dojo.judge import Options, judge

    results = judge(QS, Options(subject=str(QS.reference), seed="1"))
    told = [(result.test, result.number, result.titles["en"], result.titles["zh"]) for result in results]
    assert told == [(each.name, each.number, each.title_en, each.title_zh) for each in scheme.tests_in(QS.tests)]
