"""An HTTP request as a fake server received it."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from dojo.wire import visible


class NoSuchContent(AssertionError):
    """The body of a request is not what a test wants to read it as."""


@dataclass(frozen=True)
class Received:
    """An HTTP request as it was on the wire (RFC 9112), nothing joined, sorted or corrected.

    `target` is the text after the method. `headers` are (name, value) pairs in their order, case and
    number, read as latin-1. `truncated` is true if the body ended before Content-Length was reached.
    `connection` counts from 1.
    """

    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    truncated: bool = False
    connection: int = 1

    @property
    def path(self) -> str:
        """The path, percent escapes decoded as UTF-8, without host and query: `/search/ü`."""
        target = self.target
        if not target.startswith("/") and "://" in target:
            target = "/" + target.partition("://")[2].partition("/")[2]
        return unquote(target.partition("?")[0].partition("#")[0])

    @property
    def query(self) -> str:
        """The text after the first `?`, as it was sent; "" if there is none."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case; None if there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def all_headers(self, name: str) -> list[str]:
        """The values of all headers of that name, in any case, in their order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def media_type(self) -> str | None:
        """The Content-Type in lower case without its parameters; None if there is no such header."""
        value = self.header("Content-Type")
        return None if value is None else value.partition(";")[0].strip().lower()

    @property
    def content_length(self) -> int:
        """The Content-Length; 0 if it is missing, malformed or absurd."""
        value = self.header("Content-Length") or ""
        return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else 0

    @property
    def text(self) -> str:
        """The body as UTF-8, what is none replaced by U+FFFD."""
        return self.body.decode("utf-8", "replace")

    def form(self) -> list[tuple[str, str]]:
        """The body as the pairs of a form in UTF-8, blank values kept.

        It does not ask for the Content-Type.
        """
        return parse_qsl(self.text, keep_blank_values=True, encoding="utf-8")

    def parameters(self) -> list[tuple[str, str]]:
        """The query as pairs in UTF-8, blank values kept."""
        return parse_qsl(self.query, keep_blank_values=True, encoding="utf-8")

    def json(self) -> Any:
        """The body as JSON.

        Raises NoSuchContent, with the body, if it is none. It does not ask for the Content-Type.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise NoSuchContent(f"The body is not JSON: {visible(self.body)}") from error

    @property
    def basic(self) -> tuple[str, str] | None:
        """User and password of `Authorization: Basic …` in UTF-8 (RFC 7617); None if it is missing or
        malformed.
        """
        scheme, _, token = (self.header("Authorization") or "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user_pass = base64.b64decode(token.strip(), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return None
        user, colon, password = user_pass.partition(":")
        return (user, password) if colon else None

    @property
    def cookies(self) -> dict[str, str]:
        """The pairs of all Cookie headers, as they were sent."""
        pairs = (pair.partition("=") for value in self.all_headers("Cookie") for pair in value.split(";"))
        return {name.strip(): value.strip() for name, equals, value in pairs if equals}

    def __str__(self) -> str:
        return visible(f"{self.method} {self.target}")


def parse_head(head: bytes) -> Received:
    """A request without body from the bytes before its blank line; whatever is malformed stays as it is."""
    lines = head.decode("latin-1").split("\n")
    method, _, rest = lines[0].rstrip("\r").partition(" ")
    target, _, version = rest.rpartition(" ")
    pairs = (line.rstrip("\r").partition(":") for line in lines[1:] if line.strip())
    headers = tuple((name, value.strip(" \t")) for name, _, value in pairs)
    return Received(method, target or version, version if target else "", headers)
