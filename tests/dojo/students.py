"""For the dojo's own tests: one function of a student's file that does what is asked here, judged as in a kata."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dojo.expect import Scene
from dojo.failure import Failed, Failure
from dojo.launch import Launcher, launcher
from dojo.result import Result


class Bench:
    """Judges student's files of a few lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.launcher: Launcher = launcher(folder / "none")  # there are several files, and nothing is loaded ahead
        self.failures: dict[Path, Failure] = {}
        self._number = 0

    def file(self, source: str | bytes) -> Path:
        """A student's file with this source."""
        self._number += 1
        path = self.folder / f"kata{self._number}.py"
        path.write_bytes(source.encode() if isinstance(source, str) else source)
        return path

    @contextmanager
    def scene(self, source: str | bytes) -> Iterator[Scene]:
        """A scene with that file, finished and ended as the plugin does it."""
        scene = Scene("own", self.file(source), lambda: self.launcher, self.failures)
        try:
            yield scene
            scene.finish()
        finally:
            scene.end()

    def verdict(self, source: str | bytes, deadline: float = 5.0) -> Result:
        """The result of calling `f()`, which must return 1."""
        result = Result("kata", "own", 1, {"en": "own", "zh": "own"})
        scene = None
        try:
            with self.scene(source) as scene:
                scene.call("f", (), {}, deadline).returns(1)
            result.status = "pass"
        except Failed as failed:
            assert scene is not None
            result.failed(failed.failure, scene)
        return result


def body(*lines: str) -> str:
    """A file with a function `f` of these lines."""
    return "def f():\n" + "".join(f"    {line}\n" for line in lines)
