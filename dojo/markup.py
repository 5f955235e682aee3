"""HTML as its reader sees it: the lines of text, the pictures, the elements that it is made of."""

from __future__ import annotations

from html.parser import HTMLParser

LINES = frozenset("article blockquote br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre section table tr ul".split())
"""Elements at whose edges a line ends."""

HIDDEN = frozenset("head script style template title".split())
"""Elements whose text is not shown."""


class Markup(HTMLParser):
    """A piece of HTML, read as a browser does (HTML Living Standard §13), as far as a letter needs it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        """The names of the elements that begin in it, in lower case."""
        self.pictures: list[dict[str, str]] = []
        """The attributes of each img, decoded."""
        self._shown = ""
        self._hidden = 0
        self.feed(text)
        self.close()

    @property
    def lines(self) -> list[str]:
        """The lines that are seen, empty ones too: outer blanks removed, several blanks made one."""
        return [" ".join(line.split()) for line in self._shown.split("\n")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        self.tags.append(tag)
        if tag == "img":
            self.pictures.append({name: value or "" for name, value in reversed(attrs)})  # the first of a name counts
        self._hidden += tag in HIDDEN
        if tag in LINES:
            self._shown += "\n"

    def handle_endtag(self, tag: str) -> None:
        """End it."""
        self._hidden = max(0, self._hidden - (tag in HIDDEN))
        if tag in LINES and tag != "br":
            self._shown += "\n"

    def handle_data(self, data: str) -> None:
        """Text: a line break in it is a blank like others."""
        if not self._hidden:
            self._shown += data.replace("\n", " ").replace("\r", " ")
