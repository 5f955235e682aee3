"""`python -m dojo` as a student runs it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Self

from dojo.launch import ROOT


def dojo(*words: str, env: dict[str, str] | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """`python -m dojo …` as a student runs it, in English, its output kept."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "LC_", "LANG"))}
    return subprocess.run(
        [sys.executable, "-m", "dojo", *words],
        cwd=cwd,
        env={**clean, "DOJO_LANG": "en", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=50,
        check=False,
    )


class Checker:
    """What `make check` says of the kata `cut` in a copy of the project: one interpreter for many questions."""

    CODE = """if True:
        import sys
        from dojo import agree, catalog, check, gallery, hints, warm
        kata = catalog.kata('cut')
        for _ in sys.stdin:
            hints.reasons.cache_clear()
            said = agree.complaints(kata)
            said = said or check.stub(kata) or check.reference(kata, sys.executable)
            for file in gallery.right(kata)[:1] + gallery.wrong(kata):
                said = said or check.exhibit(kata, file)
            warm.stop_pytest()  # it has collected the tests as they are now
            print(ascii(said), flush=True)
    """

    def __init__(self, house: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", self.CODE], cwd=house, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def complaints(self) -> str:
        """All of them, a line each."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("?\n")
        self._process.stdin.flush()
        said: list[str] = ast.literal_eval(self._process.stdout.readline())
        return "\n".join(said)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
