"""The list of a class: a CSV file with the columns id, name and email, of which one is enough."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from dojo.catalog import UsageError
from dojo.grade.submissions import visible

COLUMNS = {
    "id": ("id", "student id", "number", "学号"),
    "name": ("name", "full name", "student", "姓名", "名字"),
    "email": ("email", "e-mail", "mail", "邮箱"),
}


@dataclass(frozen=True)
class Person:
    """One line of the roster."""

    id: str
    name: str
    email: str

    def called(self) -> str:
        """What a report calls a person who has handed in nothing."""
        return self.id or self.name or self.email


class Roster:
    """The people of a class, found by the names of their submissions."""

    def __init__(self, people: list[Person]) -> None:
        self.people = people
        self._exact: dict[str, set[Person]] = {}
        self._ids: dict[str, set[Person]] = {}
        for person in people:
            for key in (person.id, person.name, person.email, person.email.partition("@")[0]):
                if key:
                    self._exact.setdefault(_folded(key), set()).add(person)
            if person.id:
                self._ids.setdefault(_folded(person.id), set()).add(person)

    def find(self, submission: str) -> list[Person]:
        """Whom this submission is from: it is called by the id, the name or the mail address, or the id is a word of
        its name (`Ada_Lovelace_1815_assignment`). Several people: nobody can tell."""
        exact = self._exact.get(_folded(submission))
        if exact:
            return sorted(exact, key=Person.called)
        words = {_folded(word) for word in re.split(r"[^\w.@-]+|_", submission) if word}
        named = {person for word in words for person in self._ids.get(word, ())}
        return sorted(named, key=Person.called)


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("_", " ").split())


def read(path: Path) -> Roster:
    """Read a roster. Raises UsageError with one sentence."""
    shown = f"ROSTER={visible(str(path))}"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read ({error.strerror}).") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")  # what a spreadsheet program saves on a Chinese system
        except UnicodeDecodeError as error:
            raise UsageError(f"{shown}: the file is neither UTF-8 nor GBK.") from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise UsageError(f"{shown}: not a CSV file ({error}).") from error
    header = [cell.strip().casefold() for cell in lines[0]] if lines else []
    at = {column: next((header.index(n) for n in names if n in header), -1) for column, names in COLUMNS.items()}
    if max(at.values()) < 0:
        raise UsageError(f"{shown}: the first line names the columns id, name, email; it says `{visible(first, 80)}`.")
    people = []
    for line in lines[1:]:
        cells = {column: line[place].strip() if 0 <= place < len(line) else "" for column, place in at.items()}
        if any(cells.values()):
            people.append(Person(cells["id"], cells["name"], cells["email"]))
    if not people:
        raise UsageError(f"{shown}: there is nobody on it.")
    return Roster(people)
