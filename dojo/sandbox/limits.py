"""How much of the machine one submission may use."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """The limits of one submission. Sizes in bytes, times in seconds."""

    cpu: int = 20
    """Processor time of one process, after which the system ends it (SIGXCPU)."""
    memory: int = 2048 * MB
    """Address space of one process. It counts the stacks of threads too, so less than 1 GB ends honest programs."""
    processes: int = 128
    """Processes and threads at a time."""
    files: int = 1024
    """Open file descriptors of one process."""
    file_size: int = 64 * MB
    """Bytes that one file may have."""
    space: int = 64 * MB
    """Bytes that all files together may have, in each of the folders that can be written."""
    wall: float = 300.0
    """Seconds that the judge may take for one kata, all tests together."""
