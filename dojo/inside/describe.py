"""What the student's process tells of itself: an exception, and where each thread stands.

Everything is told as data (names, files, line numbers); the judge reads the source lines and finds the words.
"""

from __future__ import annotations

import os
import sys
import threading
from time import process_time
from types import CodeType, FrameType, TracebackType
from typing import Any

from dojo.inside import plain

MESSAGE_LIMIT = 2000
"""Characters of an exception's message that cross."""

MOST_FRAMES = 60

thread_errors: list[dict[str, Any]] = []
"""What ended threads of the student's, oldest first, at most ten."""


def exception(error: BaseException, deep: int = 0) -> dict[str, Any]:
    """The exception by type, bases, message, plain attributes, frames (outermost first) and cause."""
    kind = type(error)
    told: dict[str, Any] = {
        "type": kind.__name__,
        "bases": [base.__name__ for base in kind.__mro__[:20]],
        "message": _message(error),
        "attributes": _attributes(error),
        "frames": _trace(error.__traceback__),
    }
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and deep < 3:
        told["cause"] = exception(cause, deep + 1)
    if isinstance(error, SyntaxError):
        told["syntax"] = [str(error.filename or ""), error.lineno or 0, str(error.msg)[:200]]
    return told


def _message(error: BaseException) -> str:
    try:
        text = str(error)
        return str.__str__(text)[:MESSAGE_LIMIT]
    except BaseException as worse:  # __str__ is the student's code: whatever it does, the first error is told
        return f"(its message cannot be shown: {type(worse).__name__})"


def _attributes(error: BaseException) -> dict[str, Any]:
    told: dict[str, Any] = {}
    try:
        for name, value in list(vars(error).items())[:20]:
            if type(name) is str and type(value) in (bool, int, str, bytes) and len(repr(value)) <= MESSAGE_LIMIT:
                told[name] = plain.encode(value)
    except BaseException:  # an exception class with a strange __dict__ has no attributes to tell
        return {}
    if isinstance(error, OSError) and type(error.errno) is int:
        told["errno"] = error.errno
    if isinstance(error, ImportError) and type(error.name) is str:
        told["name"] = error.name[:200]
    return told


def _trace(trace: TracebackType | None) -> list[list[Any]]:
    frames = []
    while trace is not None:
        frames.append(_place(trace.tb_frame.f_code, trace.tb_lineno))
        trace = trace.tb_next
    return frames[-MOST_FRAMES:]


def _place(code: CodeType, line: int | None) -> list[Any]:
    return [code.co_filename, line or 0, code.co_name]


def _stack(frame: FrameType | None) -> list[list[Any]]:
    frames: list[list[Any]] = []
    while frame is not None and len(frames) < MOST_FRAMES:
        frames.append(_place(frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return frames[::-1]


def threads(watcher: int) -> dict[str, Any]:
    """Every thread but the watcher's: name, daemon or not, frames outermost first; and the CPU seconds
    that the process has used."""
    known = {thread.ident: thread for thread in threading.enumerate()}
    told = []
    for ident, frame in sys._current_frames().items():
        if ident == watcher:
            continue
        thread = known.get(ident)
        told.append(
            {
                "name": str(thread.name)[:80] if thread else "a thread without a name",
                "main": ident == threading.main_thread().ident,
                "daemon": bool(thread.daemon) if thread else True,
                "frames": _stack(frame),
                "lock": _lock(ident, known),
            }
        )
    return {"threads": told, "cpu": process_time(), "open": _open_files(), "thread_errors": thread_errors}


def _lock(ident: int, known: dict[int | None, threading.Thread]) -> list[Any]:
    """For a thread that waits for a lock: who holds it, and the file and line since which."""
    locks = sys.modules.get("dojo.inside.locks")
    lock = locks.waiting.get(ident) if locks is not None else None
    if lock is None or not lock.holder:
        return []
    holder = known.get(lock.holder)
    return [str(holder.name)[:80] if holder else "", lock.file, lock.line]


def _open_files() -> int:
    """How many file descriptors are open; -1 where the system does not tell."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return len(os.listdir(folder)) - 1
        except OSError:
            continue
    return -1


def keep_thread_error(args: threading.ExceptHookArgs) -> None:
    """The hook for an exception that ended a thread: kept for the judge, printed as always."""
    if args.exc_value is not None and len(thread_errors) < 10:
        told = exception(args.exc_value)
        told["thread"] = str(args.thread.name)[:80] if args.thread else ""
        thread_errors.append(told)
    threading.__excepthook__(args)
