"""The sandbox of one judge: what it takes before a test runs, and how the student's interpreter is started in it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dojo import launch, places
from dojo.inside import landlock, seccomp
from dojo.launch import ROOT
from dojo.sandbox import namespaces
from dojo.sandbox.levels import BUBBLEWRAP, GROUP, LANDLOCK, Level
from dojo.sandbox.limits import MB, Limits

OWN_SPACE = 128 * MB
"""Bytes of the file system for what the judge needs: the submission's files, certificates."""

STUDENTS = 0x70000000
"""User ids from here on belong to nobody; where the judge is root, a student's process gets one of them."""

READABLE = (
    *("/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin", "/nix/store"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime"),
    *("/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki", "/etc/ca-certificates", "/etc/mime.types"),
    *("/etc/protocols", "/etc/services"),
)
"""What programs and the standard library read, where it exists."""

HOSTS = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
SWITCH = "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n"
"""/etc/nsswitch.conf: names come from files, as there is no network to ask."""


class CellError(Exception):
    """The sandbox cannot be made here, and why."""


@dataclass(frozen=True)
class Cell:
    """A sandbox that has been entered."""

    level: Level
    limits: Limits
    folder: Path
    """For this judge alone; in namespaces, a file system of its own that ends with it."""
    subject: Path
    """The file to judge: a copy in that folder."""
    user: int | None
    """The user id of the student's processes, where it is another."""

    def command(self, python: str) -> list[str]:
        """The words of the command line that start this interpreter inside."""
        found, prefix = interpreter(python)
        return [*bubblewrap(self, prefix), found] if self.level == BUBBLEWRAP else [found]

    def rules(self) -> dict[str, Any]:
        """What the fork server and the students' processes give up; see dojo/inside/confine.py."""
        lock = self.level == LANDLOCK
        written = [str(self.folder / "work" / name) for name in WRITTEN]
        limits = {name: value for name, value in asdict(self.limits).items() if isinstance(value, int)}
        return {
            "limits": limits,
            "user": self.user,
            "filter": True,
            "scope": lock,
            "files": {"read": self._readable(), "write": [*written, *DEVICES]} if lock else None,
            "swept": written,
            "counted": [] if self.level == BUBBLEWRAP else written,
            "alone": self.level == BUBBLEWRAP or self.user is not None or (lock and _scoped()),
        }

    def _readable(self) -> list[str]:
        python = {sys.base_prefix, interpreter(sys.executable)[1]}
        own = [str(ROOT / "dojo" / "inside"), str(self.subject.parent), str(self.folder / "shown")]
        return [*READABLE, "/etc/hosts", "/etc/nsswitch.conf", "/etc/passwd", *sorted(python), *own]


WRITTEN = ("home", "shm")
"""The folders that can be written: home for all that tests and programs make, shm for /dev/shm."""

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def _scoped() -> bool:
    return landlock.version() >= landlock.SCOPED_SINCE


def interpreter(python: str) -> tuple[str, str]:
    """The interpreter behind this path, which may be a venv's, and the folder that it and its library are in."""
    found = Path(python).resolve()
    own = found == Path(sys.executable).resolve()
    return str(found), sys.base_prefix if own else str(found.parent.parent)


def enter(level: Level, limits: Limits, folder: Path, subject: Path) -> Path:
    """Make the sandbox and let every fork server of this process be kept in it. The path of the file to judge inside.

    `folder` is an empty one for this alone. This process must have no threads yet. Raises CellError.
    """
    if level == GROUP:
        return subject
    try:
        if level == LANDLOCK and landlock.version() == 0:
            raise CellError("this kernel has no Landlock (Linux 5.13 and later have it, if it is switched on)")
        if level == LANDLOCK and os.getuid() != 0 and not _scoped():
            raise CellError("this kernel's Landlock lets signals out (Linux 6.12 and later hold them, or run as root)")
        if level == LANDLOCK and not seccomp.known():
            raise CellError(f"the numbers of {os.uname().machine}'s system calls are not known here")
        if level == BUBBLEWRAP and shutil.which("bwrap") is None:
            raise CellError("bubblewrap is not installed (Debian, Ubuntu: apt install bubblewrap)")
        if level == BUBBLEWRAP:
            namespaces.enter()
            namespaces.tmpfs(str(folder), OWN_SPACE, 10_000)
        cell = _furnish(level, limits, folder, subject)
    except OSError as error:
        raise CellError(str(error)) from error
    launch.cell = cell
    return cell.subject


def _furnish(level: Level, limits: Limits, folder: Path, subject: Path) -> Cell:
    os.umask(0o022)
    user = _student() if os.getuid() == 0 else None
    work, shown, own = folder / "work", folder / "shown", folder / "own"
    for each in (work, shown, own):
        each.mkdir()
    if level == BUBBLEWRAP:
        namespaces.tmpfs(str(work), limits.space, limits.inodes)
    for name in WRITTEN:
        (work / name).mkdir()
        (work / name).chmod(0o1777)
    if user is not None and not others_can_run(level):
        if level == LANDLOCK:
            raise CellError(f"only root can read Python in {sys.base_prefix}: run the dojo with one that all can read")
        user = None
    if user is not None:
        folder.chmod(0o711)
        folder.parent.chmod(0o711)
    kept = own / "submission"
    _copy(subject.parent, kept)
    tempfile.tempdir = str(own)
    places.places.homes = str(work / "home")
    places.places.shown = str(shown)
    places.places.owner = user
    places.places.subject = kept
    return Cell(level, limits, folder, kept / subject.name, user)


def _student() -> int | None:
    """A user id for the student's processes that no other judge uses at this time; None where root is not root of the
    machine, but of a namespace that knows one user alone."""
    lines = Path("/proc/self/uid_map").read_text("ascii").splitlines()
    first, _, count = max((tuple(map(int, line.split())) for line in lines), key=lambda line: line[2])
    if count == 1:
        return None
    wanted = STUDENTS + os.getpid()
    return wanted if first <= wanted < first + count else first + count - 2 - os.getpid() % (count // 2)


def others_can_run(level: Level) -> bool:
    """Whether Python can be read at this level by another user than root: bubblewrap shows it to all."""
    return level == BUBBLEWRAP or _for_all(Path(sys.base_prefix))


def _for_all(folder: Path) -> bool:
    """Whether every user can reach this folder and read it."""
    passed = all(each.stat().st_mode & 0o001 for each in (folder, *folder.parents))
    return passed and bool(folder.stat().st_mode & 0o004)


def _copy(source: Path, target: Path) -> None:
    """The regular files of a folder, readable for all: no links, no devices."""
    target.mkdir()
    for each in os.scandir(source):
        if each.is_dir(follow_symlinks=False):
            _copy(Path(each.path), target / each.name)
        elif each.is_file(follow_symlinks=False):
            shutil.copyfile(each.path, target / each.name, follow_symlinks=False)


def bubblewrap(cell: Cell, prefix: str) -> list[str]:
    """The command line of bubblewrap (bwrap(1)), up to the program."""
    words = ["bwrap", "--die-with-parent", "--new-session", "--as-pid-1"]
    words += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--hostname", "dojo"]
    words += ["--cap-drop", "ALL"]
    if cell.user is None:
        words += ["--unshare-user", "--uid", "1000", "--gid", "1000"]
    else:
        words += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]  # until it has become another user
    work = cell.folder / "work"
    words += ["--perms", "0755", "--dir", "/etc", "--proc", "/proc", "--dev", "/dev"]
    words += ["--bind", str(work / "shm"), "/dev/shm", "--remount-ro", "/dev"]
    for path in READABLE:
        if Path(path).is_symlink():
            words += ["--symlink", str(Path(path).readlink()), path]  # /lib → usr/lib
        elif Path(path).exists():
            words += ["--ro-bind", path, path]
    for name, text in (("hosts", HOSTS), ("nsswitch.conf", SWITCH), ("passwd", _passwd(cell))):
        kept = cell.folder / "own" / name
        kept.write_text(text, "ascii")
        words += ["--ro-bind", str(kept), f"/etc/{name}"]
    if not Path(prefix).is_relative_to("/usr"):
        words += _bound("--ro-bind", Path(prefix))
    if any(ROOT.is_relative_to(path) for path in (*READABLE, prefix)):
        words += ["--tmpfs", str(ROOT)]
    for folder in (ROOT / "dojo" / "inside", cell.subject.parent, cell.folder / "shown"):
        words += _bound("--ro-bind", folder)
    for name in WRITTEN:
        words += _bound("--bind", work / name)
    return [*words, "--remount-ro", "/"]  # /tmp too: TMPDIR is a folder of the test's own


def _bound(how: str, folder: Path) -> list[str]:
    """The folder at its own path; the ones above it are made, empty, for all to pass."""
    above = [word for each in reversed(folder.parents[:-1]) for word in ("--perms", "0755", "--dir", str(each))]
    return [*above, how, str(folder), str(folder)]


def _passwd(cell: Cell) -> str:
    uid = 1000 if cell.user is None else cell.user
    return f"student:x:{uid}:{uid}::/tmp:/bin/sh\n"
