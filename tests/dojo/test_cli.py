"""The command line: the screen, the exit codes, and a sentence for each bad input."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dojo.launch import ROOT
from tests.dojo.command import dojo
from tests.dojo.conftest import Here

STUB = "katas/urlparse/urlparse.py"


def solve(house: Path) -> None:
    (house / STUB).write_text((ROOT / "reference/urlparse.py").read_text("utf-8"), "utf-8")


def write(stub: Path, line: str) -> None:
    """Write the first step of a stub."""
    stub.write_text(stub.read_text("utf-8").replace("raise NotImplementedError", line, 1), "utf-8")


@pytest.mark.parametrize(
    ("words", "env", "says"),
    [
        (["test", "urlprase"], {}, "no kata `urlprase`; did you mean urlparse?"),
        (["test", "zzz"], {}, "the katas are: urlparse"),
        (["test"], {"KATA": "urlprase"}, "did you mean urlparse?"),
        (["test", "$(rm -rf x)"], {}, "no kata"),
        (["test", "\x1b[31mred"], {}, "no kata `\\x1b[31mred`"),
        (["test", "urlparse", "--subject", "nowhere"], {}, "SUBJECT=nowhere: no such file"),
        (["test", "--subject", "reference/urlparse.py"], {}, "say which kata"),
        (["test", "urlparse", "--test", "99"], {}, "no test `99`"),
        (["test"], {"DEBUG": "1"}, "add KATA="),
        (["hint"], {}, "which kata?"),
        (["test", "urlparse", "--python", "/nowhere"], {}, "no interpreter at /nowhere"),
        (["tset"], {}, "invalid choice"),
    ],
)
def test_bad_input_is_one_sentence(words: list[str], env: dict[str, str], says: str, here: Here) -> None:
    done = here(*words, env=env)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert "\x1b" not in done.stderr


def test_help_names_every_kata(here: Here) -> None:
    done = here("--help")
    assert done.returncode == 0
    assert "urlparse" in done.stdout
    assert "python -m dojo test urlparse" in done.stdout


def test_a_fresh_stub_says_that_this_is_the_start(house: Path) -> None:
    done = dojo("test", "urlparse", cwd=house)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert re.match(r"urlparse · .* 0 of \d+$", lines[0])
    assert "A fresh stub" in lines[1]
    assert done.stdout.count("✗") == 1
    assert "not written yet (katas/urlparse/urlparse.py:" in done.stdout
    assert "next: katas/urlparse/urlparse.py · the page: katas/urlparse/README.md" in done.stdout
    assert "\x1b" not in done.stdout


def test_one_step_written_shows_as_passed(house: Path) -> None:
    stub = house / STUB
    write(stub, "return url.partition(':')[0].lower()")
    done = dojo("test", "urlparse", cwd=house)
    assert "✓ 1" in done.stdout
    assert "A fresh stub" not in done.stdout


def test_a_solved_kata_says_so(house: Path) -> None:
    solve(house)
    done = dojo("test", "urlparse", cwd=house)
    assert done.returncode == 0
    assert "Done: urlparse is solved." in done.stdout
    assert "make test KATA=qs" in done.stdout


def test_all_katas_are_one_line_each(house: Path) -> None:
    solve(house)
    for folder in (house / "katas").iterdir():  # three are enough to see a list
        if folder.is_dir() and folder.name not in ("urlparse", "qs", "echo"):
            shutil.rmtree(folder)
    done = dojo("test", cwd=house)
    assert done.returncode == 1
    assert re.search(r"✓ urlparse +\d+ / \d+", done.stdout)
    assert re.search(r"· qs +0 / \d+", done.stdout)
    assert re.search(r"· echo +0 / \d+", done.stdout)
    assert "next: make test KATA=qs" in done.stdout


def test_chinese_and_colours_where_they_are_asked_for() -> None:
    chinese = dojo("test", "urlparse", "--subject", STUB, env={"DOJO_LANG": "zh"})
    assert "下一步" in chinese.stdout
    coloured = dojo("test", "urlparse", "--subject", STUB, env={"FORCE_COLOR": "1"})
    assert "\x1b[" in coloured.stdout
    plain = dojo("test", "urlparse", "--subject", STUB, env={"FORCE_COLOR": "1", "NO_COLOR": "1"})
    assert "\x1b" not in plain.stdout


def test_hints_come_one_after_the_other(house: Path) -> None:
    assert "run make test KATA=urlparse first" in dojo("hint", "urlparse", cwd=house).stderr
    dojo("test", "urlparse", cwd=house)
    shown = [dojo("hint", "urlparse", cwd=house).stdout for _ in range(4)]
    assert [text.count("/3  ") for text in shown] == [1, 2, 3, 3]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda stub: stub.unlink(), "`git checkout katas/urlparse/urlparse.py` brings the stub back"),
        (lambda stub: stub.rename(stub.with_name("url_parse.py")), "found there: url_parse.py"),
    ],
)
def test_a_stub_that_is_gone(house: Path, change: object, says: str) -> None:
    change(house / STUB)  # type: ignore[operator]
    done = dojo("test", "urlparse", cwd=house)
    assert done.returncode == 2
    assert says in done.stderr


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def scheme(:\n", f"{STUB}:1"),
        ("import requests\n", "`requests`, which is not in the standard library"),
        ("import threading\nthreading.Event().wait()\n", "still loading"),
        ("x = 1\n", "has no function `scheme`"),
        ("def schema(url): return ''\n", "it has `schema`"),
        ("import os\nos._exit(0)\n", "exit code 0"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_once(house: Path, source: str, says: str) -> None:
    (house / STUB).write_text(source)
    done = dojo("test", "urlparse", cwd=house)
    assert done.returncode == 1
    assert says in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout + done.stderr


def test_files_beside_the_students_change_nothing(house: Path) -> None:
    for name in ("pytest", "conftest", "json", "dojo", "sitecustomize", "_pytest"):
        (house / "katas/urlparse" / f"{name}.py").write_text("import os\nos._exit(0)\n")
    (house / "katas/urlparse/pytest.ini").write_text("[pytest]\naddopts = --collect-only\n")
    done = dojo("test", "urlparse", cwd=house)
    assert "0 of " in done.stdout
    assert done.returncode == 1


def test_a_run_that_breaks_off_is_no_pass(house: Path) -> None:
    solve(house)
    with (house / "tests/test_urlparse.py").open("a") as tests:
        tests.write("\n\ndef test_break() -> None:\n    import os\n\n    os.kill(os.getpid(), 2)\n")
    done = dojo("test", "urlparse", cwd=house)
    assert done.returncode == 130
    assert "Done" not in done.stdout
    with (house / "tests/conftest.py").open("a") as conftest:
        conftest.write("\n\ndef pytest_runtest_logreport(report):\n    raise RuntimeError('broken')\n")
    done = dojo("test", "urlparse", cwd=house)
    assert done.returncode == 3
    assert "Done" not in done.stdout
    assert "The dojo itself failed" in done.stderr


def test_an_unknown_reason_is_a_fault_of_the_dojo(house: Path) -> None:
    hints = house / "katas/urlparse/hints.toml"
    hints.write_text(hints.read_text("utf-8").replace("[scheme]", "[schema]"), "utf-8")
    (house / STUB).write_text("def scheme(url):\n    return 'x'\n")
    done = dojo("test", "urlparse", cwd=house)
    assert done.returncode == 3
    assert "hints.toml has no entry `scheme`" in done.stdout


def test_plain_pytest_gives_the_same_message(house: Path) -> None:
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "DOJO_LANG": "en"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pytest_timeout", "tests/test_urlparse.py"],
        cwd=house,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "not written yet (katas/urlparse/urlparse.py:" in done.stdout
    assert "dojo/expect.py" not in done.stdout


def test_no_report_is_no_pass(house: Path) -> None:
    from dojo.catalog import Kata
    from dojo.judge import JudgeError, Options, judge

    with pytest.raises(JudgeError, match="no verdict"):
        judge(Kata("urlparse"), Options(subject="reference"), deadline=0.01)
    with pytest.raises(JudgeError, match="no complete report"):
        judge(Kata("no_such_kata"), Options(subject="reference"))


def test_the_verdict_is_the_same_as_data() -> None:
    from dojo.catalog import Kata
    from dojo.judge import Options, judge
    from dojo.result import Result

    results = judge(Kata("urlparse"), Options(subject="reference", seed="1"))
    assert {result.status for result in results} == {"pass"}
    assert [Result.from_data(json.loads(json.dumps(result.as_data()))) for result in results] == results


def test_ctrl_c_ends_everything_at_once(house: Path) -> None:
    (house / STUB).write_text("import time\ndef scheme(url):\n    time.sleep(1000)\n")
    running = subprocess.Popen(
        [sys.executable, "-m", "dojo", "test", "urlparse"],
        cwd=house,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "DOJO_LANG": "en"},
        start_new_session=True,
        text=True,
    )
    deadline = time.monotonic() + 20
    while len(_below(running.pid)) < 2:  # the warm interpreter and the student's process
        assert time.monotonic() < deadline
        time.sleep(0.01)
    below = _below(running.pid)
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "Stopped" in said
    assert "Traceback" not in said
    assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]


def _below(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    found = [int(child) for child in children]
    return found + [below for child in found for below in _below(child)]


def test_debug_gives_the_terminal_to_the_students_code(house: Path) -> None:
    stub = house / STUB
    write(stub, "breakpoint(); return 'http'")
    parent, terminal = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    with subprocess.Popen(
        [sys.executable, "-m", "dojo", "test", "urlparse", "--debug"],
        cwd=house,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**environment, "DOJO_LANG": "en", "TERM": "dumb"},
        start_new_session=True,
    ) as running:
        os.close(terminal)
        seen = _until(parent, "(Pdb)")
        os.write(parent, b"p 6 * 7\n")
        seen += _until(parent, "42")
        os.write(parent, b"q\n")
        running.wait(20)
        os.close(parent)
    assert "scheme" in seen


def _until(terminal: int, text: str) -> str:
    import select

    seen = ""
    deadline = time.monotonic() + 20
    while text not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 4096).decode("utf-8", "replace")
    return seen
