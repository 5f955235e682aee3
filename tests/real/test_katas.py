"""The katas' own tests, with postfix, dovecot and nginx where they ask for a fake (swap.py).

The references pass; a wrong solution of each gallery still fails by the test and for the reason that it names.
html_mail needs no server: its letters travel in test_through.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dojo import gallery
from dojo.catalog import Kata
from dojo.launch import ROOT
from dojo.result import PASS, Result

PLAYED = {
    "http_client": ["nginx"],
    "protected": ["nginx"],
    "mail": ["postfix", "dovecot"],
    "inbox": ["dovecot"],
}
"""Who plays in which kata."""

UNPLAYED = {
    ("inbox", "test_move_fails"): (
        "dovecot does not answer -ERR to RETR, DELE or QUIT on demand, nor break off in the middle of a mail"
    ),
    ("inbox", "test_silence"): "dovecot does not fall silent in the middle of an answer on demand",
}
"""Tests that script what a real server cannot play, and why. They must say so by themselves (Unplayable)."""

WRONG = {
    "http_client": "wrong_fragment_to_server",
    "protected": "wrong_header_everywhere",
    "mail": "wrong_no_dot_stuffing",
    "inbox": "wrong_dele_is_enough",
}
"""For each kata a wrong solution whose mistake shows on the wire."""

WITHIN = 100.0
"""Seconds for a run of a kata on a busy machine."""


def run(kata: str, folder: Path, *words: str) -> tuple[list[Result], dict[str, int]]:
    """The results of a kata, and how many clients each real server has had."""
    results, seen = folder / "results", folder / "seen"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.real.swap", "--results", str(results), *words]
    done = subprocess.run(
        [*command, f"tests/test_{kata}.py"],
        cwd=ROOT,
        env={**os.environ, "DOJO_REAL_SEEN": str(seen)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=WITHIN,
        check=False,
    )
    lines = [json.loads(line) for line in results.read_text("utf-8").splitlines()]
    assert lines[-1] == {"complete": True}, done.stdout.decode("utf-8", "replace")
    return [Result.from_data(line["result"]) for line in lines if "result" in line], json.loads(seen.read_text("ascii"))


@pytest.mark.timeout(WITHIN + 10)
@pytest.mark.parametrize("kata", PLAYED)
def test_the_reference_passes_with_the_real_servers(kata: str, tmp_path: Path) -> None:
    results, seen = run(kata, tmp_path, "--subject", "reference")
    failed = {(kata, result.test): result for result in results if result.status != PASS}
    unplayed = [key for key in UNPLAYED if key[0] == kata]
    assert sorted(failed) == sorted(unplayed), [result.internal or result.rows for result in failed.values()]
    assert all("Unplayable" in result.internal for result in failed.values())
    assert {name for name, clients in seen.items() if clients} == set(PLAYED[kata])


@pytest.mark.timeout(WITHIN + 10)
@pytest.mark.parametrize("kata", WRONG)
def test_a_wrong_solution_fails_with_the_real_servers(kata: str, tmp_path: Path) -> None:
    file = Kata(kata).gallery / f"{WRONG[kata]}.py"
    promised = {test: reason for test, reason in gallery.promised(file).items() if (kata, test) not in UNPLAYED}
    results, _ = run(kata, tmp_path, "--subject", str(file), "--test", ",".join(promised))
    assert promised
    assert not gallery.complaints(file, promised, results)
