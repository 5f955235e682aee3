"""`make check` finds what is wrong with a kata: each fault is put into the README's example, and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dojo import gallery
from dojo.result import Result
from tests.dojo.command import Checker
from tests.dojo.conftest import copied
from tests.dojo.example import build


def replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    """A fault: another text in a file."""

    def spoil(house: Path) -> None:
        text = (house / name).read_text("utf-8")
        assert old in text
        (house / name).write_text(text.replace(old, new), "utf-8")

    return spoil


def remove(name: str) -> Callable[[Path], None]:
    """A fault: a file that is not there."""
    return lambda house: (house / name).unlink()


WRONG = "tests/gallery/cut/wrong_splitlines.py"
FAULTS = [
    (remove("katas/cut/README.zh.md"), "katas/cut/README.zh.md is not there"),
    (remove("reference/cut.py"), "reference/cut.py is not there"),
    (replace("katas/cut/README.md", "# cut ·", "# Cut:"), "does not begin with `# cut · title`"),
    (replace("katas/cut/README.md", "`cut`", "the function"), ""),
    (replace("katas/README.md", "[cut]", "[cat]"), ""),
    (replace("katas/README.md", "](cut/", "](cat/"), "katas/README.md does not list it"),
    (replace("katas/cut/cut.py", "data: bytes", "data: str"), "cut: the stub has (data: str)"),
    (replace("tests/test_cut.py", "一行到 LF", "a line"), ""),
    (replace("tests/test_cut.py", "一行到 LF 为止；还没有 LF 的部分要留下", "title"), "no title in both languages"),
    (replace("katas/cut/hints.toml", "[cut]", "[cat]"), "hints.toml has no entry `cut` for test_cut"),
    (replace("katas/cut/hints.toml", "[rest_", "[the_rest_"), "no entry `rest_taken_for_a_line`, which test_cut"),
    (replace("katas/cut/hints.toml", "[cut]", "[hang]"), "`hang` is taken by dojo/hints.toml"),
    (replace("katas/cut/hints.toml", '"Look at bytes.split."', '"A hint", "more"'), "`cut` has not three hints in en"),
    (replace("katas/cut/hints.toml", "Look at", 'See *lines, rest = data.split(b\\"\\\\n\\")'), "gives away a line"),
    (replace("katas/cut/cut.py", "raise NotImplementedError", "return 1"), "on the stub: fail, `cut`, not"),
    (replace("reference/cut.py", "return lines, rest", "return lines, lines"), "test_cut fails for `cut`"),
    (replace(WRONG, "rest_taken_for_a_line", "cut"), "no wrong solution shows `rest_taken_for_a_line`"),
    (replace(WRONG, "data.splitlines(), b", "data.split(b'\\n')[:-1], data.split(b'\\n')[-1] + b"), "test_cut passes"),
    (replace(WRONG, "fails: test_cut", "fails test_cut"), "no wrong solution fails test_cut"),
    (replace("tests/gallery/cut/right_list.py", "return lines, data", "return lines, b''"), "which was not promised"),
    (remove("tests/gallery/cut/right_loop.py"), "fewer than three right solutions"),
    (remove(WRONG), "no wrong solution shows `rest_taken_for_a_line`"),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the example in it, for all these tests."""
    made = copied(tmp_path_factory.mktemp("house"))
    build(made)
    return made


@pytest.fixture(scope="module")
def checker(house: Path) -> Iterator[Checker]:
    """What `make check` says of the example, in a process of its own."""
    with Checker(house) as made:
        yield made


@pytest.fixture
def mended(house: Path) -> Iterator[None]:
    """The example as it was, after each test."""
    before = {path: path.read_bytes() for path in house.rglob("*cut*/*") if path.is_file()}
    before |= {path: path.read_bytes() for path in (*house.glob("*/*cut.py"), house / "katas/README.md")}
    yield
    for path, data in before.items():
        path.write_bytes(data)


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(("spoil", "says"), FAULTS, ids=[str(number) for number in range(len(FAULTS))])
def test_each_fault_is_named(house: Path, checker: Checker, spoil: Callable[[Path], None], says: str) -> None:
    spoil(house)
    said = checker.complaints()
    assert says in said
    assert bool(says) == bool(said), said


def test_a_verdict_that_was_not_promised_is_named() -> None:
    passed, failed = (Result("cut", f"test_{name}", 1, {}, status) for name, status in (("a", "pass"), ("b", "fail")))
    failed.reason = "x"
    wrong = Path("wrong_y.py")
    assert gallery.complaints(wrong, {"test_b": "x"}, [passed, failed]) == []
    assert "fails for `x`, not for `y`" in gallery.complaints(wrong, {"test_b": "y"}, [passed, failed])[0]
    assert "test_a passes" in gallery.complaints(wrong, {"test_a": "x", "test_b": "x"}, [passed, failed])[0]
    assert "not promised" in " ".join(gallery.complaints(wrong, {}, [passed, failed]))
    assert "names no test" in " ".join(gallery.complaints(wrong, {}, [passed, failed]))
    assert "there is no test_c" in " ".join(gallery.complaints(wrong, {"test_c": "x"}, [passed]))
    assert "no test ran" in gallery.complaints(Path("right_y.py"), {}, [])
