"""Fresh data for each run, from a seed that is printed with a failure, so that a table of expected answers
does not pass and a failure can be repeated."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Fresh:
    """Random words, hosts and numbers. Two of the same seed give the same in the same order."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self._given: set[str] = set()

    def word(self, length: int = 6) -> str:
        """Lower-case letters, never the same twice in one test."""
        while True:
            made = "".join(self._random.choices(string.ascii_lowercase, k=length))
            if made not in self._given:
                self._given.add(made)
                return made

    def host(self) -> str:
        """A host name of the reserved domain example.com (RFC 2606)."""
        return f"{self.word()}.example.com"

    def number(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self._random.randint(low, high)

    def port(self) -> int:
        """A port number that is nobody's default."""
        return self._random.randint(20000, 60000)

    def one_of(self, choices: Sequence[T]) -> T:
        """One of these."""
        return self._random.choice(choices)

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """These in another order."""
        return self._random.sample(items, len(items))

    def name(self) -> str:
        """A word with letters outside ASCII, as names have them."""
        return self.one_of(["Zoë", "Jürgen", "José", "Łukasz", "Ирина", "小明", "李雷", "韩梅梅"]) + self.word(3)

    def data(self, length: int) -> bytes:
        """Bytes of any value."""
        return self._random.randbytes(length)
