"""The warm interpreter: many runs at a time, of more katas than it keeps collected."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from dojo.catalog import Kata
from dojo.judge import Options, judge
from dojo.result import Result
from dojo.warm import COLLECTED

WAITS = """import pathlib, time
pathlib.Path({begun!r}).touch()
until = time.monotonic() + 4
while not pathlib.Path({go_on!r}).exists() and time.monotonic() < until:
    time.sleep(0.01)
"""


def test_a_run_tells_its_end_though_its_tests_are_not_kept_any_more(tmp_path: Path) -> None:
    begun, go_on, subject = tmp_path / "begun", tmp_path / "go_on", tmp_path / "urlparse.py"
    subject.write_text(WAITS.format(begun=str(begun), go_on=str(go_on)), "utf-8")
    told: list[list[Result]] = []
    one = Options(subject=str(subject), test="1")
    judging = threading.Thread(target=lambda: told.append(judge(Kata("urlparse"), one)))
    judging.start()
    until = time.monotonic() + 20
    while not begun.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert begun.exists()
    others = ("qs", "mail", "chat", "echo")
    assert len(others) > COLLECTED
    for name in others:
        assert len(judge(Kata(name), Options(subject=str(Kata(name).stub), test="1"))) == 1
    go_on.touch()
    judging.join(20)
    assert [len(results) for results in told] == [1]
