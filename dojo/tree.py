"""An e-mail message as a tree of parts (RFC 2045 to 2049): read, drawn, and judged.

A message that is not as expected is drawn, a line for each part, beside the tree that was expected. It came from a
student's program: what is shown of it is cut and escaped, and one that cannot be read is a failure like others.
"""

from __future__ import annotations

import email
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from typing import cast

from dojo import terminal
from dojo.expect import Answer, Expectation, Scene, matching
from dojo.failure import Failure, Row
from dojo.markup import Markup
from dojo.words import LANGUAGES, language, word

MOST_PARTS = 100
"""Parts beyond which a message is not looked at."""

LONGEST = 32
"""Characters of a type that are drawn."""

LONGEST_NAME = 40
"""Characters of a file name."""

LONGEST_ID = 24
"""Characters of an id."""


class Unreadable(ValueError):
    """Bytes that are no message, or one that nobody would make by accident."""


@dataclass(frozen=True)
class Part:
    """One part of a message."""

    path: tuple[int, ...]
    """Its place: which child of the message, which child of that one, and so on. The message itself has ()."""
    type: str
    """The media type in lower case, as image/png."""
    disposition: str
    """"inline", "attachment", another word in lower case, or "" where nothing is said."""
    name: str
    """The file name, decoded; "" where there is none."""
    content_id: str
    """The value of its Content-ID, angle brackets included; "" where there is none."""
    encoded_id: bool
    """Whether the id was too long for a header, or not ASCII, so that it was encoded and few programs can read it."""
    message: EmailMessage

    @property
    def is_container(self) -> bool:
        """Whether other parts are in it."""
        return self.type.startswith("multipart/")

    def text(self) -> str:
        """Its text, decoded by the charset that it names; "" where that is not possible."""
        try:
            content = self.message.get_content()
        except (LookupError, ValueError):
            return ""
        return content if isinstance(content, str) else ""

    def data(self) -> bytes:
        """Its bytes, without the transfer encoding; b"" for a container."""
        content = self.message.get_payload(decode=True)
        return content if isinstance(content, bytes) else b""

    def drawn(self) -> str:
        """One line: its type, its disposition, its file name, its id, as far as there are any; what the pictures of
        HTML refer to."""
        words = [_short(self.type, LONGEST), _short(self.disposition, LONGEST)]
        words += [f'"{_short(self.name, LONGEST_NAME)}"' if self.name else "", _short(self.content_id, LONGEST_ID)]
        if self.type == "text/html" and not self.name:
            words += [f"({_short(each.get('src', ''), LONGEST_ID)})" for each in Markup(self.text()).pictures[:2]]
        return "  " * len(self.path) + "  ".join(word for word in words if word)


def _short(text: str, limit: int) -> str:
    """Cut and escaped, as every text of a student's."""
    return " ".join(terminal.escaped(text if len(text) <= limit else text[: limit - 1] + "…"))


class Tree:
    """A message and all its parts, outermost and first ones first."""

    def __init__(self, data: bytes) -> None:
        """Read the bytes of a message. Raises Unreadable."""
        try:
            message = email.message_from_bytes(data, policy=policy.default)
            self.message = message
            self.parts = tuple(_walk(message, ()))
        except Exception as error:  # whatever the parser stumbles over, it is the message that is to blame
            raise Unreadable(f"{type(error).__name__}: {error}") from error
        if len(self.parts) > MOST_PARTS:
            raise Unreadable(f"{len(self.parts)} parts")

    def header(self, name: str) -> str:
        """The value of a header of the message, decoded; "" where there is none that can be read."""
        try:
            return str(self.message.get(name, ""))
        except Exception:  # the parser of headers is known to stumble over some
            return ""

    def people(self, name: str) -> list[tuple[str, str]]:
        """The names and addresses in a header of the message, as far as they can be read."""
        try:
            return [(each.display_name, each.addr_spec) for each in self.message[name].addresses]
        except Exception:
            return []

    @property
    def leaves(self) -> list[Part]:
        """The parts that hold something themselves."""
        return [part for part in self.parts if not part.is_container]

    def bodies(self, media_type: str) -> list[Part]:
        """The parts of this type that are to be read, and are no files."""
        return [p for p in self.leaves if p.type == media_type and p.disposition != "attachment" and not p.name]

    def body(self, media_type: str) -> str:
        """The text of the only such part; "" where there is not exactly one."""
        found = self.bodies(media_type)
        return found[0].text() if len(found) == 1 else ""

    def files(self) -> list[Part]:
        """The parts that are none to be read."""
        bodies = {part.path for kind in ("text/plain", "text/html") for part in self.bodies(kind)}
        return [part for part in self.leaves if part.path not in bodies]

    def container(self, part: Part) -> Part | None:
        """What the part is directly in; None for the message itself."""
        return self._at(part.path[:-1]) if part.path else None

    def inside(self, part: Part) -> str:
        """The type of what the part is directly in, "" for the message itself."""
        container = self.container(part)
        return container.type if container else ""

    def around(self, part: Part, media_type: str) -> list[Part]:
        """All containers of this type that the part is in, outermost first."""
        containers = [self._at(part.path[:deep]) for deep in range(len(part.path))]
        return [each for each in containers if each.type == media_type]

    def common(self, one: Part, other: Part) -> Part:
        """The innermost container that both are in."""
        depth = 0
        while one.path[: depth + 1] == other.path[: depth + 1] and depth < min(len(one.path), len(other.path)):
            depth += 1
        return self._at(one.path[:depth])

    def _at(self, path: tuple[int, ...]) -> Part:
        return next(part for part in self.parts if part.path == path)

    def lines(self) -> list[str]:
        """The tree drawn, a line for each part."""
        return [part.drawn() for part in self.parts]


def _walk(message: EmailMessage, path: tuple[int, ...]) -> list[Part]:
    raw_id = next((str(value) for name, value in message.raw_items() if name.lower() == "content-id"), "")
    part = Part(
        path,
        message.get_content_type(),
        (message.get_content_disposition() or ""),
        message.get_filename() or "",
        str(message.get("Content-ID", "")).strip(),
        "=?" in raw_id,
        message,
    )
    found = [part]
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        for number, child in enumerate(message.iter_parts()):
            found += _walk(cast("EmailMessage", child), (*path, number))
    return found


def beside(expected: Sequence[str], actual: Sequence[str], room: int) -> list[str]:
    """Two trees, one beside the other, in lines of `room` columns; one above the other where that is too narrow."""
    head = word("expected")
    left = max(terminal.width(line) for line in (head, *expected)) + 3
    if room - left < 40:
        return [f"{word('expected')}:", *expected, f"{word('returned')}:", *actual]
    rows = max(len(expected), len(actual))
    lines = []
    for one, other in zip(_padded(expected, rows), _padded(actual, rows), strict=True):
        line = f"{one}{' ' * (left - terminal.width(one))}{other}"
        lines.append(_fitting(line.rstrip(), room))
    return [f"{head}{' ' * (left - terminal.width(head))}{word('returned')}", *lines]


def _fitting(line: str, room: int) -> str:
    if terminal.width(line) <= room:
        return line
    while terminal.width(line) >= room:
        line = line[:-1]
    return f"{line}…"


def _padded(lines: Sequence[str], rows: int) -> list[str]:
    return [*lines, *[""] * (rows - len(lines))]


class Letter:
    """A message that the student's function returned: what a test expects of its tree and of its parts."""

    def __init__(self, scene: Scene, answer: Answer, tree: Tree, wanted: Sequence[str]) -> None:
        self.tree = tree
        self._scene = scene
        self._answer = answer
        self._wanted = wanted

    def satisfies(
        self, test: Callable[[Tree], bool], expected: tuple[str, str], **mistakes: Callable[[Tree], bool]
    ) -> None:
        """The tree passes the test; else the first of these mistakes that it shows is the reason. `expected` says in
        English and in Chinese what is wanted."""
        if test(self.tree):
            return
        reason = matching(mistakes, self.tree) or self._scene.test_name
        words = expected[LANGUAGES.index(language())]
        rows = (*self._answer.called, Row("expected", words), *self._drawn())
        self._scene.fail(Failure(reason, rows))

    def _drawn(self) -> list[Row]:
        label = word("the_parts")
        room = terminal.columns() - 10 - max(terminal.width(label), terminal.width(word("expected")))
        first, *others = beside(self._wanted, self.tree.lines(), room)
        return [Row("the_parts", first), *(Row("", line) for line in others)]

    def part(self, value: object) -> Expectation:
        """An expectation of one value of it, told with the call."""
        return self._answer.part(value)
