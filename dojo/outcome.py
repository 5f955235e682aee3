"""What may come of a call into the student's code, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Frame:
    """One line where a program stood. ``own`` is true for the student's own files."""

    file: str
    line: int
    function: str
    own: bool

    def source(self) -> str:
        """The line of the student's own file, stripped and cut to 300 characters; empty when it cannot be read."""
        if not self.own:
            return ""
        try:
            lines = Path(self.file).read_text("utf-8", "replace").splitlines()
            return lines[self.line - 1].strip()[:300]
        except (OSError, IndexError):
            return ""


def innermost_own(frames: tuple[Frame, ...]) -> Frame | None:
    """The innermost of these frames, which come outermost first, that is in the student's own files."""
    return next((frame for frame in reversed(frames) if frame.own), None)


@dataclass(frozen=True)
class Raised:
    """The call ended with an exception."""

    type: str
    message: str
    bases: tuple[str, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    frames: tuple[Frame, ...] = ()
    cause: Raised | None = None
    syntax: tuple[str, int, str] | None = None
    """For a SyntaxError: the file, the line and what is wrong."""
    thread: str = ""
    """For an exception that ended a thread: the thread's name."""

    def own_frame(self) -> Frame | None:
        """The innermost frame in the student's own files."""
        return innermost_own(self.frames)


@dataclass(frozen=True)
class Returned:
    """The call returned plain data. ``kind`` is the name of the type it had in the student's process."""

    value: Any
    kind: str


@dataclass(frozen=True)
class NotPlain:
    """The call returned something that is not plain data: a ``kind`` at ``inside`` the answer."""

    kind: str
    inside: str


@dataclass(frozen=True)
class TooLarge:
    """The answer has more bytes than may cross."""

    size: int


@dataclass(frozen=True)
class Missing:
    """The file has no such function; ``present`` are the ones it has."""

    name: str
    present: tuple[str, ...]


@dataclass(frozen=True)
class Thread:
    """A thread of the student's process and where it stands, outermost frame first."""

    name: str
    main: bool
    daemon: bool
    frames: tuple[Frame, ...]
    holder: str = ""
    """For a thread that waits for a lock: the name of the thread that holds it."""
    held_since: Frame | None = None
    """And the line since which."""

    def own_frame(self) -> Frame | None:
        """The innermost frame in the student's own files."""
        return innermost_own(self.frames)


@dataclass(frozen=True)
class Standing:
    """A student's process as it is at one moment."""

    threads: tuple[Thread, ...]
    cpu: float
    """Seconds of processor time that it has used so far."""
    open_files: int
    """File descriptors that are open; -1 where the system does not tell."""


@dataclass(frozen=True)
class Listening:
    """A server of the student's can be reached: at a (host, port), or at a path for a Unix socket."""

    address: tuple[str, int] | str
    family: int
    type: int


@dataclass(frozen=True)
class Hung:
    """No answer within the deadline. ``busy`` is true when the process was computing, false when it waited,
    and None when it could not say."""

    seconds: float
    threads: tuple[Thread, ...]
    busy: bool | None

    def main_thread(self) -> Thread | None:
        """The thread that runs the call."""
        return next((thread for thread in self.threads if thread.main), None)


@dataclass(frozen=True)
class Died:
    """The process ended in the middle of the call: its exit code, or minus the number of the signal."""

    status: int
    why: str = ""
    """The limit for which it was ended: `memory`, `processes` or `space`."""


@dataclass(frozen=True)
class Flooded:
    """The process printed more than may be printed and was ended."""

    limit: int


@dataclass(frozen=True)
class Garbled:
    """What came over the pipe is no answer to the call."""

    what: str


@dataclass(frozen=True)
class Loaded:
    """The student's file was loaded. ``modules`` are those of the standard library that it brought in."""

    modules: tuple[str, ...]


Outcome = Loaded | Listening | Returned | Raised | NotPlain | TooLarge | Missing | Hung | Died | Flooded | Garbled
