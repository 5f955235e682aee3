"""Mails as common programs shape them, built byte by byte: what a parser gets to see, quirks included.

The email package is not used here: what it reads in a test, it should not have written itself. The text is our own, and
so are the names and the addresses of example.com.
"""

from __future__ import annotations

import base64
import quopri
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

CRLF = b"\r\n"

Address = tuple[str, str]
"""A name, perhaps empty, and an address."""

Entity = tuple[list[str], bytes]
"""The header lines of a part, folded where they have to be, and its body (RFC 2045)."""


@dataclass(frozen=True)
class File:
    """An attachment: its name, or none, its type and its content."""

    name: str | None
    kind: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """What a mail says. `html` empty: none."""

    subject: str
    sender: Address
    to: Sequence[Address]
    date: datetime
    text: str
    html: str = ""
    files: Sequence[File] = field(default_factory=tuple)


# --- the programs -----------------------------------------------------------------------------------------


def gmail(letter: Letter) -> bytes:
    """As Gmail does it: UTF-8 and Base64, the alternatives inside a mixed part, file names as encoded words."""
    boundary = "000000000000a3f01b063c"
    both = [
        (['Content-Type: text/plain; charset="UTF-8"', "Content-Transfer-Encoding: base64"], in_base64(letter.text)),
        (
            ['Content-Type: text/html; charset="UTF-8"', "Content-Transfer-Encoding: quoted-printable"],
            in_quoted_printable(letter.html.encode()),
        ),
    ]
    body = multipart("alternative", f"{boundary}9d", *both)
    for number, file in enumerate(letter.files):
        name = words(file.name or "", "UTF-8")
        attached = [
            f'Content-Type: {file.kind}; name="{name}"',
            f'Content-Disposition: attachment; filename="{name}"',
            "Content-Transfer-Encoding: base64",
            f"Content-ID: <f_m3x0{number}>",
            f"X-Attachment-Id: f_m3x0{number}",
        ]
        body = body if number else multipart("mixed", f"{boundary}9e", body)
        body = appended(body, f"{boundary}9e", (attached, in_base64(file.content)))
    return mail(
        [
            "MIME-Version: 1.0",
            f"From: {address(letter.sender, 'UTF-8')}",
            f"Date: {format_datetime(letter.date)}",
            "Message-ID: <CAKx3+Tq8w@mail.example.com>",
            f"Subject: {words(letter.subject, 'UTF-8')}",
            f"To: {', '.join(address(one, 'UTF-8') for one in letter.to)}",
        ],
        body,
    )


def outlook(letter: Letter, picture: bytes = b"") -> bytes:
    """As Outlook does it in a Chinese Windows: gb2312 and quoted-printable, names in quotes, the picture of the HTML in
    a related part around the alternatives."""
    charset = "gb2312"
    body = multipart(
        "alternative",
        "_000_AM0PR08MB",
        (
            [f'Content-Type: text/plain; charset="{charset}"', "Content-Transfer-Encoding: quoted-printable"],
            in_quoted_printable(letter.text.encode(charset)),
        ),
        (
            [f'Content-Type: text/html; charset="{charset}"', "Content-Transfer-Encoding: quoted-printable"],
            in_quoted_printable(letter.html.encode(charset)),
        ),
    )
    if picture:
        shown = [
            'Content-Type: image/png; name="image001.png"',
            "Content-Description: image001.png",
            f'Content-Disposition: inline; filename="image001.png"; size={len(picture)}',
            "Content-ID: <image001.png@01DC5D1A.7F3E2B10>",
            "Content-Transfer-Encoding: base64",
        ]
        inline = (shown, in_base64(picture))
        body = multipart("related", "_004_AM0PR08MB", body, inline, more='; type="multipart/alternative"')
    if letter.files:
        body = multipart("mixed", "_005_AM0PR08MB", body)
    for file in letter.files:
        name = words(file.name or "", charset)
        attached = [
            f'Content-Type: {file.kind};\r\n\tname="{name}"',
            f"Content-Description: {name}",
            f'Content-Disposition: attachment;\r\n\tfilename="{name}"; size={len(file.content)}',
            "Content-Transfer-Encoding: base64",
        ]
        body = appended(body, "_005_AM0PR08MB", (attached, in_base64(file.content)))
    return mail(
        [
            f"From: {address(letter.sender, charset)}",
            f"To: {', '.join(address(one, charset) for one in letter.to)}",
            f"Subject: {words(letter.subject, charset)}",
            f"Thread-Topic: {words(letter.subject, charset)}",
            "Thread-Index: Adtc8Zz0k1Zk2w==",
            f"Date: {format_datetime(letter.date)}",
            "Message-ID: <AM0PR08MB4321@AM0PR08MB4321.example.com>",
            "Accept-Language: zh-CN, en-US",
            "Content-Language: zh-CN",
            "X-MS-Has-Attach:",
            "MIME-Version: 1.0",
        ],
        body,
    )


def thunderbird(letter: Letter, forwarded: bytes = b"") -> bytes:
    """As Thunderbird does it: 8-bit UTF-8 text, long file names in numbered pieces (RFC 2231), mails forwarded as an
    attachment."""
    body: Entity = (
        ["Content-Type: text/plain; charset=UTF-8; format=flowed", "Content-Transfer-Encoding: 8bit"],
        letter.text.encode(),
    )
    parts = [body]
    for file in letter.files:
        header = [f"Content-Type: {file.kind}", f"Content-Disposition: attachment;{in_pieces(file.name or '')}"]
        parts.append(([*header, "Content-Transfer-Encoding: base64"], in_base64(file.content)))
    if forwarded:
        header = [
            'Content-Type: message/rfc822; charset=UTF-8; name="ForwardedMessage.eml"',
            'Content-Disposition: attachment; filename="ForwardedMessage.eml"',
            "Content-Transfer-Encoding: 7bit",
        ]
        parts.append((header, forwarded))
    if len(parts) > 1:
        body = multipart("mixed", "------------0aQx7UdEh2sV9", *parts)
    return mail(
        [
            "Message-ID: <6d1c1b0e-0d2f-4b7e@example.com>",
            f"Date: {format_datetime(letter.date)}",
            "MIME-Version: 1.0",
            "User-Agent: Mozilla Thunderbird",
            "Content-Language: zh-CN",
            f"To: {', '.join(address(one, 'UTF-8') for one in letter.to)}",
            f"From: {address(letter.sender, 'UTF-8')}",
            f"Subject: {words(letter.subject, 'UTF-8', 'Q')}",
        ],
        body,
    )


def qq_mail(letter: Letter) -> bytes:
    """As QQ Mail does it: gb18030 and Base64 throughout, names as encoded words inside quotes, against RFC 2047."""
    charset = "gb18030"
    boundary = "----=_NextPart_6924C1A8_0A2B3C40_5D6E7F80"
    alternatives = [
        (
            [f'Content-Type: text/{kind};\r\n\tcharset="{charset}"', "Content-Transfer-Encoding: base64"],
            in_base64(text.encode(charset)),
        )
        for kind, text in (("plain", letter.text), ("html", letter.html))
    ]
    body = multipart("alternative", f"{boundary}_A", *alternatives)
    if letter.files:
        body = multipart("mixed", f"{boundary}_M", body)
    for file in letter.files:
        name = words(file.name or "", charset)
        attached = [
            f'Content-Type: application/octet-stream;\r\n\tcharset="{charset}";\r\n\tname="{name}"',
            f'Content-Disposition: attachment; filename="{name}"',
            "Content-Transfer-Encoding: base64",
        ]
        body = appended(body, f"{boundary}_M", (attached, in_base64(file.content)))

    def quoted(one: Address) -> str:
        return f'"{words(one[0], charset)}" <{one[1]}>'

    return mail(
        [
            "X-QQ-mid: webmail7t1764",
            f"From: {quoted(letter.sender)}",
            f"To: {', '.join(quoted(one) for one in letter.to)}",
            f"Subject: {words(letter.subject, charset)}",
            "Mime-Version: 1.0",
            f"Date: {format_datetime(letter.date)}",
            "X-Priority: 3",
            "Message-ID: <tencent_5A2F9C@example.com>",
            "X-QQ-MIME: TCMime 1.0 by Tencent",
        ],
        body,
    )


# --- what they are made of --------------------------------------------------------------------------------


def mail(header: Sequence[str], body: Entity) -> bytes:
    """A whole mail: its header, then that of its body (RFC 5322 §2.1)."""
    return whole(([*header, *body[0]], body[1]))


def whole(entity: Entity) -> bytes:
    """An entity as it travels: header, blank line, body."""
    header, body = entity
    return CRLF.join(line.encode() for line in header) + CRLF + CRLF + body


def multipart(subtype: str, boundary: str, *parts: Entity, more: str = "") -> Entity:
    """A container of parts (RFC 2046 §5.1); `more` are other parameters of its type."""
    header = [f'Content-Type: multipart/{subtype};\r\n\tboundary="{boundary}"{more}']
    body = b"This is a multi-part message in MIME format.\r\n"
    body += b"".join(b"--" + boundary.encode() + CRLF + whole(part) + CRLF for part in parts)
    return header, body + b"--" + boundary.encode() + b"--\r\n"


def appended(container: Entity, boundary: str, part: Entity) -> Entity:
    """The container with one part more at its end."""
    header, body = container
    end = b"--" + boundary.encode() + b"--\r\n"
    return header, body.removesuffix(end) + b"--" + boundary.encode() + CRLF + whole(part) + CRLF + end


def plain(text: str, charset: str = "utf-8") -> Entity:
    """A text part in 8-bit."""
    return [f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: 8bit"], text.encode(charset)


def attached(disposition: str, content: bytes, kind: str = "application/octet-stream") -> Entity:
    """A part whose Content-Disposition is this, to the letter."""
    header = [f"Content-Type: {kind}", f"Content-Disposition: {disposition}", "Content-Transfer-Encoding: base64"]
    return header, in_base64(content)


def address(one: Address, charset: str) -> str:
    """A name and an address for a header (RFC 5322 §3.4): the name in quotes, or as encoded words."""
    name, where = one
    if not name:
        return where
    return f'"{name}" <{where}>' if name.isascii() else f"{words(name, charset)} <{where}>"


def words(text: str, charset: str, way: str = "B") -> str:
    """The text as it stands in a header: as it is when it is ASCII, else as encoded words of at most 75 characters
    (RFC 2047), more than one on lines of their own. Words of ASCII at its beginning stay readable."""
    if text.isascii():
        return text
    start, blank, rest = text.partition(" ")
    if blank and start.isascii():
        return f"{start} {words(rest, charset, way)}"
    made: list[str] = []
    piece = ""
    for character in text:
        if len(_word(piece + character, charset, way)) > 75:
            made.append(_word(piece, charset, way))
            piece = ""
        piece += character
    return "\r\n ".join([*made, _word(piece, charset, way)])


def _word(text: str, charset: str, way: str) -> str:
    data = text.encode(charset)
    if way == "B":
        return f"=?{charset}?B?{base64.b64encode(data).decode()}?="
    return f"=?{charset}?Q?{''.join('_' if byte == 32 else f'={byte:02X}' for byte in data)}?="


def in_pieces(name: str) -> str:
    """A file name as parameters of RFC 2231: percent-encoded UTF-8, a long one in numbered pieces."""
    if len(name) <= 12:
        return f" filename*=UTF-8''{quote(name, safe='')}"
    pieces = [quote(name[at : at + 6], safe="") for at in range(0, len(name), 6)]
    pieces[0] = f"UTF-8''{pieces[0]}"
    return ";".join(f"\r\n filename*{number}*={piece}" for number, piece in enumerate(pieces))


def in_base64(data: bytes | str) -> bytes:
    """Base64 in lines of 76 characters; a str is UTF-8."""
    data = data.encode() if isinstance(data, str) else data
    return base64.encodebytes(data).replace(b"\n", CRLF)


def in_quoted_printable(data: bytes) -> bytes:
    """Quoted-printable, each line end CRLF."""
    return quopri.encodestring(data.replace(CRLF, b"\n")).replace(b"\n", CRLF)
