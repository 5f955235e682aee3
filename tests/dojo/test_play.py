"""`make play`: the letter that is written, sent, and shown; nothing of it is obeyed."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import EmailMessage
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dojo.mail_page import page, shown
from dojo.play import can_open
from dojo.samples import mosaic, png
from dojo.tree import Tree
from dojo.trouble import short
from tests.dojo.conftest import Here

Play = Callable[..., tuple[int, str]]
EVIL = "<script>alert(1)</script>\"'<img src=x onerror=alert(1)>"


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"] = f'"{EVIL.replace(chr(34), "")}" <a@example.com>'
    message["Subject"] = EVIL
    message.set_content(f"plain {EVIL}\n")
    html = (
        f'<link rel=preconnect href=//x><ifr<iframe>ame><p>{EVIL}</p><img src="cid:x%40example.com"><img src=CID:gone>'
    )
    message.add_alternative(html, subtype="html")
    part = list(message.iter_parts())[1]
    assert isinstance(part, EmailMessage)
    part.add_related(png(2, 2, mosaic), "image", "png", cid="<x@example.com>")
    message.add_attachment(b"<svg onload=alert(1)>", "image", "svg+xml", filename=f"{EVIL}\u202e.svg")
    return message


class Elements(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_nothing_of_the_mail_stands_outside_of_its_frame() -> None:
    made = page(Tree(letter().as_bytes()), 1)
    found = Elements(made).found
    assert not {"script", "link", "base", "form", "a"} & {tag for tag, _ in found}
    assert not [name for _, attributes in found for name in attributes if name.startswith("on")]
    assert [attributes for tag, attributes in found if tag == "img"] == []  # an SVG is no picture that is shown
    ((_, frame),) = [one for one in found if one[0] == "iframe"]
    assert frame["sandbox"] == ""
    assert set(frame) == {"sandbox", "title", "srcdoc"}
    assert made.count("Content-Security-Policy") == 2
    assert "\u202e" not in made


def test_the_frame_begins_with_its_policy_and_has_the_picture() -> None:
    found = Elements(page(Tree(letter().as_bytes()), 1)).found
    inner = next(attributes["srcdoc"] for tag, attributes in found if tag == "iframe") or ""
    inside = Elements(inner).found
    assert inside[1][1]["http-equiv"] == "Content-Security-Policy"
    policy = inside[1][1]["content"] or ""
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert "script" not in policy
    assert 'src="data:image/png;base64,' in inner
    assert EVIL in inner  # as it was written: it is the frame that keeps it from running
    assert "<x-link rel=preconnect" in inner
    assert not {"link", "iframe"} & {tag for tag, _ in inside}


def test_what_does_not_fit_is_said() -> None:
    text = unescape(page(Tree(letter().as_bytes()), 1))
    assert re.search(r"cid:gone\b.*Content-ID", text)
    assert "cid:x@example.com" not in text


def test_a_program_shows_the_last_version_and_all_of_a_mixed() -> None:
    message = EmailMessage()
    message.set_content("<p>page</p>", subtype="html")
    message.add_alternative("text")
    assert [part.type for part in shown(Tree(message.as_bytes()))] == ["text/plain"]
    message = EmailMessage()
    message.set_content("text")
    message.make_mixed()
    second = EmailMessage()
    second.set_content("<p>page</p>", subtype="html")
    message.attach(second)
    assert [part.type for part in shown(Tree(message.as_bytes()))] == ["text/plain", "text/html"]
    assert "nothing to read" in page(Tree(b"Content-Type: image/png\n\n"), 1)


@pytest.fixture
def play(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Exit code and output for a student's file, or for the reference; the page is written into `tmp_path`."""
    monkeypatch.setattr("dojo.play.FOLDER", tmp_path)

    def run(source: str = "") -> tuple[int, str]:
        subject = "reference"
        if source:
            file = tmp_path / "html_mail.py"
            file.write_text(source, "utf-8")
            subject = str(file)
        done = here("play", "html_mail", "--subject", subject, env={"NO_OPEN": "1"})
        assert done.stderr == ""
        return done.returncode, done.stdout

    return run


def test_the_reference_is_played(play: Play, tmp_path: Path) -> None:
    code, said = play()
    assert code == 0
    assert "whole_letter" in said
    made = (tmp_path / "html_mail.html").read_text("utf-8")
    assert f"the page: {short(tmp_path / 'html_mail.html')}" in said
    for seen in ("日出和水果价目表", "Zoë Łukasz", "照片.jpg", "价目表.xlsx", "data:image/png;base64,", "image/jpeg"):
        assert seen in made
    assert "&amp;lt;morning&amp;gt;" in made


def test_the_last_step_that_is_written_is_played(play: Play, tmp_path: Path) -> None:
    message = "from email.message import EmailMessage\ndef letter(sender, to, subject, text):\n    m = EmailMessage()\n"
    code, said = play(f"{message}    m.set_content(text)\n    return m\n")
    assert code == 0
    assert said.startswith("letter: ")
    assert "(no subject)" in (tmp_path / "html_mail.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def letter(*a):\n    raise NotImplementedError\n", "no letter yet"),
        ("def letter(*a):\n    return 1 / 0\n", "ZeroDivisionError"),
        ("def letter(*a):\n    return 'From: a'\n", "did not return an e-mail message"),
        ("import time\ndef letter(*a):\n    time.sleep(60)\n", "time.sleep"),
        ("import os\nos._exit(0)\n", "ended"),
        ("def letter(*a)\n", "expected ':'"),
        (
            (
                "from email.message import Message\ndef letter(*a):\n    m = Message()\n"
                "    m.set_payload('x' * 2000 + '\\x1b[31m')\n    return m\n"
            ),
            "did not take your letter: (500",
        ),
        (
            (
                "from email import message_from_string\ndef letter(*a):\n    return message_from_string("
                "'Content-Type: multipart/mixed; boundary=a\\n\\n' + '--a\\n\\nx\\n' * 200)\n"
            ),
            "cannot be read as an e-mail message (201 parts)",
        ),
    ],
)
def test_a_file_that_cannot_be_played_is_told(source: str, says: str, play: Play, tmp_path: Path) -> None:
    code, said = play(source)
    assert code == 1
    assert says in " ".join(said.split())
    assert "Traceback" not in said
    assert not (tmp_path / "html_mail.html").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "what can be played: html_mail"),
        (["qs"], "what can be played: html_mail"),
        (["html_mial"], "did you mean html_mail?"),
        (["html_mail", "--subject", "nowhere"], "no such file"),
    ],
)
def test_bad_input_is_one_sentence(words: list[str], says: str, here: Here) -> None:
    done = here("play", *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_browser_is_opened_where_there_is_a_screen() -> None:
    assert can_open({}, "darwin")
    assert can_open({}, "win32")
    assert not can_open({}, "linux")
    assert can_open({"DISPLAY": ":0"}, "linux")
    assert can_open({"WAYLAND_DISPLAY": "wayland-0"}, "linux")
