"""The journal: every result as a line of JSON, only ever appended, on the disk before the next step is taken.

A line is either whole or the torn last one of a run that was killed; that one is cut off by the next run. What was
judged is found again by a key made from the files and from everything that judged them, so a run goes on where the
last one ended, and what has not changed is not run again. All reports are made from this file alone.

    {"kind": "run", …}       what was asked for, by whom it is judged, the names of all submissions
    {"kind": "judged", …}    what came of one file: a result a test
    {"kind": "row", …}       one submission: for each kata the key of what was judged, or why nothing was
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from dojo.bootstrap import try_lock
from dojo.catalog import UsageError

NAME = "journal.jsonl"
LOCK = ".lock"


def key_of(**parts: Any) -> str:
    """The key of a judgement: a hash of all that may change it."""
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def now() -> str:
    """The time as ISO 8601, in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Journal:
    """A journal that is read, and written where `writing` is asked for."""

    def __init__(self, folder: Path, *, writing: bool = False) -> None:
        self.path = folder / NAME
        self.run: dict[str, Any] = {}
        """What the last run was asked for."""
        self._judged: dict[bytes, int] = {}
        self._failed: dict[bytes, int] = {}
        """Where nothing is known, as the machine failed: judged again by the next run."""
        self._rows: dict[str, int] = {}
        if writing:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self.path.open("a+b")
            _sync_folder(folder)
        else:
            self._file = self.path.open("rb")
        end = self._index()
        if writing:
            # The torn end of a run that was killed would spoil the first line of this one.
            self._file.truncate(end)
        self._end = end

    def _index(self) -> int:
        """Note where each record begins. The end of the last whole line."""
        self._file.seek(0)
        at = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            record = _whole(line)
            if record is not None:
                self._note(record, at)
            at += len(line)
        return at

    def _note(self, record: dict[str, Any], at: int) -> None:
        if record["kind"] == "run":
            self.run = record
        elif record["kind"] == "judged":
            # 32 bytes and a number: what a class of 100,000 has in memory for each file.
            key = bytes.fromhex(record["key"])
            known, other = (self._failed, self._judged) if record["infrastructure"] else (self._judged, self._failed)
            known[key] = at
            other.pop(key, None)
        elif record["kind"] == "row":
            self._rows[record["submission"]] = at

    def append(self, records: Iterable[dict[str, Any]]) -> None:
        """Write these records; they are on the disk when this returns."""
        made = [(record, json.dumps(record, separators=(",", ":")).encode() + b"\n") for record in records]
        if not made:
            return
        self._file.seek(self._end)
        self._file.write(b"".join(line for _, line in made))
        self._file.flush()
        os.fsync(self._file.fileno())
        for record, line in made:
            self._note(record, self._end)
            self._end += len(line)

    def has(self, key: str) -> bool:
        """Whether this has been judged."""
        return bytes.fromhex(key) in self._judged

    def judged(self, key: str) -> dict[str, Any] | None:
        """What came of it; None when it was not judged, or nothing is known."""
        at = self._judged.get(bytes.fromhex(key))
        return None if at is None else self._read(at)

    def failed(self, key: str) -> dict[str, Any] | None:
        """What is told of it where nothing is known."""
        at = self._failed.get(bytes.fromhex(key))
        return None if at is None else self._read(at)

    def row(self, submission: str) -> dict[str, Any] | None:
        """The last row of this submission."""
        at = self._rows.get(submission)
        return None if at is None else self._read(at)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of the last run's submissions, in its order; one that has none yet is left out."""
        for name in self.run.get("submissions", []):
            row = self.row(name)
            if row is not None:
                yield row

    def records(self) -> Iterator[dict[str, Any]]:
        """Every whole record, in the order in which it was written."""
        with self.path.open("rb") as file:
            for line in file:
                record = _whole(line) if line.endswith(b"\n") else None
                if record is not None:
                    yield record

    def _read(self, at: int) -> dict[str, Any]:
        self._file.seek(at)
        record: dict[str, Any] = json.loads(self._file.readline())
        return record

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _whole(line: bytes) -> dict[str, Any] | None:
    """The record of a line, or None for a line that a broken disk left: it costs that record alone."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "kind" in record else None


def _sync_folder(folder: Path) -> None:
    """Put the folder's table of contents on the disk, where a system lets us."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def write_whole(path: Path, text: str | bytes) -> None:
    """Write a file that is there whole or as it was before, whenever this program is cut off."""
    with replacing(path) as file:
        file.write(text.encode("utf-8") if isinstance(text, str) else text)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of `path` at the end, and only if nothing was raised."""
    unfinished = path.with_name(f".{path.name}.new")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


# --- one grader at a time -------------------------------------------------------------------------------------


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the output folder for this process. The system lets go of it when the process ends, however it ends.

    Raises UsageError when another grader is at work there: who, and since when.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"OUT={folder}: cannot be written ({error.strerror}).") from error
    with file:
        if not try_lock(file):
            file.seek(0)
            who = file.read(300).strip() or "someone"
            raise UsageError(
                f"OUT={folder}: another grader is at work there ({who}). Wait for it, or name another OUT."
            )
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {socket.gethostname()}, since {now()}\n")
        file.flush()
        yield
        file.truncate(0)
