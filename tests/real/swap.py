"""A plugin for pytest, `-p tests.real.swap`: where a kata's tests ask for a fake, they get the real server.

The fixtures and the tests make their servers from these three classes, whose names are given to others here before a
test file is loaded.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import dojo.fakes.http
import dojo.fakes.pop3
import dojo.fakes.smtp
from tests.real import behind
from tests.real.behind_http import RealHTTP
from tests.real.behind_pop3 import RealPOP3
from tests.real.behind_smtp import RealSMTP


def pytest_configure() -> None:
    """Swap them."""
    dojo.fakes.http.FakeHTTP = RealHTTP  # type: ignore[misc]
    dojo.fakes.pop3.FakePOP3 = RealPOP3  # type: ignore[assignment,misc]
    dojo.fakes.smtp.FakeSMTP = RealSMTP  # type: ignore[assignment,misc]


def pytest_unconfigure() -> None:
    """End the servers. Write how many clients each has had, by its own log, where DOJO_REAL_SEEN says."""
    if seen := os.environ.get("DOJO_REAL_SEEN"):
        Path(seen).write_text(json.dumps(behind.seen()), "ascii")
    behind.end()
