"""junit.xml: what a CI server shows. A suite a submission, a case a test."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from dojo.grade.journal import replacing
from dojo.grade.marks import KataMark, Row, TestMark
from dojo.grade.report import Head, Statistics, title
from dojo.grade.submissions import visible
from dojo.grade.verdict import INFRASTRUCTURE, NOT_RUN, PASS

# XML 1.0, production 2: no other character may stand in a document, not even escaped.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml(text: str) -> str:
    """Text for an element."""
    return escape(FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))


def attribute(text: str) -> str:
    """Text for an attribute, with its quotation marks."""
    return quoteattr(FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", visible(text, 300)))


class JUnit:
    """Suites are written one by one, so the numbers at the top are left out; they are optional."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = ExitStack()

    def begin(self, head: Head) -> None:
        """The start."""
        self._head = head
        self._file = self._open.enter_context(replacing(self._path))
        self._say('<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="dojo">\n')

    def _say(self, text: str) -> None:
        self._file.write(text.encode("utf-8"))

    def row(self, row: Row) -> None:
        """One suite."""
        cases = [(kata, mark, each) for kata, mark in row.katas.items() for each in mark.tests]
        unknown = {kata for kata, mark in row.katas.items() if mark.points is None}
        errors = sum(kata in unknown for kata, _, _ in cases)
        failures = sum(kata not in unknown and each.verdict not in (PASS, NOT_RUN) for kata, _, each in cases)
        skipped = sum(kata not in unknown and each.verdict == NOT_RUN for kata, _, each in cases)
        seconds = sum(mark.seconds for mark in row.katas.values())
        self._say(
            f'<testsuite name={attribute(row.name)} tests="{len(cases)}" failures="{failures}" errors="{errors}"'
            f' skipped="{skipped}" time="{seconds:.3f}">\n'
            f'<properties><property name="level" value={attribute(self._head.level)}/>'
            f'<property name="seed" value={attribute(self._head.seed)}/>'
            f'<property name="dojo" value={attribute(self._head.dojo)}/>'
            f'<property name="status" value={attribute(row.status)}/></properties>\n'
        )
        for kata, mark in row.katas.items():
            for each in mark.tests:
                self._case(row, kata, mark, each)
        self._say("</testsuite>\n")

    def _case(self, row: Row, kata: str, mark: KataMark, each: TestMark) -> None:
        seconds = each.result.seconds if each.result else 0.0
        name = f"{each.test.number} {title(each.test)}"
        start = f'<testcase classname={attribute(f"{row.name}.{kata}")} name={attribute(name)} time="{seconds:.3f}"'
        reason = str(mark.sentence or row.sentence or "")
        if mark.points is None:
            self._say(f"{start}><error type={attribute(INFRASTRUCTURE)} message={attribute(reason)}/></testcase>\n")
        elif each.verdict == PASS:
            self._say(f"{start}/>\n")
        elif each.verdict == NOT_RUN:
            self._say(f"{start}><skipped message={attribute(reason)}/></testcase>\n")
        else:
            assert each.result is not None
            self._say(
                f"{start}><failure type={attribute(each.verdict)} message={attribute(each.result.reason)}>"
                f"{xml(chr(10).join(each.transcript))}</failure></testcase>\n"
            )

    def end(self, statistics: Statistics) -> None:
        """The file takes its place."""
        self._say("</testsuites>\n")
        self._open.close()
