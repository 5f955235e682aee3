"""Names of files that are made from names of submissions."""

from __future__ import annotations

import hashlib
import re


def file_name(name: str) -> str:
    """A name of letters, digits, - and _ alone, which is another for each submission, on every file system."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:60]
    if plain == name and plain.islower():
        return plain
    return f"{plain or 'submission'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
