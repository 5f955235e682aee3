"""Small real files for a mail, made here and nowhere else: a PNG, a JPEG and a spreadsheet. The tests make fresh
ones, and `python -m dojo picture` draws those that lie in katas/html_mail/."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

Colour = tuple[int, int, int]
"""Red, green and blue, each from 0 to 255."""

Painter = Callable[[int, int], Colour]
"""The colour at a column and a row."""


def png(width: int, height: int, painter: Painter) -> bytes:
    """A PNG of 8-bit RGB pixels (RFC 2083)."""
    rows = [b"".join(bytes(painter(x, y)) for x in range(width)) for y in range(height)]
    filtered = []
    above = bytes(3 * width)
    for row in rows:  # filter 2: the difference to the row above, which compresses a picture well (§6.4)
        filtered.append(b"\x02" + bytes((one - other) % 256 for one, other in zip(row, above, strict=True)))
        above = row
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(filtered), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def jpeg(columns: int, rows: int, painter: Painter, comment: bytes = b"") -> bytes:
    """A baseline JPEG (ITU-T T.81) of squares, each 8 by 8 pixels of one colour.

    Of each square only the mean, its first coefficient, is written: so it needs no cosine transform, and of the
    two Huffman tables the second knows a single symbol, "nothing more in this square".
    """
    bits = ""
    before = [0, 0, 0]
    for y in range(rows):
        for x in range(columns):
            for at, value in enumerate(_luminance_and_chrominance(painter(x, y))):
                difference, before[at] = value - before[at], value
                size = abs(difference).bit_length()
                offset = difference if difference >= 0 else difference + (1 << size) - 1
                bits += f"{size:04b}" + (f"{offset:0{size}b}" if size else "") + "0"
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    frame = struct.pack(">BHHB", 8, 8 * rows, 8 * columns, 3) + b"".join(bytes((n, 0x11, 0)) for n in (1, 2, 3))
    sizes = bytes((0, 0, 0, 9, *(0,) * 12))  # nine codes of four bits: the sizes 0 to 8 of a difference
    one = bytes((1, *(0,) * 15))  # one code of one bit
    segments = (
        (0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        (0xFE, comment),
        (0xDB, b"\0" + bytes((8,)) * 64),
        (0xC0, frame),
        (0xC4, b"\x00" + sizes + bytes(range(9))),
        (0xC4, b"\x10" + one + b"\0"),
        (0xDA, bytes((3, 1, 0, 2, 0, 3, 0, 0, 63, 0))),
    )
    written = b"".join(bytes((0xFF, mark)) + struct.pack(">H", 2 + len(data)) + data for mark, data in segments)
    return b"\xff\xd8" + written + scan + b"\xff\xd9"


def _luminance_and_chrominance(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = colour
    luminance = 0.299 * red + 0.587 * green + 0.114 * blue
    levels = (luminance - 128, 0.564 * (blue - luminance), 0.713 * (red - luminance))
    return tuple(max(-128, min(127, round(level))) for level in levels)  # type: ignore[return-value]  # three of them


def xlsx(rows: Sequence[Sequence[str | int]]) -> bytes:
    """A workbook of one sheet (ECMA-376): a zip of five small XML files."""
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    schemas = "http://schemas.openxmlformats.org"
    packages, relations = f"{schemas}/package/2006", f"{schemas}/officeDocument/2006/relationships"
    main = f"{schemas}/spreadsheetml/2006/main"

    def cell(value: str | int) -> str:
        if isinstance(value, int):
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'

    def relation(kind: str, target: str) -> str:
        return (
            f'<Relationships xmlns="{packages}/relationships">'
            f'<Relationship Id="r1" Type="{relations}/{kind}" Target="{target}"/></Relationships>'
        )

    cells = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    files = {
        "[Content_Types].xml": f'<Types xmlns="{packages}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kinds}.worksheet+xml"/></Types>',
        "_rels/.rels": relation("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}">'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relation("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():  # with the date that a zip begins with: the same bytes in every run
            archive.writestr(zipfile.ZipInfo(name), '<?xml version="1.0" encoding="UTF-8"?>' + text)
    return made.getvalue()


# --- the files of the kata html_mail ----------------------------------------------------------------------------


def write(folder: Path) -> list[Path]:
    """Draw sunrise.png, mosaic.jpg and prices.xlsx in this folder."""
    made = {
        "sunrise.png": png(360, 200, sunrise),
        "mosaic.jpg": jpeg(24, 16, mosaic, b"drawn for the kata html_mail"),
        "prices.xlsx": xlsx([["水果 fruit", "元 yuan"], ["苹果 apple", 6], ["梨 pear", 8], ["桃子 peach", 12]]),
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in made]


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    share = max(0.0, min(1.0, share))
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def sunrise(x: int, y: int) -> Colour:
    """A sun above hills and water, 360 by 200."""
    water = 150
    mirrored = y if y < water else 2 * water - y  # the water shows what is above it, upside down
    far, near = ((x - 250) / 210) ** 2, ((x - 60) / 150) ** 2
    distance = ((x - 176) ** 2 + (mirrored - 92) ** 2) ** 0.5
    colour = _mixed((44, 62, 120), (255, 196, 120), mirrored / water)
    colour = _mixed((255, 214, 130), colour, (distance - 30) / 60)
    if distance < 30:
        colour = (255, 243, 200)
    if mirrored > 104 + 46 * far:
        colour = (108, 88, 134)
    if mirrored > 116 + 34 * near:
        colour = (66, 58, 104)
    if y >= water:
        wave = 0.16 if (y - water) % 7 < 3 else 0.34
        colour = _mixed(colour, (38, 52, 104), wave + (y - water) / 140)
    return colour


def mosaic(x: int, y: int) -> Colour:
    """Squares around a centre, 24 by 16."""
    distance = ((x - 11.5) ** 2 + 2 * (y - 7.5) ** 2) ** 0.5 / 15
    colour = _mixed((250, 214, 90), (206, 72, 92), 2 * distance)
    return _mixed(colour, (52, 60, 120), 2 * distance - 0.7) if (x + y) % 2 else _mixed(colour, (30, 40, 90), distance)
