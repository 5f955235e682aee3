"""Draws the README's picture: a real run of `make test` on a student's file, its output as SVG by rich."""

from __future__ import annotations

import os
import subprocess

from dojo.launch import ROOT

SUBJECT = "tests/gallery/urlparse/wrong_port_is_text.py"
FILE = ROOT / "screen.svg"
COLUMNS = 100


def main() -> int:
    """Run, draw, write screen.svg."""
    from rich.console import Console
    from rich.text import Text

    command = ["make", "-s", "test", "KATA=urlparse", f"SUBJECT={SUBJECT}", "SEED=picture"]
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "LC_ALL": "C.UTF-8", "DOJO_LANG": "en"}
    environment.pop("NO_COLOR", None)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w", encoding="utf-8"), force_terminal=True)  # noqa: PTH123, SIM115
    console.print(Text.from_ansi(done.stdout.rstrip("\n")))
    FILE.write_text(console.export_svg(title="make test KATA=urlparse"), "utf-8")
    print(f"written: {FILE.relative_to(ROOT)}")
    return 0
