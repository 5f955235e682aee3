"""What a class has handed in: which submissions there are, and in each the one file for every kata.

A submission is a folder, a git clone, a zip or a tar.gz. For the kata `chat` it holds `chat.py`, `chat/chat.py` or
`katas/chat/chat.py` (as in a whole clone of this project). What cannot be read becomes a sentence, never an exception.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path

from dojo.catalog import Kata, UsageError, katas
from dojo.grade.sentences import Refused, Sentence, say
from dojo.grade.tree import FOLDER, LINK, Tree, open_tree, size_of
from dojo.launch import ROOT

LARGEST_FILE = 1_000_000
"""Bytes of one file of a solution: a hundred times what any solution needs."""
LARGEST_HELPERS = 2_000_000
"""Bytes of all files beside the solution together."""
MOST_HELPERS = 40
"""Files beside the solution that are taken along."""
DEEPEST_WRAPPING = 3
"""Folders around everything (`alice/net-dojo-main/…`) that are looked through."""

ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")

# Files by which a program steers the tools of whoever runs it, and names of what judges.
RESERVED = frozenset(
    """conftest.py pytest.ini .pytest.ini pytest.toml .pytest.toml tox.ini setup.cfg pyproject.toml sitecustomize.py
    usercustomize.py pytest.py _pytest pytest pluggy.py pluggy dojo.py dojo""".split()
)


@dataclass(frozen=True)
class Entry:
    """One submission as it lies in the folder: a name that is unique there, and its path."""

    name: str
    path: Path
    notes: tuple[Sentence, ...] = ()


@dataclass
class Found:
    """What there is of one kata in a submission: a file to judge, or a sentence why there is none."""

    kata: str
    file: Path | None = None
    """The staged file, in a folder of its own."""
    origin: str = ""
    """Its name in the submission."""
    digests: dict[str, str] = field(default_factory=dict)
    """The SHA-256 of every staged file, by its name."""
    trouble: Sentence | None = None
    notes: list[Sentence] = field(default_factory=list)


@dataclass
class Submission:
    """One submission, staged."""

    entry: Entry
    found: dict[str, Found] = field(default_factory=dict)
    trouble: Sentence | None = None
    """Why nothing of it can be read."""


def entries(folder: Path, ignored: Iterable[Path] = ()) -> list[Entry]:
    """The submissions in a folder, in the order of their names. Hidden files and `ignored` paths are none.

    Raises UsageError when there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise UsageError(f"SUBMISSIONS={visible(str(folder))}: there is no such folder.")
    unwanted = {path.resolve() for path in ignored}
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        # A link to the output folder is a submission like any other, and refused as a link.
        ours = not path.is_symlink() and path.resolve() in unwanted
        if path.name.startswith(".") or path.name == "__MACOSX" or ours:
            continue
        found.setdefault(plain_name(path.name), []).append(path)
    if not found:
        raise UsageError(
            f"SUBMISSIONS={visible(str(folder))}: nothing is in it; it holds a folder or a zip for each student."
        )
    made = []
    for name, paths in found.items():
        if len(paths) == 1:
            made.append(Entry(name, paths[0]))
            continue
        twins = ", ".join(visible(path.name) for path in paths)
        made += [Entry(unicode_name(path.name), path, (say("twin", names=twins),)) for path in paths]
    return sorted(made, key=lambda entry: natural(entry.name))


def single(path: Path) -> list[Entry]:
    """This path as the one submission. Raises UsageError when it is not there."""
    if not path.exists():
        raise UsageError(f"SUBMISSIONS={visible(str(path))}: no such folder or file.")
    return [Entry(plain_name(path.resolve().name), path.resolve())]


def unicode_name(name: str) -> str:
    """The name as text that can be written anywhere; bytes that are no UTF-8 are shown as escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def plain_name(name: str) -> str:
    """A submission's name: that of its folder, or of its archive without the ending."""
    for ending in ARCHIVES:
        if name.lower().endswith(ending) and len(name) > len(ending):
            return unicode_name(name[: -len(ending)])
    return unicode_name(name)


def natural(name: str) -> list[tuple[int, int | str]]:
    """For sorting: student-2 comes before student-10."""
    parts = re.split(r"([0-9]{1,15})", name.casefold())
    return [(0, int(part)) if at % 2 else (1, part) for at, part in enumerate(parts) if part]


def visible(text: str, limit: int = 200) -> str:
    """Text of a stranger's for one line: control characters are shown, what is long is cut."""
    from dojo.terminal import escaped

    shown = "\\n".join(escaped(unicode_name(text)))
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


# --- staging --------------------------------------------------------------------------------------------------


def stage(entry: Entry, wanted: Sequence[Kata], folder: Path) -> Submission:
    """Copy what this submission has of these katas into `folder`, each kata into a folder of its own."""
    submission = Submission(entry)
    try:
        tree = open_tree(entry.path)
    except Refused as refused:
        submission.trouble = refused.sentence
        return submission
    try:
        if _bare(tree):
            submission.trouble = say("bare_clone", name=visible(entry.name))
            return submission
        base = _inside_wrapping(tree)
        for kata in wanted:
            submission.found[kata.name] = _stage_kata(tree, base, kata, folder / kata.name)
    finally:
        tree.close()
    return submission


def _bare(tree: Tree) -> bool:
    names = tree.names()
    return {"HEAD", "objects", "refs"} <= set(names) and names["objects"] == FOLDER


def _inside_wrapping(tree: Tree) -> str:
    """The folder in which the files lie: archives often have one folder around everything."""
    known = {"katas", *(kata.name for kata in katas())}
    base = ""
    for _ in range(DEEPEST_WRAPPING):
        names = {name: kind for name, kind in tree.names(base).items() if name != "__MACOSX" and name[:1] != "."}
        if len(names) != 1:
            return base
        [(name, kind)] = names.items()
        if kind != FOLDER or name in known or name.endswith(".py"):
            return base
        base += f"{name}/"
    return base


def _stage_kata(tree: Tree, base: str, kata: Kata, folder: Path) -> Found:
    found = Found(kata.name)
    try:
        path, source = _choose(tree, base, kata, found.notes)
        found.origin = path
        _check_text(path, source)
        if _same_text(source, stub(kata)):
            raise Refused(say("not_started", name=_shown(path)))
    except Refused as refused:
        found.trouble = refused.sentence
        return found
    files = {f"{kata.name}.py": source, **_helpers(tree, path, found.notes)}
    for name, data in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        found.digests[name] = hashlib.sha256(data).hexdigest()
    found.file = folder / f"{kata.name}.py"
    return found


def _choose(tree: Tree, base: str, kata: Kata, notes: list[Sentence]) -> tuple[str, bytes]:
    """The one file of this kata and what is in it. Raises Refused when there is none, or more than one."""
    file = f"{kata.name}.py"
    places = [f"{base}{file}", f"{base}katas/{kata.name}/{file}", f"{base}{kata.name}/{file}"]
    there = [path for path in places if path.rpartition("/")[2] in tree.names(path.rpartition("/")[0])]
    there = [path for path in there if not _below_link(tree, path)]
    if not there:
        raise Refused(_nothing(tree, places, file))
    sources = {path: tree.read(path, LARGEST_FILE) for path in there}
    handed_out = stub(kata)
    changed = [path for path in there if not _same_text(sources[path], handed_out)]
    if changed and len(changed) < len(there):
        stubs = ", ".join(_shown(path) for path in there if path not in changed)
        notes.append(say("stub_beside", stub=stubs, name=_shown(changed[0])))
    meant = changed or there[:1]
    if len(meant) > 1:
        names = ", ".join(_shown(path) for path in meant)
        if len({sources[path] for path in meant}) > 1:
            raise Refused(say("two_files", names=names))
        notes.append(say("same_twice", names=names))
    return meant[0], sources[meant[0]]


def _below_link(tree: Tree, path: str) -> bool:
    parts = path.split("/")[:-1]
    return any(tree.names("/".join(parts[:at])).get(part) == LINK for at, part in enumerate(parts))


def _nothing(tree: Tree, places: list[str], file: str) -> Sentence:
    for place in places:
        folder = place.rpartition("/")[0]
        for name in sorted(tree.names(folder)):
            if name.lower() in (file, f"{file}.txt", f"{file}.py") and name != file:
                return say("misnamed", file=file, found=_shown(f"{folder}/{name}".lstrip("/")))
    for folder in ("katas", file.removesuffix(".py")):
        if tree.names(places[0].rpartition("/")[0]).get(folder) == LINK:
            return say("link", name=folder)
    return say("missing", file=file)


def _check_text(path: str, source: bytes) -> None:
    """Refuse what no Python would read. Nothing is parsed here: a program is for the sandbox."""
    name = _shown(path)
    if not source.strip():
        raise Refused(say("empty", name=name))
    if source.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused(say("utf16", name=name))
    encoding = "utf-8"
    try:
        # PEP 263: a comment in the first two lines may name another encoding.
        encoding = tokenize.detect_encoding(BytesIO(source[:2000]).readline)[0]
        source.decode(encoding)
    except UnicodeDecodeError as error:
        raise Refused(say("not_utf8", name=name, line=str(source.count(b"\n", 0, error.start) + 1))) from error
    except (SyntaxError, LookupError, ValueError) as error:
        if re.search(rb"coding[:=]", b"\n".join(source[:2000].splitlines()[:2])):
            raise Refused(say("unknown_encoding", name=name, encoding=visible(str(error), 80))) from error
        raise Refused(say("not_utf8", name=name, line="1")) from error


def _helpers(tree: Tree, path: str, notes: list[Sentence]) -> dict[str, bytes]:
    """The Python files beside the solution, and in packages beside it, by their names."""
    folder = path.rpartition("/")[0]
    own = {f"{each.name}.py" for each in katas()} | {"katas", "tests", "reference"}
    names = tree.names(folder)
    left_out = sorted(name for name in names if name in RESERVED or name.endswith(".pth"))
    wanted = []
    for name in sorted(set(names) - own - set(left_out)):
        if name.endswith(".py"):
            wanted.append(name)
        elif names[name] == FOLDER and name.isidentifier():
            inside = tree.names(f"{folder}/{name}".lstrip("/"))
            if "__init__.py" in inside:
                wanted += [f"{name}/{each}" for each in sorted(inside) if each.endswith(".py")]
    taken: dict[str, bytes] = {}
    for name in wanted:
        if not all(part.removesuffix(".py").isidentifier() for part in name.split("/")):
            continue  # nothing can import it
        try:
            data = tree.read(f"{folder}/{name}".lstrip("/"), LARGEST_FILE)
            if len(taken) == MOST_HELPERS or sum(map(len, taken.values())) + len(data) > LARGEST_HELPERS:
                notes.append(say("too_many_helpers", limit=f"{MOST_HELPERS} / {size_of(LARGEST_HELPERS)}"))
                break
            taken[name] = data
        except Refused as refused:
            notes.append(say("helper_left_out", name=_shown(name), why=str(refused.sentence)))
    if left_out:
        notes.append(say("left_out", names=", ".join(_shown(name) for name in left_out)))
    return taken


def _shown(path: str) -> str:
    return visible(path, 120)


@cache
def stub(kata: Kata) -> bytes:
    """The stub as it was handed out: the teacher may have solved the kata in this very folder."""
    path = kata.stub.relative_to(ROOT).as_posix()
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        told = subprocess.run([git, "show", f"HEAD:{path}"], cwd=ROOT, capture_output=True, check=False)
        if not told.returncode:
            return told.stdout
    return kata.stub.read_bytes() if kata.stub.is_file() else b""


def _same_text(one: bytes, other: bytes) -> bool:
    """Whether they differ by blanks at the ends of lines and of the file alone."""
    return [line.rstrip() for line in one.rstrip().splitlines()] == [
        line.rstrip() for line in other.rstrip().splitlines()
    ]


def with_shard(made: list[Entry], shard: tuple[int, int] | None) -> Iterator[Entry]:
    """The entries of shard i of n; a submission's shard depends on its name alone."""
    return (entry for entry in made if shard is None or shard_of(entry.name, shard[1]) == shard[0])


def shard_of(name: str, number: int) -> int:
    """The shard, from 1 on, that this name belongs to."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % number + 1
