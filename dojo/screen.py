"""What a student sees: each kata's tests in the order of the contract, the first failure in full."""

from __future__ import annotations

import shlex
from pathlib import Path

from dojo import catalog, hints, terminal
from dojo.result import ERROR, PASS, Result
from dojo.terminal import style
from dojo.trouble import short
from dojo.words import language, word

INDENT = " " * 7
PRINTED_LINES = 12
MARKS = {PASS: "✓", "fail": "✗", ERROR: "!"}


def details(result: Result) -> list[str]:
    """The failure in full, without its title: what was done, what was expected and what came."""
    room = terminal.columns() - len(INDENT)
    lines: list[str] = []
    if result.status == ERROR:
        return [word("infrastructure"), *terminal.escaped(result.internal)]
    for english, chinese in result.told:
        lines += terminal.wrap(chinese if language() == "zh" else english, room)
    labels = [(word(label), text) for label, text in result.rows]
    widest = max((terminal.width(label) for label, _ in labels), default=0)
    for label, text in labels:
        pad = " " * (widest - terminal.width(label))
        for at, part in enumerate(_cut(text, room - widest - 3)):
            start = style(label, "dim") + pad if at == 0 else " " * widest
            lines.append(f"{start}   {part}")
    for name, error in result.died:
        lines += terminal.wrap(word("thread_died", name=name, error=error), room)
    if result.source:
        number = result.place.rpartition(":")[2]
        lines.append(f"{result.place}" if _not_told(result) else "")
        lines.append(f"{number:>5} | {terminal.escaped(result.source)[0]}"[:room])
        lines = [line for line in lines if line]
    for sentence in result.threads:
        lines += terminal.wrap(sentence, room)
    if result.wire:
        lines.append(style(word("the_wire"), "dim"))
        for line in result.wire:
            lines += [f"   {part}" for part in _cut(line, room - 3)]
    if result.printed.strip():
        lines.append(style(word("you_printed"), "dim"))
        printed = terminal.escaped(result.printed.strip("\n"))
        if len(printed) > PRINTED_LINES:
            left_out = len(printed) - PRINTED_LINES
            printed = [*printed[:4], f"… {left_out} …", *printed[4 - PRINTED_LINES :]]
        lines += [f"   {line}"[:room] for line in printed]
    entry = hints.reason(result.reason, catalog.Kata(result.kata).hints)
    sentence = entry.sentence(result.values)
    lines += [style(line, "bold") for line in terminal.wrap(sentence, room)]
    return lines


def _not_told(result: Result) -> bool:
    return result.place not in result.values.values()


def _cut(text: str, room: int) -> list[str]:
    """A value over as many lines as it takes, cut anywhere: its blanks matter."""
    lines, taken = [""], 0
    for char in text:
        columns = terminal.width(char)
        if taken + columns > room:
            lines.append("")
            taken = 0
        lines[-1] += char
        taken += columns
    return lines


def heading(name: str, title: str, passed: int, total: int) -> str:
    """`urlparse · what a URL is made of            4 of 11`."""
    left = f"{name} · {title}" if title else name
    right = word("of", passed=str(passed), total=str(total))
    gap = terminal.columns() - 1 - terminal.width(left) - terminal.width(right)
    return f"{style(left, 'bold')}{' ' * max(2, gap)}{right}"


def kata_screen(
    chosen: catalog.Kata, results: list[Result], *, full: bool, is_stub: bool, hinted: bool = True
) -> list[str]:
    """The screen of one kata. `hinted`: `make hint` knows of this run."""
    passed = sum(result.status == PASS for result in results)
    lines = [heading(chosen.name, chosen.title, passed, len(results))]
    if is_stub and passed < len(results):
        lines += [f"  {line}" for line in terminal.wrap(word("start_here"), terminal.columns() - 2)]
    shown_full = False
    for result in results:
        title = result.titles[language()]
        number = f"{result.number:<2}"
        if result.status == PASS:
            lines.append(f"  {style('✓', 'green')} {style(number, 'dim')} {title}")
        elif full or not shown_full:
            shown_full = True
            lines.append(f"  {style(MARKS[result.status], 'red', 'bold')} {number} {style(title, 'bold')}")
            lines += [f"{INDENT}{line}" for line in details(result)]
            if result.status != ERROR and hinted:
                more = word("more", command=f"make hint KATA={chosen.name}")
                lines.append(f"{' ' * max(7, terminal.columns() - 1 - terminal.width(more))}{style(more, 'dim')}")
        else:
            lines.append(f"  {style('·', 'dim')} {style(number, 'dim')} {style(title, 'dim')}")
    return lines


def footer(chosen: catalog.Kata, results: list[Result], subject: Path, seed: str, *, whole: bool = True) -> list[str]:
    """What to do next. `whole`: these are the results of all tests of the kata."""
    page = short(chosen.page)
    failed = [result for result in results if result.status != PASS]
    again = f"make test KATA={chosen.name}"
    if subject != chosen.stub:
        again += f" SUBJECT={shlex.quote(short(subject))}"
    if failed:
        lines = [word("next", file=short(subject), page=page)]
        if len(failed) > 1:
            lines.append(style(word("see_all", command=f"{again} ALL=1"), "dim"))
        if any(result.reason != "not_written" for result in failed):
            lines.append(style(word("repeat", command=f"{again} SEED={seed}"), "dim"))
        return lines
    if not whole:
        return [style(word("one_done", kata=chosen.name, command=again), "green")]
    lines = [style(word("done", kata=chosen.name), "green", "bold")]
    if subject == chosen.stub:
        lines.append(word("compare", file=short(chosen.reference)))
        names = catalog.katas()
        after = names[names.index(chosen) + 1 :]
        if after:
            lines.append(word("then", kata=after[0].name, page=short(after[0].page)))
    return lines


def overview(by_kata: dict[catalog.Kata, list[Result]], *, full: bool) -> list[str]:
    """All katas, one line each, and the next thing to do."""
    lines = []
    widest = max(len(kata.name) for kata in by_kata)
    unsolved = None
    for kata, results in by_kata.items():
        passed = sum(result.status == PASS for result in results)
        solved = passed == len(results)
        unsolved = unsolved or (None if solved else kata)
        mark = style("✓", "green") if solved else style("✗", "red") if passed else style("·", "dim")
        count = f"{passed:>3} / {len(results):<3}"
        lines.append(f"  {mark} {kata.name:<{widest}}  {count} {kata.title}")
        if full and not solved:
            lines += [f"  {line}" for line in kata_screen(kata, results, full=True, is_stub=False)[1:]]
    if unsolved is None:
        lines.append(style(word("all_done"), "green", "bold"))
    else:
        lines.append(word("then", kata=unsolved.name, page=short(unsolved.page)))
    return lines
