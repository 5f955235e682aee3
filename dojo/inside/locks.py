"""Locks that know who holds them and since which line, so that a standstill can be told in a sentence."""

from __future__ import annotations

import _thread
import sys
import threading
from types import FrameType
from typing import Any

waiting: dict[int, TracedLock] = {}
"""By thread: the lock that it waits for."""


class TracedLock:
    """A threading.Lock (or RLock) with a memory. It behaves as the lock inside it."""

    def __init__(self, lock: Any) -> None:
        self._lock = lock
        self.holder = 0
        self.file = ""
        self.line = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As threading.Lock.acquire."""
        me = _thread.get_ident()
        if not self._lock.acquire(False):
            if not blocking:
                return False
            waiting[me] = self
            try:
                if not self._lock.acquire(True, timeout):
                    return False
            finally:
                waiting.pop(me, None)
        self.holder = me
        frame = _caller(sys._getframe(1))
        self.file, self.line = frame.f_code.co_filename, frame.f_lineno
        return True

    def release(self) -> None:
        """As threading.Lock.release."""
        self.holder = 0
        self._lock.release()

    def locked(self) -> bool:
        """As threading.Lock.locked."""
        return bool(self._lock.locked())

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lock, name)  # _is_owned, _release_save … by which a Condition works


def _caller(frame: FrameType) -> FrameType:
    """The frame outside this file: `with lock:` comes by way of __enter__."""
    while frame.f_code.co_filename == __file__ and frame.f_back is not None:
        frame = frame.f_back
    return frame


def trace() -> None:
    """From now on, threading.Lock() and threading.RLock() give traced locks."""
    plain_lock, plain_rlock = threading.Lock, threading.RLock
    changed: Any = threading
    changed.Lock = lambda: TracedLock(plain_lock())
    changed.RLock = lambda: TracedLock(plain_rlock())
