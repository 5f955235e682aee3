"""Judging on other machines, by dask.distributed: `--executor dask://host:8786`.

A submission travels as bytes with their hash, and comes back as JSON; nothing that a student made is ever unpickled.
Each worker has this project in the same version (the hash of what judges is compared), tries the level of isolation
itself, and judges as `make grade` does. A worker that dies costs nothing: the scheduler gives its work to another.

dask's own messages are pickled, and unencrypted where nothing else is configured: the cluster is for trusted people.
"""

from __future__ import annotations

import base64
import json
import platform
import tempfile
import threading
import tomllib
from concurrent.futures import CancelledError
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from dojo.catalog import Kata, UsageError
from dojo.grade.judging import dojo_digest, tests_digest
from dojo.grade.runner import Judged, Request, Runner
from dojo.launch import ROOT
from dojo.result import Result
from dojo.sandbox import levels
from dojo.sandbox.levels import Level
from dojo.sandbox.limits import Limits

SCHEME = "dask://"
CONNECT_DEADLINE = 20.0
"""Seconds to reach the scheduler."""
AHEAD = 2
"""Submissions under way for each thread of the cluster, so that none waits for the network."""


def needs() -> str:
    """What has to be installed, as pip takes it."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    return " ".join(groups["dask"])


# --- the grader's end -----------------------------------------------------------------------------------------


class Cluster:
    """The workers behind one scheduler."""

    def __init__(self, address: str) -> None:
        """Raises UsageError when there is no such scheduler, or dask.distributed is not installed."""
        if not address.startswith(SCHEME):
            raise UsageError(
                f"EXECUTOR={ascii(address)[1:-1][:60]}: dask://host:port, the address of a dask scheduler."
            )
        try:
            from distributed import Client  # type: ignore[import-not-found, unused-ignore]
        except ImportError:
            command = f".venv/bin/python -m pip install {needs()}"
            raise UsageError(f"--executor needs dask.distributed, here and on the workers: {command}") from None
        place = address.removeprefix(SCHEME)
        try:
            self._client: Any = Client(f"tcp://{place}", timeout=CONNECT_DEADLINE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UsageError(f"no dask scheduler at {ascii(place)[1:-1][:60]} ({type(error).__name__}).") from error
        self._executor: Any = self._client.get_executor(pure=False)

    @property
    def threads(self) -> int:
        """How many submissions the cluster can judge at a time."""
        return int(sum(self._client.nthreads().values()))

    def level(self, asked: str) -> Level:
        """The best level that every worker has, or the one asked for. Raises UsageError when there is none."""
        found: dict[str, str] = self._client.run(best_level, asked)
        if not found:
            raise UsageError("the dask scheduler has no workers.")
        there = [levels.named(name) for name in found.values() if name]
        if len(there) < len(found):
            worker = next(address for address, name in found.items() if not name)
            raise UsageError(f"isolation level {asked} does not work on the worker {worker}.")
        return min(there, key=lambda level: level.rank)

    def judge(self, level: Level) -> Remote:
        """A judge for one thread of the grader."""
        return Remote(self._executor, level)

    def close(self) -> None:
        """Leave the cluster. What a worker has begun, it ends by itself."""
        self._client.close()


class Remote:
    """Has a worker judge. It may be another one each time."""

    def __init__(self, executor: Any, level: Level) -> None:
        self._executor = executor
        self._level = level
        self._under_way: Any = None

    def judge(self, request: Request) -> Judged:
        """As the runner does."""
        try:
            self._under_way = self._executor.submit(judge_bytes, packed(request, self._level))
            answer = self._under_way.result()
        except CancelledError:
            return Judged((), self._level.name, 0.0, "the grader was stopped")
        except Exception as error:  # KilledWorker, a lost connection: whatever it is, nothing is known
            return Judged((), self._level.name, 0.0, f"dask: {type(error).__name__}: {error}"[:500])
        return unpacked(answer)

    def close(self) -> None:
        """Ask for no answer any more."""
        if self._under_way is not None:
            self._under_way.cancel()


def packed(request: Request, level: Level) -> bytes:
    """A request as bytes: all files that lie beside the one to judge, and what must be the same at the other end."""
    folder = request.subject.parent
    files = {
        path.relative_to(folder).as_posix(): base64.b64encode(path.read_bytes()).decode("ascii")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    extra = request.extra_tests.read_text("utf-8") if request.extra_tests else ""
    order = {
        "kata": request.kata,
        "file": request.subject.name,
        "files": files,
        "seed": request.seed,
        "extra": extra,
        "extra_name": request.extra_tests.name if request.extra_tests else "",
        "level": level.name,
        **_sameness(request.kata),
    }
    body = json.dumps(order, sort_keys=True).encode()
    return sha256(body).digest() + body


def unpacked(answer: bytes) -> Judged:
    """What came of it, from the bytes of a worker."""
    data = json.loads(answer)
    results = tuple(Result.from_data(each) for each in data["results"])
    return Judged(results, data["level"], data["seconds"], data["infrastructure"], tuple(data["notes"]))


def _sameness(kata: str) -> dict[str, str]:
    """What must be the same on the grader's machine and on a worker's, or marks would depend on chance."""
    return {
        "dojo": dojo_digest(),
        "tests": tests_digest(Kata(kata), None),
        "python": platform.python_version(),
        "limits": repr(Limits()),
    }


# --- the worker's end -----------------------------------------------------------------------------------------

_kept = threading.local()  # a runner for each thread of a worker


def best_level(asked: str) -> str:
    """The level that this worker has: the one asked for, or its best; empty when it has not what is asked for."""
    if asked:
        return "" if _trouble(asked) else asked
    return levels.probe().name


@cache
def _trouble(level: str) -> str:
    return levels.trouble(levels.named(level))


def judge_bytes(data: bytes) -> bytes:
    """Judge one request on a worker; the answer is JSON."""
    return json.dumps(_judge(data)).encode()


def _judge(data: bytes) -> dict[str, Any]:
    digest, body = data[:32], data[32:]
    if sha256(body).digest() != digest:
        return _nothing("what arrived is not what was sent")
    order = json.loads(body)
    for name, value in _sameness(order["kata"]).items():
        if order[name] != value:
            return _nothing(f"the worker {platform.node()} differs from the grader in {name}")
    trouble = _trouble(order["level"])
    if trouble:
        return _nothing(f"isolation level {order['level']} does not work on the worker {platform.node()}: {trouble}")
    with tempfile.TemporaryDirectory(prefix="dojo-grade-", ignore_cleanup_errors=True) as staging:
        folder = Path(staging) / order["kata"]
        for name, content in order["files"].items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(content))
        extra = None
        if order["extra"]:
            extra = Path(staging) / order["extra_name"]
            extra.write_text(order["extra"], "utf-8")
        judged = _runner(order["level"]).judge(Request(order["kata"], folder / order["file"], order["seed"], extra))
    text = json.dumps([result.as_data() for result in judged.results]).replace(json.dumps(f"{folder}/")[1:-1], "")
    return {
        "results": json.loads(text),
        "level": judged.level,
        "seconds": judged.seconds,
        "infrastructure": judged.infrastructure,
        "notes": list(judged.notes),
    }


def _runner(level: str) -> Runner:
    runner: Runner | None = getattr(_kept, level, None)
    if runner is None:
        runner = Runner(levels.named(level), Limits())
        setattr(_kept, level, runner)
    return runner


def _nothing(why: str) -> dict[str, Any]:
    return {"results": [], "level": "", "seconds": 0.0, "infrastructure": why, "notes": []}
