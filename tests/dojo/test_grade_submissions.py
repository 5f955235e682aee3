"""What a class hands in: what is found in it, and a sentence for everything that cannot be read."""

from __future__ import annotations

import gzip
import io
import os
import socket
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dojo.catalog import Kata, UsageError
from dojo.grade import roster, submissions, tree
from dojo.grade.sentences import SENTENCES
from dojo.grade.submissions import Entry, Submission, entries, shard_of, stage, stub
from tests.dojo.classroom import hand_in

QS = "def fields(query):\n    return {}\n"
BOTH = (Kata("qs"), Kata("urlparse"))


@pytest.fixture
def staged(tmp_path: Path) -> Callable[[Path], Submission]:
    def stage_it(path: Path) -> Submission:
        return stage(Entry(path.name, path), BOTH, tmp_path / "staging")

    return stage_it


def zipped(path: Path, *files: tuple[str | zipfile.ZipInfo, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return path


def tarred(path: Path, *files: tuple[str | tarfile.TarInfo, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files:
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            if info.isreg():
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content.encode()))
    return path


# --- where the file lies ---------------------------------------------------------------------------------------


def by_folder(path: Path) -> Path:
    return hand_in(path, qs=QS)


def by_katas_folder(path: Path) -> Path:
    return hand_in(path, katas_qs=QS, katas_urlparse=stub(Kata("urlparse")))


def by_clone(path: Path) -> Path:
    hand_in(path, katas_qs=QS)
    (path / "dojo").mkdir()
    (path / "reference").mkdir()
    (path / "reference" / "qs.py").write_text("the solution is not theirs")
    (path / ".git").mkdir()
    return path


def by_own_folder(path: Path) -> Path:
    hand_in(path / "qs", qs=QS)
    return path


def by_zip(path: Path) -> Path:
    return zipped(path.with_suffix(".zip"), ("qs.py", QS))


def by_wrapped_zip(path: Path) -> Path:
    return zipped(path.with_suffix(".zip"), ("net-dojo-main/katas/qs/qs.py", QS), ("__MACOSX/._x", ""))


def by_windows_zip(path: Path) -> Path:
    return zipped(path.with_suffix(".zip"), ("work\\katas\\qs\\qs.py", QS))


def by_tar(path: Path) -> Path:
    return tarred(path.with_name(f"{path.name}.tar.gz"), ("./ada/qs.py", QS))


@pytest.mark.parametrize(
    "make",
    [by_folder, by_katas_folder, by_clone, by_own_folder, by_zip, by_wrapped_zip, by_windows_zip, by_tar],
)
def test_every_way_to_hand_in(
    make: Callable[[Path], Path], tmp_path: Path, staged: Callable[[Path], Submission]
) -> None:
    submission = staged(make(tmp_path / "ada"))
    found = submission.found["qs"]
    assert found.trouble is None
    assert found.file is not None
    assert found.file.read_text() == QS
    assert [path.name for path in found.file.parent.iterdir()] == ["qs.py"]
    assert submission.found["urlparse"].trouble is not None


def test_modules_beside_the_file_come_along_and_what_steers_tools_does_not(
    tmp_path: Path, staged: Callable[[Path], Submission]
) -> None:
    path = hand_in(tmp_path / "ada", qs=QS, urlparse="x = 1\n", helper="", queue="", conftest="", sitecustomize="")
    for name in ("pytest.ini", "tox.ini", "evil.pth", "notes.txt"):
        (path / name).write_text("")
    for name in ("package/__init__.py", "package/part.py", "data/part.py"):
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text("")
    (path / "linked.py").symlink_to("/etc/passwd")
    found = staged(path).found["qs"]
    assert set(found.digests) == {"qs.py", "helper.py", "queue.py", "package/__init__.py", "package/part.py"}
    notes = {note.name: note.values for note in found.notes}
    assert notes["left_out"]["names"] == "conftest.py, evil.pth, pytest.ini, sitecustomize.py, tox.ini"
    assert notes["helper_left_out"]["name"] == "linked.py"


def test_files_beside_the_solution_are_bounded(tmp_path: Path, staged: Callable[[Path], Submission]) -> None:
    path = hand_in(tmp_path / "ada", qs=QS, **{f"helper{number}": "" for number in range(100)})
    found = staged(path).found["qs"]
    assert len(found.digests) == 1 + submissions.MOST_HELPERS
    assert "too_many_helpers" in [note.name for note in found.notes]


# --- what cannot be read ---------------------------------------------------------------------------------------


def link_to_a_file(path: Path) -> None:
    hand_in(path)
    (path / "qs.py").symlink_to("/etc/passwd")


def link_to_the_solution(path: Path) -> None:
    hand_in(path)
    (path / "qs.py").symlink_to(Kata("qs").reference)


def hard_link(path: Path) -> None:
    hand_in(path)
    (path.parent / "elsewhere").write_text(QS)
    os.link(path.parent / "elsewhere", path / "qs.py")


def link_to_a_folder(path: Path) -> None:
    hand_in(path)
    hand_in(path.parent / "elsewhere", katas_qs=QS)
    (path / "katas").symlink_to(path.parent / "elsewhere" / "katas")


def fifo(path: Path) -> None:
    hand_in(path)
    os.mkfifo(path / "qs.py")


def unix_socket(path: Path) -> None:
    hand_in(path)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path / "qs.py"))


def folder_of_that_name(path: Path) -> None:
    hand_in(path)
    (path / "qs.py").mkdir()


def written(content: bytes, name: str = "qs") -> Callable[[Path], None]:
    def make(path: Path) -> None:
        hand_in(path, **{name: content})

    return make


def two_files(path: Path) -> None:
    hand_in(path, qs=QS, katas_qs=QS + "#\n")


def misnamed(path: Path) -> None:
    hand_in(path, QS=QS)


def text_file(path: Path) -> None:
    hand_in(path)
    (path / "qs.py.txt").write_text(QS)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (hand_in, "missing"),
        (misnamed, "misnamed"),
        (text_file, "misnamed"),
        (written(b""), "empty"),
        (written(b" \n\t\n"), "empty"),
        (written(b"x = '\xe9'\n"), "not_utf8"),
        (written("x = '小明'\n".encode("gbk")), "not_utf8"),
        (written("x = 1\n".encode("utf-16")), "utf16"),
        (written(b"# -*- coding: klingon -*-\nx = 1\n"), "unknown_encoding"),
        (written(b"#" * 20_000_000), "too_large"),
        (written(stub(Kata("qs"))), "not_started"),
        (written(stub(Kata("qs")).replace(b"\n", b"\r\n") + b"\r\n"), "not_started"),
        (two_files, "two_files"),
        (link_to_a_file, "link"),
        (link_to_the_solution, "link"),
        (link_to_a_folder, "link"),
        (hard_link, "hard_link"),
        (fifo, "not_a_file"),
        (unix_socket, "not_a_file"),
        (folder_of_that_name, "not_a_file"),
    ],
)
def test_a_kata_that_cannot_be_judged_is_a_sentence(
    make: Callable[[Path], object], says: str, tmp_path: Path, staged: Callable[[Path], Submission]
) -> None:
    make(tmp_path / "ada")
    submission = staged(tmp_path / "ada")
    found = submission.found["qs"]
    assert found.file is None
    assert found.trouble is not None
    assert found.trouble.name == says
    assert "{" not in str(found.trouble)
    assert not (tmp_path / "staging" / "qs").exists()


def test_two_files_are_told_with_both_places(tmp_path: Path, staged: Callable[[Path], Submission]) -> None:
    two_files(tmp_path / "ada")
    trouble = staged(tmp_path / "ada").found["qs"].trouble
    assert trouble is not None
    assert trouble.values["names"] == "qs.py, katas/qs/qs.py"


def test_a_stub_beside_the_solution_does_no_harm(tmp_path: Path, staged: Callable[[Path], Submission]) -> None:
    found = staged(hand_in(tmp_path / "ada", qs=QS, katas_qs=stub(Kata("qs")))).found["qs"]
    assert found.origin == "qs.py"
    assert [note.name for note in found.notes] == ["stub_beside"]
    found = staged(hand_in(tmp_path / "bob", qs=QS, katas_qs=QS)).found["qs"]
    assert found.trouble is None
    assert [note.name for note in found.notes] == ["same_twice"]


def test_another_encoding_that_the_file_names_is_read(tmp_path: Path, staged: Callable[[Path], Submission]) -> None:
    source = "# -*- coding: gbk -*-\nx = '小明'\n".encode("gbk")
    assert staged(hand_in(tmp_path / "ada", qs=source)).found["qs"].trouble is None


# --- archives ----------------------------------------------------------------------------------------------------


def zip_info(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def tar_info(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def damaged(path: Path, at: int) -> Path:
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)
    return path


def encrypted(path: Path) -> Path:
    zipped(path, ("qs.py", QS))
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + at] |= 1
    path.write_bytes(data)
    return path


def huge_directory(path: Path) -> Path:
    zipped(path, ("qs.py", QS))
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.rindex(b"PK\x05\x06") + 12, 200_000_000)
    path.write_bytes(data)
    return path


def with_bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def a_link(path: Path) -> Path:
    path.symlink_to(path.parent)
    return path


def a_fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def huge_header(path: Path) -> Path:
    info = tar_info("pax", tarfile.XHDTYPE)
    info.size = 1 << 30
    path.write_bytes(gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(4096)))
    return path


def two_of_a_name(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("qs.py", QS)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("qs.py", QS + "#")
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: zipped(path, ("../qs.py", QS)), "archive_outside"),
        (lambda path: zipped(path, ("/qs.py", QS)), "archive_outside"),
        (lambda path: zipped(path, ("C:\\qs.py", QS)), "archive_outside"),
        (lambda path: zipped(path, ("a/../../qs.py", QS)), "archive_outside"),
        (two_of_a_name, "archive_twice"),
        (lambda path: damaged(zipped(path, ("qs.py", QS)), -22), "archive_damaged"),
        (huge_directory, "archive_too_many"),
        (lambda path: with_bytes(path, b""), "archive_damaged"),
        (lambda path: with_bytes(path, os.urandom(1000)), "archive_damaged"),
        (lambda path: tarred(path.with_suffix(".tgz"), ("../qs.py", QS)), "archive_outside"),
        (lambda path: tarred(path.with_suffix(".tgz"), ("/etc/qs.py", QS)), "archive_outside"),
        (lambda path: huge_header(path.with_suffix(".tgz")), "archive_damaged"),
        (lambda path: damaged(tarred(path.with_suffix(".tgz"), ("qs.py", QS)), -6), "archive_damaged"),
        (lambda path: with_bytes(path.with_suffix(".tgz"), b"no tar"), "archive_damaged"),
        (lambda path: with_bytes(path.with_suffix(".7z"), b"7z"), "not_a_submission"),
        (a_link, "link"),
        (a_fifo, "not_a_file"),
        (lambda path: path, "no_permission"),
    ],
)
def test_a_submission_that_cannot_be_opened_is_a_sentence(
    make: Callable[[Path], Path], says: str, tmp_path: Path, staged: Callable[[Path], Submission]
) -> None:
    submission = staged(make(tmp_path / "ada.zip"))
    trouble = submission.trouble or submission.found["qs"].trouble
    assert trouble is not None
    assert trouble.name == says
    assert "{" not in str(trouble)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: zipped(path, (zip_info("qs.py", stat.S_IFLNK | 0o777), "/etc/passwd")), "link"),
        (lambda path: zipped(path, (zip_info("qs.py", stat.S_IFCHR), "")), "not_a_file"),
        (lambda path: zipped(path, ("qs.py", "\n" * 50_000_000)), "too_large"),
        (lambda path: damaged(zipped(path, ("qs.py", QS)), 40), "archive_damaged"),
        (encrypted, "archive_damaged"),
        (
            lambda path: tarred(path.with_suffix(".tgz"), (tar_info("qs.py", tarfile.SYMTYPE, "/etc/passwd"), "")),
            "link",
        ),
        (lambda path: tarred(path.with_suffix(".tgz"), (tar_info("qs.py", tarfile.LNKTYPE, "x"), "")), "hard_link"),
        (lambda path: tarred(path.with_suffix(".tgz"), (tar_info("qs.py", tarfile.FIFOTYPE), "")), "not_a_file"),
        (lambda path: tarred(path.with_suffix(".tgz"), (tar_info("qs.py", tarfile.CHRTYPE), "")), "not_a_file"),
    ],
)
def test_a_file_in_an_archive_that_cannot_be_read_is_a_sentence(
    make: Callable[[Path], Path], says: str, tmp_path: Path, staged: Callable[[Path], Submission]
) -> None:
    submission = staged(make(tmp_path / "ada.zip"))
    assert submission.trouble is None
    trouble = submission.found["qs"].trouble
    assert trouble is not None
    assert trouble.name == says


def test_names_without_end_are_not_looked_at(
    tmp_path: Path, staged: Callable[[Path], Submission], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "MOST_NAMES", 100)
    names = [(f"{number}.py", "") for number in range(101)]
    for path in (zipped(tmp_path / "ada.zip", *names), tarred(tmp_path / "ada.tgz", *names)):
        trouble = staged(path).trouble
        assert trouble is not None
        assert trouble.name == "archive_too_many"


def test_a_tar_that_grows_without_end_is_left_packed(
    tmp_path: Path, staged: Callable[[Path], Submission], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "LARGEST_TAR", 1_000_000)
    trouble = staged(tarred(tmp_path / "ada.tgz", ("qs.py", QS), ("zeros", "0" * 2_000_000))).trouble
    assert trouble is not None
    assert trouble.name == "archive_bomb"


def test_a_bare_repository_is_told(tmp_path: Path, staged: Callable[[Path], Submission]) -> None:
    for name in ("objects", "refs"):
        (tmp_path / "ada.git" / name).mkdir(parents=True)
    (tmp_path / "ada.git" / "HEAD").write_text("ref: refs/heads/main\n")
    trouble = staged(tmp_path / "ada.git").trouble
    assert trouble is not None
    assert trouble.name == "bare_clone"


# --- which submissions there are -----------------------------------------------------------------------------------


def test_names_are_data_and_stand_in_a_natural_order(tmp_path: Path) -> None:
    names = ["ada", "student-2", "student-10", "小明", "=cmd()", "<script>x", "line\nbreak"]
    for name in names:
        hand_in(tmp_path / name)
    os.mkdir(os.fsencode(tmp_path) + b"/caf\xe9")  # noqa: PTH102 - a name that is no text
    hand_in(tmp_path / ".git")
    hand_in(tmp_path / "grades")
    found = [entry.name for entry in entries(tmp_path, [tmp_path / "grades"])]
    assert sorted(found) == sorted([*names, "caf\\udce9"])
    assert found.index("student-2") < found.index("student-10")


def test_two_submissions_of_one_name_are_both_there(tmp_path: Path) -> None:
    hand_in(tmp_path / "ada")
    zipped(tmp_path / "ada.zip", ("qs.py", QS))
    found = entries(tmp_path)
    assert [entry.name for entry in found] == ["ada", "ada.zip"]
    assert all(note.values["names"] == "ada, ada.zip" for entry in found for note in entry.notes)
    assert all(entry.notes for entry in found)


@pytest.mark.parametrize(("make", "says"), [(lambda path: path, "no such folder"), (Path.mkdir, "nothing is in it")])
def test_no_submissions_is_one_sentence(make: Callable[[Path], object], says: str, tmp_path: Path) -> None:
    make(tmp_path / "class")
    with pytest.raises(UsageError, match=says):
        entries(tmp_path / "class")


def test_a_shard_depends_on_the_name_alone() -> None:
    names = [f"student-{number}" for number in range(200)]
    shares = [sum(shard_of(name, 4) == shard for name in names) for shard in (1, 2, 3, 4)]
    assert sum(shares) == 200
    assert min(shares) > 25


def test_every_sentence_exists_in_both_languages() -> None:
    import re

    for english, chinese in SENTENCES.values():
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", chinese))
        assert re.search("[\u4e00-\u9fff]|^\\{what\\}$", chinese)


# --- the roster ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_roster_as_spreadsheets_save_it(encoding: str, delimiter: str, tmp_path: Path) -> None:
    lines = [["学号", "姓名", "Email"], ["1815", "Ada Lovelace", "ada@example.com"], ["7", "小明", "xm@example.com"]]
    path = tmp_path / "class.csv"
    path.write_bytes("\r\n".join(delimiter.join(line) for line in lines).encode(encoding))
    people = roster.read(path)
    for name in ("1815", "ada", "ADA@example.com", "Ada_Lovelace", "Lovelace_1815_assignment_file"):
        assert [person.id for person in people.find(name)] == ["1815"], name
    assert [person.name for person in people.find("小明")] == ["小明"]
    assert people.find("18150") == people.find("nobody") == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the first line names"),
        (b"a,b\n1,2\n", "the first line names"),
        (b"id,name\n", "nobody"),
        (b"\xff\xfe\xff", "neither UTF-8 nor GBK"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_roster_is_one_sentence(content: bytes | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        roster.read(path)
