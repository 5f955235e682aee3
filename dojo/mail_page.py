"""A mail as its reader would see it, on a page of its own that loads nothing and runs nothing.

The mail's HTML stands in a frame whose sandbox allows nothing at all (HTML Living Standard, the sandbox attribute), and
both the page and the frame have a Content-Security-Policy that forbids scripts and everything from elsewhere. All
other text of the mail is escaped. Pictures of the mail itself become data: URLs.
"""

from __future__ import annotations

import re
from base64 import b64encode
from html import escape, unescape
from pathlib import Path
from urllib.parse import unquote

from dojo import terminal
from dojo.tree import Part, Tree
from dojo.words import LANGUAGES, language

STYLE = Path(__file__).with_name("mail_page.css")

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

READING = "body { margin: 1.2rem 1.4rem; font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere }"
"""How a mail that says nothing about it is set, as mail programs do."""

PICTURE = re.compile(r"image/(png|jpeg|gif|webp|bmp|avif)")
"""Types of pictures that are shown. Not SVG: it is a document."""

SOURCE = re.compile(r"""(\bsrc\s*=\s*["']?)\s*cid:([^"'\s>]+)""", re.IGNORECASE)
AHEAD = re.compile(r"<(?=(link|i?frame|frameset|object|embed|portal|base|meta)\b)", re.IGNORECASE)
"""Where an element begins for which a browser may connect ahead of asking the policy: Chromium does, for a frame.
It is given a name that means nothing. To cut it out would not do: what stands around it could become one."""

WORDS = {
    "from": ("From", "发件人"),
    "to": ("To", "收件人"),
    "no_subject": ("(no subject)", "（没有主题）"),
    "nothing": ("There is nothing to read in this mail.", "这封邮件里没有可读的内容。"),
    "attachments": ("Attachments", "附件"),
    "none": ("none", "没有"),
    "no_name": ("(no name)", "（没有文件名）"),
    "plain": ("As plain text", "纯文本版本"),
    "tree": ("The tree", "邮件结构"),
    "missing": (
        "The HTML asks for cid:{id}, and no part of the mail has that Content-ID in angle brackets.",
        "HTML 要找 cid:{id}，但邮件里没有哪个部分的 Content-ID 是它加上尖括号。",
    ),
    "size": ("{size} bytes on the way", "传输时 {size} 字节"),
    "bytes": ("{size} bytes", "{size} 字节"),
}


def _word(key: str, **values: str) -> str:
    return escape(WORDS[key][LANGUAGES.index(language())].format(**values))


def clean(text: str) -> str:
    """Text of a mail as HTML: escaped, and its control characters shown."""
    return "\n".join(escape(line) for line in terminal.escaped(text))


def shown(tree: Tree) -> list[Part]:
    """The bodies that a mail program shows, one below the other: of an alternative the last one (RFC 2046 §5.1.4)."""
    bodies = [part for part in tree.leaves if part in (*tree.bodies("text/plain"), *tree.bodies("text/html"))]
    return [
        one
        for at, one in enumerate(bodies)
        if not any(tree.common(one, later).type == "multipart/alternative" for later in bodies[at + 1 :])
    ]


def page(tree: Tree, size: int) -> str:
    """The whole page. `size` is what the mail had on its way, in bytes."""
    bodies = shown(tree)
    inline: list[Part] = []
    missing: list[str] = []
    frames = [_body(tree, body, inline, missing) for body in bodies]
    files = [part for part in tree.files() if part not in inline]
    plain = [part for part in tree.bodies("text/plain") if part not in bodies]
    subject = clean(tree.header("Subject")) or _word("no_subject")
    notes = "".join(f'<p class="note">{_word("missing", id=each)}</p>' for each in missing)
    sides = [(_word("attachments"), _files(files))]
    if plain:
        sides.append((_word("plain"), "".join(f"<pre>{clean(part.text())}</pre>" for part in plain)))
    sides.append((_word("tree"), f"<pre class=tree>{clean(chr(10).join(tree.lines()))}</pre>"))
    aside = "".join(f"<section><h2>{title}</h2>{content}</section>" for title, content in sides)
    return f"""<!doctype html>
<html lang="{"zh-Hans" if language() == "zh" else "en"}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{subject}</title>
<style>{STYLE.read_text("utf-8")}</style>
</head>
<body>
<main>
<header>
<h1>{subject}</h1>
<dl><dt>{_word("from")}</dt><dd>{_people(tree, "From")}</dd><dt>{_word("to")}</dt><dd>{_people(tree, "To")}</dd></dl>
</header>
{notes}{"".join(frames) or f'<p class="note">{_word("nothing")}</p>'}
</main>
<aside>{aside}<p class="size">{_word("size", size=f"{size:,}")}</p></aside>
</body>
</html>
"""


def _people(tree: Tree, header: str) -> str:
    people = tree.people(header)
    if not people:
        return clean(tree.header(header)) or "–"
    return "".join(f"<span><b>{clean(name)}</b> <i>{clean(address)}</i></span>" for name, address in people)


def _body(tree: Tree, body: Part, inline: list[Part], missing: list[str]) -> str:
    if body.type == "text/plain":
        return f'<pre class="letter">{clean(body.text())}</pre>'

    def found(match: re.Match[str]) -> str:
        wanted = unquote(unescape(match[2]))
        for part in tree.leaves:
            if part.content_id == f"<{wanted}>" and PICTURE.fullmatch(part.type):
                inline.append(part)
                return match[1] + _data_url(part)
        missing.append(wanted)
        return match[0]

    content = AHEAD.sub("<x-", SOURCE.sub(found, body.text()))
    # A policy in the frame's own document too, before anything of the mail.
    guarded = (
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta http-equiv="x-dns-prefetch-control" content="off"><style>{READING}</style>{content}'
    )
    return f'<iframe sandbox="" title="HTML" srcdoc="{escape(guarded)}"></iframe>'


def _data_url(part: Part) -> str:
    return f"data:{part.type};base64,{b64encode(part.data()).decode('ascii')}"


def _files(files: list[Part]) -> str:
    if not files:
        return f"<p>{_word('none')}</p>"
    return f"<ul>{''.join(map(_file, files))}</ul>"


def _file(part: Part) -> str:
    name = clean(part.name) or _word("no_name")
    ending = clean(Path(part.name).suffix[1:5]) or "?"
    icon = f"<em>{ending}</em>"
    if PICTURE.fullmatch(part.type):
        icon = f'<img src="{_data_url(part)}" alt="">'
    size = _word("bytes", size=f"{len(part.data()):,}")
    return f"<li>{icon}<div><b>{name}</b><br>{clean(part.type)} · {size}</div></li>"
