"""grades.html in a real browser (headless Chromium): it shows the class, obeys nothing that a student wrote, and opens
a student's failures where the map points, without a script."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dojo.catalog import Kata
from dojo.launch import ROOT
from tests.dojo.classroom import StandIn, hand_in
from tests.dojo.grading import grade

pytestmark = pytest.mark.timeout(300)

EVIL = "<img src=x onerror=document.title='hacked'><script>document.title='hacked'</script>"


def chromium(*words: str) -> str:
    """What Chromium says."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    assert program, "this proof needs Chromium (Debian: apt-get install chromium)"
    done = subprocess.run(
        [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=True,
    )
    return done.stdout.decode("utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of 40 in three katas, with everything that may happen."""
    folder = tmp_path_factory.mktemp("page")
    katas = [Kata(name) for name in ("urlparse", "qs", "chat")]
    for number in range(36):
        files = {}
        for at, kata in enumerate(katas):
            failing = [str(each) for each in range(1, 16) if (number * 7 + each * (at + 3)) % 17 < number % 6]
            reason = ("returned_none", "hang", "not_plain")[(number + at) % 3]
            text = f"# {number} {kata.name}\n# fails: {' '.join(failing)}\n# reason: {reason}\n# printed: {EVIL}\n"
            if number % 9 != at:
                files[kata.name] = text + ("# turns: 2\n" if number == 20 else "")
        hand_in(folder / "class" / f"student-{number}", **files)
    hand_in(folder / "class" / f"x{EVIL.replace('/', '-')}", qs="# x\n")
    hand_in(folder / "class" / "broken", qs="# broken\n# infrastructure: no room\n")
    hand_in(folder / "class" / "latin", qs=b"# \xe9\n")
    grade(folder, StandIn(), "--repeat", "2", kata="urlparse,qs,chat")
    return folder / "out" / "grades.html"


def test_the_browser_shows_the_class_and_obeys_nobody(page: Path) -> None:
    dom = chromium("--dump-dom", page.as_uri())
    assert "<title>Grades</title>" in dom
    assert "student-35" in dom
    assert "<script" not in dom
    assert "<img" not in dom
    assert dom.count("<tr") > 40
    assert '<details open=""><summary><b>' not in dom


def test_the_map_leads_to_a_students_failures(page: Path) -> None:
    source = page.read_text("utf-8")
    found = re.search(r'href="#(s\d+)">student-10<', source)
    assert found
    dom = chromium("--dump-dom", f"{page.as_uri()}#{found[1]}")
    opened = re.findall(r'<details open=""><summary><b>([^<]*)', dom)
    assert opened == ["student-10"]


@pytest.mark.parametrize(("name", "size"), [("wide", "1280,1600"), ("narrow", "500,1200")])
def test_it_looks_as_it_should(name: str, size: str, page: Path) -> None:
    """The picture is for a person to look at; the test sees that there is one, of that size, not blank."""
    picture = ROOT / ".dojo" / f"grades-{name}.png"
    picture.parent.mkdir(exist_ok=True)
    picture.unlink(missing_ok=True)
    chromium(f"--screenshot={picture}", f"--window-size={size}", page.as_uri())
    data = picture.read_bytes()
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    assert f"{width},{height}" == size
    assert len(data) > 20_000
