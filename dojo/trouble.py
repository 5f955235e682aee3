"""The failures that can happen in every kata, told from the outcome of a call. Their reasons stand in hints.toml
beside this file."""

from __future__ import annotations

import dataclasses
import difflib
import os
import signal
from pathlib import Path

from dojo import places
from dojo.failure import Failure, Row, shown
from dojo.inside.channel import LARGEST
from dojo.launch import ROOT
from dojo.outcome import (
    Died,
    Flooded,
    Frame,
    Garbled,
    Hung,
    Listening,
    Loaded,
    Missing,
    NotPlain,
    Outcome,
    Raised,
    Returned,
    Thread,
    TooLarge,
)
from dojo.waiting import waits_for
from dojo.words import word

NEVER_RUN = ("coroutine", "generator", "async_generator")
"""Answers that are code which nobody has run yet."""


EXCEEDED = {"memory": "memory_limit", "processes": "process_limit", "space": "space_limit"}
"""The reason for each limit for which a process is ended."""


def short(file: str | Path) -> str:
    """The path as seen from the project's folder, where it lies inside it; in a sandbox, from the submission's."""
    own = places.places.subject
    if own is not None and Path(file).is_relative_to(own):
        return Path(file).relative_to(own).as_posix()
    try:
        return Path(file).resolve().relative_to(ROOT).as_posix()
    except (ValueError, OSError):
        return str(file)


def place(frame: Frame | None) -> str:
    """`katas/qs/qs.py:31`."""
    return f"{short(frame.file)}:{frame.line}" if frame else word("unknown_place")


def raised_text(raised: Raised) -> str:
    """`ValueError: what it says`, the message cut and escaped like every text of the student's."""
    message = shown(raised.message, 300)[1:-1] if raised.message else ""
    return f"{raised.type}: {message}" if message else raised.type


def trouble(outcome: Outcome, subject: Path, rows: tuple[Row, ...] = ()) -> Failure | None:
    """The failure that this outcome is in any kata, or None for an outcome that a test must judge."""
    match outcome:
        case Loaded() | Returned() | Listening():
            return None
        case Raised():
            return _raised(outcome, subject, rows)
        case NotPlain(kind, inside):
            reason = "never_run" if kind in NEVER_RUN else "not_plain"
            row = Row("returned", f"{kind} {inside}".strip())
            return Failure(reason, (*rows, row), {"kind": kind, "file": short(subject)})
        case TooLarge(size):
            return Failure("too_large", rows, {"size": f"{size:,}", "limit": f"{LARGEST:,}"})
        case Missing(name, present):
            near = difflib.get_close_matches(name, present, 1)
            reason = "misspelt_function" if near else "missing_function"
            return Failure(reason, rows, {"name": name, "file": short(subject), "near": near[0] if near else ""})
        case Hung():
            return _hung(outcome, subject, rows)
        case Died(_, why) if why in EXCEEDED:
            values = {"place": short(subject), "type": "SIGKILL"}
            return Failure(EXCEEDED[why], rows, values)
        case Died(status):
            return _died(status, subject, rows)
        case Flooded(limit):
            return Failure("output_limit", rows, {"limit": f"{limit // 1024**2} MB"})
        case Garbled(what):
            return Failure("garbled", rows, {"what": what})


def import_trouble(outcome: Outcome, subject: Path) -> Failure | None:
    """The failure when the student's file could not be loaded, or None when it could."""
    if isinstance(outcome, Raised) and outcome.syntax:
        file, line, message = outcome.syntax
        frame = Frame(file or str(subject), line or 1, "", own=True)
        return Failure("syntax_error", (), {"place": place(frame), "message": message}, frame)
    if isinstance(outcome, Raised) and outcome.type == "ModuleNotFoundError":
        name = str(outcome.attributes.get("name", ""))
        return Failure("module_not_there", (), {"name": name, "file": short(subject)}, outcome.own_frame())
    if isinstance(outcome, Raised) and outcome.type not in ("SystemExit", "KeyboardInterrupt", "EOFError", "BdbQuit"):
        row = Row("raised", raised_text(outcome))
        return Failure("import_error", (row,), {"place": place(outcome.own_frame())}, outcome.own_frame())
    if isinstance(outcome, Hung):
        failure = _hung(outcome, subject, ())
        return Failure("import_hang", failure.rows, failure.values, failure.place)
    general = trouble(outcome, subject)
    return dataclasses.replace(general, values={**general.values, "loading": "yes"}) if general is not None else None


def _raised(raised: Raised, subject: Path, rows: tuple[Row, ...]) -> Failure:
    frame = raised.own_frame()
    values = {"place": place(frame), "file": short(subject), "type": raised.type}
    rows = (*rows, Row("raised", raised_text(raised)))
    if raised.type == "NotImplementedError":
        return Failure("not_written", rows[:-1], values, frame)
    if raised.type == "TypeError" and frame is None:
        return Failure("wrong_signature", rows, values)
    if raised.type == "BdbQuit":
        return Failure("breakpoint", rows[:-1], values, frame)
    if raised.type == "EOFError" and frame is not None and "input(" in frame.source():
        return Failure("asked_keyboard", rows[:-1], values, frame)
    if raised.type in ("SystemExit", "KeyboardInterrupt", "GeneratorExit"):
        return Failure("wanted_to_end", rows, values, frame)
    if raised.type == "MemoryError":
        return Failure("memory_limit", rows, values, frame)
    if raised.type == "RecursionError":
        return Failure("endless_recursion", rows, values, frame)
    if raised.cause is not None and raised.cause.type != raised.type:
        rows = (*rows, Row("cause", raised_text(raised.cause)))
    return Failure("raised", rows, values, frame)


def stands(thread: Thread | None, busy: bool | None) -> tuple[Frame | None, str]:
    """Where the thread stands in the student's own file, and in words what it does there."""
    if thread is None:
        return None, word("deaf")
    own = thread.own_frame()
    if busy:
        return own, word("busy")
    return own, word(waits_for(thread) or "idle")


def _hung(hung: Hung, subject: Path, rows: tuple[Row, ...]) -> Failure:
    frame, doing = stands(hung.main_thread(), hung.busy)
    values = {
        "seconds": f"{hung.seconds:g}",
        "place": place(frame) if frame else short(subject),
        "doing": doing,
    }
    return Failure("hang", rows, values, frame)


def _died(status: int, subject: Path, rows: tuple[Row, ...]) -> Failure:
    if status >= 0:
        return Failure("ended_process", rows, {"status": str(status), "file": short(subject)})
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    reason = "killed" if name in ("SIGKILL", "SIGTERM") else "crashed"
    return Failure(reason, rows, {"signal": name, "file": short(subject), "system": os.name})
