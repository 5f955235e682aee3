"""A failure as data: the same for the screen, the hints, the galleries and the graders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dojo.inside.plain import Mail, Named
from dojo.outcome import Frame
from dojo.words import word

SHOWN = 300
"""Characters of a value that are shown."""


@dataclass(frozen=True)
class Row:
    """One line of a failure: a label (a key of words.py) and what stands behind it."""

    label: str
    text: str


@dataclass(frozen=True)
class Failure:
    """Why a test failed.

    `reason` names an entry of the kata's hints.toml or, for what can happen in every kata, of dojo/hints.toml;
    `values` fill the braces of that entry's sentence.
    """

    reason: str
    rows: tuple[Row, ...] = ()
    values: dict[str, str] = field(default_factory=dict)
    place: Frame | None = None
    threads: tuple[str, ...] = ()
    """Where the threads of a server stand, a sentence each."""


class Failed(AssertionError):
    """Raised by an expectation that is not met; a test lets it pass through."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def shown(value: Any, limit: int = SHOWN) -> str:
    """The value as Python writes it, cut to `limit` characters. Control and format characters are escaped."""
    if isinstance(value, Named):
        inside = ", ".join(f"{name}={shown(item)}" for name, item in zip(value.fields, value, strict=True))
        text = f"{value.kind}({inside})"
    elif isinstance(value, Mail):
        text = f"(an e-mail message of {len(value)} bytes)"
    elif type(value).__name__ == "EmailMessage":  # one of the judge's own, on its way to the student
        names = [name for name in ("From", "To", "Cc", "Bcc", "Subject") if name in value]
        return f"(mail {'; '.join(f'{name}: {shown(str(value[name]), 100)[1:-1]}' for name in names)})"
    elif type(value) is list and value and all(type(item).__name__ == "EmailMessage" for item in value):
        return f"[{', '.join(shown(item, limit) for item in value)}]"
    else:
        text = repr(value)
    if len(text) > limit:
        number = len(value) if isinstance(value, (str, bytes)) else len(text)
        size = word("bytes_in_all" if isinstance(value, bytes) else "characters_in_all", number=f"{number:,}")
        return f"{text[: limit * 2 // 3]} … {text[-limit // 4 :]}   ({size})"
    return text


def shown_call(name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> str:
    """The call as a student would type it."""
    parts = [shown(argument, 120) for argument in arguments]
    parts += [f"{key}={shown(value, 120)}" for key, value in named.items()]
    return f"{name}({', '.join(parts)})"
