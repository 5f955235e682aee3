"""A browser without a window: Chromium, for pictures of pages and for the proof that a page runs nothing. Whoever works
on the dojo needs it (Debian: apt-get install chromium), a student does not."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")


class NoBrowser(Exception):
    """Chromium is not installed."""


def screenshot(page: Path, file: Path, width: int, height: int, deadline: float = 120.0) -> None:
    """Draw the page as a PNG of so many pixels. `deadline` in seconds.

    Raises NoBrowser, subprocess.CalledProcessError or subprocess.TimeoutExpired.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise NoBrowser("this needs Chromium (Debian: apt-get install chromium)")
    with tempfile.TemporaryDirectory(prefix="dojo-") as profile:
        subprocess.run(
            [
                program,
                "--headless",
                "--no-sandbox",  # it runs as root in a container; the page is ours, and runs nothing
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--hide-scrollbars",
                "--run-all-compositor-stages-before-draw",  # else a busy machine is drawn half done
                "--virtual-time-budget=2000",
                "--disable-features=IsolateSandboxedIframes",  # one process draws the page: nothing of it comes late
                f"--user-data-dir={profile}",
                f"--window-size={width},{height}",
                f"--screenshot={file}",
                page.as_uri(),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=deadline,
            check=True,
        )
