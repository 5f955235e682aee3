"""The private folder into which submissions are copied to be judged, and what a run that was killed left of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOTE = ".staging"
"""In the output folder: where the staging folder is."""
PREFIX = "dojo-grade-"


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A folder that only this user can enter, gone at the end. The caller holds the lock on `out`."""
    note = out / NOTE
    _remove_left(note)
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
        note.write_text(folder, "utf-8")
        yield Path(folder)
    note.unlink(missing_ok=True)


def _remove_left(note: Path) -> None:
    try:
        left = Path(note.read_text("utf-8"))
    except (OSError, ValueError):
        return
    if left.parent == Path(tempfile.gettempdir()) and left.name.startswith(PREFIX):
        shutil.rmtree(left, ignore_errors=True)
