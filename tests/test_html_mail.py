"""html_mail: a letter with pictures and files in it. In the order of the contract."""

import base64
import html
import os
import re
from collections.abc import Callable, Collection, Sequence
from email.errors import MessageError
from email.header import decode_header
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from dojo import terminal
from dojo.expect import Answer, Scene, Student, raises
from dojo.failure import Failure
from dojo.fresh import Fresh
from dojo.inside.plain import Mail
from dojo.markup import Markup
from dojo.outcome import Raised
from dojo.samples import jpeg, png, xlsx
from dojo.tree import Letter, Part, Tree, Unreadable

OCTETS = ("application", "octet-stream")
WORKBOOK = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")
REGISTERED = frozenset("application audio font haptics image message model multipart text video".split())
"""The top-level media types that there are (RFC 6838 §4.2)."""

WITH_PICTURE = (
    'one <img src="cid:x"> in the HTML, and the picture with Content-ID: <x> in the same multipart/related',
    'HTML 里有一个 <img src="cid:x">，同一个 multipart/related 里有 Content-ID: <x> 的图片',
)

File = tuple[str, bytes]
"""The path of a file, and what is in it."""

NO_LIMIT = 10_000_000
"""Bytes: more than any letter here has."""

# What a right message may look like. Others are right too: see the page.
PLAIN = ("text/plain",)
ALTERNATIVE = ("multipart/alternative", "  text/plain", "  text/html")
RELATED = (
    "multipart/alternative",
    "  text/plain",
    "  multipart/related",
    "    text/html  (cid:x)",
    "    image/…  <x>",
)
MIXED = ("multipart/mixed", "  text/plain", '  …/…  attachment  "name"')
WHOLE = ("multipart/mixed", *(f"  {line}" for line in RELATED), '  …/…  attachment  "name"')

# --- 1 and 2: what a file and a text are --------------------------------------------------------------------------


def test_html_text(student: Student, fresh: Fresh) -> None:
    """what a user wrote stays text in HTML, whatever characters it has

    用户写的内容放进 HTML 以后仍然只是文字，不管里面有什么字符
    """
    tag, one, other = fresh.word(), fresh.word(), fresh.word()
    written = f"5 < 7 & 小明 <{tag}>{one}</{tag}> says \"{other}\" & 'no'"
    student.html_text(written).satisfies(
        lambda got: Markup(got).lines == [written] and not Markup(got).tags and not set("<>\"'") & set(got),
        (f"HTML that shows {written}", f"显示为 {written} 的 HTML"),
        returned_none=None,
        not_escaped=lambda got: tag in Markup(got).tags,
        escaped_twice=lambda got: "&amp;lt;" in got,
        text_removed=lambda got: tag not in got,
        quotes_not_escaped=lambda got: '"' in got or "'" in got,
    )
    written = f"AT&amp;T is written &lt;{fresh.word()}&gt;"
    student.html_text(written).satisfies(
        lambda got: Markup(got).lines == [written],
        (f"HTML that shows {written}", f"显示为 {written} 的 HTML"),
        ampersand_forgotten=lambda got: "&amp;amp;" not in got,
    )


def test_line_breaks(student: Student, fresh: Fresh) -> None:
    """each line of the text stays a line: HTML takes a line break for a blank

    文本的每一行仍然是一行：HTML 把换行只当作空格
    """
    one, other, tag, last = fresh.word(), f"第二行{fresh.word()}", fresh.word(), fresh.word()
    written = f"{one}\n{other} <{tag}>\r\n\r\n{last}"
    lines = [one, f"{other} <{tag}>", "", last]
    student.html_text(written).satisfies(
        lambda got: Markup(got).lines == lines and set(Markup(got).tags) == {"br"},
        (f"HTML that shows the lines {lines}", f"显示为这几行的 HTML：{lines}"),
        returned_none=None,
        not_escaped=lambda got: tag in Markup(got).tags,
        escaped_twice=lambda got: "&amp;lt;" in got,
        text_removed=lambda got: tag not in got,
        breaks_escaped=lambda got: re.search("&lt;br ?/?&gt;", got),
        breaks_lost=lambda got: "br" not in Markup(got).tags,
        break_twice=lambda got: Markup(got).tags.count("br") > 3,
    )
    lines = ["", "", one, "", ""]  # a <br> for the very last line end is not asked
    student.html_text(f"\n\r\n{one}\n\n\n").satisfies(
        lambda got: Markup(got).lines in (lines, [*lines, ""]),
        (f"HTML that shows the lines {lines}", f"显示为这几行的 HTML：{lines}"),
        empty_lines_lost=lambda got: len(Markup(got).lines) < len(lines),
    )


def test_mime_type(student: Student, fresh: Fresh) -> None:
    """a file's name tells its media type, in two parts

    从文件名看出媒体类型，分成两部分
    """
    written = ""
    mistakes: dict[str, Any] = {
        "guess_not_split": lambda got: isinstance(got, str) or got[1] is None or "/" in got[0],
        "subtype_jpg": lambda got: got[1].lower() == "jpg",
        "case_of_extension": lambda got: got == OCTETS and written.isupper(),
        "first_dot": lambda got: got != ("image", "jpeg") and "." in written,
        "everything_is_octets": OCTETS,
    }
    for ending, expected in (
        ("jpg", ("image", "jpeg")),
        ("png", ("image", "png")),
        ("jpeg", ("image", "jpeg")),
        ("pdf", ("application", "pdf")),
        ("csv", ("text", "csv")),
        ("txt", ("text", "plain")),
        ("zip", ("application", "zip")),
    ):
        written = ending
        student.mime_type(f"{fresh.word()}.{ending}").returns(expected, **mistakes)
    for written in ("JPG", f"{fresh.word()}.jpg"):
        student.mime_type(f"照片 {fresh.word()}.{written}").returns(("image", "jpeg"), **mistakes)


def test_unknown_type(student: Student, fresh: Fresh) -> None:
    """what nobody can tell is application/octet-stream, never an invented name and never an error

    看不出来的类型就是 application/octet-stream，不能自己编一个，也不能出错
    """
    mistakes: dict[str, Any] = {
        "guess_may_be_none": lambda got: raises("AttributeError").matches(got) or got is None or got[0] is None,
        "unknown_is_an_error": lambda got: raises("ValueError").matches(got) or raises("LookupError").matches(got),
        "invented_type": lambda got: isinstance(got[0], str) and got[0] not in REGISTERED,
    }
    octets = "application, octet-stream"
    for name in (f"{fresh.word()}.{fresh.word(8)}", fresh.word(), f"价目表{fresh.word()}"):
        student.mime_type(name).returns(OCTETS, **mistakes)
    student.mime_type(f"{fresh.word()}.xlsx").satisfies(
        lambda got: tuple(got) in (OCTETS, WORKBOOK),
        (f"the registered type of a workbook, or {octets}", f"工作簿的注册类型，或者 {octets}"),
        **mistakes,
    )
    for ending, types in (
        ("tar.gz", ("gzip", "x-gzip")),
        ("tgz", ("gzip", "x-gzip")),
        ("tar.bz2", ("x-bzip", "x-bzip2")),
        ("csv.xz", ("x-xz",)),
    ):
        right = (OCTETS, *(("application", subtype) for subtype in types))
        student.mime_type(f"{fresh.word()}.{ending}").satisfies(
            lambda got, right=right: tuple(got) in right,  # type: ignore[misc]
            (f"{octets}: the file is compressed", f"{octets}：文件是压缩过的"),
            compression_ignored=lambda got: got[1] in ("x-tar", "csv"),
            compression_as_type=lambda got: got[1].removeprefix("x-") in ("gzip", "bzip2", "xz"),
            **mistakes,
        )


# --- 3: a letter and its headers ----------------------------------------------------------------------------------


def test_letter(scene: Scene, student: Student, fresh: Fresh) -> None:
    """a plain letter: From, To, Subject and text, in Chinese and in other letters

    一封普通的信：发件人、收件人、主题和正文，中文和别的文字都可以
    """
    for number in range(2):
        sender, receiver = _person(fresh, "李雷"), _person(fresh, fresh.name())
        # The first is longer than an encoded word may be (RFC 2047 §2).
        subject = ("第三季度报价" * 8 + " <A&B>", "Łukasz & Zoë: 会议")[number] + fresh.word()
        text = _text(fresh)
        letter = _opened(scene, student.letter(sender, [receiver], subject, text), PLAIN)
        letter.satisfies(
            lambda tree: len(tree.parts) == 1 and len(tree.bodies("text/plain")) == 1,
            ("one part, the plain text", "只有一个部分：纯文本"),
            text_as_html=lambda tree: bool(tree.bodies("text/html")),
        )
        _expect_headers(letter, sender, [receiver], subject)
        _expect_text(letter, text)
        _expect_mime_version(letter)


def test_names(scene: Scene, student: Student, fresh: Fresh) -> None:
    """several receivers, and names with a comma, with quotes, or no name at all

    多个收件人；名字里有逗号、有引号，或者没有名字
    """
    names = [
        f"王小明{fresh.word(3)}",
        f"{fresh.word()}, {fresh.word()}",
        f"{fresh.word()} (sales)",
        f'Anna "{fresh.word()}" Berg',
    ]
    sender, to = _person(fresh, f"Li, {fresh.word()}"), [_person(fresh, name) for name in fresh.shuffled(names)]
    letter = _opened(scene, student.letter(sender, to, fresh.word(), f"{fresh.word()}\n"), PLAIN)
    _expect_people(letter, "From", [sender])
    _expect_people(letter, "To", to)
    sender, receiver = _person(fresh, fresh.name()), _person(fresh, "")
    letter = _opened(scene, student.letter(sender, [receiver], fresh.word(), f"{fresh.word()}\n"), PLAIN)
    _expect_people(letter, "To", [receiver])


# --- 4: two versions of one text ----------------------------------------------------------------------------------


def test_two_versions(scene: Scene, student: Student, fresh: Fresh) -> None:
    """the plain text first, then the HTML: two versions of one letter, each letter for letter

    先纯文本，后 HTML：同一封信的两个版本，都一字不差
    """
    text = f"\n{_text(fresh)}&lt;{fresh.word()}&gt;\n{'很长的一行' * 60}{fresh.word()}\n\nFrom {fresh.word()}\n."
    body = f'<p title="{fresh.word()}">你好 &amp; {fresh.name()}<br>  \n{"long " * 300}</p>\n'
    page = f"\n  <!doctype html>\n\n{body}"
    for plain in (text, _text(fresh)):
        letter = _opened(scene, student.two_versions(plain, page), ALTERNATIVE)
        _expect_versions(letter)
        letter.satisfies(lambda tree: len(tree.leaves) == 2, ("the two versions, no more", "只有这两个版本"))
        _expect_text(letter, plain)
        letter.part(_with_lf(letter.tree.body("text/html"))).equals(
            page,
            page_escaped=lambda got: "&lt;p" in got,
            charset_missing=lambda got: "\ufffd" in got,
            page_stripped=lambda got: got.split() == page.split(),
            page_changed=lambda got: True,
        )
        _expect_mime_version(letter)


# --- 5: a picture in the letter -----------------------------------------------------------------------------------


def test_picture(scene: Scene, student: Student, fresh: Fresh) -> None:
    """the HTML shows the picture that travels along with it, found by its Content-ID

    HTML 里显示随信带来的图片，用 Content-ID 找到它
    """
    for kind in ("png", "jpg"):
        text, description = _text(fresh), fresh.word()
        path, _ = _picture(scene, fresh, kind)
        letter = _opened(scene, student.picture_letter(text, path, description), RELATED)
        _expect_versions(letter)
        _expect_picture(letter)
        letter.satisfies(
            lambda tree: len(tree.leaves) == 3,
            ("text, HTML and one picture", "纯文本、HTML 和一张图片"),
            picture_twice=lambda tree: len(tree.files()) == 2,
        )
        _expect_text(letter, text)
        _expect_mime_version(letter)


def test_picture_arrives(scene: Scene, student: Student, fresh: Fresh) -> None:
    """the picture arrives byte by byte, and its type is what its name says

    图片一个字节不差地到达，类型与文件名一致
    """
    for kind, expected in (("png", "image/png"), ("jpg", "image/jpeg"), ("JPEG", "image/jpeg")):
        path, data = _picture(scene, fresh, kind)
        letter = _opened(scene, student.picture_letter(_text(fresh), path, fresh.word()), RELATED)
        _expect_versions(letter)
        _expect_picture(letter)
        picture = letter.tree.files()[0]
        _expect_data(letter, picture, data)
        letter.part(picture.type).equals(
            expected,
            subtype_jpg="image/jpg",
            case_of_extension=lambda got, kind=kind: got == "/".join(OCTETS) and kind == "JPEG",
            everything_is_octets="/".join(OCTETS),
            picture_type_fixed=lambda got: got.startswith("image/"),
        )


def test_picture_text(scene: Scene, student: Student, fresh: Fresh) -> None:
    """the text stands in both versions; as HTML it is escaped, in the description (alt) too

    正文在两个版本里都有；在 HTML 里要转义，图片说明（alt）也一样
    """
    tag = fresh.word()
    lines = [f"你好 {fresh.name()} & co,", f"5 < 7 <{tag}>{fresh.word()}</{tag}>", fresh.word()]
    text = f"  {lines[0]}\n{lines[1]}\n\n{lines[2]}\n\n"
    description = f'{fresh.word()} "日出" <{fresh.word()}> & it\'s {fresh.word()}, &lt;{fresh.word()}&gt;'
    path, _ = _picture(scene, fresh, "png")
    letter = _opened(scene, student.picture_letter(text, path, description), RELATED)
    _expect_versions(letter)
    _expect_text(letter, text)
    page = Markup(letter.tree.body("text/html"))
    letter.part(letter.tree.body("text/html")).satisfies(
        lambda got: [line for line in Markup(got).lines if line in lines] == lines and tag not in Markup(got).tags,
        (f"HTML that shows the lines {lines}", f"显示为这几行的 HTML：{lines}"),
        not_escaped=lambda got: tag in Markup(got).tags,
        escaped_twice=lambda got: any("&lt;" in line for line in Markup(got).lines),
        breaks_escaped=lambda got: re.search("&lt;br ?/?&gt;", got),
        text_removed=lambda got: tag not in got and all(line in got for line in lines[2:]),
        text_not_in_html=lambda got: lines[0].split()[1] not in got,
        breaks_lost=lambda got: " ".join(lines) in Markup(got).lines,
    )
    letter.part(letter.tree.body("text/html")).satisfies(
        lambda got: _empty_line_is_seen(got, lines),
        (f"HTML that shows an empty line before {lines[2]}", f"在 {lines[2]} 前面显示一个空行的 HTML"),
        empty_lines_lost=lambda got: True,
    )
    letter.part(page.above[0] if page.above else []).satisfies(
        lambda got: set(lines) <= set(got),
        ("all lines of the text above the picture", "正文的每一行都在图片上面"),
        not_in_html=lambda got: not page.pictures,
        several_pictures=lambda got: len(page.pictures) > 1,
        picture_above_text=lambda got: True,
    )
    _expect_description(letter, description)
    # What a template, a format or a regular expression takes for its own, and what may be marked in a page for later.
    marks = "{text} {alt} {cid} {description} {picture} {src} $text $cid %(alt)s TEXT ALT CID DESCRIPTION"
    odd = f"{{x}} {{0}} {{{{{fresh.word()}}}}} 100 % %s \\1 \\g<0> C:\\temp $5 $$ $alt {marks} {fresh.word()}"
    answer = student.picture_letter(f"{odd}\n", path, f"{fresh.word()} {odd}")
    exceptions = ("LookupError", "TypeError", "ValueError", "error", "PatternError")
    answer.value(text_is_a_template=lambda got: any(raises(name).matches(got) for name in exceptions))
    letter = _opened(scene, answer, RELATED)
    letter.part(Markup(letter.tree.body("text/html")).lines).satisfies(
        lambda got: odd in got,
        (f"HTML that shows the line {odd}", f"显示这一行的 HTML：{odd}"),
        text_is_a_template=lambda got: True,
    )
    letter.part([alt[7:] for alt in _descriptions(letter)]).equals([odd], text_is_a_template=lambda got: True)
    # A line break in an attribute may stay or become a blank; a tag is none there.
    description = f"{fresh.word()} <\n{fresh.word()}"
    letter = _opened(scene, student.picture_letter(text, path, description), RELATED)
    letter.part([" ".join(alt.split()) for alt in _descriptions(letter)]).equals(
        [" ".join(description.split())], br_in_description=lambda got: re.search("<br ?/?>", got[0])
    )


def _empty_line_is_seen(page: str, lines: list[str]) -> bool:
    """Whether more is between the last two of the lines, which an empty one parts, than between the first two.

    How many lines are between two depends on the elements that are used, so the page is measured by itself.
    """
    one, other, last = map(Markup(page).lines.index, lines)
    return last - other > other - one


# --- 6: files -----------------------------------------------------------------------------------------------------


def test_files(scene: Scene, student: Student, fresh: Fresh) -> None:
    """the files are attached beside the text, byte by byte, each with a real type

    文件作为附件放在正文旁边，一个字节不差，类型真实存在
    """
    text, files = _text(fresh), _files(scene, fresh)
    letter = _opened(scene, student.letter_with_files(text, _paths(files)), MIXED)
    _expect_files(letter, files)
    letter.satisfies(
        lambda tree: len(tree.bodies("text/plain")) == 1 and len(tree.leaves) == 1 + len(files),
        ("the text and the files, no more", "正文和文件，没有别的"),
        no_plain_text=lambda tree: not tree.bodies("text/plain"),
    )
    letter.satisfies(
        lambda tree: tree.leaves[0].type == "text/plain",
        ("the text, then the files", "先正文，后文件"),
        text_after_files=lambda tree: True,
    )
    _expect_text(letter, text)
    _expect_mime_version(letter)
    scene.now("Then it is called without any file.", "然后不带文件再调用一次。")
    text = _text(fresh)
    letter = _opened(scene, student.letter_with_files(text, []), PLAIN)
    _expect_text(letter, text)


def test_file_names(scene: Scene, student: Student, fresh: Fresh) -> None:
    """each file comes with its name, in Chinese too, without the folders it lay in

    每个文件都带着自己的名字，中文名也一样，但不带它所在的文件夹
    """
    folder = scene.folder() / f"资料{fresh.word()}"
    folder.mkdir()
    names = [
        f"价目表{fresh.word()}.xlsx",
        f"a b;{fresh.word()}.txt",
        f"Zoë’s photo {fresh.word()}.jpg",
        f"{'会议纪要' * 8}{fresh.word()}.pdf",
    ]
    paths = [str(folder / name) for name in names]  # neither in the order of the names nor in the reverse
    for path in paths:
        Path(path).write_bytes(b"\xff" + fresh.data(40))  # no text in UTF-8 or GB 18030
    letter = _opened(scene, student.letter_with_files(_text(fresh), paths), MIXED)
    _expect_attached(letter, names)
    _expect_names(letter, names)


def test_odd_files(scene: Scene, student: Student, fresh: Fresh) -> None:
    """one part for each file: an empty one, a large one, two of one name, one that is there twice

    每个文件都是一个部分：空文件、大文件、两个同名的文件、给了两次的文件
    """
    name, one, other, large = f"{fresh.word()}.csv", _table(fresh), _table(fresh), fresh.data(100_000)
    twice = _write(scene, name, one)
    files = [
        (twice, one),
        (_write(scene, f"{fresh.word()}.jpg", large), large),
        (_write(scene, name, other), other),
        (_write(scene, f"{fresh.word()}.csv", b""), b""),
        (twice, one),
    ]
    letter = _opened(scene, student.letter_with_files(_text(fresh), _paths(files)), MIXED)
    _expect_files(letter, files)


# --- 7: the whole letter ------------------------------------------------------------------------------------------


def test_whole_letter(scene: Scene, student: Student, fresh: Fresh) -> None:
    """all of it in one letter: headers, two versions, a picture, files

    全部放进一封信：信头、两个版本、图片、附件
    """
    before: list[str] = []
    for number in range(2):
        sender, to = _person(fresh, "韩梅梅"), [_person(fresh, fresh.name()), _person(fresh, f"Li, {fresh.word()}")]
        subject, text, description = f"照片 & 报价 {fresh.word()}", _text(fresh), f'日出 "{fresh.word()}" <b> & &lt;co'
        (path, data), files = _picture(scene, fresh, ("png", "jpg")[number]), _files(scene, fresh)
        if number:
            scene.now("This is the second letter of one program.", "这是同一个程序里的第二封信。")
        answer = student.whole_letter(sender, to, subject, text, path, description, _paths(files), NO_LIMIT)
        letter = _opened(scene, answer, WHOLE)
        _expect_versions(letter)
        _expect_picture(letter, _paths(files))
        letter.satisfies(
            lambda tree: not any(tree.around(part, "multipart/alternative") for part in _attached(tree)),
            ("the files beside the two versions, in multipart/mixed", "文件在两个版本之外，放在 multipart/mixed 里"),
            files_in_one_version=lambda tree: True,
        )
        names = [part.name for part in letter.tree.files()]
        letter.part(names).satisfies(
            lambda got, before=tuple(before): not set(before) & set(got),  # type: ignore[misc]
            ("no file of the letter before", "没有上一封信的文件"),
            left_from_before=lambda got: True,
        )
        _expect_files(letter, files)
        _expect_headers(letter, sender, to, subject)
        _expect_text(letter, text)
        _expect_description(letter, description)
        (shown,) = [part for part in letter.tree.files() if part.disposition != "attachment"]
        _expect_data(letter, shown, data)
        _expect_mime_version(letter)
        before += [Path(path).name for path in _paths(files)]
    scene.now("Then it is called without any file.", "然后不带文件再调用一次。")
    letter = _opened(scene, student.whole_letter(sender, to, subject, text, path, description, [], NO_LIMIT), RELATED)
    _expect_versions(letter)
    _expect_picture(letter)


def test_limit(scene: Scene, student: Student, fresh: Fresh) -> None:
    """a letter that is too large, as it travels, is a ValueError

    按传输时的大小计算，信太大就抛出 ValueError
    """
    path, _ = _picture(scene, fresh, "png")
    large = [_write(scene, f"{fresh.word()}.bin", fresh.data(30_000)) for _ in range(2)]
    # Chinese names are longer as encoded words than they are in UTF-8.
    sender, to = _person(fresh, "李雷"), [_person(fresh, f"韩梅梅和李雷{fresh.word()}") for _ in range(30)]
    subject, text = fresh.word(), _text(fresh)

    def call(limit: int) -> Answer:
        return student.whole_letter(sender, to, subject, text, path, "sunrise", large, limit)

    letter = call(NO_LIMIT).value(**STUMBLES)
    bare = len(letter.replace(b"\r\n", b"\n")) if isinstance(letter, Mail) else 0
    size = bare + letter.count(b"\n") if isinstance(letter, Mail) else 0
    scene.now(f"The limit is 300 bytes more than the letter has, {size:,}.", f"上限比这封信的 {size:,} 字节多 300。")
    call(size + 300).value(limit_too_strict=raises("ValueError"))
    for limit, english, chinese in (
        (20_000, "each of the two files is larger", "两个文件都各自超过了"),
        (50_000, "the two files together are larger", "两个文件加起来就超过了"),
        (
            70_000,
            "the files are smaller, but Base64 adds a third to them",
            "文件没有超过，但 Base64 会让它们变大三分之一",
        ),
        (
            size - 300,
            f"with CR and LF at each line's end, as it travels, the letter has {size:,}, with LF {bare:,}",
            f"传输时每行以 CR LF 结尾，这封信有 {size:,} 字节，只用 LF 则是 {bare:,}",
        ),
    ):
        scene.now(f"The limit is {limit:,} bytes: {english}.", f"上限是 {limit:,} 字节：{chinese}。")
        call(limit).raises(
            "ValueError",
            left_out=lambda got, limit=limit: isinstance(got, Mail) and len(got) <= limit < len(letter),
            no_limit=lambda got, limit=limit: limit == 20_000 and isinstance(got, Mail),
            each_alone=lambda got, limit=limit: limit == 50_000 and isinstance(got, Mail),
            size_of_the_files=lambda got, limit=limit: limit == 70_000 and isinstance(got, Mail),
            not_all_counted=lambda got: isinstance(got, Mail),
        )


# --- what is expected of a message --------------------------------------------------------------------------------


def _unwritable(got: Any) -> bool:
    return isinstance(got, Raised) and _in_email(got) and not any(frame.own for frame in got.frames)


def _in_email(got: Raised) -> bool:
    return any(f"{os.sep}email{os.sep}" in frame.file for frame in got.frames)


STUMBLES: dict[str, Any] = {
    "cannot_be_written": _unwritable,
    "header_twice": raises("ValueError", "at most 1"),
    "related_on_alternative": raises("ValueError", "alternative to related"),
    "files_before_text": lambda got: (
        raises("ValueError", "mixed to").matches(got) or raises("TypeError", "multipart").matches(got)
    ),
    "bytes_as_text": lambda got: raises("UnicodeDecodeError").matches(got) and _in_email(got),
    "opened_as_text": raises("UnicodeDecodeError"),
    "type_not_given": raises("TypeError", "maintype"),
    "guess_may_be_none": raises("AttributeError", "NoneType"),
}
"""Mistakes that end in an exception."""


def _opened(scene: Scene, answer: Answer, wanted: tuple[str, ...]) -> Letter:
    value = answer.value(**STUMBLES)
    if not isinstance(value, Mail):
        answer.satisfies(
            lambda got: False,
            ("an EmailMessage", "一个 EmailMessage"),
            returned_none=None,
            message_as_text=lambda got: isinstance(got, (str, bytes)),
        )
    try:
        return Letter(scene, answer, Tree(value), wanted)
    except Unreadable as error:
        scene.fail(Failure("message_unreadable", answer.called, {"what": terminal.escaped(str(error))[0][:200]}))


def _expect_versions(letter: Letter) -> None:
    letter.satisfies(
        _are_versions,
        (
            "text/plain, then text/html, together in one multipart/alternative",
            "先 text/plain，后 text/html，一起放在同一个 multipart/alternative 里",
        ),
        html_as_plain=lambda tree: len(tree.bodies("text/plain")) == 2 and not tree.bodies("text/html"),
        no_plain_text=lambda tree: not tree.bodies("text/plain"),
        no_html=lambda tree: not tree.bodies("text/html"),
        versions_in_mixed=lambda tree: not _common_alternative(tree),
        html_first=lambda tree: tree.bodies("text/html")[0].path < tree.bodies("text/plain")[0].path,
    )


def _are_versions(tree: Tree) -> bool:
    plain, page = tree.bodies("text/plain"), tree.bodies("text/html")
    return len(plain) == len(page) == 1 and plain[0].path < page[0].path and _common_alternative(tree)


def _common_alternative(tree: Tree) -> bool:
    """Whether what both are in, most closely, is an alternative."""
    (plain, *_), (page, *_) = tree.bodies("text/plain"), tree.bodies("text/html")
    return tree.common(plain, page).type == "multipart/alternative"


def _sources(tree: Tree) -> list[str]:
    return [picture.get("src", "").strip() for picture in Markup(tree.body("text/html")).pictures]


def _id(tree: Tree) -> str:
    """The id that the HTML asks for: in a URL it may be percent-encoded (RFC 2392)."""
    source = (_sources(tree) or [""])[0]
    return unquote(source[4:]) if source[:4].lower() == "cid:" else ""


def _referred(tree: Tree) -> Part | None:
    return next((part for part in tree.leaves if part.content_id == f"<{_id(tree)}>"), None)


def _shown(tree: Tree, files: Collection[str]) -> Part | None:
    """The part that is meant for the picture, whatever is wrong with it; it is none of these files."""
    names = [Path(path).name for path in files]
    others = [part for part in tree.files() if part.name not in names]
    pictures = [part for part in others if part.type.startswith("image/")] or others
    marked = [part for part in pictures if part.content_id]
    return next(iter([*marked, *pictures]), None)


def _expect_picture(letter: Letter, files: Collection[str] = ()) -> None:
    def picture(test: Callable[[Tree, Part], bool]) -> Callable[[Tree], bool]:
        def applied(tree: Tree) -> bool:
            part = _shown(tree, files)
            return part is not None and test(tree, part)

        return applied

    marked = picture(lambda tree, part: bool(re.fullmatch(r"<[!-;=?-~]+>", part.content_id)) and not part.encoded_id)
    letter.satisfies(
        lambda tree: len(_sources(tree)) == 1 and (_is_related(tree) or (marked(tree) and bool(_id(tree)))),
        WITH_PICTURE,
        not_in_html=lambda tree: not _sources(tree),
        several_pictures=lambda tree: len(_sources(tree)) > 1,
        picture_in_url=lambda tree: _sources(tree)[0].startswith("data:"),
        picture_as_link=lambda tree: not _sources(tree)[0].lower().startswith("cid:"),
        picture_missing=lambda tree: _shown(tree, files) is None,
        brackets_in_html=lambda tree: _id(tree).startswith("<"),
        id_missing=picture(lambda tree, part: not part.content_id),
        id_without_brackets=picture(lambda tree, part: part.content_id == _id(tree)),
        id_encoded=lambda tree: not marked(tree),
    )
    part = _shown(letter.tree, files)
    if _referred(letter.tree) is None and part is not None:
        wanted = part.content_id.strip("<>")
        letter.part(f"cid:{_id(letter.tree)}").equals(
            f"cid:{wanted}",
            brackets_in_html=f"cid:<{wanted}>",
            cid_misspelled=lambda got: unquote(got[4:]).strip("/ ") == wanted,
            id_differs=lambda got: True,
        )
    letter.satisfies(
        _is_related,
        WITH_PICTURE,
        picture_attached=picture(lambda tree, part: part.disposition == "attachment"),
        picture_in_mixed=picture(lambda tree, part: tree.inside(part) == "multipart/mixed"),
        picture_is_alternative=picture(lambda tree, part: tree.inside(part) == "multipart/alternative"),
        picture_before_html=picture(lambda tree, part: part.path < tree.bodies("text/html")[0].path),
    )


def _is_related(tree: Tree) -> bool:
    """Whether the picture and the HTML are in one related, whose first part is, or holds, the HTML (RFC 2387)."""
    picture, page = _referred(tree), tree.bodies("text/html")[0]
    if picture is None or picture.encoded_id or picture.disposition not in ("", "inline"):
        return False
    related = picture.path[:-1]
    root = (*related, 0)
    return tree.inside(picture) == "multipart/related" and picture.path != root and page.path[: len(root)] == root


def _attached(tree: Tree) -> list[Part]:
    """The files beside the picture."""
    picture = _referred(tree) if tree.bodies("text/html") else None
    return [part for part in tree.files() if picture is None or part.path != picture.path]


def _expect_attached(letter: Letter, names: Sequence[str]) -> None:
    number = len(names)
    letter.satisfies(
        lambda tree: len(_attached(tree)) == number and all(_is_attached(tree, part) for part in _attached(tree)),
        (
            f"{number} parts in multipart/mixed with Content-Disposition: attachment",
            f"multipart/mixed 里有 {number} 个部分带 Content-Disposition: attachment",
        ),
        file_missing=lambda tree: len(_attached(tree)) < number,
        too_many_files=lambda tree: len(_attached(tree)) > number,
        disposition_encoded=lambda tree: any(_odd_disposition(part) for part in _attached(tree)),
        not_attached=lambda tree: any(part.disposition != "attachment" for part in _attached(tree)),
        files_in_related=lambda tree: any(tree.inside(part) == "multipart/related" for part in _attached(tree)),
    )
    got = [part.name for part in _attached(letter.tree)]
    if sorted(got) == sorted(names):
        letter.part(got).equals(list(names), files_in_other_order=lambda got: True)


def _is_attached(tree: Tree, part: Part) -> bool:
    return part.disposition == "attachment" and tree.inside(part) == "multipart/mixed" and not _odd_disposition(part)


def _odd_disposition(part: Part) -> bool:
    """Whether the header was encoded as a whole, its first word too: few programs look for that."""
    return any("=?" in str(value)[:10] for name, value in part.message.raw_items() if name == "Content-Disposition")


def _expect_names(letter: Letter, names: list[str]) -> None:
    letter.part([part.name for part in _attached(letter.tree)]).equals(
        names,
        file_without_name=lambda got: not all(got),
        path_as_name=lambda got: any("/" in name for name in got),
        name_in_ascii=[name.encode("ascii", "ignore").decode() for name in names],
        name_percent_encoded=lambda got: [unquote(name) for name in got] == names,
        name_as_latin_1=lambda got: any("\xe4" <= char <= "\xe9" for name in got[:3] for char in name),
        file_names=lambda got: True,
    )


def _expect_files(letter: Letter, files: list[File]) -> None:
    names = [Path(path).name for path in _paths(files)]
    _expect_attached(letter, names)
    attached = _attached(letter.tree)
    letter.satisfies(
        lambda tree: all(_is_type(part, name) for part, name in zip(attached, names, strict=True)),
        ("the types that mime_type gives", "mime_type 给出的类型"),
        invented_type=lambda tree: any(part.type.partition("/")[0] not in REGISTERED for part in attached),
        subtype_jpg=lambda tree: any(part.type == "image/jpg" for part in attached),
        everything_is_octets=lambda tree: all(part.type == "/".join(OCTETS) for part in attached),
    )
    _expect_names(letter, names)
    for part, (_, data) in zip(attached, files, strict=True):
        _expect_data(letter, part, data)


def _is_type(part: Part, path: str) -> bool:
    wanted = {"jpg": "image/jpeg", "csv": "text/csv", "xlsx": "application/"}  # not every machine knows workbooks
    return part.type.startswith(wanted[path.rpartition(".")[2]])


def _descriptions(letter: Letter) -> list[str]:
    return [picture.get("alt", "") for picture in Markup(_with_lf(letter.tree.body("text/html"))).pictures]


def _expect_description(letter: Letter, description: str) -> None:
    letter.part(_descriptions(letter)).equals(
        [description],
        description_missing=lambda got: not any(got),
        alt_without_quotes=lambda got: re.search(r"""\balt\s*=\s*[^\s"']""", letter.tree.body("text/html")),
        ampersand_forgotten=lambda got: got[0] == html.unescape(description),
        escaped_twice=lambda got: html.unescape(got[0]) in (description, html.unescape(description)),
        description_not_escaped=lambda got: description.startswith(got[0]) or "<" in got[0],
    )


def _expect_data(letter: Letter, part: Part, data: bytes) -> None:
    letter.part(part.data()).equals(
        data,
        letters_replaced=lambda got: "\ufffd".encode() in got,
        bytes_as_text=lambda got: got.split() == data.split(),
        encoded_twice=lambda got: _decoded(got) == data,
        data_cut=data.startswith,
        data_changed=lambda got: True,
    )


def _expect_headers(letter: Letter, sender: tuple[str, str], to: list[tuple[str, str]], subject: str) -> None:
    _expect_people(letter, "From", [sender])
    _expect_people(letter, "To", to)
    raw = "".join(str(value) for name, value in letter.tree.message.raw_items() if name.lower() == "subject")
    letter.part(raw).satisfies(
        lambda got: not _cut_words(got),
        ("encoded words that hold whole characters each", "每个编码字里都是完整的字符"),
        character_cut=lambda got: True,
    )
    # Python itself may lose or add a blank where it folds a line between two encoded words.
    got = letter.tree.header("Subject")
    letter.part(subject if _without_blanks(got) == _without_blanks(subject) else got.strip()).equals(
        subject,
        escaped_in_header=lambda got: html.unescape(got) == subject,
        subject_changed=lambda got: got[:2] not in ("b'", 'b"'),
    )


def _cut_words(raw: str) -> list[str]:
    """Encoded words whose bytes are none of their charset: Python puts two halves together, other programs do not."""
    cut = []
    for word in re.findall(r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=", raw):
        try:
            ((data, charset),) = decode_header(word)
            data.decode(charset)
        except UnicodeDecodeError:
            cut.append(word)
        except (LookupError, MessageError):
            continue  # wrong in another way: that is told elsewhere
    return cut


def _expect_people(letter: Letter, header: str, people: list[tuple[str, str]]) -> None:
    raw = [str(value) for name, value in letter.tree.message.raw_items() if name.lower() == header.lower()]
    letter.part(raw).satisfies(
        lambda got: len(got) == 1 and got[0].isascii(),
        (f"one header {header}, in ASCII", f"一个 {header} 信头，只有 ASCII"),
        header_missing=lambda got: not got,
        header_twice=lambda got: len(got) > 1,
        raw_header=lambda got: True,
    )
    got = letter.tree.people(header)
    got = [
        wanted if _without_blanks(name) == _without_blanks(wanted[0]) and address == wanted[1] else (name, address)
        for (name, address), wanted in zip(got, [*people, *[("", "")] * len(got)], strict=False)
    ]
    addresses = [address for _, address in people]
    letter.part(got).equals(
        people,
        address_encoded=lambda got: raw[0].startswith("=?") and "@" not in raw[0],
        list_as_text=lambda got: raw[0].startswith("["),
        joined_by_semicolons=lambda got: ">;" in raw[0],
        first_receiver_only=lambda got: len(people) > 1 and got == people[:1],
        receiver_missing=lambda got: len(got) < len(people) and all(person in people for person in got),
        one_too_many=lambda got: len(got) > len(people) and all(person in got for person in people),
        escaped_in_header=lambda got: [(html.unescape(name), address) for name, address in got] == people,
        names_lost=lambda got: [address for _, address in got] == addresses and not any(name for name, _ in got),
        name_not_quoted=lambda got: any(set(',"(') & set(name) for name, _ in people),
    )


def _expect_mime_version(letter: Letter) -> None:
    letter.part(letter.tree.header("MIME-Version")).equals("1.0", mime_version_missing="")


def _expect_text(letter: Letter, text: str) -> None:
    text = _ended(text)
    letter.part(_ended(_with_lf(letter.tree.body("text/plain")))).equals(
        text,
        text_escaped=lambda got: html.unescape(got) == text,
        text_unescaped=lambda got: html.unescape(text) == got,
        tags_in_plain=lambda got: re.search("<br ?/?>|<p>", got),
        charset_missing=lambda got: "\ufffd" in got,
        other_line_ends=lambda got: got.splitlines() == text.splitlines(),
        blanks_changed=lambda got: got.split() == text.split(),
        text_changed=lambda got: True,
    )


def _with_lf(text: str) -> str:
    return text.replace("\r\n", "\n")


def _ended(text: str) -> str:
    """The text with a line end at its end: a part of a message has one, whether or not the text had it."""
    return text if text.endswith("\n") else f"{text}\n"


def _without_blanks(text: str) -> str:
    return "".join(text.split())


def _decoded(got: bytes) -> bytes:
    try:
        return base64.b64decode(got)
    except ValueError:
        return b""


# --- fresh data ---------------------------------------------------------------------------------------------------


def _person(fresh: Fresh, name: str) -> tuple[str, str]:
    return name, f"{fresh.word()}@{fresh.host()}"


def _text(fresh: Fresh) -> str:
    """A text in which every character counts: blanks at its edges, the mark of a signature, empty lines at its end."""
    lines = (f"{fresh.word()} < 5", f"你好 {fresh.name()},\f{fresh.word()} & {fresh.word()}\u2028{fresh.word()}", "-- ")
    return "".join(f"  {line}\n" for line in (*lines, fresh.word())) + "\n\n"


def _write(scene: Scene, name: str, data: bytes) -> str:
    """The path of a new file of this name, in a folder of its own."""
    folder = scene.folder() / "files.d"  # a dot that is not the file's own
    folder.mkdir()
    path = folder / name
    path.write_bytes(data)
    return str(path)


def _picture(scene: Scene, fresh: Fresh, ending: str) -> tuple[str, bytes]:
    """A small picture, new in each run: its path and its bytes."""
    colour = (fresh.number(0, 255), fresh.number(0, 255), fresh.number(0, 255))
    if ending == "png":
        data = png(fresh.number(4, 12), 8, lambda x, y: colour if (x + y) % 2 else (x, y, 9))
    else:
        data = jpeg(fresh.number(1, 4), 2, lambda x, y: colour, fresh.word().encode())
    return _write(scene, f"日出 {fresh.word()}.{ending}", data), data


def _files(scene: Scene, fresh: Fresh) -> list[File]:
    """A photo, a text that is not in UTF-8, and a workbook: neither in the order of their names nor in the reverse."""
    folder = scene.folder() / "files.d"
    folder.mkdir()
    files = {
        f"照片{fresh.word()}.jpg": jpeg(2, 1, lambda x, y: (x, y, 200), fresh.word().encode()),
        f"{fresh.word()}.csv": _table(fresh),
        f"价目表{fresh.word()}.xlsx": xlsx([["苹果", fresh.number(1, 99)], [fresh.word(), 7]]),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [(str(folder / name), data) for name, data in files.items()]


def _table(fresh: Fresh) -> bytes:
    """A CSV file that is not in UTF-8."""
    return f"名称,价格\r\n{fresh.word()},{fresh.number(1, 99)}\r\n".encode("gb18030")


def _paths(files: list[File]) -> list[str]:
    return [path for path, _ in files]
