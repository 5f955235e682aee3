"""Whatever a student's functions return, it is a verdict on them: a test never breaks on the form of an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from dojo import agree, catalog
from dojo.catalog import Kata
from dojo.judge import Options, judge
from dojo.result import ERROR

ODD = ("None", "[got]")
"""What each function returns instead of what the reference does, `got`."""

WRAP = """

def _odd(function):
    @__import__("functools").wraps(function)
    def odd(*arguments, **named):
        got = function(*arguments, **named)
        return {answer}
    return odd


{lines}
"""


@pytest.mark.parametrize("answer", ODD)
@pytest.mark.parametrize("kata", catalog.katas(), ids=lambda kata: kata.name)
def test_an_odd_answer_is_a_failure(kata: Kata, answer: str, tmp_path: Path) -> None:
    lines = "\n".join(f"{name} = _odd({name})" for name in agree.functions(kata.reference))
    subject = tmp_path / f"{kata.name}.py"
    subject.write_text(kata.reference.read_text("utf-8") + WRAP.format(answer=answer, lines=lines), "utf-8")
    results = judge(kata, Options(subject=str(subject)))
    assert [result.test for result in results if result.status == ERROR] == []
    assert any(result.reason for result in results)
