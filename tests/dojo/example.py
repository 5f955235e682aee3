"""The example kata of the README, built as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

from dojo.launch import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def example() -> dict[str, str]:
    """The files of the example: each block of code by the path at the head of the sentence before it."""
    files: dict[str, str] = {}
    path = ""
    block: list[str] | None = None
    for line in README.splitlines():
        if block is not None and line == "```":
            files[path], block = "\n".join(block) + "\n", None
        elif block is not None:
            block.append(line)
        elif line.startswith("```"):
            block = []
        elif named := re.match(r"`([\w.]+/[\w/.]+)`", line):
            path = named.group(1)
    return files


def build(house: Path) -> None:
    """Put the example into a copy of the project, with what the README leaves to its reader."""
    files = example()
    for name, text in files.items():
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        (house / name).write_text(text, "utf-8")
    (house / "katas/cut/README.zh.md").write_text(files["katas/cut/README.md"], "utf-8")
    loop = '    while b"\\n" in data:\n        line, _, data = data.partition(b"\\n")\n        lines.append(line)'
    for name, start in (("loop", "lines = []"), ("list", "lines = list()"), ("star", "lines = [*()]")):
        right = house / f"tests/gallery/cut/right_{name}.py"
        right.write_text(f"def cut(data):\n    {start}\n{loop}\n    return lines, data\n")
    with (house / "katas/README.md").open("a", encoding="utf-8") as listed:
        listed.write("| [cut](cut/README.md) | lines |\n")
