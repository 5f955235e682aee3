"""What a student's process prints: read all the time, so that it never waits for us, and kept within bounds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import BinaryIO

KEPT = 16 * 1024
"""Bytes kept from the beginning, and as many from the end."""

LIMIT = 10 * 1024 * 1024
"""Bytes after which a program is taken to print without end."""


class Output:
    """Reads a pipe to its end in a thread of its own."""

    def __init__(self, source: BinaryIO, flooded: Callable[[], None]) -> None:
        self._source = source
        self._flooded = flooded
        self._head = bytearray()
        self._tail = bytearray()
        self.size = 0
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._read, name="output of the student's process", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._source:
            while True:
                try:
                    part = self._source.read(65536)
                except (OSError, ValueError):
                    return
                if not part:
                    return
                before, self.size = self.size, self.size + len(part)
                room = KEPT - len(self._head)
                self._head += part[:room]
                self._tail += part[room:] if room > 0 else part
                del self._tail[:-KEPT]
                if before <= LIMIT < self.size:
                    self._flooded()
                with self._more:
                    self._more.notify_all()

    def text(self, deadline: float = 1.0) -> str:
        """All that was kept, decoded as UTF-8, with a mark where something was left out. Call it when the
        process has ended; it waits at most `deadline` seconds for the rest to arrive."""
        self._thread.join(deadline)
        return self.so_far()

    def wait_for(self, wanted: Callable[[str], bool], deadline: float) -> bool:
        """Wait until the text so far is as wanted; False when it is not after `deadline` seconds."""
        with self._more:
            return self._more.wait_for(lambda: wanted(self.so_far()), deadline)

    def so_far(self) -> str:
        """The text that has been read up to now."""
        left_out = self.size - len(self._head) - len(self._tail)
        middle = f"\n… {left_out} bytes left out …\n".encode() if left_out > 0 else b""
        return (bytes(self._head) + middle + bytes(self._tail)).decode("utf-8", "replace")
