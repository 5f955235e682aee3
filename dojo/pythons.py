"""The Pythons of this machine on which a student's code may run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

OLDEST = (3, 11)


def found() -> dict[str, str]:
    """By version ("3.12"), the first interpreter found that is 3.11 or newer: on PATH, of pyenv, of uv."""
    places = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    for store in (Path.home() / ".pyenv/versions", Path.home() / ".local/share/uv/python"):
        places += sorted(store.glob("*/bin"))
    pythons: dict[str, str] = {}
    for place in places:
        if place.name == "shims":  # pyenv's shims stand for what the versions hold
            continue
        try:
            names = sorted(place.glob("python3*"))
        except OSError:  # a folder of somebody else's
            continue
        for path in names:
            if re.fullmatch(r"python3(\.\d+)?(\.exe)?", path.name):
                version = _version(path)
                if version is not None and version >= OLDEST:
                    pythons.setdefault(f"{version[0]}.{version[1]}", str(path))
    return dict(sorted(pythons.items(), key=lambda item: int(item[0].partition(".")[2])))


def _version(path: Path) -> tuple[int, int] | None:
    try:
        answer = subprocess.run(
            [path, "-I", "-S", "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        ).stdout.split()
        return int(answer[0]), int(answer[1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
