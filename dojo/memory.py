"""What the last run of each kata left for `make hint`, in .dojo/ of the project's folder."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from dojo.launch import ROOT

FILE = ROOT / ".dojo" / "last.json"


def load() -> dict[str, Any]:
    """By kata: the first failure of the last run and how many of its hints were shown. {} when nothing is left."""
    try:
        data = json.loads(FILE.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def save(kata: str, entry: dict[str, Any] | None) -> None:
    """Keep this for the kata, or forget it. A folder that cannot be written costs the hints alone."""
    data = load()
    if entry is None:
        data.pop(kata, None)
    else:
        data[kata] = entry
    with suppress(OSError):
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(json.dumps(data, indent=1), "utf-8")
