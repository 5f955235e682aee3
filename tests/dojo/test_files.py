"""Reading what a student's program wrote: regular files alone, and no surprise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dojo import files
from dojo.files import written


def test_regular_files_by_their_paths(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "报告.txt").write_bytes(b"\x00\xff")
    (tmp_path / "empty").touch()
    assert written(tmp_path) == {"a/b/报告.txt": b"\x00\xff", "empty": b""}
    assert written(tmp_path / "nowhere") == {}


def test_nothing_but_regular_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"s")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "device").symlink_to("/dev/zero")
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    (folder / "good").write_bytes(b"g")
    assert written(folder) == {"good": b"g"}


def test_no_more_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST", 3)
    monkeypatch.setattr(files, "LARGEST", 10)
    for number in range(5):
        (tmp_path / f"{number}").write_bytes(bytes(100))
    assert list(written(tmp_path).values()) == [bytes(10)] * 3
