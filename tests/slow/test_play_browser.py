"""The page of `make play` in a real browser (headless Chromium): the picture in the mail is seen, the mail's scripts
do not run, and nothing is fetched. The same HTML on a page without guard does both, so that this proof can fail."""

from __future__ import annotations

import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from dojo import browser, picture
from dojo.launch import ROOT
from dojo.mail_page import page
from dojo.samples import png
from dojo.tree import Tree

pytestmark = pytest.mark.timeout(300)

WIDTH, HEIGHT = 800, 600
GREEN, RED = (0, 200, 0), (255, 0, 0)

EVIL = """<!doctype html><base href="http://127.0.0.1:{port}/base/">
<link rel="preconnect" href="http://127.0.0.1:{port}"><link rel="stylesheet" href="http://127.0.0.1:{port}/link.css">
<meta http-equiv="refresh" content="0;url=http://127.0.0.1:{port}/refresh">
<style>@import "http://127.0.0.1:{port}/import.css"; body {{ background: url(http://127.0.0.1:{port}/css.png) }}</style>
<script>document.documentElement.style.background = 'rgb(255,0,0)'; document.body.innerHTML = ''</script>
<script src="http://127.0.0.1:{port}/script.js"></script>
<p>A mail with everything that a stranger may send.</p>
<img src="cid:green@example.com" width="300" height="200">
<img src="http://127.0.0.1:{port}/picture.png" onerror="document.documentElement.style.background = 'rgb(255,0,0)'">
<img src="x" onerror="document.body.style.background = 'rgb(255,0,0)'; fetch('http://127.0.0.1:{port}/fetch')">
<svg onload="document.body.style.background = 'rgb(255,0,0)'"><image href="http://127.0.0.1:{port}/svg.png"/></svg>
<iframe src="http://127.0.0.1:{port}/frame"></iframe><object data="http://127.0.0.1:{port}/object"></object>
<iframe src="javascript:parent.document.body.style.background='rgb(255,0,0)'"></iframe>
<iframe srcdoc="<script>top.document.body.style.background='rgb(255,0,0)'</script>"></iframe>
<video src="http://127.0.0.1:{port}/video" poster="http://127.0.0.1:{port}/poster" autoplay></video>
<form action="http://127.0.0.1:{port}/form"><input autofocus onfocus="this.form.submit()"></form>
"""


class Listener:
    """Keeps the first line of who connects ("" if there is none), and hangs up."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.settimeout(1)
            try:
                self.came.append(connection.recv(1000).decode("latin-1").partition("\r\n")[0])
            except OSError:
                self.came.append("")
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def mail(port: int) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "<script>document.body.style.background = 'rgb(255,0,0)'</script>"
    message.set_content("plain")
    message.add_alternative(EVIL.format(port=port), subtype="html")
    part = list(message.iter_parts())[1]
    assert isinstance(part, EmailMessage)
    part.add_related(png(30, 20, lambda x, y: GREEN), "image", "png", cid="<green@example.com>")
    return message


def pixels(file: Path) -> dict[tuple[int, ...], int]:
    """How many pixels of each colour a PNG has (8 bits, RGB or RGBA, not interlaced: RFC 2083)."""
    data, at, compressed = file.read_bytes(), 8, b""
    width, height, depth, kind, *_, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    assert (depth, interlaced) == (8, 0)
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        compressed += data[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += 12 + length
    raw, size = zlib.decompress(compressed), {2: 3, 6: 4}[kind]
    row, counted = bytearray(width * size), dict[tuple[int, ...], int]()
    for y in range(height):
        start = y * (width * size + 1)
        above, row = row, bytearray(raw[start + 1 : start + 1 + width * size])
        for x in range(len(row)):
            left = row[x - size] if x >= size else 0
            corner = above[x - size] if x >= size else 0
            row[x] = (row[x] + _predicted(raw[start], left, above[x], corner)) % 256
        for x in range(0, len(row), size):
            colour = tuple(row[x : x + 3])
            counted[colour] = counted.get(colour, 0) + 1
    return counted


def _predicted(method: int, left: int, above: int, corner: int) -> int:
    if method == 4:  # Paeth: the neighbour that is nearest to the slope (§6.6)
        return min((left, above, corner), key=lambda each: abs(left + above - corner - each))
    return (0, left, above, (left + above) // 2)[method]


def seen(text: str, folder: Path) -> dict[tuple[int, ...], int]:
    source, drawn = folder / "page.html", folder / "page.png"
    source.write_text(text, "utf-8")
    browser.screenshot(source, drawn, WIDTH, HEIGHT)
    return pixels(drawn)


def test_no_script_of_a_mail_runs_and_nothing_is_fetched(listener: Listener, tmp_path: Path) -> None:
    colours = seen(page(Tree(mail(listener.port).as_bytes()), 1), tmp_path)
    assert colours.get(RED, 0) == 0
    assert colours.get(GREEN, 0) > 300 * 200 * 0.9  # the picture of the mail itself, as large as it should be
    assert listener.came == []


def test_the_same_html_without_the_guard_runs_and_fetches(listener: Listener, tmp_path: Path) -> None:
    # Without what would lead away from the page.
    text = EVIL.format(port=listener.port).replace('"refresh"', '"x"').replace("<form", "<div")
    colours = seen(text, tmp_path)
    assert colours.get(RED, 0) > WIDTH * HEIGHT / 2
    assert any("/picture.png" in line for line in listener.came)


def test_the_picture_of_the_page_can_be_drawn(tmp_path: Path) -> None:
    """katas/html_mail/play.png: the reference's letter, with its sun."""
    drawn = picture.played(tmp_path / "play.png")
    for file in (drawn, ROOT / "katas" / "html_mail" / "play.png"):
        assert pixels(file).get((255, 243, 200), 0) > 1000
