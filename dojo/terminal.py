"""Text on a terminal: colours where they are wanted, widths where Chinese characters take two columns."""

from __future__ import annotations

import functools
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}

ANSI = re.compile(r"\x1b\[[0-9;]*m")

_paper: list[int] = []


@contextmanager
def on_paper(wide: int = 110) -> Iterator[None]:
    """What is written here goes into a file: no colours, this many columns, whatever terminal there is."""
    _paper.append(wide)
    try:
        yield
    finally:
        _paper.pop()


def coloured() -> bool:
    """Colours only on a terminal, and never when NO_COLOR is set to something (https://no-color.org)."""
    if _paper or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def style(text: str, *names: str) -> str:
    """The text in these styles, or plain where colours are not wanted."""
    if not names or not coloured():
        return text
    return f"\x1b[{';'.join(STYLES[name] for name in names)}m{text}\x1b[0m"


def columns() -> int:
    """Columns to write in: at most 110, as longer lines are hard to read."""
    return _paper[-1] if _paper else max(50, min(110, shutil.get_terminal_size((110, 24)).columns))


def width(text: str) -> int:
    """Columns that the text takes on a terminal."""
    text = ANSI.sub("", text)
    return len(text) if text.isascii() else sum(map(_width_of, text))


@functools.cache
def _width_of(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else int(not unicodedata.combining(char))


def wrap(text: str, room: int) -> list[str]:
    """The text in lines of at most `room` columns, cut at blanks, or anywhere between Chinese characters."""
    lines: list[str] = []
    line = ""
    for piece in re.findall(r"[\u2e80-\u9fff\uff00-\uffef]|[^\s\u2e80-\u9fff\uff00-\uffef]+|\s+", text):
        if line and width(line) + width(piece.rstrip()) > room:
            lines.append(line.rstrip())
            line = ""
        if line or not piece.isspace():
            line += piece
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def escaped(text: str) -> list[str]:
    """Lines of a student's text with every control and format character shown and not obeyed."""

    def visible(char: str) -> str:
        # Cc and Cf: control and format characters, among them those that turn the direction of writing
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char != "\t":
            return char.encode("unicode_escape", "surrogatepass").decode("ascii")
        return char

    return ["".join(map(visible, line)).expandtabs(4) for line in re.split(r"\r?\n", text)]
