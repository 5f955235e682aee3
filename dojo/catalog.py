"""The katas that there are: their names in the order of learning, their titles and their files."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from dojo.launch import ROOT
from dojo.words import language


class UsageError(Exception):
    """Bad input. The message is one sentence that says what to do."""


@dataclass(frozen=True)
class Kata:
    """One kata and where its files lie."""

    name: str

    @property
    def folder(self) -> Path:
        """The folder with the page and the stub."""
        return ROOT / "katas" / self.name

    @property
    def stub(self) -> Path:
        """The file that the student fills."""
        return self.folder / f"{self.name}.py"

    @property
    def page(self) -> Path:
        """The page, in the language asked for where there is one."""
        chinese = self.folder / "README.zh.md"
        return chinese if language() == "zh" and chinese.exists() else self.folder / "README.md"

    @property
    def hints(self) -> Path:
        """The sentences and hints for each reason."""
        return self.folder / "hints.toml"

    @property
    def reference(self) -> Path:
        """A working solution."""
        return ROOT / "reference" / f"{self.name}.py"

    @property
    def tests(self) -> Path:
        """The tests."""
        return ROOT / "tests" / f"test_{self.name}.py"

    @property
    def gallery(self) -> Path:
        """Right and wrong solutions that the tests are tested with."""
        return ROOT / "tests" / "gallery" / self.name

    @property
    def title(self) -> str:
        """What stands behind the name in the heading of the page: `# urlparse · what a URL is made of`."""
        try:
            heading = self.page.read_text("utf-8").partition("\n")[0]
        except OSError:
            return ""
        return heading.partition("·")[2].strip()


def katas() -> list[Kata]:
    """All katas, in the order in which katas/README.md lists them; one that it does not list comes last."""
    found = {path.parent.name for path in (ROOT / "katas").glob("*/hints.toml")}
    try:
        listed = re.findall(r"\]\((\w+)/README\.md\)", (ROOT / "katas" / "README.md").read_text("utf-8"))
    except OSError:
        listed = []
    order = {name: at for at, name in enumerate(dict.fromkeys(listed))}
    return [Kata(name) for name in sorted(found, key=lambda name: (order.get(name, len(order)), name))]


def kata(name: str) -> Kata:
    """The kata of this name. Raises UsageError with the nearest name when there is none."""
    names = [each.name for each in katas()]
    if name in names:
        return Kata(name)
    near = difflib.get_close_matches(name.strip().lower().removesuffix(".py"), names, 1, cutoff=0.5)
    shown = name if name.isprintable() and len(name) <= 60 else ascii(name)[1:-1][:60]
    meant = f"did you mean {near[0]}?" if near else f"the katas are: {', '.join(names)}."
    raise UsageError(f"no kata `{shown}`; {meant}")


def subject_file(chosen: Kata, subject: str) -> Path:
    """The file to judge: the student's own, `reference`, or a file or folder named on the command line.

    Raises UsageError when it is not there.
    """
    if subject in ("", "katas"):
        if chosen.stub.is_file():
            return chosen.stub
        others = sorted(path.name for path in chosen.folder.glob("*.py"))
        seen = f" (found there: {', '.join(others)})" if others else ""
        stub = chosen.stub.relative_to(ROOT).as_posix()
        raise UsageError(
            f"{stub} is not there: was it deleted or renamed?{seen} `git checkout {stub}` brings the stub back."
        )
    if subject == "reference":
        return chosen.reference
    path = Path(subject)
    for candidate in (path, path / f"{chosen.name}.py", path / "katas" / chosen.name / f"{chosen.name}.py"):
        if candidate.is_file():
            return candidate.resolve()
    raise UsageError(f"SUBJECT={subject}: no such file, and no folder with {chosen.name}.py in it.")
