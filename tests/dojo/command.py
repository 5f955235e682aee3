"""`python -m dojo` as a student runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
