"""The transcript: what it keeps, and that it can be read safely."""

from __future__ import annotations

import json
import threading
import time
import unicodedata

import pytest

from dojo import wire as wire_module
from dojo.wire import Note, Sent, Wire, first_difference, side_by_side, visible


def contents(wire: Wire, **how: int) -> list[str]:
    """The rows without their times."""
    return [row.partition("  ")[2] for row in wire.lines(**how)]


def test_a_row_says_when_who_to_whom_and_what() -> None:
    wire = Wire()
    wire.note("client connected")
    wire.sent("client", "server", b"GET /x?a=1 HTTP/1.1\r\nHost: a\r\n\r\n")
    wire.sent("server", "client", b"ok\n")
    assert contents(wire) == [
        "client connected",
        "client → server   GET /x?a=1 HTTP/1.1⏎",
        "client → server   Host: a⏎",
        "client → server   ⏎",
        "server → client   ok␊",
    ]
    clock = wire.lines()[0].partition("  ")[0]
    assert clock.startswith("0.")
    assert len(clock) == len("0.051")


def test_names_of_different_width_stay_in_columns() -> None:
    wire = Wire()
    wire.sent("al", "server", b"x\n")
    wire.sent("server", "鲍勃", b"y\n")
    columns = [
        wire_module._columns_of(row[: row.index(letter)]) for row, letter in zip(wire.lines(), "xy", strict=True)
    ]
    assert columns[0] == columns[1]


def test_a_line_in_quick_pieces_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    monkeypatch.setattr(time, "monotonic", lambda: wire._start)
    wire.sent("alice", "server", b"hel")
    wire.sent("alice", "server", b"lo\r")
    wire.sent("alice", "server", b"\nwor")
    assert contents(wire) == ["alice → server   hello⏎", "alice → server   wor"]


def test_a_pause_separates_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    first = wire._start + 0.1
    monkeypatch.setattr(time, "monotonic", iter([first, first + 2 * wire_module.TOGETHER]).__next__)
    wire.sent("alice", "server", b"hel")
    wire.sent("alice", "server", b"lo\n")
    assert contents(wire) == ["alice → server   hel", "alice → server   lo␊"]


def test_a_piece_on_purpose_is_a_row_and_a_continuation_never() -> None:
    wire = Wire()
    wire.sent("s", "c", b"one ", piece=True)
    wire.sent("s", "c", "你".encode()[:1], piece=True)
    wire.sent("s", "c", "你".encode()[1:], piece=True)
    wire.note("pause")
    wire.sent("s", "c", b"t", piece=False)
    wire.sent("s", "c", b"wo", piece=False)
    assert contents(wire) == ["s → c   one ", "s → c   \\xe4", "s → c   \\xbd\\xa0", "pause", "s → c   two"]


def test_directions_are_never_joined() -> None:
    wire = Wire()
    wire.sent("a", "b", b"x")
    wire.sent("b", "a", b"y")
    wire.sent("a", "b", b"z")
    assert contents(wire) == ["a → b   x", "b → a   y", "a → b   z"]


def test_the_middle_of_a_long_conversation_is_left_out() -> None:
    wire = Wire()
    for number in range(100):
        wire.sent("a", "b", b"%d\n" % number)
    rows = wire.lines(limit=10)
    assert len(rows) == 10
    assert rows[5] == "… 91 rows …"
    assert rows[0].endswith(" 0␊")
    assert rows[4].endswith(" 4␊")
    assert rows[6].endswith(" 96␊")
    assert rows[9].endswith(" 99␊")
    assert len(wire.lines(limit=100)) == 100


def test_a_long_row_is_cut_and_says_by_how_much() -> None:
    wire = Wire()
    wire.sent("a", "b", b"x" * 1000 + b"\n")
    row = wire.lines(columns=60)[0]
    assert len(row) <= 60
    kept = row.count("x")
    assert row.endswith(f"… ({1001 - kept} bytes more)")


def test_a_flood_stays_small_and_keeps_both_ends() -> None:
    wire = Wire()
    for number in range(20_000):
        wire.sent("a", "b", b"%d\n" % number + b"x" * 100)
    wire.sent("b", "a", b"z" * 1_000_000)
    entries = wire.entries
    assert len(entries) < 3000
    assert sum(len(entry.data) for entry in entries if isinstance(entry, Sent)) < 1_000_000
    assert any(isinstance(entry, Note) and "not kept" in entry.text for entry in entries)
    assert isinstance(entries[-1], Sent)
    assert entries[-1].size == 1_000_000
    # Of the last piece 4,096 bytes are kept, and the row still knows how many there were.
    shown = contents(wire)[-1]
    assert shown.endswith(f"… ({1_000_000 - shown.count('z')} bytes more)")


def test_plain_data_and_back() -> None:
    wire = Wire()
    wire.note("client connected")
    wire.sent("a", "b", bytes(range(256)), piece=True)
    again = Wire.from_data(json.loads(json.dumps(wire.as_data())))
    assert again.lines() == wire.lines()
    assert again.as_data() == wire.as_data()


def test_many_threads_may_write() -> None:
    wire = Wire()

    def write(name: str) -> None:
        for number in range(50):
            wire.sent(name, "server", b"%d\n" % number)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = [entry for entry in wire.entries if isinstance(entry, Sent)]
    for name in "abcd":
        assert [entry.data for entry in entries if entry.source == name] == [b"%d\n" % n for n in range(50)]
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"GET / HTTP/1.1\r\n", "GET / HTTP/1.1⏎"),
        (b"a\nb\rc\td", "a␊b\\rc\\td"),
        ("wörld 你好".encode(), "wörld 你好"),
        (b"\x1b[31mred\x07\x00\x7f", "\\x1b[31mred\\x07\\x00\\x7f"),
        (b"\xff\xfe\xe4\xbd", "\\xff\\xfe\\xe4\\xbd"),
        (b"c:\\x1b", "c:\\\\x1b"),
        ("⏎␊", "\\u23ce\\u240a"),
        ("\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"),
        ("a\u2028b\u2029c\x85d\u00a0e\u200bf\ufeff", "a\\u2028b\\u2029c\\u0085d\\u00a0e\\u200bf\\ufeff"),
        ("\udc80\ud800", "\\udc80\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("", ""),
    ],
)
def test_visible(data: bytes | str, shown: str) -> None:
    assert visible(data) == shown


def test_nothing_dangerous_is_ever_visible() -> None:
    characters = map(chr, range(0x110000))
    dangerous = [c for c in characters if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]
    assert "\u202e" in dangerous
    assert visible("".join(dangerous), 10_000_000).isprintable()
    assert visible(bytes(range(256)), 10_000).isprintable()


@pytest.mark.parametrize("data", [b"x" * 81, "你" * 41, "é".encode() * 500, b"\x00" * 21, "a\u0301" * 60])
def test_visible_keeps_to_its_columns(data: bytes | str) -> None:
    shown = visible(data)
    assert wire_module._columns_of(shown) <= 80
    text, _, count = shown.rpartition("… (")
    unit = "characters" if isinstance(data, str) else "bytes"
    assert count.endswith(f" {unit} more)")
    kept = text.replace("\\x00", "0")
    size = len(kept) if isinstance(data, str) else len(kept.encode())
    assert size + int(count.split()[0]) == len(data)


def test_what_fits_is_not_cut() -> None:
    assert visible(b"x" * 80) == "x" * 80
    assert visible("你" * 40) == "你" * 40


@pytest.mark.parametrize(
    ("expected", "actual", "offset"),
    [
        (b"", b"", None),
        (b"same", b"same", None),
        (b"hello", b"help", 3),
        (b"hello", b"hello!", 5),
        (b"hello", b"", 0),
        ("wörld", "wörlt", 4),
        ("wörld", "wörlt".encode(), 5),
        (b"x" * 1_000_000 + b"y", b"x" * 1_000_000 + b"z", 1_000_000),
    ],
)
def test_first_difference(expected: bytes | str, actual: bytes | str, offset: int | None) -> None:
    assert first_difference(expected, actual) == offset


def caret(rows: list[str]) -> tuple[str, str]:
    """What stands over the caret in both rows, up to the end of the row."""
    column = rows[2].index("^")
    found = []
    for row in rows[:2]:
        used = 0
        for place, character in enumerate(row):
            if used == column:
                found.append(row[place:])
                break
            used += wire_module._columns_of(character)
        else:
            found.append("")
    return found[0], found[1]


def test_side_by_side_in_short() -> None:
    assert side_by_side(b"hello\r\n", b"hello\n") == [
        "expected  hello⏎",
        "actual    hello␊",
        "               ^ byte 5",
    ]
    assert side_by_side("你好吗", "你好") == [
        "expected  你好吗",
        "actual    你好",
        "              ^ character 2: it ends here",
    ]
    assert side_by_side(b"ab", b"abc")[2].endswith("^ byte 2: it should end here")
    assert side_by_side(b"ab", b"ab") == ["expected  ab", "actual    ab"]


@pytest.mark.parametrize("before", ["", "x" * 500, "你好\r\n" * 200, "é\\\x1b" * 100])
@pytest.mark.parametrize("as_bytes", [False, True])
def test_the_caret_stands_under_the_first_difference(before: str, as_bytes: bool) -> None:
    expected: bytes | str = before + "A" + "z" * 500
    actual: bytes | str = before + "B" + "y" * 500
    if as_bytes:
        expected, actual = str(expected).encode(), str(actual).encode()
    rows = side_by_side(expected, actual, columns=80)
    one, other = caret(rows)
    assert one.startswith("Az")
    assert other.startswith("By")
    assert all(wire_module._columns_of(row) <= 80 for row in rows)
    assert rows[2].endswith(f" {len(expected) - 501}")


def test_a_difference_inside_a_character_is_shown_from_its_start() -> None:
    rows = side_by_side("wör".encode(), b"w\xc3\x28r")
    assert caret(rows) == ("ör", "\\xc3(r")
    assert rows[2].endswith("byte 2")
