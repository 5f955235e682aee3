"""The judge's handle on a student's process.

Every wait has a deadline. Whatever the process does (ends, crashes, hangs, prints for ever, answers nonsense)
comes back as an Outcome; no exception of the student's is ever raised here.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from dojo import output, places
from dojo.inside import channel, plain
from dojo.launch import Launcher
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
    Standing,
    Thread,
    TooLarge,
)

DEADLINE = 5.0
"""Seconds that a call may take unless the test says otherwise. It costs nothing while all is well."""

BUSY = 0.1
"""The share of a processor from which a program is computing and not waiting. One that waits uses none; one that
spins uses a whole one, or what other programs leave of it."""

FINISH_DEADLINE = 1.0
"""Seconds that threads may go on after the last call."""


def environment(home: str, extra: dict[str, str]) -> dict[str, str]:
    """A clean environment: no proxy settings, no PYTHON… variables, one locale, time zone as on the machine. Nobody is
    trusted by TLS but whom a test names."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TZ", "TERM") if name in os.environ}
    folders = {"HOME": home, "TMPDIR": home, "TEMP": home, "TMP": home}
    if sys.platform == "darwin":
        kept["no_proxy"] = "*"  # else urllib asks the system's settings, which may name a proxy
    # From Python 3.12 on, each opener of urllib loads the authorities, 50 ms for a system's; nobody meets those here.
    nobody = {"SSL_CERT_FILE": os.devnull}
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", **nobody, **kept, **folders, **extra}


def _listening(told: dict[str, Any]) -> Listening:
    """What a process tells of its server. Raises for what no server of a kata can be: it is told by a student's
    process, and peers will connect to it."""
    at, family = told["address"], socket.AddressFamily(told["family"])
    if isinstance(at, str):
        if family != socket.AF_UNIX:
            raise ValueError("a path is of a Unix socket")
        return Listening(at, int(family), int(told["type"]))
    host, port = str(at[0]), int(at[1])
    if family not in (socket.AF_INET, socket.AF_INET6) or not 0 < port < 1 << 16:
        raise ValueError("not an Internet address")
    try:
        socket.inet_pton(family, host)  # an address, and no name that has to be looked up
    except OSError as error:
        raise ValueError("not an address") from error
    return Listening((host, port), int(family), int(told["type"]))


class StudentProcess:
    """One process that has loaded, or will load, one student's file."""

    def __init__(
        self,
        launcher: Launcher,
        subject: Path,
        variables: dict[str, str] | None = None,
        foreground: bool = False,
        keyboard: bool = False,
    ) -> None:
        self.subject = subject.resolve()
        self._launcher = launcher
        self._foreground = foreground
        self.folder = places.home()
        self._status: int | None = None
        self._flooded = False
        clean = environment(self.folder, variables or {})
        self._running = launcher.start(self.subject, clean, Path(self.folder), keyboard=keyboard)
        self._output = output.Output(self._running.output, self._stop_flood) if self._running.output else None
        self.thread_errors: tuple[Raised, ...] = ()

    def _stop_flood(self) -> None:
        # Called by the thread that reads. A shut conversation wakes the judge, which then ends the process.
        self._flooded = True
        self._running.calls.shutdown(2)

    # --- calls ---------------------------------------------------------------------------------------------

    def load(
        self,
        deadline: float = DEADLINE,
        *,
        server: bool = False,
        race: float = 0.0,
        send_buffer: int = 0,
        slow: float = 0.0,
    ) -> Outcome:
        """Load the student's file. With `server`, Listening comes of each server that it starts, and locks know
        their holders; with `race`, seconds that each of its lines takes, its threads are raced; `send_buffer`, in
        bytes, is what the system keeps for each of its clients that does not read. With `slow`, each line of its
        functions takes that many seconds, in the thread that is called too."""
        order = {"do": "load", "server": server, "race": race, "send_buffer": send_buffer, "slow": slow}
        return self._ask(order, deadline)

    def begin(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Call a function that goes on for the length of the test; `next_event` tells what comes of it."""
        order = {"do": "call", "name": name, "arguments": [plain.encode(a) for a in arguments], "named": {}}
        self._running.calls.settimeout(DEADLINE)
        with suppress(OSError):  # it may have ended: next_event says how
            channel.send(self._running.calls, {**order, "id": "begun"})

    def next_event(self, deadline: float) -> Outcome | None:
        """What comes next of the function that was begun: Listening, or its end. None when nothing came within
        `deadline` seconds."""
        if self._status is not None:
            return Died(self._status)
        try:
            answer = channel.receive(self._running.calls, deadline)
            if "listening" in answer:
                return _listening(answer["listening"])
            return self._outcome(answer)
        except TimeoutError:
            return None
        except (channel.Closed, OSError):
            return self._ended_early()
        except Exception as error:  # whatever nonsense came, it is the student's
            self.end()
            return Garbled(type(error).__name__)

    def call(
        self, name: str, arguments: tuple[Any, ...], named: dict[str, Any], deadline: float = DEADLINE
    ) -> Outcome:
        """Call a function of the student's file with plain data. `deadline` in seconds."""
        order = {
            "do": "call",
            "name": name,
            "arguments": [plain.encode(argument) for argument in arguments],
            "named": {key: plain.encode(value) for key, value in named.items()},
        }
        return self._ask(order, deadline)

    def finish(self, deadline: float = FINISH_DEADLINE) -> Outcome | None:
        """Let the program come to its end, as it would when its last line has run. None when it did."""
        outcome = self._ask({"do": "finish"}, deadline)
        if not isinstance(outcome, Loaded):
            return outcome
        self._leaving()
        self._launcher.release(self._running)
        self._ended(0)
        return None

    def _ask(self, order: dict[str, Any], deadline: float) -> Outcome:
        if self._status is not None:
            return Died(self._status)
        ident = os.urandom(8).hex()  # so that an answer cannot be written before the question is known
        calls = self._running.calls
        until = time.monotonic() + deadline
        calls.settimeout(None if self._foreground else deadline)
        try:
            channel.send(calls, {**order, "id": ident})
            answer = self._answer(until)
            while "listening" in answer:  # a server beside the call: nobody asked for it
                answer = self._answer(until)
            if answer["id"] != ident:
                raise ValueError("an answer to another question")
            return self._outcome(answer)
        except TimeoutError:
            return self._hung(deadline)
        except (channel.Closed, OSError):
            return self._ended_early()
        except Exception as error:  # whatever nonsense came, it is the student's
            self.end()
            return Garbled(type(error).__name__)

    def _answer(self, until: float) -> dict[str, Any]:
        left = None if self._foreground else until - time.monotonic()
        return channel.receive(self._running.calls, left)

    def _ended_early(self) -> Outcome:
        status = self.end()
        return Flooded(output.LIMIT) if self._flooded else Died(status, self._running.why)

    def _outcome(self, answer: dict[str, Any]) -> Outcome:
        if "returned" in answer:
            return Returned(plain.decode(answer["returned"]), str(answer["kind"])[:80])
        if "raised" in answer:
            return self._raised(answer["raised"])
        if "not_plain" in answer:
            return NotPlain(str(answer["not_plain"])[:80], str(answer["inside"])[:200])
        if "missing" in answer:
            return Missing(str(answer["missing"]), tuple(str(name)[:80] for name in answer["present"]))
        if "too_large" in answer:
            return TooLarge(int(answer["too_large"]))
        if "finished" in answer:
            self.thread_errors = tuple(self._raised(told) for told in answer["thread_errors"][:10])
            return Loaded(())
        return Loaded(tuple(str(name) for name in answer["loaded"]))

    # --- what the process tells of itself ------------------------------------------------------------------

    def _raised(self, told: dict[str, Any], deep: int = 0) -> Raised:
        syntax = told.get("syntax")
        return Raised(
            type=str(told["type"])[:80],
            message=str(told["message"])[:2000],
            bases=tuple(str(base) for base in told["bases"][:20]),
            attributes={str(name): plain.decode(value) for name, value in told["attributes"].items()},
            frames=self._frames(told["frames"]),
            cause=self._raised(told["cause"], deep + 1) if "cause" in told and deep < 3 else None,
            syntax=(str(syntax[0]), int(syntax[1]), str(syntax[2])) if syntax else None,
            thread=str(told.get("thread", ""))[:80],
        )

    def _frames(self, told: list[Any]) -> tuple[Frame, ...]:
        return tuple(
            Frame(str(file), int(line), str(function)[:80], self._own(str(file))) for file, line, function in told[:60]
        )

    def _own(self, file: str) -> bool:
        # What a process tells may be a lie: a path that leads out of the folder by .. or by a link is not its own.
        home = str(self.subject.parent) + os.sep
        if not file.startswith(home) or not file.isprintable():
            return False
        found = os.path.realpath(file)
        return found.startswith(os.path.realpath(home) + os.sep) and Path(found).is_file()

    def stand(self) -> Standing | None:
        """Every thread and where it stands, the CPU seconds used so far; None when the process cannot say."""
        if self._status is not None:
            return None
        watch = self._running.watch
        watch.settimeout(1.0)
        try:
            channel.send(watch, {})
            told = channel.receive(watch, 1.0)
            self.thread_errors = tuple(self._raised(error) for error in told["thread_errors"][:10])
            threads = tuple(self._thread(one) for one in told["threads"][:200])
            return Standing(threads, float(told["cpu"]), int(told["open"]))
        except Exception:  # closed, late or nonsense
            return None

    def _thread(self, told: dict[str, Any]) -> Thread:
        frames = self._frames(told["frames"])
        holder, held_since = "", None
        if told["lock"]:
            holder, file, line = told["lock"]
            (held_since,) = self._frames([[file, line, ""]])
        return Thread(str(told["name"]), bool(told["main"]), bool(told["daemon"]), frames, str(holder), held_since)

    def _hung(self, seconds: float) -> Hung:
        first = self.stand()
        started = time.monotonic()
        time.sleep(0.1)  # the span over which its use of the processor is measured
        second = self.stand()
        span = time.monotonic() - started
        self.end()
        if first is None or second is None:
            return Hung(seconds, (), None)
        return Hung(seconds, second.threads, second.cpu - first.cpu > span * BUSY)

    # --- the end -------------------------------------------------------------------------------------------

    def printed(self) -> str:
        """What the process printed; complete once it has ended."""
        return self._output.text() if self._output else ""

    def shows(self, wanted: Callable[[str], bool], deadline: float) -> bool:
        """Wait until what was printed so far is as wanted; False when it is not after `deadline` seconds."""
        return self._output is not None and self._output.wait_for(wanted, deadline)

    def shown(self) -> str:
        """What was printed so far."""
        return self._output.so_far() if self._output else ""

    def types(self, text: str) -> None:
        """Type on the keyboard that the process was started with."""
        assert self._running.keyboard is not None
        with suppress(OSError):  # it may have ended: the test sees that
            self._running.keyboard.write(text.encode("utf-8"))

    def interrupt(self) -> None:
        """Interrupt it, as Ctrl-C does (SIGINT)."""
        self._launcher.interrupt(self._running)

    def ends_keyboard(self) -> None:
        """End the input, as Ctrl-D does."""
        assert self._running.keyboard is not None
        self._running.keyboard.close()

    def end(self) -> int:
        """End the process and all that it started, free what it held. Its exit code or minus the signal."""
        if self._status is None:
            self._leaving()
            self._ended(self._launcher.end(self._running))
        assert self._status is not None
        return self._status

    def _leaving(self) -> None:
        places.places.in_use.discard(Path(self.folder).name)  # in a sandbox, it is swept when the process has ended

    def _ended(self, status: int) -> None:
        self._status = status
        self._running.calls.close()
        self._running.watch.close()
        if self._running.keyboard is not None:
            self._running.keyboard.close()
        places.leave(self.folder)
