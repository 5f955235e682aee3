"""The reports: one model, and nothing of a student's that is obeyed by what reads them."""

from __future__ import annotations

import copy
import json
import re
import shutil
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dojo import cli
from dojo.grade.command import make_reports
from dojo.grade.reports import exercism
from dojo.grade.reports.folder import file_name
from dojo.launch import ROOT
from tests.dojo.classroom import StandIn, hand_in
from tests.dojo.grading import data, grade, marks, rows
from tests.dojo.schema import complaints

SCHEMA = json.loads((ROOT / "dojo" / "grade" / "reports" / "grades.schema.json").read_text("ascii"))
EVIL = "\\x1b[2J\\x00\\u202e<script>alert(1)</script>&amp;]]>\\ud800\\n::notice title=x::{}\\n##[set-output]"
NAMES = [
    "=cmd()",
    "+1",
    "-1",
    "@SUM(A1)",
    "<script>alert(1)<",
    '"><img src=x>',
    "line\nbreak",
    "\x1b[31mred",
    "小明",
    "a,b;c",
]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class with everything in it, graded with all reports."""
    tmp_path = tmp_path_factory.mktemp("graded")
    for name in NAMES:
        hand_in(tmp_path / "class" / name, qs=f"# {name!a}\n# fails: 2 3\n# printed: {EVIL}\n# reason: hang\n")
    hand_in(tmp_path / "class" / "ada", qs="# ada\n")
    hand_in(tmp_path / "class" / "broken", qs="# broken\n# infrastructure: <b>no room</b>\x1b[1m\n")
    hand_in(tmp_path / "class" / "nothing")
    (tmp_path / "class" / "linked").symlink_to("/etc")
    (tmp_path / "class.csv").write_text(
        "id,name,email\nada,=Ada(),ada@example.com\ngone,小红,gone@example.com\n", "utf-8"
    )
    assert grade(tmp_path, StandIn(), "--reports", "all", "--roster", str(tmp_path / "class.csv")) == 3
    return tmp_path


@pytest.fixture
def own(graded: Path, tmp_path: Path) -> Path:
    """Its output alone, for a test that makes reports again: neither submissions nor reports are there any more."""
    (tmp_path / "out").mkdir()
    shutil.copy(graded / "out" / "journal.jsonl", tmp_path / "out")
    return tmp_path


def test_csv_has_no_formula_and_no_control_character(graded: Path) -> None:
    raw = (graded / "out" / "grades.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\n") == raw.count(b"\r\n") == 16
    found = rows(graded)
    assert list(found[0])[:5] == ["submission", "qs", "total", "percent", "status"]
    by_name = {row["submission"]: row for row in found}
    for row in found:
        for text in row.values():
            assert not text.startswith(("=", "+", "-", "@", "\t", "\r"))
            assert text.isprintable()
    assert by_name["'=cmd()"]["total"] == "86.67"
    assert by_name["小明"]["percent"] == "86.67"
    assert by_name["ada"]["name"] == "'=Ada()"
    assert by_name["broken"]["total"] == by_name["broken"]["qs"] == by_name["broken"]["percent"] == ""
    statuses = {name: by_name[name]["status"] for name in ("ada", "broken", "nothing", "linked", "gone")}
    assert statuses == {
        "ada": "judged",
        "broken": "needs a person",
        "nothing": "missing",
        "linked": "unreadable",
        "gone": "no submission",
    }


def test_json_is_as_its_schema_says(graded: Path) -> None:
    found = data(graded)
    assert complaints(found, SCHEMA) == []
    assert found["level"] in ("group", "limits", "landlock", "bubblewrap")
    submissions = {each["submission"]: each for each in found["submissions"]}
    assert set(NAMES) <= set(submissions)
    assert submissions["broken"]["total"] is None
    first, second = [each for each in submissions["小明"]["katas"]["qs"]["tests"] if each["verdict"] == "timeout"]
    assert first["transcript"]
    assert second["transcript"]
    assert first["place"] == "qs.py:1"  # not where it lay while it was judged


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), 2),
        (("seed",), 7),
        (("extra",), 1),
        (("submissions", 0, "status"), "fine"),
        (("submissions", 0, "total"), -1),
        (("submissions", 0, "katas", "qs", "tests", 0, "verdict"), "passed"),
        (("katas", 0, "tests_sha256"), "none"),
    ],
)
def test_the_schema_can_say_no(path: tuple[str | int, ...], value: object, graded: Path) -> None:
    spoilt = copy.deepcopy(data(graded))
    inside: object = spoilt
    for step in path[:-1]:
        inside = inside[step]  # type: ignore[index]
    inside[path[-1]] = value  # type: ignore[index]
    assert complaints(spoilt, SCHEMA)


def test_junit_is_xml_and_counts_right(graded: Path) -> None:
    suites = ET.parse(graded / "out" / "junit.xml").getroot()
    by_name = {suite.get("name"): suite for suite in suites}
    for suite in suites:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases) == 15
        for kind, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert len(suite.findall(f"testcase/{kind}")) == int(suite.get(name, "")), suite.get("name")
    assert {name: by_name[name].get("failures") for name in ("ada", "小明")} == {"ada": "0", "小明": "2"}
    assert by_name["broken"].get("errors") == "15"
    assert {each.get("name") for each in by_name["ada"].iter("property")} == {"level", "seed", "dojo", "status"}
    text = (graded / "out" / "junit.xml").read_text("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "<script>" not in text


class Seen(HTMLParser):
    """All elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += [(name, value or "") for name, value in attrs]


def test_the_page_loads_and_runs_nothing(graded: Path) -> None:
    page = (graded / "out" / "grades.html").read_text("utf-8")
    seen = Seen()
    seen.feed(page)
    assert not set(seen.tags) & {"script", "img", "iframe", "object", "embed", "link", "form", "base", "svg"}
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name in ("src", "srcdoc")]
    assert all(value.startswith("#") for name, value in seen.attributes if name == "href")
    targets = {value for name, value in seen.attributes if name == "id"}
    assert {value[1:] for name, value in seen.attributes if name == "href"} <= targets
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]", page)
    assert "default-src 'none'" in page
    for each in ("url(", "@import", "http:", "https:"):
        assert each not in page
    assert "&lt;script&gt;alert(1)&lt;" in page
    assert seen.tags["details"] > 2 * len(NAMES)


def test_the_page_has_the_class_its_failures_and_the_tests_that_it_fails(graded: Path) -> None:
    page = (graded / "out" / "grades.html").read_text("utf-8")
    for text in ("小明", "小红", "timeout", "needs a person", "no submission", "86.67", "isolation", "seed"):
        assert text in page
    items = page[page.index("Which test the class fails") : page.index("Each submission")]
    assert "100 %" in items
    assert f"{100 / 11:.0f} %" in items  # of eleven that were judged, one passes test 2


def test_the_page_stays_small_enough_to_open(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dojo.grade.reports import html

    monkeypatch.setattr(html, "LARGEST", 1000)
    options = cli._parser().parse_args(["report", str(own / "out"), "--reports", "html"])
    assert make_reports(options) == 3
    assert "this transcript is in grades.json" in (own / "out" / "grades.html").read_text("utf-8")


def test_gradescope_gets_its_own_form(graded: Path) -> None:
    files = {path.name: json.loads(path.read_text("ascii")) for path in (graded / "out" / "gradescope").iterdir()}
    assert len(files) == 15
    ada, broken = files["ada.json"], next(each for name, each in files.items() if name.startswith("broken"))
    assert ada["score"] == 100
    assert round(sum(each["max_score"] for each in ada["tests"]), 2) == 100
    assert {each["status"] for each in ada["tests"]} == {"passed"}
    assert "score" not in broken  # Gradescope then asks a person
    for each in files.values():
        assert set(each) <= {
            *("score", "execution_time", "output", "output_format", "visibility", "stdout_visibility", "extra_data"),
            "tests",
        }
        for test in each["tests"]:
            assert test["visibility"] == "visible"
            assert test["output_format"] == "text"


def test_github_classroom_gets_its_own_form_and_no_command(graded: Path) -> None:
    files = {path.name: json.loads(path.read_text("ascii")) for path in (graded / "out" / "classroom").iterdir()}
    assert len(files) == 15
    assert files["ada.json"]["status"] == "pass"
    for each in files.values():
        assert each["max_score"] == 100
        assert sum(test["score"] for test in each["tests"]) <= 100.01
        assert each["status"] in ("pass", "fail", "error")
        assert "::" not in json.dumps(each)
        assert "##[" not in json.dumps(each)
        assert len(json.dumps(each)) < 90_000  # in base64 still a variable of the environment
    failed = next(each for name, each in files.items() if name.startswith("submission"))  # 小明
    assert round(sum(test["score"] for test in failed["tests"]), 1) == 86.7
    assert "</script>" in json.dumps(failed)  # what was printed is told, as text


def test_exercism_gets_its_own_form(graded: Path) -> None:
    folders = list((graded / "out" / "exercism").iterdir())
    assert len(folders) == 15
    for path in (graded / "out" / "exercism").glob("*/qs/results.json"):
        found = json.loads(path.read_text("ascii"))
        assert found["version"] == 3
        assert found["status"] in ("pass", "fail", "error")
        assert (found["status"] == "error") == ("message" in found)
        for test in found["tests"]:
            assert test["status"] in ("pass", "fail")
            assert len(test.get("output", "")) <= exercism.OUTPUT
    found = json.loads((graded / "out" / "exercism" / "ada" / "qs" / "results.json").read_text("ascii"))
    assert found["status"] == "pass"
    assert [test["task_id"] for test in found["tests"]] == list(range(1, 16))


def test_nothing_on_the_terminal_is_obeyed(graded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for student in ((), ("--student", "\x1b[31mred"), ("--student", "小明")):
        make_reports(cli._parser().parse_args(["report", str(graded / "out"), *student]))
        said = capsys.readouterr().out
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said)
    assert "✗ 2" in said
    assert "你" not in said


def test_reports_are_made_again_from_the_journal_alone(graded: Path, own: Path) -> None:
    assert make_reports(cli._parser().parse_args(["report", str(own / "out")])) == 3
    assert (own / "out" / "grades.csv").read_bytes() == (graded / "out" / "grades.csv").read_bytes()
    assert data(own) | {"made": ""} == data(graded) | {"made": ""}
    assert {path.name for path in (own / "out").iterdir()} >= {"grades.html", "junit.xml"}


def test_every_word_is_there_in_chinese(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOJO_LANG", "zh")
    make_reports(cli._parser().parse_args(["report", str(own / "out")]))
    page = (own / "out" / "grades.html").read_text("utf-8")
    for text in ('lang="zh-Hans"', "全班在哪些测试上失败", "需要人工处理", "在名单上，但没有交作业", "查询"):
        assert text in page
    assert marks(own)["ada"] == "100"


def test_names_of_files_are_plain_and_unlike() -> None:
    made = [file_name(name) for name in [*NAMES, "ada", "Ada", "ADA", "a" * 300, "..", "con\x00", ""]]
    assert len({name.lower() for name in made}) == len(made)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name) for name in made)
    assert file_name("ada") == "ada"
