"""HTML as its reader sees it: the lines of text, the pictures, the elements that it is made of."""

from __future__ import annotations

import re
from html.parser import HTMLParser

LINES = frozenset("article blockquote br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre section table tr ul".split())
"""Elements at whose edges a line ends."""

HIDDEN = frozenset("head script style template title".split())
"""Elements whose text is not shown."""

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
"""Elements that hold nothing, and have no end tag (HTML Living Standard §13.1.2)."""

WHITE_SPACE = re.compile(r"white-space\s*:\s*(pre(?:-wrap|-line)?|break-spaces|normal|nowrap)\b", re.IGNORECASE)
"""What a style says about line breaks (CSS Text §3): all but normal and nowrap keep them."""

BLANKS = re.compile(r"[ \t\f\r\xa0]+")
"""What is shown as a blank. U+2028 and other odd ends of a line are none: they are characters like others."""


class Markup(HTMLParser):
    """A piece of HTML, read as a browser does (HTML Living Standard §13), as far as a letter needs it.

    The style of an element is looked at for line breaks only; style sheets are not.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        """The names of the elements that begin in it, in lower case."""
        self.pictures: list[dict[str, str]] = []
        """The attributes of each img, decoded."""
        self.above: list[list[str]] = []
        """For each img the lines that are seen up to it."""
        self._shown = ""
        self._hidden = 0
        self._open: list[tuple[str, bool]] = []
        """The elements around, innermost last, and whether a line break in them is one."""
        self.feed(text)
        self.close()

    @property
    def lines(self) -> list[str]:
        """The lines that are seen, empty ones too: outer blanks removed, several blanks made one."""
        return [BLANKS.sub(" ", line).strip(" ") for line in self._shown.split("\n")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        values = {name: value or "" for name, value in reversed(attrs)}  # the first of a name counts
        self.tags.append(tag)
        if tag == "img":
            self.pictures.append(values)
            self.above.append(self.lines)
        self._hidden += tag in HIDDEN
        if tag in LINES:
            self._shown += "\n"
        if tag not in VOID:
            styled = WHITE_SPACE.findall(values.get("style", ""))
            kept = styled[-1].lower() not in ("normal", "nowrap") if styled else tag == "pre" or self._keeps_breaks
            self._open.append((tag, kept))

    def handle_endtag(self, tag: str) -> None:
        """End it, and what was left open in it."""
        self._hidden = max(0, self._hidden - (tag in HIDDEN))
        if tag in LINES and tag != "br":
            self._shown += "\n"
        places = [place for place, (name, _) in enumerate(self._open) if name == tag]
        if places:
            del self._open[places[-1] :]

    def handle_data(self, data: str) -> None:
        """Text: a line break in it is a blank like others, if nothing around it keeps line breaks."""
        if not self._hidden:
            data = data.replace("\r\n", "\n").replace("\r", "\n")
            self._shown += data if self._keeps_breaks else data.replace("\n", " ")

    @property
    def _keeps_breaks(self) -> bool:
        return bool(self._open) and self._open[-1][1]
