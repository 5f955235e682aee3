"""Several workers at once, each a thread with a judge of its own: the work itself is done by processes below them.

What comes next is asked for when a worker is free, and what is finished waits in a short queue, so that memory does
not grow with the class.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from dojo.grade.judging import Judge

Task = TypeVar("Task")
Made = TypeVar("Made")

END_DEADLINE = 10.0
"""Seconds that the workers have to end, once their judges were told to end everything."""


@dataclass(frozen=True)
class Done(Generic[Task, Made]):
    """A task and what came of it: `made`, or the exception."""

    task: Task
    made: Made | None
    error: BaseException | None = None


def run(
    tasks: Iterable[Task], work: Callable[[Judge, Task], Made], judge: Callable[[], Judge], jobs: int
) -> Iterator[Done[Task, Made]]:
    """Do the work for each task, `jobs` at a time, and give what is done as it is done.

    When the one who asks stops asking (Ctrl-C), every judge is told to end what it has started, at once.
    """
    pool = _Pool(iter(tasks), work, judge, jobs)
    try:
        pool.start()
        yield from pool.results()
    finally:
        pool.end()


class _Pool(Generic[Task, Made]):
    def __init__(
        self, tasks: Iterator[Task], work: Callable[[Judge, Task], Made], judge: Callable[[], Judge], jobs: int
    ) -> None:
        self._tasks = tasks
        self._work = work
        self._next = threading.Lock()
        self._done: queue.Queue[Done[Task, Made] | None] = queue.Queue(2 * jobs)
        self._stopped = threading.Event()
        self._judges = [judge() for _ in range(jobs)]
        self._threads = [
            threading.Thread(target=self._serve, args=(each,), name=f"grader {number}", daemon=True)
            for number, each in enumerate(self._judges, 1)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def results(self) -> Iterator[Done[Task, Made]]:
        working = len(self._threads)
        while working:
            done = self._done.get()
            if done is None:
                working -= 1
            else:
                yield done

    def end(self) -> None:
        self._stopped.set()
        for judge in self._judges:
            judge.close()
        with suppress(queue.Empty):  # a worker may be waiting for room to tell what nobody wants to know any more
            while True:
                self._done.get_nowait()
        for thread in self._threads:
            thread.join(END_DEADLINE)

    def _serve(self, judge: Judge) -> None:
        while not self._stopped.is_set():
            with self._next:
                task = next(self._tasks, None)
            if task is None:
                break
            try:
                done: Done[Task, Made] = Done(task, self._work(judge, task))
            except BaseException as error:  # a task that breaks costs that task alone
                done = Done(task, None, error)
            self._tell(done)
        self._tell(None)

    def _tell(self, done: Done[Task, Made] | None) -> None:
        while not self._stopped.is_set():
            with suppress(queue.Full):
                self._done.put(done, timeout=0.1)
                return
