"""HTML as its reader sees it: what is a line, what is a blank, what stands above a picture."""

from __future__ import annotations

import pytest

from dojo.markup import Markup


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        ("one<br>\ntwo", ["one", "two"]),
        ("one\ntwo  &nbsp; three", ["one two three"]),
        ("<div>one</div><p>two", ["", "one", "", "two"]),
        ("<pre>one\r\ntwo <b>x\ny</b></pre>z\nz", ["", "one", "two x", "y", "z z"]),
        ('<div style="color: red; white-space:Pre-Wrap">one\ntwo</div>', ["", "one", "two", ""]),
        ('<span style="white-space: pre-line">one\ntwo<br>\nthree</span>', ["one", "two", "", "three"]),
        ('<pre style="white-space: normal">one\ntwo</pre>', ["", "one two", ""]),
        ("<pre>one<p style='white-space: nowrap'>two\ntwo</p>three\nfour</pre>", "|one|two two|three|four|".split("|")),
        ("<title>none</title><!-- none -->one\u2028\x0btwo", ["one\u2028\x0btwo"]),
    ],
)
def test_lines(html: str, lines: list[str]) -> None:
    assert Markup(html).lines == lines


def test_what_stands_above_a_picture() -> None:
    markup = Markup('one<br>two <img SRC="cid:a&amp;b" src="no">three<br>four<img>')
    assert markup.above == [["one", "two"], ["one", "two three", "four"]]
    assert markup.pictures == [{"src": "cid:a&b"}, {}]
