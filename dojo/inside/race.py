"""Threads raced on purpose: each line of the student's file takes a while, in every thread.

What two threads do at the same moment by chance once in a million runs, they do here in nearly every run: all who
come to a line together leave it together, and what stands between a look and a leap is long enough for another
thread's look. A program whose locks are right gives the same answers, only later.
"""

from __future__ import annotations

import sys
import threading
from time import sleep
from types import FrameType
from typing import Any


def start(folder: str, pause: float) -> None:
    """From now on, in every thread to come, each line of files in this folder waits `pause` seconds first."""
    sys.setswitchinterval(0.0005)

    def at_line(frame: FrameType, event: str, argument: Any) -> Any:  # noqa: ARG001
        if event == "line":
            sleep(pause)  # which lets the other threads run
        return at_line

    def at_call(frame: FrameType, event: str, argument: Any) -> Any:  # noqa: ARG001
        return at_line if frame.f_code.co_filename.startswith(folder) else None

    threading.settrace(at_call)


def slow_down(folder: str, pause: float) -> None:
    """From now on, in every thread, each line of a function in files of this folder waits `pause` seconds first: what
    comes from outside meets a program that is in the middle of its work."""

    def at_line(frame: FrameType, event: str, argument: Any) -> Any:  # noqa: ARG001
        if event == "line":
            sleep(pause)
        return at_line

    def at_call(frame: FrameType, event: str, argument: Any) -> Any:  # noqa: ARG001
        code = frame.f_code
        # Loading the file is no work of a function's: it goes as fast as ever.
        return at_line if code.co_filename.startswith(folder) and code.co_name != "<module>" else None

    threading.settrace(at_call)
    sys.settrace(at_call)
