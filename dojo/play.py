"""`make play KATA=html_mail`: the letter that the student's code writes, sent to a mail server on this machine, and
shown as a page."""

from __future__ import annotations

import argparse
import os
import re
import smtplib
import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dojo import catalog, launch, mail_page, samples, screen, terminal
from dojo.catalog import UsageError
from dojo.expect import Scene
from dojo.failure import Failed, Failure
from dojo.fakes.smtp import Delivery, FakeSMTP
from dojo.inside.plain import Mail
from dojo.outcome import Missing, Raised
from dojo.process import DEADLINE
from dojo.result import Result
from dojo.tree import Tree, Unreadable
from dojo.trouble import short
from dojo.wire import Wire
from dojo.words import word

PLAYABLE = ("html_mail",)

FOLDER = launch.ROOT / ".dojo" / "play"

# The letter that is written. What is in it looks like HTML in places, so that one sees whether it stays text.
SENDER = ("李雷", "lilei@example.com")
TO = [("Zoë Łukasz", "zoe@example.org"), ("Han, Meimei", "meimei@example.org")]
SUBJECT = "日出和水果价目表 · sunrise and prices"
TEXT = """你好 Zoë,

this was our <morning>: 5 < 7 & 7 > 5. 今天早上的日出。
The prices of the week are in the table. 价目表在附件里。

李雷
"""
DESCRIPTION = 'The "big" sun above two hills, 日出'
LIMIT = 1_000_000


def play(options: argparse.Namespace) -> int:
    """Write the page, say where it is, open it. The exit code as cli.py lists them."""
    from dojo.cli import FAILED, OK

    if options.kata and options.kata not in PLAYABLE:
        catalog.kata(options.kata)  # a name that no kata has is said first
    if options.kata not in PLAYABLE:
        raise UsageError(f"what can be played: {', '.join(PLAYABLE)}. For example: make play KATA={PLAYABLE[0]}")
    kata = catalog.kata(options.kata)
    subject = catalog.subject_file(kata, options.subject)
    launcher = launch.launcher(subject)
    result = Result(kata.name, "play", 0, {"en": "play", "zh": "play"})
    scene = Scene("play", subject, lambda: launcher, {})
    try:
        step, letter = written(scene)
        delivery = delivered(scene, letter)
        file = FOLDER / f"{kata.name}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(mail_page.page(Tree(delivery.content), len(delivery.content)), "utf-8")
    except Failed as failed:
        result.failed(failed.failure, scene)
        print("\n".join(screen.details(result)))
        return FAILED
    finally:
        scene.end()
        launcher.close()
    print(word("played", step=step, size=f"{len(delivery.content):,}", file=short(file)))
    if not options.no_open and can_open(os.environ, sys.platform):
        webbrowser.open(file.as_uri())
    return OK


def written(scene: Scene) -> tuple[str, Mail]:
    """The letter of the last step that is written, and that step's name. Raises Failed."""
    for step, arguments in _steps(scene.folder()):
        answer = scene.call(step, arguments, {}, DEADLINE)
        outcome = answer.outcome
        if isinstance(outcome, Missing) or (isinstance(outcome, Raised) and outcome.type == "NotImplementedError"):
            continue
        value = answer.value()
        if not isinstance(value, Mail):
            scene.fail(Failure("no_message", answer.called, {"step": step}))
        return step, value
    return scene.fail(Failure("nothing_written", (), {"file": short(scene.subject)}))


def _steps(folder: Path) -> list[tuple[str, tuple[Any, ...]]]:
    picture, photo, table = samples.write(folder)
    files = [str(photo.rename(folder / "照片.jpg")), str(table.rename(folder / "价目表.xlsx"))]
    page = "<h1>日出 a sunrise</h1>\n<p>5 &lt; 7</p>\n"
    return [
        ("whole_letter", (SENDER, TO, SUBJECT, TEXT, str(picture), DESCRIPTION, files, LIMIT)),
        ("picture_letter", (TEXT, str(picture), DESCRIPTION)),
        ("letter_with_files", (TEXT, files)),
        ("two_versions", (TEXT, page)),
        ("letter", (SENDER, TO, SUBJECT, TEXT)),
    ]


def delivered(scene: Scene, letter: Mail) -> Delivery:
    """The letter as the server has it. Raises Failed where the server does not take it."""
    try:
        Tree(letter)
    except Unreadable as error:
        scene.fail(Failure("message_unreadable", (), {"what": _said(error)}))
    travelling = re.sub(rb"\r?\n", b"\r\n", letter)  # smtplib sends bytes as they are
    with FakeSMTP(Wire()) as server:
        try:
            with smtplib.SMTP(server.host, server.port, timeout=10) as client:
                client.sendmail(SENDER[1], [address for _, address in TO], travelling, ["BODY=8BITMIME"])
        except smtplib.SMTPException as error:
            scene.fail(Failure("mail_refused", (), {"what": _said(error)}))
        return server.deliveries[0]


def _said(error: Exception) -> str:
    return " ".join(terminal.escaped(str(error)))[:200]


def can_open(environ: Mapping[str, str], platform: str) -> bool:
    """Whether there is a screen to open a browser on."""
    return platform in ("darwin", "win32") or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
