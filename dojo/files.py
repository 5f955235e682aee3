"""Files that a student's program wrote, read with care: they are the student's, and may be anything."""

from __future__ import annotations

import os
import stat
from pathlib import Path

LARGEST = 4 * 1024 * 1024
"""Bytes of a file that are read."""

MOST = 500
"""Files that are looked at."""

# A link is not followed, and opening a pipe does not wait for its other end, where the system knows these flags.
CAREFULLY = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def written(folder: Path) -> dict[str, bytes]:
    """All regular files below the folder, by their path from there with `/` between: what is in them.

    No link is followed. Of a very large file the beginning, of very many files the first.
    """
    found: dict[str, bytes] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place) / name
            content = _content(path) if len(found) < MOST else None
            if content is not None:
                found[path.relative_to(folder).as_posix()] = content
    return found


def _content(path: Path) -> bytes | None:
    """What is in a regular file; None for everything else, and for what cannot be read."""
    try:
        with os.fdopen(os.open(path, CAREFULLY), "rb") as file:
            return file.read(LARGEST) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except OSError:
        return None
