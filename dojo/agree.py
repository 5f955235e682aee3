"""Whether the files of a kata agree with each other: page, stub, hints, reference, tests and gallery."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from dojo import gallery, hints
from dojo.catalog import Kata
from dojo.launch import ROOT

JUDGED = frozenset("returns raises equals satisfies value hears line hears_line hears_end shows never_showed".split())
"""The methods of dojo.expect, dojo.peers and dojo.server whose keywords are mistakes."""

SHORTEST = 14
"""Characters from which a line of the reference is a line that a hint must not hold."""


def complaints(kata: Kata) -> list[str]:
    """What does not agree, a sentence each."""
    owed = [
        kata.folder / "README.md",
        kata.folder / "README.zh.md",
        kata.stub,
        kata.hints,
        kata.reference,
        kata.tests,
        kata.gallery,
    ]
    missing = [path.relative_to(ROOT).as_posix() for path in owed if not path.exists()]
    if missing:
        return [f"{path} is not there" for path in missing]
    return [
        *_name(kata),
        *_pages(kata),
        *_signatures(kata),
        *_tests(kata),
        *_reasons(kata),
        *_hints(kata),
        *_gallery(kata),
    ]


def _name(kata: Kata) -> list[str]:
    if kata.name in sys.stdlib_module_names:
        return [f"{kata.name} is a module of the standard library, which this file would hide"]
    return []


def _pages(kata: Kata) -> list[str]:
    said = []
    listed = (ROOT / "katas" / "README.md").read_text("utf-8")
    if f"]({kata.name}/README.md)" not in listed:
        said.append("katas/README.md does not list it")
    for page in ("README.md", "README.zh.md"):
        text = (kata.folder / page).read_text("utf-8")
        if not text.startswith(f"# {kata.name} · "):
            said.append(f"{page} does not begin with `# {kata.name} · title`")
        said += [f"{page} does not name the function {name}" for name in functions(kata.stub) if name not in text]
    return said


def functions(file: Path) -> dict[str, str]:
    """The public functions and their signatures, as text."""
    made = {}
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            returns = ast.unparse(node.returns) if node.returns else ""
            made[node.name] = f"({ast.unparse(node.args)}) -> {returns}"
    return made


def _signatures(kata: Kata) -> list[str]:
    stub, reference = functions(kata.stub), functions(kata.reference)
    return [
        f"{name}: the stub has {stub.get(name, 'none')}, the reference {reference.get(name, 'none')}"
        for name in sorted(stub.keys() | reference.keys())
        if stub.get(name) != reference.get(name)
    ]


def _test_functions(kata: Kata) -> list[ast.FunctionDef]:
    nodes = ast.parse(kata.tests.read_text("utf-8")).body
    return [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def _tests(kata: Kata) -> list[str]:
    said = []
    for node in _test_functions(kata):
        doc = ast.get_docstring(node) or ""
        if not re.search(r"^[^\n]+\n\n.*[\u4e00-\u9fff]", doc, re.DOTALL):
            said.append(f"{node.name} has no title in both languages")
    return said


def _reasons(kata: Kata) -> list[str]:
    known = hints.reasons(kata.hints)
    general = hints.reasons(hints.GENERAL)
    said = [f"hints.toml: `{name}` is taken by dojo/hints.toml" for name in known.keys() & general.keys()]
    for test in _test_functions(kata):
        own = test.name.removeprefix("test_")
        if own not in known:
            said.append(f"hints.toml has no entry `{own}` for {test.name}")
        unknown = _mistakes(test, set(known)) - known.keys() - general.keys()
        said += [f"hints.toml has no entry `{name}`, which {test.name} can give" for name in sorted(unknown)]
    return said


def _mistakes(test: ast.FunctionDef, known: set[str]) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(test):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in JUDGED:
            names |= {keyword.arg for keyword in node.keywords if keyword.arg} - {"expected", "within"}
        if isinstance(node, ast.Dict):  # a dict of mistakes, passed on as **mistakes: known by one of its names
            keys = {key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
            if keys & known:
                names |= keys
    return names


def _hints(kata: Kata) -> list[str]:
    said = []
    source = kata.reference.read_text("utf-8")
    lines = {line.strip() for line in source.splitlines()}
    lines = {
        line
        for line in lines
        if len(line) >= SHORTEST and not line.startswith(("#", '"', "def ", "from ", "import ", "raise "))
    }
    docs = {line.strip() for node in ast.walk(ast.parse(source)) for line in _doc_lines(node)}
    for reason in hints.reasons(kata.hints).values():
        for language in ("en", "zh"):
            if len(reason.hints[language]) != 3:
                said.append(f"hints.toml: `{reason.name}` has not three hints in {language}")
            texts = [reason.sentences[language], *reason.hints[language]]
            given = [line for line in lines - docs if any(line in text for text in texts)]
            said += [f"hints.toml: `{reason.name}` gives away a line of the reference: {line}" for line in given]
    return said


def _doc_lines(node: ast.AST) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.Module, ast.ClassDef)):
        return (ast.get_docstring(node, clean=False) or "").splitlines()
    return []


def _gallery(kata: Kata) -> list[str]:
    said = []
    if len(gallery.right(kata)) < 3:
        said.append("the gallery has fewer than three right solutions")
    promised = [gallery.promised(file) for file in gallery.wrong(kata)]
    tests = {test.name for test in _test_functions(kata)}
    shown = {reason for each in promised for reason in each.values()}
    caught = {test for each in promised for test in each}
    neutral = {test.removeprefix("test_") for test in tests}
    said += [f"no wrong solution shows `{name}`" for name in hints.reasons(kata.hints).keys() - shown - neutral]
    said += [f"no wrong solution fails {test}" for test in tests - caught]
    return said
