"""Plain data, the only thing that crosses between the student's process and the judge.

Plain are None, bool, int, float, str, bytes, list, tuple and dict, a named tuple (with the names of its
fields) and an e-mail message (as its bytes, which only the student's process makes an EmailMessage of again). A
subclass crosses as a copy of the plain value inside it, made with the methods of the plain type, so that an object
that claims to be equal to everything arrives as what it is. Nothing is pickled and nothing is evaluated.
"""

from __future__ import annotations

import sys
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

DEEPEST = 50
"""Levels of nesting beyond which a value is refused."""

LARGEST = 10_000
"""Bits beyond which an int is refused: from some 14,000 on, Python itself refuses to write it in decimal digits."""


class NotPlain(Exception):
    """A value that cannot cross: ``kind`` is its type's name, ``inside`` where in the answer it stood."""

    def __init__(self, kind: str, inside: str = "") -> None:
        super().__init__(kind, inside)
        self.kind = kind
        self.inside = inside


class Named(tuple[Any, ...]):
    """A named tuple after the crossing: equal to the plain tuple, with the names it had."""

    kind: str
    fields: tuple[str, ...]

    @classmethod
    def of(cls, kind: str, fields: tuple[str, ...], values: tuple[Any, ...]) -> Named:
        """A tuple of these values, which was a `kind` with these fields."""
        made = cls(values)
        made.kind = kind
        made.fields = fields
        return made


class Mail(bytes):
    """An e-mail message after the crossing: its bytes, as ``as_bytes()`` gave them."""


def encode(value: object, deep: int = 0) -> Any:
    """The value as JSON can carry it. Raises NotPlain for everything that is not plain data."""
    kind = type(value)  # never value.__class__, which a student may have written
    if value is None or kind is bool:
        return value
    held: Any = value  # for the checker of types; what it is, `kind` says
    if issubclass(kind, int):
        exact = int.__int__(held)
        if exact.bit_length() > LARGEST:
            raise NotPlain("number of more than 3,000 digits")
        return exact if -(2**53) < exact < 2**53 else {"i": hex(exact)}
    if issubclass(kind, float):
        return {"f": float.__repr__(held)}
    if issubclass(kind, str):
        return str.__str__(held)
    if issubclass(kind, (bytes, bytearray)):
        return {"b": b64encode(memoryview(held)).decode("ascii")}
    if deep >= DEEPEST:
        raise NotPlain("value nested too deeply")
    if issubclass(kind, tuple):
        items = [_item(item, at, deep) for at, item in enumerate(tuple.__iter__(held))]
        fields = kind.__dict__.get("_fields") or next(
            (base.__dict__["_fields"] for base in kind.__mro__ if "_fields" in base.__dict__), None
        )
        if type(fields) is tuple and len(fields) == len(items) and all(type(f) is str for f in fields):
            return {"n": [kind.__name__, list(fields), items]}
        return {"t": items}
    if issubclass(kind, list):
        return {"l": [_item(item, at, deep) for at, item in enumerate(list.__iter__(held))]}
    if issubclass(kind, dict):
        pairs = list(dict.items(held))
        return {"d": [[_item(key, "a key", deep), _item(item, key, deep)] for key, item in pairs]}
    if _is_message(kind):
        return {"m": b64encode(held.as_bytes()).decode("ascii")}
    raise NotPlain(kind.__qualname__)


def _item(value: object, at: object, deep: int) -> Any:
    try:
        return encode(value, deep + 1)
    except NotPlain as refused:
        place = f"[{at!r}]" if type(at) in (int, str) else ""
        raise NotPlain(refused.kind, (place + refused.inside)[:200]) from None


def _is_message(kind: type) -> bool:
    # Only a program that has loaded the email package can hold a message, so it is not loaded for this.
    loaded = sys.modules.get("email.message")
    return loaded is not None and issubclass(kind, loaded.Message)


def parsed(data: bytes) -> Any:
    """The message of these bytes as the student's code meets it: an EmailMessage."""
    from email import message_from_bytes, policy

    return message_from_bytes(data, policy=policy.default)


def decode(data: Any, mail: Callable[[bytes], Any] = Mail) -> Any:
    """The value again, an e-mail message as `mail` makes it of its bytes.

    Raises ValueError or TypeError when the data is not what encode() makes.
    """
    if data is None or type(data) in (bool, int, str):
        return data
    if type(data) is not dict or len(data) != 1:
        raise ValueError("not plain data")
    ((tag, body),) = data.items()
    if tag == "i":
        number = int(body, 16)
        if number.bit_length() > LARGEST:
            raise ValueError("not plain data")
        return number
    if tag == "f":
        return float(body)
    if tag == "b":
        return b64decode(body, validate=True)
    if tag == "m":
        return mail(b64decode(body, validate=True))
    if tag == "l":
        return [decode(item, mail) for item in body]
    if tag == "t":
        return tuple(decode(item, mail) for item in body)
    if tag == "n":
        kind, fields, items = body
        return Named.of(str(kind), tuple(str(f) for f in fields), tuple(decode(item, mail) for item in items))
    if tag == "d":
        return {decode(key, mail): decode(item, mail) for key, item in body}
    raise ValueError("not plain data")
