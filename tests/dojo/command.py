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


def complaints(house: Path) -> str:
    """All that `make check` says of the kata `cut` in a copy of the project."""
    code = (
        "import sys\n"
        "from dojo import agree, catalog, check, gallery\n"
        "kata = catalog.kata('cut')\n"
        "said = agree.complaints(kata)\n"
        "said = said or check.stub(kata) or check.reference(kata, sys.executable)\n"
        "for file in gallery.right(kata)[:1] + gallery.wrong(kata): said = said or check.exhibit(kata, file)\n"
        "print('\\n'.join(said))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=house, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
