"""Where a judge makes temporary files: its own, those of the student's processes, and those that both may read.

Outside of a sandbox all is the system's folder for temporary files; a sandbox names other ones, once, before a test
runs.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from dojo.inside.sweep import sweep


@dataclass
class Places:
    """The folders; None is the system's."""

    homes: str | None = None
    """Where the student's processes may write."""
    shown: str | None = None
    """Where they may read."""
    owner: int | None = None
    """The user id that the student's processes have, when it is another than the judge's."""
    subject: Path | None = None
    """The folder of the file that is judged, when its path is of no interest to a reader."""
    in_use: set[str] = field(default_factory=set)
    """The names of the homes that are in use: in a sandbox, the others are swept from inside before the next process
    starts, when nobody is left in them."""


places = Places()
"""Those of this process."""


def home(prefix: str = "dojo-") -> str:
    """A new folder in which the student's process may do as it likes."""
    made = tempfile.mkdtemp(prefix=prefix, dir=places.homes)
    places.in_use.add(Path(made).name)
    if places.owner is not None:
        os.chown(made, places.owner, places.owner)
    return made


def leave(folder: str) -> None:
    """Remove such a folder with all that a student's program has left in it."""
    places.in_use.discard(Path(folder).name)
    if places.homes is not None:
        return
    with suppress(OSError, RecursionError):
        shutil.rmtree(folder)
        return
    if os.name == "posix":  # too deep for Python, or closed
        sweep(folder)
        with suppress(OSError):
            Path(folder).rmdir()


def shown(prefix: str) -> str:
    """A new folder whose files a student's process may read, and not write."""
    made = tempfile.mkdtemp(prefix=prefix, dir=places.shown)
    if places.owner is not None:
        Path(made).chmod(0o755)
    return made


@contextmanager
def inside(path: str) -> Iterator[str]:
    """A path by which this Unix socket can be connected to: in a sandbox, one that leads to this very socket.

    A student's process tells the path, and may put a link in its way afterwards. Raises OSError when there is no
    such socket, or in a sandbox when it lies outside of the folders where students' processes may write.
    """
    if places.homes is None:
        yield path
        return
    fd = os.open(os.path.realpath(path), os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        held = Path(f"/proc/self/fd/{fd}")
        if not held.readlink().is_relative_to(places.homes) or not held.is_socket():
            raise OSError(errno.EACCES, "a test meets Unix sockets in its own folder alone")
        yield str(held)
    finally:
        os.close(fd)
