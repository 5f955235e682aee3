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
    resident: int = 1024 * MB
    """Memory that all processes together may hold at a time."""
    processes: int = 256
    """Processes and threads at a time."""
    together: int = 40
    """Processes at a time, without threads: one that starts more is ended before the machine feels it."""
    files: int = 512
    """Open file descriptors of one process."""
    file_size: int = 64 * MB
    """Bytes that one file may have."""
    space: int = 64 * MB
    """Bytes that all files together may have."""
    inodes: int = 8192
    """Files, folders and links that there may be."""
    wall: float = 300.0
    """Seconds that the judge may take for one kata, all tests together."""
