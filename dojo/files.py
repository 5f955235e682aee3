"""Files that a student's program wrote, read with care: they are the student's, and may be anything."""

from __future__ import annotations

import os
from pathlib import Path

LARGEST = 4 * 1024 * 1024
"""Bytes of a file that are read."""

MOST = 500
"""Files that are looked at."""


def written(folder: Path) -> dict[str, bytes]:
    """All regular files below the folder, by their path from there with `/` between: what is in them.

    No link is followed. Of a very large file the beginning, of very many files the first.
    """
    found: dict[str, bytes] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place) / name
            if len(found) < MOST and path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    found[path.relative_to(folder).as_posix()] = file.read(LARGEST)
    return found
