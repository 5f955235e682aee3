"""The sentences and hints of a kata: hints.toml in its folder, and dojo/hints.toml for what every kata can give.

    [port_is_text]
    en = "`.port` is an int, not text, when the URL states one."
    zh = "……"
    hints_en = ["a nudge", "more", "nearly there"]
    hints_zh = ["……", "……", "……"]
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dojo.words import language

GENERAL = Path(__file__).with_name("hints.toml")


@dataclass(frozen=True)
class Reason:
    """One way to fail: the sentence that is shown with it, and three hints from a nudge to nearly there."""

    name: str
    sentences: dict[str, str]
    hints: dict[str, list[str]]

    def sentence(self, values: dict[str, str]) -> str:
        """The sentence in the language asked for, its braces filled with these values."""
        text = self.sentences[language()]
        for name, value in values.items():  # not str.format: a value may hold braces itself
            text = text.replace("{" + name + "}", value)
        return text

    def hint(self, number: int) -> str:
        """Hint 0, 1 or 2, in the language asked for."""
        return self.hints[language()][number]


@cache
def reasons(file: Path) -> dict[str, Reason]:
    """The entries of one hints.toml, by name."""
    entries = tomllib.loads(file.read_text("utf-8"))
    return {
        name: Reason(
            name,
            {"en": entry["en"], "zh": entry["zh"]},
            {"en": list(entry["hints_en"]), "zh": list(entry["hints_zh"])},
        )
        for name, entry in entries.items()
    }


def known(name: str, kata_hints: Path) -> bool:
    """Whether one of the two files has an entry for this reason."""
    return name in reasons(GENERAL) or (kata_hints.exists() and name in reasons(kata_hints))


def reason(name: str, kata_hints: Path) -> Reason:
    """The entry for this reason. Raises KeyError when neither file has it: a mistake of the kata's author."""
    own = reasons(kata_hints) if kata_hints.exists() else {}
    return own[name] if name in own else reasons(GENERAL)[name]
