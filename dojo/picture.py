"""Draws the README's picture: a real run of `make test` on a student's file, its output as SVG by rich."""

from __future__ import annotations

import io
import os
import re
import subprocess

from dojo.launch import ROOT

SUBJECT = "tests/gallery/urlparse/wrong_query_at_the_end.py"
FILE = ROOT / "katas" / "screen.svg"
COLUMNS = 100


def main() -> int:
    """Run, draw, write katas/screen.svg."""
    from rich.console import Console
    from rich.text import Text

    command = ["make", "-s", "test", "KATA=urlparse", f"SUBJECT={SUBJECT}", "SEED=picture"]
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "LC_ALL": "C.UTF-8", "DOJO_LANG": "en"}
    environment.pop("NO_COLOR", None)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(done.stdout.rstrip("\n")))
    drawn = console.export_svg(title="make test KATA=urlparse", unique_id="screen")
    # rich names fonts on a server; a picture in a repository must not fetch anything.
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    drawn = drawn.replace("<svg class=", '<svg xml:space="preserve" class=')
    FILE.write_text(drawn.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas"), "utf-8")
    print(f"written: {FILE.relative_to(ROOT)}")
    return 0
