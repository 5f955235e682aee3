"""The transcript: what crossed the wire, when, from whom to whom, and how it is shown.

Bytes from a student are never printed as they are: control bytes, bytes that are not UTF-8, and the
characters that turn or break a line are escaped, so that a failure can be read on every terminal and in
every log.
"""

from __future__ import annotations

import base64
import itertools
import re
import threading
import time
import unicodedata
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dojo.words import language

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# A piece that follows another sooner than this (in seconds), while the line is still open, is shown as one
# line with it.
TOGETHER = 0.005

# What is kept, in bytes and in entries: enough to explain any failure, too little to fill the memory.
KEPT_OF_A_PIECE = 4096
KEPT_AT_THE_START = 256 * 1024
KEPT_PIECES_AT_THE_START = 2000
KEPT_PIECES_AT_THE_END = 200


@dataclass(frozen=True)
class Sent:
    """Bytes on their way from `source` to `target`, `at` seconds after the wire was made.

    `data` may be cut; `size` is how many bytes there really were. `piece` is None where nobody said how the
    bytes belong to their neighbours, True where they were sent by themselves on purpose, False where they
    only continue.
    """

    at: float
    source: str
    target: str
    data: bytes
    size: int
    piece: bool | None = None


@dataclass(frozen=True)
class Note:
    """Something that happened without a byte: a connection, its end, a failed handshake.

    `at` is in seconds.
    """

    at: float
    text: str


Entry = Sent | Note


class Wire:
    """A transcript that several threads may write to. Times are in seconds since it was made (monotonic)."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._lock = threading.Lock()
        self._first: list[Entry] = []
        self._first_size = 0
        self._last: deque[Entry] = deque(maxlen=KEPT_PIECES_AT_THE_END)
        self._forgotten = 0

    def sent(self, source: str, target: str, data: bytes, *, piece: bool | None = None) -> None:
        """Record that `source` sent `data` to `target`.

        `piece` says how `lines` shows it. True: sent by itself on purpose, always a row of its own. False:
        continues the line before it, however late it comes. None: continues the line before it if it came
        within `TOGETHER` seconds, so that a pause can be seen and a mere accident of the network cannot.
        """
        if not data:
            return
        with self._lock:
            kept = bytes(data[:KEPT_OF_A_PIECE])
            self._add(Sent(self.now(), source, target, kept, len(data), piece), len(kept))

    def note(self, text: str, chinese: str = "") -> None:
        """Record something that is not bytes, in words ("alice has gone"), which may have a Chinese version."""
        with self._lock:
            self._add(Note(self.now(), chinese if chinese and language() == "zh" else text), 0)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What was recorded, in order.

        Of a very long conversation the start and the end, with a note between.
        """
        with self._lock:
            if not self._last:
                return tuple(self._first)
            entries = [*self._first, *self._last]
            if self._forgotten:
                gap = Note(self._last[0].at, f"({self._forgotten} pieces were not kept)")
                entries.insert(len(self._first), gap)
            return tuple(entries)

    def as_data(self) -> list[dict[str, Any]]:
        """The entries as plain data that JSON can carry; the bytes of an entry are in base64."""
        return [_as_data(entry) for entry in self.entries]

    @classmethod
    def from_data(cls, data: Iterable[dict[str, Any]]) -> Wire:
        """The transcript that `as_data` described, to be shown elsewhere.

        Raises KeyError or ValueError on other data.
        """
        wire = cls()
        wire._first = [_from_data(entry) for entry in data]
        return wire

    def now(self) -> float:
        """Seconds since it was made: what `lines(since=…)` takes."""
        return time.monotonic() - self._start

    def lines(self, limit: int = 40, columns: int = 100, since: float = 0.0) -> list[str]:
        """The transcript as rows for a reader: `0.051  client → server   GET /x?a=1 HTTP/1.1⏎`.

        One row for each line sent, at most `limit` rows (the middle is left out) of at most `columns`
        columns. A row without a line end (⏎ for CRLF, ␊ for a bare LF) is a piece: its line went on later,
        or never. `since` leaves out what came before that moment.
        """
        limit = max(limit, 3)
        rows = _rows(entry for entry in self.entries if entry.at >= since)
        first = list(itertools.islice(rows, limit))
        last: deque[_Row] = deque(maxlen=limit)
        more = 0
        for row in rows:
            last.append(row)
            more += 1
        if not more:
            return _shown(first, columns)
        head, tail = limit // 2, (limit - 1) // 2
        ending = (first + list(last))[-tail:]
        shown = _shown(first[:head] + ending, columns)
        return [*shown[:head], f"… {limit + more - head - tail} rows …", *shown[head:]]

    def _add(self, entry: Entry, size: int) -> None:
        room = self._first_size < KEPT_AT_THE_START and len(self._first) < KEPT_PIECES_AT_THE_START
        if room and not self._last:
            self._first.append(entry)
            self._first_size += size
            return
        self._forgotten += len(self._last) == self._last.maxlen
        self._last.append(entry)


def _as_data(entry: Entry) -> dict[str, Any]:
    if isinstance(entry, Note):
        return {"at": entry.at, "note": entry.text}
    return {
        "at": entry.at,
        "source": entry.source,
        "target": entry.target,
        "base64": base64.b64encode(entry.data).decode("ascii"),
        "size": entry.size,
        "piece": entry.piece,
    }


def _from_data(data: dict[str, Any]) -> Entry:
    if "note" in data:
        return Note(data["at"], data["note"])
    content = base64.b64decode(data["base64"], validate=True)
    return Sent(data["at"], data["source"], data["target"], content, data["size"], data["piece"])


@dataclass
class _Row:
    """A row to be: a note, or a line on its way; `hidden` bytes were not kept, `last` is when its last byte
    came.
    """

    at: float
    source: str
    target: str
    data: bytes
    hidden: int = 0
    last: float = 0.0


def _rows(entries: Iterable[Entry]) -> Iterator[_Row]:
    """Each line sent as a row of its own, the pieces of a line joined where they belong together."""
    waiting: _Row | None = None
    for entry in entries:
        if isinstance(entry, Note):
            if waiting:
                yield waiting
                waiting = None
            yield _Row(entry.at, "", "", entry.text.encode("utf-8", "backslashreplace"))
            continue
        if waiting and not _continues(waiting, entry):
            yield waiting
            waiting = None
        for line in _split(entry.data):
            if waiting:
                waiting.data += line
                waiting.last = entry.at
            else:
                waiting = _Row(entry.at, entry.source, entry.target, line, last=entry.at)
            if line.endswith(b"\n"):
                yield waiting
                waiting = None
        if entry.size > len(entry.data):
            waiting = waiting or _Row(entry.at, entry.source, entry.target, b"")
            waiting.hidden = entry.size - len(entry.data)
            yield waiting
            waiting = None
    if waiting:
        yield waiting


def _split(data: bytes) -> list[bytes]:
    """`data` in lines that end with LF: unlike bytes.splitlines, a lone CR ends nothing."""
    return [line for line in re.split(rb"(?<=\n)", data) if line]


def _continues(row: _Row, entry: Sent) -> bool:
    if (row.source, row.target) != (entry.source, entry.target):
        return False
    return entry.at - row.last < TOGETHER if entry.piece is None else not entry.piece


def _shown(rows: list[_Row], columns: int) -> list[str]:
    """The rows as text, in columns: time, direction, content."""
    labels = [f"{visible(row.source, 24)} → {visible(row.target, 24)}" if row.source else "" for row in rows]
    widest = max(map(_columns_of, labels), default=0)
    clock = max((len(f"{row.at:.3f}") for row in rows), default=0)
    shown = []
    for row, label in zip(rows, labels, strict=True):
        start = f"{row.at:>{clock}.3f}  "
        if label:
            start += label + " " * (widest - _columns_of(label)) + "   "
        room = max(columns - _columns_of(start), 20)
        shown.append(start + _cut(row.data, room, hidden=row.hidden))
    return shown


# --- bytes that can be read -------------------------------------------------------------------------------


def visible(data: bytes | str, limit: int = 80) -> str:
    r"""`data` on one line of at most `limit` columns, safe to print.

    CRLF is ⏎ and a bare LF ␊; other control bytes and bytes that are not UTF-8 are \x1b and the like;
    characters that cannot be seen or that turn the line (bidi controls, separators, odd spaces) are \u202e
    and the like; a backslash is doubled. What is too long ends with "… (N bytes more)", counted in
    characters if `data` is a str.
    """
    return _cut(data, limit)


def _cut(data: bytes | str, limit: int, hidden: int = 0) -> str:
    total = len(data) + hidden
    # Each thing shown takes a column or more and at most four bytes, so what lies further is never seen.
    things = _things(data[: (limit + 2) * 4])
    if not hidden and len(data) <= (limit + 2) * 4 and sum(_width(text) for text, _ in things) <= limit:
        return "".join(text for text, _ in things)
    unit = "characters" if isinstance(data, str) else "bytes"
    room = max(limit - len(f"… ({total} {unit} more)"), 1)
    kept, used, seen = [], 0, 0
    for text, size in things:
        if used + _width(text) > room:
            break
        kept.append(text)
        used += _width(text)
        seen += size
    return "".join(kept) + f"… ({total - seen} {unit} more)"


def _things(data: bytes | str) -> list[tuple[str, int]]:
    """What is shown for each character, line end or stray byte, and how many bytes (or characters) it
    stands for.
    """
    if isinstance(data, str):
        return [(_readable(match, raw=False), len(match)) for match in re.findall(r"(?s)\r\n|.", data)]
    try:
        text = bytes(data).decode("utf-8")
    except UnicodeDecodeError as error:
        # Cut in the middle of a character it is UTF-8 still; else it is none, and no part of it is shown as if.
        cut = error.reason == "unexpected end of data" and error.end == len(data)
        text = bytes(data).decode("utf-8" if cut else "ascii", "surrogateescape")
    return [
        (_readable(match, raw=True), len(match.encode("utf-8", "surrogateescape")))
        for match in re.findall(r"(?s)\r\n|.", text)
    ]


_SIGNS = {"\r\n": "⏎", "\n": "␊", "\r": "\\r", "\t": "\\t", "\\": "\\\\", "⏎": "\\u23ce", "␊": "\\u240a"}


def _readable(text: str, *, raw: bool) -> str:
    if text in _SIGNS:
        return _SIGNS[text]
    # isprintable is false for controls, format characters (bidi among them), separators but the space,
    # surrogates.
    if text.isprintable():
        return text
    code = ord(text)
    if raw and 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _width(text: str) -> int:
    """The columns that `text` takes for a cut; a combining mark counts as one, so that a row stays finite."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _columns_of(text: str) -> int:
    """The columns that `text` takes on a terminal, for putting something under it."""
    return sum(0 if unicodedata.combining(character) else _width(character) for character in text)


# --- where two texts part ---------------------------------------------------------------------------------


def first_difference(expected: bytes | str, actual: bytes | str) -> int | None:
    """The offset of the first byte (of two str: character) that differs, or None if both are equal.

    If one ends where the other goes on, that is the place. A str beside bytes is taken as its UTF-8 bytes.
    """
    expected, actual = _alike(expected, actual)
    if expected == actual:
        return None
    same, different = 0, min(len(expected), len(actual)) + 1
    while different - same > 1:
        middle = (same + different) // 2
        if expected[same:middle] == actual[same:middle]:
            same = middle
        else:
            different = middle
    return same


def side_by_side(expected: bytes | str, actual: bytes | str, columns: int = 80) -> list[str]:
    """A window on both around the first wrong byte, with a caret under it and its offset (counted from 0).

    Two rows if they are equal, else three. The rows are safe to print and at most `columns` columns wide.
    """
    expected, actual = _alike(expected, actual)
    names = ("expected  ", "actual    ")
    room = max(columns - len(names[0]), 24)
    offset = first_difference(expected, actual)
    if offset is None:
        return [name + _cut(data, room) for name, data in zip(names, (expected, actual), strict=True)]
    start = _boundary(expected, max(offset - room, 0))
    left, right = (_things(data[start : offset + room * 4]) for data in (expected, actual))
    common = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        common += 1
    # Show what led to the place on half of the row, and the dots if something is left out before it.
    first = common
    used = 0
    while first and used + _columns_of(left[first - 1][0]) <= room // 2:
        first -= 1
        used += _columns_of(left[first][0])
    skipped = start + sum(size for _, size in left[:first])
    dots = "…" if skipped else ""
    rows = [
        name + dots + _cut(data[skipped:], room - len(dots))
        for name, data in zip(names, (expected, actual), strict=True)
    ]
    return [*rows, " " * (len(names[0]) + len(dots) + used) + "^ " + _said(expected, actual, offset)]


def _said(expected: bytes | str, actual: bytes | str, offset: int) -> str:
    unit = "character" if isinstance(expected, str) else "byte"
    if offset == len(actual):
        return f"{unit} {offset}: it ends here"
    if offset == len(expected):
        return f"{unit} {offset}: it should end here"
    return f"{unit} {offset}"


def _alike(expected: bytes | str, actual: bytes | str) -> tuple[bytes | str, bytes | str]:
    if isinstance(expected, str) and isinstance(actual, str):
        return expected, actual
    return _as_bytes(expected), _as_bytes(actual)


def _as_bytes(data: bytes | str) -> bytes:
    return data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data)


def _boundary(data: bytes | str, place: int) -> int:
    """`place`, or a little later, where no UTF-8 character and no CRLF is cut in two."""
    if isinstance(data, bytes):
        while 0 < place < len(data) and data[place] & 0xC0 == 0x80:
            place += 1
    after = data[place : place + 1]
    return place + 1 if place and after in (b"\n", "\n") else place
