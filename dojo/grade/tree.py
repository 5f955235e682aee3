"""What a submission holds, looked at without trusting it: a folder, a zip or a tar.

Nothing is unpacked, no link is followed, nothing is opened that is no ordinary file, and each look has a bound. A
hostile name, size or link is a sentence (Refused), whatever it was made to do.
"""

from __future__ import annotations

import gzip
import os
import stat
import struct
import tarfile
import tempfile
import zipfile
from itertools import islice
from pathlib import Path
from typing import IO, Protocol

from dojo.grade.sentences import Refused, say

MB = 1000 * 1000
LARGEST_ARCHIVE = 64 * MB
"""Bytes of a zip or tar.gz file that is opened: a whole clone with its .git has less."""
LARGEST_TAR = 256 * MB
"""Bytes that a tar.gz may have when it is unpacked."""
MOST_NAMES = 20_000
"""Names in an archive, or in one folder."""
LARGEST_DIRECTORY = 4 * MB
"""Bytes of a zip's table of contents."""
LARGEST_READ = 2 * MB
"""Bytes that the reader of tar headers may ask for at once."""

FILE, FOLDER, LINK, HARD_LINK, FIFO, DEVICE, SOCKET = "file", "folder", "link", "hard link", "FIFO", "device", "socket"

# Of the open: no waiting at a FIFO, no link, nothing that a child process would inherit.
READ_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
READ_FLAGS |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)


class Tree(Protocol):
    """A submission's files, by their names with / between."""

    def names(self, folder: str = "") -> dict[str, str]:
        """What lies directly in this folder: each name with its kind. {} where there is no such folder."""

    def read(self, path: str, limit: int) -> bytes:
        """The whole file. Raises Refused for what is no ordinary file, or has more than `limit` bytes."""

    def close(self) -> None:
        """Let go of it."""


def size_of(number: int) -> str:
    """`20 MB`, `512 kB`."""
    return f"{number / MB:.0f} MB" if number >= MB else f"{number / 1000:.0f} kB"


def open_tree(path: Path) -> Tree:
    """The submission at this path. Raises Refused with the reason when it cannot be looked at."""
    name = path.name
    try:
        found = path.lstat()
    except OSError as error:
        raise Refused(say("no_permission", name=name, why=error.strerror or "?")) from error
    if stat.S_ISLNK(found.st_mode):
        raise Refused(say("link", name=name))
    if stat.S_ISDIR(found.st_mode):
        return FolderTree(path)
    if not stat.S_ISREG(found.st_mode):
        raise Refused(say("not_a_file", name=name, kind=kind_of(found)))
    lower = name.lower()
    if lower.endswith(".zip"):
        return ZipTree(path)
    if lower.endswith((".tar.gz", ".tgz", ".tar")):
        return TarTree(path)
    raise Refused(say("not_a_submission", name=name))


def kind_of(found: os.stat_result) -> str:
    """The kind of what was found."""
    mode = found.st_mode
    if stat.S_ISREG(mode):
        return HARD_LINK if found.st_nlink > 1 else FILE
    if stat.S_ISDIR(mode):
        return FOLDER
    if stat.S_ISLNK(mode):
        return LINK
    if stat.S_ISFIFO(mode):
        return FIFO
    return SOCKET if stat.S_ISSOCK(mode) else DEVICE


def refuse(kind: str, name: str) -> Refused:
    """The reason not to read what is of this kind."""
    if kind == LINK:
        return Refused(say("link", name=name))
    if kind == HARD_LINK:
        return Refused(say("hard_link", name=name))
    return Refused(say("not_a_file", name=name, kind=kind))


def read_ordinary(path: str, name: str, limit: int, folder: int | None = None) -> IO[bytes]:
    """Open an ordinary file of at most `limit` bytes that has no other name; `folder` is a descriptor that `path`
    starts from. What was opened is asked again what it is, as it may have been changed in between."""
    try:
        kind = kind_of(os.stat(path, dir_fd=folder, follow_symlinks=False))
        if kind != FILE:
            raise refuse(kind, name)
        opened = os.open(path, READ_FLAGS, dir_fd=folder)
    except OSError as error:
        raise Refused(say("no_permission", name=name, why=error.strerror or "?")) from error
    found = os.fstat(opened)
    if kind_of(found) != FILE or found.st_size > limit:
        os.close(opened)
        if kind_of(found) != FILE:
            raise refuse(kind_of(found), name)
        raise Refused(say("too_large", name=name, limit=size_of(limit)))
    return os.fdopen(opened, "rb")


class FolderTree:
    """A folder on the disk. Each step into it is taken without following a link, where the system can."""

    beneath = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self, folder: str = "") -> dict[str, str]:
        """What lies directly in this folder."""
        try:
            opened = self._folder(folder)
        except (OSError, Refused):
            return {}
        try:
            with os.scandir(opened) as entries:
                return {entry.name: kind_of(entry.stat(follow_symlinks=False)) for entry in islice(entries, MOST_NAMES)}
        except OSError:
            return {}
        finally:
            if isinstance(opened, int):
                os.close(opened)

    def _folder(self, folder: str) -> int | Path:
        parts = [part for part in folder.split("/") if part]
        if not self.beneath:
            path = self._path.joinpath(*parts)
            if any(each.is_symlink() for each in (path, *path.parents) if each.is_relative_to(self._path)):
                raise Refused(say("link", name=folder))
            return path
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        opened = os.open(self._path, flags)
        for part in parts:
            try:
                deeper = os.open(part, flags, dir_fd=opened)
            finally:
                os.close(opened)
            opened = deeper
        return opened

    def read(self, path: str, limit: int) -> bytes:
        """The whole file, which has at most `limit` bytes."""
        folder, _, name = path.rpartition("/")
        try:
            opened = self._folder(folder)
        except OSError as error:
            raise Refused(say("no_permission", name=path, why=error.strerror or "?")) from error
        try:
            if isinstance(opened, int):
                file = read_ordinary(name, path, limit, opened)
            else:
                file = read_ordinary(str(opened / name), path, limit)
            with file:
                return whole(file, path, limit)
        finally:
            if isinstance(opened, int):
                os.close(opened)

    def close(self) -> None:
        """Nothing is held."""


def whole(file: IO[bytes], name: str, limit: int) -> bytes:
    """All of an open file. Raises Refused when it has more than `limit` bytes, whatever its header says."""
    data = file.read(limit + 1)
    if len(data) > limit:
        raise Refused(say("too_large", name=name, limit=size_of(limit)))
    return data


class Archive:
    """What a zip and a tar have in common: a list of names, checked before anything is read."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._kinds: dict[str, dict[str, str]] = {"": {}}
        self._paths: dict[str, int] = {}

    def _add(self, raw: str, kind: str, number: int) -> None:
        """Take a name into the list. Raises Refused for one that leads outside, or that is there twice."""
        text = raw.replace("\\", "/")
        parts = [part for part in text.split("/") if part not in ("", ".")]
        if text.startswith("/") or ".." in parts or (len(text) > 1 and text[1] == ":") or "\0" in text:
            raise Refused(say("archive_outside", name=self._name, inside=text))
        if not parts:
            return
        path = "/".join(parts)
        if path in self._paths and kind != FOLDER:
            raise Refused(say("archive_twice", name=self._name, inside=path))
        self._paths[path] = number
        for at in range(len(parts) - 1):
            above, name = "/".join(parts[:at]), parts[at]
            self._kinds.setdefault(above, {}).setdefault(name, FOLDER)
        self._kinds.setdefault("/".join(parts[:-1]), {})[parts[-1]] = kind

    def names(self, folder: str = "") -> dict[str, str]:
        """What lies directly in this folder."""
        return self._kinds.get(folder.strip("/"), {})

    def _number(self, path: str) -> int:
        folder, _, name = path.rpartition("/")
        kind = self.names(folder).get(name, "")
        if kind != FILE:
            raise refuse(kind or "nothing", path)
        return self._paths[path]


class ZipTree(Archive):
    """A zip file. Its table of contents is measured before the library reads it into memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.name)
        self._file = read_ordinary(str(path), path.name, LARGEST_ARCHIVE)
        try:
            self._check_directory()
            self._zip = zipfile.ZipFile(self._file)
            self._infos = self._zip.infolist()
            if len(self._infos) > MOST_NAMES:
                raise Refused(say("archive_too_many", name=path.name, limit=f"{MOST_NAMES:,}"))
            for number, info in enumerate(self._infos):
                mode = info.external_attr >> 16
                special = mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode)
                kind = FOLDER if info.is_dir() else LINK if stat.S_ISLNK(mode) else DEVICE if special else FILE
                self._add(info.filename, kind, number)
        except Refused:
            self._file.close()
            raise
        except Exception as error:  # the library met something made to break it: no more is known of the file
            self._file.close()
            raise Refused(say("archive_damaged", name=path.name, why=_why(error))) from error

    def _check_directory(self) -> None:
        """The end record (APPNOTE 4.3.16) says how long the table is; the zip64 form of it is for 65,535 files or
        more, or 4 GB: nothing that is handed in here."""
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(max(0, size - 22 - 65535 - 20))
        tail = self._file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) < at + 22:
            raise zipfile.BadZipFile("no end record: it is no zip file, or not all of it")
        length = struct.unpack_from("<L", tail, at + 12)[0]
        if length > LARGEST_DIRECTORY or b"PK\x06\x07" in tail[max(0, at - 20) : at]:
            raise Refused(say("archive_too_many", name=self._name, limit=f"{MOST_NAMES:,}"))
        self._file.seek(0)

    def read(self, path: str, limit: int) -> bytes:
        """The whole file, unpacked in memory, which has at most `limit` bytes."""
        info = self._infos[self._number(path)]
        if info.flag_bits & 1:
            raise Refused(say("archive_damaged", name=path, why="it is encrypted"))
        try:
            with self._zip.open(info) as file:
                return whole(file, path, limit)
        except Refused:
            raise
        except Exception as error:  # see above
            raise Refused(say("archive_damaged", name=path, why=_why(error))) from error

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
        self._file.close()


class _Careful:
    """A file for the reader of tar headers: a header that asks for a huge piece of memory is refused."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > LARGEST_READ:
            raise tarfile.ReadError("a header of unlikely size")
        return self._file.read(size)


class TarTree(Archive):
    """A tar or tar.gz file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.name)
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - held until close()
        try:
            with read_ordinary(str(path), path.name, LARGEST_ARCHIVE) as packed:
                self._unpack(packed)
            self._tar = tarfile.TarFile(fileobj=_Careful(self._file), errorlevel=1)  # type: ignore[arg-type]
            self._members: list[tarfile.TarInfo] = []
            for member in self._tar:
                if len(self._members) >= MOST_NAMES:
                    raise Refused(say("archive_too_many", name=path.name, limit=f"{MOST_NAMES:,}"))
                self._members.append(member)
                if member.isreg() or member.isdir():
                    kind = FILE if member.isreg() else FOLDER
                else:
                    kind = LINK if member.issym() else HARD_LINK if member.islnk() else DEVICE
                self._add(member.name, kind, len(self._members) - 1)
        except Refused:
            self._file.close()
            raise
        except Exception as error:  # the library met something made to break it: no more is known of the file
            self._file.close()
            raise Refused(say("archive_damaged", name=path.name, why=_why(error))) from error

    def _unpack(self, packed: IO[bytes]) -> None:
        """Unpack onto the disk, up to the bound: a tar can only be read from its beginning."""
        gzipped = packed.read(2) == b"\x1f\x8b"
        packed.seek(0)
        source: IO[bytes] = gzip.GzipFile(fileobj=packed) if gzipped else packed  # type: ignore[assignment]
        written = 0
        while part := source.read(1 << 18):
            written += len(part)
            if written > LARGEST_TAR:
                raise Refused(say("archive_bomb", name=self._name, limit=size_of(LARGEST_TAR)))
            self._file.write(part)
        self._file.seek(0)

    def read(self, path: str, limit: int) -> bytes:
        """The whole file, which has at most `limit` bytes."""
        member = self._members[self._number(path)]
        if member.size > limit:
            raise Refused(say("too_large", name=path, limit=size_of(limit)))
        try:
            file = self._tar.extractfile(member)
            assert file is not None
            with file:
                return whole(file, path, limit)
        except Refused:
            raise
        except Exception as error:  # see above
            raise Refused(say("archive_damaged", name=path, why=_why(error))) from error

    def close(self) -> None:
        """Close the file, which is gone with that."""
        self._tar.close()
        self._file.close()


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200] if str(error) else type(error).__name__
