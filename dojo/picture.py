"""Draws the pictures of the pages: a real run of `make test` on a student's file, its output as SVG by rich; the small
files of the kata html_mail; and what `make play` shows, as Chromium draws it."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from dojo.launch import ROOT

SUBJECT = "tests/gallery/urlparse/wrong_query_at_the_end.py"
FILE = ROOT / "katas" / "screen.svg"
COLUMNS = 100


def main() -> int:
    """Draw them all, say which were written."""
    from dojo import samples

    letter = ROOT / "katas" / "html_mail"
    for file in (run(), *samples.write(letter), played(letter / "play.png")):
        print(f"written: {file.relative_to(ROOT)}")
    return 0


def played(file: Path) -> Path:
    """Play the reference's letter, draw its page in English. The Chinese in it needs a font that has it."""
    from dojo import browser

    command = [sys.executable, "-m", "dojo", "play", "html_mail", "--subject", "reference", "--no-open"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "DOJO_LANG": "en"}, stdout=subprocess.DEVNULL, check=True)
    browser.screenshot(ROOT / ".dojo" / "play" / "html_mail.html", file, 1080, 660)
    return file


def run() -> Path:
    """Run a kata on a copy of this project whose stub a student has filled in, draw the screen: katas/screen.svg."""
    from rich.console import Console
    from rich.text import Text

    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS), "LC_ALL": "C.UTF-8", "DOJO_LANG": "en"}
    environment.pop("NO_COLOR", None)
    with tempfile.TemporaryDirectory(prefix="dojo-") as folder:
        house = Path(folder) / "house"
        shutil.copytree(ROOT, house, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        shutil.copy(ROOT / SUBJECT, house / "katas" / "urlparse" / "urlparse.py")
        command = [sys.executable, "-m", "dojo", "test", "urlparse", "--seed", "picture"]
        done = subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True, check=False)
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(done.stdout.rstrip("\n")))
    drawn = console.export_svg(title="make test KATA=urlparse", unique_id="screen")
    # rich names fonts on a server; a picture in a repository must not fetch anything.
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    drawn = drawn.replace("<svg class=", '<svg xml:space="preserve" class=')
    FILE.write_text(drawn.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas"), "utf-8")
    return FILE
