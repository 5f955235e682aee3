"""grades.html: a class on one page. It loads nothing, runs nothing, and works where scripts are off.

Whatever a student has written goes through `clean`, and the page forbids itself scripts, forms and everything from
elsewhere (Content-Security-Policy), should a mistake be made here one day.
"""

from __future__ import annotations

import re
import tempfile
from contextlib import ExitStack
from html import escape
from pathlib import Path
from statistics import mean, median
from typing import IO

from dojo import catalog, hints, terminal
from dojo.grade import marks
from dojo.grade.journal import replacing
from dojo.grade.marks import KataMark, Row, TestMark
from dojo.grade.report import Head, Item, Statistics, number, title
from dojo.grade.reports import words
from dojo.grade.submissions import visible
from dojo.grade.verdict import FAIL, NOT_RUN, PASS
from dojo.words import language

STYLE = Path(__file__).with_name("page.css")

LARGEST = 24_000_000
"""Bytes of transcripts on the page; a browser still shows it at once. Those of later students are in grades.json."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def word(name: str, **values: str) -> str:
    """The word in the language asked for, escaped, with its values."""
    return clean(words.word(name, **values))


def clean(text: str) -> str:
    """Text for the page: control characters are shown, what HTML would read as its own is escaped."""
    return escape("\n".join(terminal.escaped(text.encode("utf-8", "backslashreplace").decode("utf-8"))), quote=True)


def shade(share: float) -> int:
    """One of eleven shades; the last is for all points alone, the first for none."""
    return 10 if share >= 1 else 0 if share <= 0 else 1 + int(share * 9)


class Page:
    """The map and the details are kept in files until the statistics, which stand above them, are known."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = ExitStack()
        self._count = 0
        self._size = 0

    def begin(self, head: Head) -> None:
        """Remember the head."""
        self._head = head
        self._map: IO[bytes] = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        self._details: IO[bytes] = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        self._file = self._open.enter_context(replacing(self._path))

    def row(self, row: Row) -> None:
        """A line of the map, and a part that opens."""
        self._count += 1
        anchor = f"s{self._count}"
        cells = "".join(_cell(row.katas[kata]) for kata in self._head.katas)
        total = "?" if row.total is None else number(row.total)
        share = None if row.percent is None else row.percent / 100
        colour = "person" if share is None else f"h h{shade(share)}"
        name = visible(row.name, 80)
        said = f' <span class="dim">{clean(visible(row.person.name, 40))}</span>' if row.person else ""
        said += "" if row.status == marks.JUDGED else f" {_status(row.status)}"
        self._map.write(
            f'<tr><td><a href="#{anchor}">{clean(name)}</a>{said}</td>{cells}'
            f'<td class="total {colour}">{total}</td></tr>\n'.encode()
        )
        self._details.write(self._detail(row, anchor, total).encode())

    def _detail(self, row: Row, anchor: str, total: str) -> str:
        person = row.person
        known = (person.id, person.name, person.email) if person else ()
        who = ", ".join(each for each in known if each not in ("", row.name))
        right = _right(f"<b>{total}</b>", self._head.possible())
        said = [sentence for sentence in (row.sentence, *row.notes) if sentence]
        parts = [
            f"<details><summary><b>{clean(visible(row.name))}</b> ",
            f'<span class="dim">{clean(visible(who))}</span> {_status(row.status)}{right}</summary>',
            f'<div class="inside" id="{anchor}">',
            *(f"<p>{clean(visible(str(sentence), 1000))}</p>" for sentence in said),
            "</div>",
        ]
        if row.sentence is None:
            parts += [self._kata(mark) for mark in row.katas.values()]
        return "".join([*parts, "</details>\n"])

    def _kata(self, mark: KataMark) -> str:
        earned = "?" if mark.points is None else number(mark.points)
        right = _right(earned, number(mark.possible))
        count = f'<span class="dim">{mark.passed} / {len(mark.tests)}</span>' if mark.sentence is None else ""
        status = "" if mark.status == marks.JUDGED else _status(mark.status)
        said = [sentence for sentence in (mark.sentence, *mark.notes) if sentence]
        failing = " open" if mark.sentence is None and mark.passed < len(mark.tests) else ""
        parts = [
            f"<details{failing}><summary>{clean(mark.kata)} {count} {status}{right}</summary>",
            '<div class="inside">',
            *(f"<p>{clean(visible(str(sentence), 1000))}</p>" for sentence in said),
        ]
        if mark.sentence is None:
            parts += ["<ol>", *self._tests(mark), "</ol>"]
        for name, digest in mark.files.items():
            parts.append(f'<div class="dim small">{word("files")}: {clean(visible(name))} · {clean(digest[:16])}</div>')
        return "".join([*parts, "</div></details>"])

    def _tests(self, mark: KataMark) -> list[str]:
        first = next((each for each in mark.tests if each.verdict != PASS), None)
        return [self._test(each, shown=each is first) for each in mark.tests]

    def _test(self, each: TestMark, *, shown: bool) -> str:
        text = f"{each.test.number} {clean(title(each.test))}"
        if each.test.hidden:
            text += f' <span class="status">{word("hidden")}</span>'
        if each.verdict == PASS:
            return f'<li><span class="ok">✓</span> {text}</li>'
        kind = "" if each.verdict == FAIL else f' <span class="status">{clean(each.verdict)}</span>'
        lines = clean("\n".join(each.transcript))
        if self._size + len(lines) > LARGEST:
            lines = word("elsewhere")
        self._size += len(lines)
        line = f'<span class="no">✗</span> {text}{kind}'
        if not lines:
            return f"<li>{line}</li>"
        start = '<details class="test" open>' if shown else '<details class="test">'
        return f"<li>{start}<summary>{line}</summary><pre>{lines}</pre></details></li>"

    # --- the whole page -------------------------------------------------------------------------------------

    def end(self, statistics: Statistics) -> None:
        """Put it together."""
        with self._open:
            self._say(self._top(statistics))
            self._say(f"<h2>{word('class')}</h2>{_legend()}" + '<div class="scroll"><table class="map"><thead><tr>')
            self._say(f"<th>{word('submission')}</th>" + "".join(self._heading(kata) for kata in self._head.katas))
            self._say(f"<th>{word('total')}</th></tr></thead><tbody>\n")
            self._copy(self._map)
            self._say("</tbody></table></div>\n" + self._items(statistics))
            self._say(f"<h2>{word('each')}</h2>\n")
            self._copy(self._details)
            self._say(self._foot())

    def _say(self, text: str) -> None:
        self._file.write(text.encode("utf-8"))

    def _copy(self, source: IO[bytes]) -> None:
        source.seek(0)
        while part := source.read(1 << 20):
            self._file.write(part)

    def _heading(self, kata: str) -> str:
        points = number(self._head.scheme.points[kata])
        return f'<th><a href="#k-{clean(kata)}">{clean(kata)}</a><br>{word("of", points=points)}</th>'

    def _top(self, statistics: Statistics) -> str:
        head = self._head
        lang = "zh-Hans" if language() == "zh" else "en"
        totals = statistics.totals
        tiles = [(str(statistics.submissions), word("submissions"))]
        if totals:
            tiles += [(f"{median(totals):.0f} %", word("median")), (f"{mean(totals):.0f} %", word("mean"))]
        others = [(str(count), word(status)) for status, count in statistics.statuses.most_common()]
        shown = "".join([*map(_tile, tiles), _spread(totals), *map(_tile, others)])
        warning = "" if head.trusted else f'<p class="warning">{word("untrusted", level=head.level)}</p>'
        return (
            f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="referrer" content="no-referrer">'
            f"<title>{word('grades')}</title><style>{STYLE.read_text('utf-8')}</style></head><body>\n"
            f'<header><h1>{word("grades")}</h1><div class="dim">{clean(head.line())}</div></header>{warning}\n'
            f'<div class="tiles">{shown}</div>\n'
        )

    def _items(self, statistics: Statistics) -> str:
        parts = [f'<h2>{word("items")}</h2><p class="key small dim">']
        parts += [
            f'<i class="v-{kind}"></i>{word(name)}'
            for kind, name in (("pass", "pass"), ("fail", "fail"), ("other", "other"))
        ]
        parts.append("</p>\n")
        for kata in self._head.katas:
            shares = statistics.points.get(kata, [])
            average = f" · {word('mean')} {100 * mean(shares):.0f} %" if shares else ""
            heading = clean(f"{kata} · {self._head.titles[kata]}")
            parts.append(f'<h3 id="k-{clean(kata)}">{heading}<span class="dim small">{average}</span></h3>')
            parts.append(
                f'<div class="scroll"><table><thead><tr><th></th><th>{word("test")}</th>'
                f'<th colspan="2">{word("passed")}</th>'
                f"<th>{word('time')}</th><th>{word('why')}</th></tr></thead><tbody>\n"
            )
            parts += [_item(kata, item) for item in statistics.items[kata]]
            parts.append("</tbody></table></div>\n")
        return "".join(parts)

    def _foot(self) -> str:
        head = self._head
        hashes = "".join(f"<br>{clean(kata)} {clean(digest)}" for kata, digest in head.digests.items())
        return (
            f'<footer class="small dim">{clean(head.line())}<br>{word("made", made=head.made, started=head.started)}'
            f'<details><summary>{word("hashes")}</summary><div class="inside">{hashes}</div></details>'
            "</footer></body></html>\n"
        )


def _right(earned: str, possible: str) -> str:
    return f'<span class="right">{earned} <span class="dim">{word("of", points=possible)}</span></span>'


def _status(status: str) -> str:
    alert = " alert" if status in (marks.NEEDS_A_PERSON, marks.UNREADABLE, marks.FLAKY) else ""
    return f'<span class="status{alert}">{word(status)}</span>'


def _cell(mark: KataMark) -> str:
    if mark.points is None:
        return f'<td class="person" title="{word(marks.NEEDS_A_PERSON)}">?</td>'
    if mark.status not in (marks.JUDGED, marks.FLAKY):
        return f'<td class="none" title="{word(mark.status)}">{"·" if mark.status != marks.UNREADABLE else "!"}</td>'
    share = float(mark.points / mark.possible) if mark.possible else 0.0
    said = f"{mark.passed} / {len(mark.tests)}"
    return f'<td class="h h{shade(share)}" title="{said}">{number(mark.points)}</td>'


def _legend() -> str:
    boxes = "".join(f'<i class="h{step}"></i>{step * 10} %' for step in (0, 3, 5, 8, 10))
    more = f'<i class="person"></i>{word(marks.NEEDS_A_PERSON)}'
    more += f'<i class="none"></i>{word(marks.MISSING)}, {word(marks.NOT_STARTED)}'
    return f'<p class="key small dim">{boxes}{more}</p>'


def _tile(content: tuple[str, str]) -> str:
    return f'<div class="tile"><b>{content[0]}</b>{content[1]}</div>'


def _spread(totals: list[float]) -> str:
    if not totals:
        return ""
    counts = [0] * 10
    for percent in totals:
        counts[min(9, int(percent / 10))] += 1
    bars = "".join(
        f'<i style="height:{100 * count / max(counts):.0f}%" title="{10 * at} – {10 * at + 10} %: {count}"></i>'
        for at, count in enumerate(counts)
    )
    return f'<div class="tile"><div class="spread">{bars}</div><span class="dim small">{word("spread")}</span></div>'


def _item(kata: str, item: Item) -> str:
    judged = item.judged
    passed, failed = item.verdicts[PASS], item.verdicts[FAIL]
    others = judged - passed - failed - item.verdicts[NOT_RUN]
    bar = "".join(
        f'<i class="v-{kind}" style="width:{100 * count / judged:.1f}%"></i>'
        for kind, count in (("pass", passed), ("fail", failed), ("other", others))
        if judged and count
    )
    why = ""
    if item.reasons:
        name, count = item.reasons.most_common(1)[0]
        why = f'{_sentence(kata, name)} <span class="dim">× {count}</span>'
    hidden = f' <span class="status">{word("hidden")}</span>' if item.test.hidden else ""
    share = f"{100 * passed / judged:.0f} %" if judged else "–"
    spent = f"{item.seconds / judged:.2f} s" if judged else "–"
    return (
        f'<tr><td class="dim">{item.test.number}</td><td>{clean(title(item.test))}{hidden}</td>'
        f'<td><div class="stack">{bar}</div></td><td class="nowrap">{share}</td><td class="dim nowrap">{spent}</td>'
        f'<td class="small">{why}</td></tr>\n'
    )


def _sentence(kata: str, reason: str) -> str:
    """The reason as students read it, its values left open."""
    try:
        text = hints.reason(reason, catalog.Kata(kata).hints).sentences[language()]
    except (KeyError, OSError):
        text = reason
    return clean(visible(re.sub(r"\{\w+\}", "…", text), 140))
