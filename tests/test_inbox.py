"""inbox: read your mail, and keep what it brings in a safe place. In the order of the contract."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dojo.expect import Answer, Expectation, Scene, Student, raises
from dojo.fakes.maildrop import Maildrop, stuffed, travelling
from dojo.fakes.pop3 import FakePOP3
from dojo.fakes.raw import Action, Close, FakeTCP, Reset, Send, Silence
from dojo.fakes.tls import Authority
from dojo.files import written
from dojo.fresh import Fresh
from dojo.outcome import Hung, NotPlain, Raised
from dojo.wire import Wire
from tests.mails import (
    CRLF,
    Entity,
    File,
    Letter,
    attached,
    gmail,
    in_base64,
    in_quoted_printable,
    mail,
    multipart,
    outlook,
    plain,
    qq_mail,
    thunderbird,
    whole,
    words,
)

FAILURE = ("error_proto", "OSError")
"""What comes of a session that goes wrong, as the libraries raise it."""

PROGRAMS: tuple[tuple[str, Callable[[Letter], bytes]], ...] = (
    ("Gmail", gmail),
    ("Outlook", outlook),
    ("Thunderbird", thunderbird),
    ("QQ Mail", qq_mail),
)


NAMES = ("王小明", "韩梅梅", "李雷", "Ada", "陈静", "Zoe", "赵一")
SUBJECTS = (
    "会议纪要：关于下周一上午在三楼会议室举行的项目进度讨论以及各部门人员安排的通知",
    "RE: 请确认本周五之前需要提交的课程设计报告的格式要求以及评分标准和答辩时间安排表",
)


def crashed(got: object) -> bool:
    """Whether an exception came, and not the one with which a stub says that nothing is written yet."""
    return isinstance(got, Raised) and got.type != "NotImplementedError"


# --- from bytes to a message ------------------------------------------------------------------------------


def test_join_lines(student: Student, fresh: Fresh) -> None:
    """the bytes of a mail from its lines: each gets its CRLF back

    由各行拼出邮件的字节：每一行都要补回 CRLF
    """
    lines = [f"Subject: {fresh.word()}".encode(), b"", fresh.name().encode(), b"", f".{fresh.word()}".encode()]
    student.join_lines(lines).returns(
        b"".join(line + CRLF for line in lines),
        lines_glued=b"".join(lines),
        last_end_missing=CRLF.join(lines),
        bare_lf=lambda got: b"\n" in got and CRLF not in got,
    )
    student.join_lines([b"  -- "]).returns(b"  -- \r\n", blanks_lost=lambda got: got.strip() == b"--")
    student.join_lines([b"\xff\xfe"]).returns(
        b"\xff\xfe\r\n",
        last_end_missing=b"\xff\xfe",
        bytes_through_text=lambda got: isinstance(got, bytes) or crashed(got),
    )
    student.join_lines([]).returns(b"")


def test_headers(scene: Scene, student: Student, fresh: Fresh) -> None:
    """subject, sender, recipients and date, decoded, as four mail programs write them

    四种邮件程序写出的主题、发件人、收件人和日期，解码后得到
    """
    for (program, write), subject in zip(PROGRAMS, fresh.shuffled(SUBJECTS * 2), strict=True):
        letter = a_letter(fresh, subject=subject)
        scene.now(f"A mail as {program} writes it.", f"一封 {program} 风格的邮件。")
        called = student.read_headers(write(letter))
        _expect_headers(called, letter)
    scene.now("The subject is folded: its next line begins with a blank.", "主题折行：下一行以空格开头，接着写。")
    letter = a_letter(fresh)
    start, end = fresh.word(), fresh.word()
    folded = mail(_header(letter, f"Subject: Minutes of {start}\r\n and {end}"), plain("Hi."))
    _expect_subject(student.read_headers(folded), f"Minutes of {start} and {end}")
    scene.now(
        "It has two senders, and Sender, Reply-To and Cc beside From and To; an encoded word holds a comma, another is"
        " written with a small `b`; it comes from Greenwich: +0000.",
        "有两位发件人，还有 Sender、Reply-To 和 Cc；一个编码字里有逗号，另一个用的是小写的 b；时区是 +0000。",
    )
    moment = f"24 Nov 2026 09:30:{fresh.number(10, 59)}"
    two = [f"From: a <{start}@example.com>, b <{end}@example.com>", f"Date: Tue, {moment} +0000"]
    others = [f"Sender: c <{fresh.word()}@example.com>", f"Reply-To: d <{fresh.word()}@example.com>"]
    person, subject = f"李, 雷 {fresh.word()}", f"会议 {fresh.word()}"
    to = f"To: {words(person, 'utf-8')} <b@example.org>"
    rest = [to, f"Cc: e <{fresh.word()}@example.com>", f"Subject: {words(subject, 'utf-8').replace('?B?', '?b?')}"]
    called = student.read_headers(mail(_header(letter, *others, *two, *rest), plain("Hi.")))
    value = _headers(called)
    called.part(value["from"]).equals(
        ("a", f"{start}@example.com"),
        last_sender=("b", f"{end}@example.com"),
        another_header=lambda got: got[0] in ("c", "d"),
    )
    called.part(value["to"]).equals(
        [(person, "b@example.org")],
        another_header=lambda got: got[-1][0] == "e",
        comma_decoded_first=lambda got: got[0] != (person, "b@example.org"),
    )
    called.part(value["subject"]).equals(subject, not_decoded=lambda got: "=?" in got)
    called.part(value["date"]).equals(f"2026-11-24T{moment[12:]}+00:00", date_ends_with_z=lambda got: got.endswith("Z"))


def test_odd_headers(scene: Scene, student: Student, fresh: Fresh) -> None:
    """headers that are broken or not there cost nothing but themselves

    头部损坏或者缺失，影响的只是它自己
    """
    letter = a_letter(fresh)
    subject = f"会议 {fresh.word()}"
    scene.now("The subject is UTF-8 as it is, without encoded words.", "主题直接写成 UTF-8，没有用编码字。")
    raw = mail(_header(letter, f"Subject: {subject}"), plain("Hi."))
    called = student.read_headers(raw)
    value = _headers(
        called,
        header_object=lambda got: isinstance(got, NotPlain) or raises("AttributeError", "Header").matches(got),
        eight_bit_lost=raises("UnicodeError"),
    )
    called.part(value["subject"]).equals(subject, eight_bit_lost=lambda got: "\ufffd" in got or "?" in got)
    scene.now("Two names are UTF-8 as they are, without encoded words.", "两个名字直接写成 UTF-8，没有用编码字。")
    name, other = f"李雷{fresh.word(3)}", f"韩梅梅 {fresh.word(3)}"
    named = [f"From: {name} <a@example.com>", f'To: "{other}" <b@example.com>']
    called = student.read_headers(mail(_header(letter, *named), plain("Hi.")))
    value = _headers(
        called,
        lone_surrogates=lambda got: raises("UnicodeEncodeError").matches(got) or isinstance(got, NotPlain),
        eight_bit_lost=raises("UnicodeError"),
    )
    called.part((value["from"], value["to"])).equals(
        ((name, "a@example.com"), [(other, "b@example.com")]),
        lone_surrogates=lambda got: any("\udc80" <= character <= "\udcff" for character in str(got[0][0])),
        eight_bit_lost=lambda got: "\ufffd" in str(got) or "?" in str(got),
    )
    scene.now("A line end stands encoded in the subject.", "主题里有一个编码过的换行。")
    start, end = fresh.word(), fresh.word()
    more = f"Subject: =?utf-8?Q?{start}=0D=0ABcc:_{end}?="
    called = student.read_headers(mail(_header(letter, more), plain("Hi.")))
    called.part(_headers(called, line_end_in_subject=crashed)["subject"]).satisfies(
        lambda got: isinstance(got, str) and start in got and end in got and len(got.splitlines()) == 1,
        ("text on one line, all words in it", "一行文本，词都在"),
        line_end_in_subject=lambda got: isinstance(got, str) and len(got.splitlines()) > 1,
    )
    for date in ("yesterday", "Tue, 99 Nov 2026 99:99:99 +0800", ""):
        scene.now(f"The date is `{date}`.", f"日期是“{date}”。")
        called = student.read_headers(mail(_header(letter, f"Date: {date}"), plain("Hi.")))
        value = _headers(called, broken_date_crashes=crashed)
        called.part(value["date"]).equals(None, date_invented=lambda got: isinstance(got, str))
        called.part(value["from"]).equals(letter.sender)
    scene.now("There is no header but a Message-ID.", "除了 Message-ID 没有别的头部。")
    text = f"Subject: {fresh.word()}\r\nFrom: a@example.com\r\nTo: b@example.com\r\n"
    bare = mail([f"Message-ID: <{fresh.word()}@example.com>"], plain(text))
    called = student.read_headers(bare)
    value = _headers(called, headers_always_there=crashed)
    called.part(value).equals(
        {"subject": "", "from": ("", ""), "to": [], "date": None},
        body_is_header=lambda got: got["subject"] and got["subject"] in text,
        headers_always_there=lambda got: got["subject"] in (None, "None") or got["from"] is None or got["to"] is None,
        nobody_is_somebody=lambda got: len(got["to"]) == 1,
    )
    scene.now("It was sent to people that it does not name.", "这封信没有写出收件人。")
    hidden = mail(_header(letter, "To: undisclosed-recipients:;"), plain("Hi."))
    called = student.read_headers(hidden)
    value = _headers(called, nobody_is_somebody=crashed)
    called.part(value["to"]).equals([], nobody_is_somebody=lambda got: len(got) == 1)
    scene.now("The subject has a charset that does not exist.", "主题声明的字符集并不存在。")
    unknown = mail(_header(letter, f"Subject: =?x-{fresh.word()}?B?5L2g5aW9?="), plain("Hi."))
    called = student.read_headers(unknown)
    value = _headers(called, charset_always_known=raises("LookupError"))
    called.part(value["from"]).equals(letter.sender)
    scene.now("The sender is `Ada <`, and the second recipient too.", "发件人是“Ada <”，第二位收件人也是。")
    cut = _header(letter, "From: Ada <", f"To: {letter.sender[1]}, Ada <", f"Subject: {start}")
    called = student.read_headers(mail(cut, plain("Hi.")))
    called.part(_headers(called, broken_address_crashes=crashed)["subject"]).equals(start)


def test_bodies(scene: Scene, student: Student, fresh: Fresh) -> None:
    """what a mail says, as text and as HTML, wherever in the tree it stands and however it is encoded

    邮件的正文，文本和 HTML，无论在哪一层，无论怎样编码
    """
    text, html = _text(fresh), f"<p>{fresh.one_of(NAMES)} {fresh.word()}</p>\r\n"
    scene.now("A mail with nothing but text.", "只有文本的邮件。")
    signed = f"  {text}-- \r\nEnd.  "
    called = student.read_bodies(mail(_header(a_letter(fresh), "Subject: Hi"), plain(f"{signed}\r\n")))
    blanks = [line.strip() for line in signed.splitlines()]
    _expect_bodies(
        called,
        signed,
        None,
        html_for_text=lambda got: got["html"],
        blanks_lost=lambda got: got["text"] and [line.strip() for line in got["text"]] == blanks,
    )
    scene.now("A text that is labelled `inline`.", "一段标签为 inline 的文本。")
    header, content = plain(text)
    shown = [*header, "Content-Disposition: inline"], content
    called = student.read_bodies(mail(_header(a_letter(fresh), "Subject: Hi"), shown))
    _expect_bodies(called, text, None, inline_is_attached=lambda got: got["text"] is None)
    scene.now("A mail in GBK, 8-bit, as old programs send it.", "一封 GBK 编码的 8 位邮件，老程序会这样发。")
    called = student.read_bodies(mail(_header(a_letter(fresh), "Subject: Hi"), plain(text, "gbk")))
    _expect_bodies(called, text, None, always_utf8=crashed)
    scene.now("A mail with nothing but HTML, in Base64.", "只有 HTML 的邮件，Base64 编码。")
    only = ["Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: base64"], in_base64(html)
    called = student.read_bodies(mail(_header(a_letter(fresh), "Subject: Hi"), only))
    _expect_bodies(called, None, html, html_for_text=lambda got: got["text"])
    for program, write in (*PROGRAMS, ("Outlook", lambda letter: outlook(letter, fresh.data(40)))):
        letter = a_letter(fresh, html=html)
        scene.now(f"A mail as {program} writes it.", f"一封 {program} 风格的邮件。")
        called = student.read_bodies(write(letter))
        _expect_bodies(
            called,
            letter.text,
            None if write is thunderbird else html,
            html_for_text=lambda got: got["text"] and got["text"][0].startswith("<p>"),
        )


def test_odd_bodies(scene: Scene, student: Student, fresh: Fresh) -> None:
    """no body at all, text that is attached, a mail inside the mail, charsets unknown or not stated

    没有正文、文本是附件、信中有信、字符集未知或没有声明
    """
    header = _header(a_letter(fresh), "Subject: Hi")
    text, other = _text(fresh), _text(fresh)
    scene.now("The mail is a PDF, and nothing else.", "整封邮件就是一个 PDF。")
    pdf = mail(header, attached('attachment; filename="scan.pdf"', fresh.data(60), "application/pdf"))
    no_body: dict[str, Any] = {
        "no_body_crashes": crashed,
        "attachment_is_body": lambda got: got["text"] or got["html"],
    }
    _expect_bodies(student.read_bodies(pdf), None, None, **no_body)
    note = attached('attachment; filename="notes.txt"', other.encode(), "text/plain; charset=utf-8")
    page = attached('attachment; filename="page.html"', b"<p>attached</p>", "text/html; charset=utf-8")
    scene.now("Before the text come an attached notes.txt and page.html.", "文本前面有附件 notes.txt 和 page.html。")
    called = student.read_bodies(mail(header, multipart("mixed", "=_b1", note, page, plain(text))))
    taken = {"attachment_is_body": lambda got: other.splitlines()[0] in (got["text"] or []) or got["html"]}
    _expect_bodies(called, text, None, **taken)
    scene.now("The label of notes.txt is in capitals: ATTACHMENT.", "notes.txt 的标签是大写的 ATTACHMENT。")
    loud = attached('ATTACHMENT; filename="notes.txt"', other.encode(), "text/plain; charset=utf-8")
    called = student.read_bodies(mail(header, multipart("mixed", "=_b0", loud, plain(text))))
    _expect_bodies(called, text, None, label_in_capitals=taken["attachment_is_body"])
    scene.now("There are only attachments: notes.txt and page.html.", "只有附件：notes.txt 和 page.html。")
    called = student.read_bodies(mail(header, multipart("mixed", "=_b2", note, page)))
    _expect_bodies(called, None, None, **no_body)
    scene.now("A mail is forwarded as an attachment, nothing else.", "转发的邮件作为附件，外面一个字也没有。")
    inner = a_letter(fresh)
    forwarded: Entity = ["Content-Type: message/rfc822", "Content-Disposition: attachment"], gmail(inner)
    called = student.read_bodies(mail(header, multipart("mixed", "=_b3", forwarded)))
    _expect_bodies(called, None, None, inner_mail_is_body=lambda got: got["text"] or got["html"])
    scene.now("The text comes behind a forwarded mail.", "正文在转发的邮件后面。")
    inside: Entity = ["Content-Type: message/rfc822"], gmail(inner)
    called = student.read_bodies(mail(header, multipart("mixed", "=_b4", inside, plain(text))))
    _expect_bodies(
        called,
        text,
        None,
        stops_at_inner_mail=lambda got: got["text"] is None and got["html"] is None,
        inner_mail_is_body=lambda got: got["text"] == _lines(inner.text) or got["html"],
    )
    scene.now("The charset is one that does not exist.", "声明的字符集并不存在。")
    named = [f"Content-Type: text/plain; charset=x-{fresh.word()}", "Content-Transfer-Encoding: 8bit"]
    called = student.read_bodies(mail(header, (named, text.encode())))
    charset: dict[str, Any] = {
        "unknown_charset": raises("LookupError"),
        "ascii_assumed": lambda got: raises("UnicodeError").matches(got) or "\ufffd" in str(got),
        "latin1_assumed": lambda got: got["text"] and got["text"][0] == text.splitlines()[0].encode().decode("latin-1"),
    }
    _expect_bodies(called, text, None, **charset)
    scene.now("No charset is stated; the bytes are UTF-8.", "没有声明字符集；字节是 UTF-8。")
    unnamed = ["Content-Type: text/plain", "Content-Transfer-Encoding: 8bit"]
    called = student.read_bodies(mail(header, (unnamed, text.encode())))
    _expect_bodies(called, text, None, **charset)
    scene.now("The charset is UTF-8, one byte is not.", "声明是 UTF-8，其中一个字节却不是。")
    word = fresh.word()
    stray = ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    called = student.read_bodies(mail(header, (stray, b"\xff" + word.encode() + CRLF)))
    _expect_bodies(
        called,
        f"\ufffd{word}",
        None,
        strict_decoding=raises("UnicodeError"),
        bytes_dropped=lambda got: got["text"] == [word],
    )
    scene.now("The charset is GBK, one byte is not.", "声明是 GBK，其中一个字节却不是。")
    stray = ["Content-Type: text/plain; charset=gbk", "Content-Transfer-Encoding: 8bit"]
    called = student.read_bodies(mail(header, (stray, b"\xff" + f"你好{word}".encode("gbk") + CRLF)))
    _expect_bodies(
        called,
        f"\ufffd你好{word}",
        None,
        strict_decoding=lambda got: raises("UnicodeError").matches(got) or "你好" not in str(got["text"]),
        bytes_dropped=lambda got: got["text"] == [f"你好{word}"],
    )


def test_attachments(scene: Scene, student: Student, fresh: Fresh) -> None:
    """attachments are saved byte for byte, their names decoded

    附件逐字节保存，名字要解码
    """
    for program, write in PROGRAMS:
        files = (
            File(f"{fresh.word()}.csv", "text/csv", f"姓名,年龄\r\n{fresh.word()},20\n".encode("gbk")),
            File(f"第三季度报告 {fresh.word()} 最终版.pdf", "application/pdf", b"%PDF\r\n\n" + fresh.data(90)),
        )
        scene.now(f"A mail with two attachments, as {program} writes it.", f"一封 {program} 风格的邮件，有两个附件。")
        landing = Landing(scene, fresh)
        called = student.save_attachments(write(a_letter(fresh, files=files)), landing.path)
        _expect_saved(scene, called, landing, [file.content for file in files], [file.name for file in files])
    header = _header(a_letter(fresh), "Subject: Hi")
    scene.now("A picture is `inline`, and has a file name.", "一张图片标为 inline，它有文件名。")
    landing, content = Landing(scene, fresh), fresh.data(50)
    photo = attached(f'inline; filename="{fresh.word()}.jpg"', content, "image/jpeg")
    called = student.save_attachments(mail(header, multipart("mixed", "=_c1", plain("Hi."), photo)), landing.path)
    _expect_saved(scene, called, landing, [content], lost="named_part_lost")
    scene.now("An attachment has no name, and came in quoted-printable.", "附件没有名字，用 quoted-printable 传来。")
    landing, table = Landing(scene, fresh), f"姓名={fresh.word()};年龄=20".encode()
    unnamed: Entity = (
        ["Content-Type: text/csv", "Content-Disposition: attachment", "Content-Transfer-Encoding: quoted-printable"],
        in_quoted_printable(table),
    )
    called = student.save_attachments(mail(header, multipart("mixed", "=_c2", plain("Hi."), unnamed)), landing.path)
    pairs = called.value(
        no_name_crashes=lambda got: raises("TypeError").matches(got) or raises("AttributeError").matches(got),
        base64_is_not_all=raises("Error"),
    )
    _expect_pairs(called, pairs, landing)
    called.part([pair[0] for pair in pairs]).equals(
        [None], name_invented=lambda got: len(got) == 1, unnamed_part_lost=lambda got: not got
    )
    scene.expect(list(landing.files().values())).equals([table], base64_is_not_all=lambda got: len(got) == 1)
    scene.now("The mail is a PDF, and nothing else.", "整封邮件就是一个 PDF。")
    landing = Landing(scene, fresh)
    pdf = mail(header, attached('attachment; filename="scan.pdf"', content, "application/pdf"))
    _expect_saved(scene, student.save_attachments(pdf, landing.path), landing, [content], lost="whole_mail_lost")
    scene.now("The mail has no attachment.", "邮件没有附件。")
    landing = Landing(scene, fresh)
    called = student.save_attachments(gmail(a_letter(fresh)), landing.path)
    _expect_saved(scene, called, landing, [])
    scene.now("A mail with an attachment is forwarded as an attachment.", "转发的邮件作为附件，它自己也带附件。")
    landing = Landing(scene, fresh)
    inner = a_letter(fresh, files=[File("inner.bin", "application/octet-stream", content)])
    raw = thunderbird(a_letter(fresh), qq_mail(inner))
    called = student.save_attachments(raw, landing.path)
    pairs = called.value(attached_mail_is_no_bytes=crashed)
    _expect_pairs(called, pairs, landing)
    there = landing.files()
    called.part(pairs).satisfies(
        lambda got: len(got) == 1,
        ("one attachment: the mail", "一个附件：那封邮件"),
        inner_parts_saved=lambda got: len(got) > 1 or content in there.values(),
        attached_mail_lost=lambda got: not got,
    )
    saved = message_from_bytes(there.get(pairs[0][1], b""), policy=policy.default)
    scene.expect(str(saved["Subject"]).strip()).equals(inner.subject, attached_mail_lost=lambda got: True)


def test_odd_attachments(scene: Scene, student: Student, fresh: Fresh) -> None:
    """parts that one overlooks: a text with a name alone, two files that are equal, a report that a mail came back

    容易漏掉的部分：只有名字的文本、内容相同的两个文件、退信报告
    """
    header = _header(a_letter(fresh), "Subject: Hi")
    scene.now("A text has a name in its Content-Type, and no label.", "一段文本的 Content-Type 里有名字，没有标签。")
    landing, text = Landing(scene, fresh), fresh.word().encode()
    named: Entity = [f'Content-Type: text/csv; name="{fresh.word()}.csv"'], text
    called = student.save_attachments(mail(header, multipart("mixed", "=_d1", plain("Hi."), named)), landing.path)
    _expect_saved(scene, called, landing, [text], lost="named_part_lost")
    scene.now("A text has no name, and a label in capitals: ATTACHMENT.", "一段文本没有名字，标签是大写的 ATTACHMENT。")
    landing, text = Landing(scene, fresh), fresh.word(20).encode()
    loud = attached("ATTACHMENT", text, "text/plain")
    called = student.save_attachments(mail(header, multipart("mixed", "=_d0", plain("Hi."), loud)), landing.path)
    _expect_saved(scene, called, landing, [text], lost="label_in_capitals")
    scene.now("An attachment is empty.", "一个附件是空的。")
    landing = Landing(scene, fresh)
    empty = attached(f'attachment; filename="{fresh.word()}.txt"', b"")
    called = student.save_attachments(mail(header, multipart("mixed", "=_d4", plain("Hi."), empty)), landing.path)
    _expect_saved(scene, called, landing, [b""], lost="empty_is_nothing")
    scene.now("Two attachments are equal, to the byte.", "两个附件的内容完全相同。")
    landing, content = Landing(scene, fresh), fresh.data(50)
    twice = [attached(f'attachment; filename="{fresh.word()}.bin"', content) for _ in range(2)]
    called = student.save_attachments(mail(header, multipart("mixed", "=_d2", *twice)), landing.path)
    _expect_saved(scene, called, landing, [content] * 2, lost="equal_is_one")
    there = landing.files()
    scene.expect(len(there), "seen").equals(2, equal_is_one=lambda got: got == 1)
    scene.now(
        "A mail came back: a report in fields (message/delivery-status), and the mail, neither with a label.",
        "一封退信：分字段的报告（message/delivery-status），还有原来的邮件，都没有标签。",
    )
    landing = Landing(scene, fresh)
    server, person, line = fresh.word(), fresh.word(), f"{fresh.one_of(NAMES)}退{fresh.word()}".encode("gbk")
    fields = f"Reporting-MTA: dns; {server}\r\n\r\nFinal-Recipient: rfc822; {person}\r\nAction: failed\r\n".encode()
    report: Entity = ["Content-Type: message/delivery-status"], fields
    back: Entity = ["Content-Type: message/rfc822"], whole((["Subject: Hi"], line + CRLF))
    body = multipart("report", "=_d3", plain("It came back."), report, back, more="; report-type=delivery-status")
    called = student.save_attachments(mail(header, body), landing.path)
    pairs = called.value(report_lost=crashed)
    _expect_pairs(called, pairs, landing)
    there = landing.files()
    saved = [there.get(pair[1], b"") for pair in pairs]
    scene.expect(saved).satisfies(
        lambda got: len(got) == 2 and all(word.encode() in got[0] for word in (server, person)),
        ("the report with all its fields, and the mail", "报告的全部字段，还有那封邮件"),
        overwritten=lambda got: len(got) == 2 and got[0] == got[1],
        inner_parts_saved=lambda got: len(got) > 2,
        attached_mail_lost=lambda got: not any(b"Subject: Hi" in one for one in got),
        report_lost=lambda got: not any(person.encode() in one for one in got),
        not_in_order=lambda got: person.encode() in got[-1],
    )
    scene.expect(saved[1]).satisfies(
        lambda got: line in got,
        ("the bytes of the mail, also those that are not ASCII", "邮件的字节，非 ASCII 的也在内"),
        inner_bytes_lost=lambda got: True,
    )


def test_safe_names(scene: Scene, student: Student, fresh: Fresh) -> None:
    """whatever the sender calls it, a file lands in the folder, harms no other, and works on every system

    不管发件人起什么名字，文件都落在文件夹里，不碍别的文件，在每个系统上都能用
    """
    w = fresh.word
    tries: tuple[tuple[str, str, str, list[str | None]], ...] = (
        (
            "outside_the_folder",
            "names that lead out of the folder, with /",
            "带 / 的名字，通向文件夹之外",
            [f"../{w()}.txt", f"../../{w()}.txt", f"{ABSOLUTE}/{w()}.txt", f"{w()}/{w()}.txt", f"{w()}/"],
        ),
        (
            "backslash_kept",
            "names that lead out of the folder on Windows, with a backslash",
            "带反斜杠的名字，在 Windows 上通向文件夹之外",
            [f"..\\{w()}.txt", f"..\\..\\{w()}.txt", f"C:\\Users\\{w()}.txt", f"{w()}\\"],
        ),
        (
            "no_name_left",
            "no name, or nothing but dots and blanks",
            "没有名字，或只有点和空格",
            [None, "", ".", "..", " "],
        ),
        (
            "control_characters",
            "names with control characters: NUL, a line end, an escape sequence, U+009B",
            "带控制字符的名字：NUL、换行、转义序列、U+009B",
            [f"{w()}\0.txt", f"{w()}\n{w()}.txt", f"\x1b[31m{w()}.txt", f"{w()}.txt\x7f", f"{w()}\x9b31m.txt"],
        ),
        (
            "reserved_on_windows",
            "names that Windows keeps for its devices",
            "Windows 留给设备的名字",
            [
                *["CON", "NUL.txt", "aux.tar.gz", "Com1", f"lpt9.{w()}.csv", "prn.", "../con.txt", "lpt", "lpt", "lpt"],
                *[".NUL ", " . con.txt", "\x07Aux\x9f.txt"],
            ],
        ),
        (
            "forbidden_on_windows",
            'names with : * ? " < > |, or with a dot or a blank at the end',
            '带 : * ? " < > | 的名字，或以点、空格结尾的名字',
            [f"{w()}: {w()}.txt", f'{w()}?*"<>|.txt', f"{w()}.txt.", f"{w()} ", f"{w()}.txt. ."],
        ),
        (
            "name_too_long",
            "names of more than 255 bytes, one of them twice",
            "超过 255 个字节的名字，其中一个出现两次",
            [*[f"{w() * 60}.txt"] * 2, f"{'报' * 100}{w()}.pdf", f"{w()}.{w() * 60}", w() + ". " * 150 + w()],
        ),
        (
            "overwritten",
            "names that come twice, and such as a program might choose for the second",
            "重复的名字，以及程序可能给第二个文件取的名字",
            _doubles(w()),
        ),
        (
            "case_alone_differs",
            "names that differ in upper and lower case alone",
            "只有大小写不同的名字",
            ["Report.PDF", "report.pdf", "REPORT.pdf"],
        ),
    )
    for reason, english, chinese, names in tries:
        scene.now(f"Attachments: {english}.", f"附件：{chinese}。")
        landing = Landing(scene, fresh)
        names = [name and name.replace(ABSOLUTE, str(landing.home)) for name in names]
        _save_and_expect(scene, student, fresh, landing, names, reason)
    scene.now("There are files of these names in the folder already.", "文件夹里已经有这些名字的文件。")
    landing, name, old = Landing(scene, fresh), w(), fresh.data(30)
    landing.put(f"{name}.txt", old)
    _save_and_expect(scene, student, fresh, landing, [f"{name}.txt", f"{name.upper()}.TXT"], "older_file_overwritten")
    scene.now("In the folder, link.txt is a link to nothing.", "文件夹里的 link.txt 是一个链接，指向的文件不存在。")
    landing = Landing(scene, fresh)
    landing.link("link.txt")
    _save_and_expect(scene, student, fresh, landing, ["link.txt"], "link_followed")


# --- from the server --------------------------------------------------------------------------------------


def test_count_and_list(scene: Scene, student: Student, fresh: Fresh, pop3s: FakePOP3) -> None:
    """log in, count, list, say goodbye; a wrong password is an error

    登录、计数、列表、告别；密码错误是异常
    """
    box = Box(pop3s, fresh, [gmail(a_letter(fresh)) for _ in range(fresh.number(4, 6))])
    messages = box.drop.messages
    total = len(messages), sum(message.size for message in messages)
    called = student.count_mails(*box.login)
    value = called.value(
        password_not_utf8=lambda got: raises("UnicodeEncodeError").matches(got)
        or any(line.startswith("PASS ") and line != f"PASS {box.password}" for line in pop3s.said()),
        no_context_manager=lambda got: raises("AttributeError", "__enter__").matches(got)
        or raises("TypeError", "context manager").matches(got),
        no_tls=lambda got: bool(pop3s.connections) and pop3s.connections[0].secured is False,
    )
    called.part(value).equals(
        total,
        length_of_an_answer=lambda got: got[0] == 3 or got == 3,
        not_numbers=lambda got: any(isinstance(item, (bytes, str)) for item in got),
    )
    _expect_goodbye(scene, pop3s)
    scene.now("Then the mails are listed.", "然后列出邮件。")
    called = student.list_mails(*box.login)
    called.returns(
        [(number, message.size, message.uid) for number, message in enumerate(messages, 1)],
        counts_from_0=lambda got: got[0][0] == 0 or raises("error_proto", "no such message").matches(got),
        last_one_missing=lambda got: len(got) == len(messages) - 1 and got[0][0] == 1,
        not_numbers=lambda got: any(isinstance(item, (bytes, str)) for item in got[0][:2]),
        line_as_id=lambda got: isinstance(got[0][2], bytes) or " " in got[0][2],
    )
    _expect_goodbye(scene, pop3s)
    scene.now(
        "There are eleven others, with colons in their ids; the server lists them in no order.",
        "换了十一封邮件，标识里有冒号；服务器列出的顺序是乱的。",
    )
    box.drop.remove(messages)
    _deliver(box.drop, fresh, [f"{number}:{fresh.word()}" for number in fresh.shuffled(range(11))])
    messages, pop3s.in_order = box.drop.messages, False
    right = [(number, message.size, message.uid) for number, message in enumerate(messages, 1)]
    student.list_mails(*box.login).returns(
        right,
        not_in_order=lambda got: sorted(got) == right,
        paired_by_place=lambda got: {row[2] for row in got} == {message.uid for message in messages},
        id_cut=lambda got: all(any(row[2] in message.uid for message in messages) for row in got),
    )
    pop3s.in_order = True
    scene.now("There is no mail.", "一封邮件也没有。")
    box.drop.remove(messages)
    student.count_mails(*box.login).returns((0, 0), nothing_is_none=None)
    student.list_mails(*box.login).returns([], nothing_is_none=None)
    scene.now("The password is wrong.", "密码是错的。")
    for call in (student.count_mails, student.list_mails):
        call(box.host, box.port, box.user, fresh.word()).raises(
            *FAILURE, refusal_hidden=lambda got: not isinstance(got, Raised), other_exception=crashed
        )
    printed = [line for line in scene.printed().splitlines() if box.password in line]
    Expectation(scene, printed, "you_printed").satisfies(
        lambda lines: not lines,
        ("nothing that gives the password away", "没有泄露密码的内容"),
        password_printed=lambda lines: True,
    )


def test_certificate(
    scene: Scene, student: Student, fresh: Fresh, authority: Authority, pop3s: FakePOP3, wire: Wire
) -> None:
    """a server that cannot prove who it is gets neither user nor password

    不能证明自己身份的服务器，得不到用户名，也得不到密码
    """
    raw = gmail(a_letter(fresh))
    box = Box(pop3s, fresh, [raw])
    landing = Landing(scene, fresh)
    scene.now("The certificate is right.", "证书是正确的。")
    student.fetch_mail(*box.login, 1).value()
    for context, english, chinese, reason in (
        (authority.unknown_ca, "is signed by nobody we know", "由我们不认识的机构签发", "certificate_not_checked"),
        (authority.wrong_host, "is for another host", "属于另一个主机", "host_name_not_checked"),
        (authority.expired, "has expired", "已经过期", "certificate_not_checked"),
    ):
        with FakePOP3(wire, tls=context) as server:
            box = Box(server, fresh, [raw])
            for name, more in (
                ("count_mails", ()),
                ("list_mails", ()),
                ("fetch_mail", (1,)),
                ("list_headers", ()),
                ("new_mails", ([],)),
                ("move_mails", (landing.path,)),
            ):
                scene.now(f"The certificate {english}.", f"证书{chinese}。")
                before = len(server.connections)
                called = getattr(student, name)(*box.login, *more)
                again = len(server.connections) > before + 1
                mistakes: dict[str, Any] = {
                    "tried_again_unchecked": lambda got, server=server, again=again: again and server.said(),
                    reason: lambda got, server=server: server.said(),
                }
                called.raises(*FAILURE, **mistakes, other_exception=crashed)
                scene.expect(server.said(), "received").equals([], **mistakes)


def test_fetch(scene: Scene, student: Student, fresh: Fresh, pop3s: FakePOP3) -> None:
    """one mail, byte for byte: dots, 8-bit, long lines; a number that does not exist is an error

    取一封邮件，逐字节相同：点、8 位字节、长行；不存在的编号是异常
    """
    word = fresh.word
    def trimmed(content: bytes) -> bytes:
        return b"".join(line.strip() for line in content.splitlines())

    ordinary = mail(_header(a_letter(fresh), f"Subject: {word()}"), plain(f"  {word()}\r\n-- \r\n"))
    with_dots = f".\r\n..\r\n.{word()}\r\n...{word()}\r\n{word()}..{word()}.\r\n.\r\n"
    dots = whole(([f"Subject: {word()}"], with_dots.encode()))
    eight = whole(([f"Subject: {word()}"], f"{fresh.one_of(NAMES)}密\r\n".encode("gbk") + b"\xff\x00\x80\r\n\r\n"))
    long = whole(([f"Subject: {word()}"], f"<html>{word() * 500}</html>\r\n{word()}\r\n".encode()))
    longer = whole(([f"Subject: {word()}"], (word() * 2000)[:10_000].encode() + CRLF))
    box = Box(pop3s, fresh, [ordinary, dots, eight, long, longer])

    def fetched(number: int, content: bytes, **mistakes: Any) -> None:
        called = student.fetch_mail(*box.login, number)
        deleted = [line for line in pop3s.said() if line.startswith("DELE")]
        scene.expect(deleted, "received").equals([], deleted_uninvited=lambda got: True)
        called.returns(
            content,
            bare_lf=lambda got: b"\n" in got and CRLF not in got,
            last_end_missing=content.removesuffix(CRLF),
            **mistakes,
            blanks_lost=lambda got: CRLF in got and trimmed(got) == trimmed(content),
        )
        _expect_goodbye(scene, pop3s)

    scene.now("There are five mails; the first is asked for.", "有五封邮件；取第一封。")
    index = {"counts_from_0": lambda got: got == dots or raises("error_proto", "no such").matches(got)}
    fetched(1, ordinary, **index, lines_glued=ordinary.replace(CRLF, b""))
    scene.now("Mail 2 has lines that begin with dots.", "第 2 封里有以点开头的行。")
    fetched(
        2,
        dots,
        dots_everywhere=lambda got: got in (dots.replace(b"..", b"."), stuffed(dots).replace(b"..", b".")),
        dots_undone_twice=lambda got: got in (re.sub(rb"(?m)^\.", b"", dots), re.sub(rb"(?m)^\.(?=\.)", b"", dots)),
        dots_left=re.sub(rb"(?m)^\.", b"..", dots),
        ends_at_a_dot=lambda got: isinstance(got, bytes) and len(got) < len(dots) and dots.startswith(got.rstrip()),
    )
    scene.now("Mail 3 has bytes that are no UTF-8.", "第 3 封里有不是 UTF-8 的字节。")
    fetched(3, eight, bytes_through_text=lambda got: isinstance(got, bytes) or raises("UnicodeError").matches(got))
    for number, content, size in ((4, long, "3,000"), (5, longer, "10,000")):
        scene.now(f"Mail {number} has a line of {size} bytes.", f"第 {number} 封里有一行长 {size} 字节，不算 CRLF。")
        reason = "line_too_long" if number == 4 else "line_of_10000"
        broken = content.replace(CRLF, b"")
        fetched(
            number,
            content,
            **{
                reason: lambda got, broken=broken: raises("error_proto").matches(got)
                or (isinstance(got, bytes) and got.replace(CRLF, b"") == broken)
            },
        )
    for number in (6, 0):
        scene.now(f"Mail {number} is asked for, which is not there.", f"要的是第 {number} 封，它不存在。")
        student.fetch_mail(*box.login, number).raises(
            *FAILURE,
            "IndexError",
            "ValueError",
            bad_number_hidden=lambda got: got is None or got == b"",
            counts_from_0=lambda got: isinstance(got, bytes),
            other_exception=crashed,
        )
        pop3s.wait_free(box.drop)


def test_headers_only(scene: Scene, student: Student, fresh: Fresh, pop3s: FakePOP3) -> None:
    """the headers of all mails in one session, and not a line of a body

    一次会话取得全部邮件的头部，正文一行也不取
    """
    letters = [a_letter(fresh, subject=subject) for subject in fresh.shuffled(SUBJECTS * 2)]
    box = Box(pop3s, fresh, [write(letter) for letter, (_, write) in zip(letters, PROGRAMS, strict=True)])
    called = student.list_headers(*box.login)
    value = _all_headers(
        called,
        counts_from_0=raises("error_proto", "no such message"),
        top_without_lines=raises("TypeError", "argument"),
    )
    called.part([each["subject"] for each in value]).equals(
        [letter.subject for letter in letters],
        last_one_missing=lambda got: len(got) == 3,
    )
    called.part([each["from"] for each in value]).equals([letter.sender for letter in letters])
    said = pop3s.said()
    scene.expect(said, "received").satisfies(
        lambda said: all(line.split()[2:] == ["0"] for line in said if line.startswith("TOP"))
        and not any(line.startswith("RETR") for line in said),
        ("TOP with 0 lines of the body, and no RETR", "TOP 取 0 行正文，没有 RETR"),
        whole_mails_fetched=lambda said: any(line.startswith("RETR") for line in said),
        lines_of_the_body=lambda said: True,
    )
    scene.expect(len(pop3s.connections), "seen").equals(1, session_for_each=lambda got: got > 1)
    _expect_goodbye(scene, pop3s)
    scene.now(
        "There are eleven others; the server lists them in no order.", "换了十一封邮件；服务器列出的顺序是乱的。"
    )
    pop3s.in_order = False
    subjects = [fresh.word() for _ in range(11)]
    box = Box(pop3s, fresh, [mail(_header(letters[0], f"Subject: {word}"), plain("Hi.")) for word in subjects])
    called = student.list_headers(*box.login)
    called.part([each["subject"] for each in _all_headers(called)]).equals(
        subjects, not_in_order=lambda got: sorted(got) == sorted(subjects)
    )


def test_new_mails(scene: Scene, student: Student, fresh: Fresh, pop3s: FakePOP3) -> None:
    """what is new since the last time is known by unique ids, not by numbers

    上次之后有哪些新邮件，要看唯一标识，不能看编号
    """
    box = Box(pop3s, fresh, [gmail(a_letter(fresh)) for _ in range(4)])
    first = box.drop.messages
    scene.now("Nothing is known yet, and there are four mails.", "还没有取过任何邮件，现在有四封。")
    called = student.new_mails(*box.login, [])
    pairs = [(message.uid, message.content) for message in first]
    called.returns(
        pairs,
        line_as_id=lambda got: isinstance(got[0][0], bytes) or " " in got[0][0],
        counts_from_0=raises("error_proto", "no such message"),
        last_one_missing=pairs[:-1],
    )
    _expect_goodbye(scene, pop3s)
    scene.now(
        "Two of the four, the first and the third, were deleted by somebody else; two new ones have come.",
        "四封中的第一封和第三封被别人删除了；又来了两封新的。",
    )
    box.drop.remove([first[0], first[2]])
    new = [box.drop.add(outlook(a_letter(fresh))), box.drop.add(qq_mail(a_letter(fresh)))]
    before = len(pop3s.commands)
    student.new_mails(*box.login, [message.uid for message in first]).returns(
        [(message.uid, message.content) for message in new],
        counted_not_identified=lambda got: len(got) < 2,
        known_ones_again=lambda got: len(got) > 2,
    )
    fetched = [line for line in pop3s.said()[before:] if line.startswith(("RETR", "TOP"))]
    scene.expect(fetched, "received").equals(["RETR 3", "RETR 4"], known_ones_fetched=lambda got: len(got) > 2)
    scene.now("All are known.", "全部都取过了。")
    student.new_mails(*box.login, [message.uid for message in box.drop.messages]).returns([])
    _expect_goodbye(scene, pop3s)
    left = [message.content for message in box.drop.messages]
    scene.expect(len(left), "seen").equals(4, deleted_uninvited=lambda got: got < 4)
    scene.now(
        "There are eleven, with ids that are alike; new ones stand in front of known ones, and the server lists them"
        " in no order.",
        "有十一封，标识彼此相像；新的排在已取过的前面，服务器列出的顺序是乱的。",
    )
    box.drop.remove(box.drop.messages)
    a, b, *more = (fresh.word() for _ in range(8))
    _deliver(box.drop, fresh, [*more, a, f"{b}:1", f"{a}:1", f"{a.upper()}:1", f"{a}:2"])
    pop3s.in_order = False
    known = [f"{a}:2", f"{a}:1", f"{b}:12"]
    pairs = [(message.uid, message.content) for message in box.drop.messages if message.uid not in known]
    student.new_mails(*box.login, known).returns(
        pairs,
        after_the_last_known=[],
        not_in_order=lambda got: sorted(got) == sorted(pairs),
        ids_are_alike=lambda got: len(got) != len(pairs) or [pair[1] for pair in got] == [pair[1] for pair in pairs],
    )


def test_move(scene: Scene, student: Student, fresh: Fresh, pop3s: FakePOP3) -> None:
    """every mail is saved, then deleted, and QUIT makes it so

    每封邮件先保存，再删除，QUIT 之后才真正生效
    """
    box = Box(pop3s, fresh, [])
    landing = Landing(scene, fresh)
    uids = [f"../{fresh.word()}", f"{landing.home}/{fresh.word()}", f"{fresh.word()}<>:*", "con", "..\\x"]
    _deliver(box.drop, fresh, uids)

    def moved(english: str, chinese: str) -> None:
        scene.now(english, chinese)
        old, messages = landing.files(), box.drop.messages
        before = len(pop3s.commands)
        called = student.move_mails(*box.login, landing.path)
        names = called.value(
            numbers_do_not_shift=raises("error_proto", "deleted"),
            name_is_taken=raises("FileExistsError"),
            uid_is_a_path=lambda got: raises("OSError").matches(got) and "RETR 1" in pop3s.said()[before:],
        )
        pop3s.wait_free(box.drop)
        said = pop3s.said()[before:]
        left = [message.uid for message in box.drop.messages]
        scene.expect(left, "seen").equals(
            [],
            not_deleted=lambda got: not any(line.startswith("DELE") for line in said),
            nothing_committed=lambda got: True,
        )
        _expect_goodbye(scene, pop3s)
        contents = [message.content for message in messages]
        _expect_files(scene, called, landing, names, contents, old, "uid_is_a_path")

    moved("Five mails; the unique ids are chosen to lead out of the folder.", "五封邮件，唯一标识故意通向文件夹之外。")
    _deliver(box.drop, fresh, ["one", "ONE", "1", "2", *(fresh.word() for _ in range(7))])
    moved("Eleven more; the files of before are still in the folder.", "又来了十一封；之前的文件还在文件夹里。")
    scene.now(
        "Three have come. As soon as a session is over another program deletes the first, and a new mail comes.",
        "又来了三封。一次会话刚结束，别的程序就删除了第一封，同时又来了一封新邮件。",
    )
    _deliver(box.drop, fresh, [fresh.word() for _ in range(3)])
    landing, messages, late = Landing(scene, fresh), box.drop.messages, travelling(gmail(a_letter(fresh)))

    def meanwhile() -> None:
        box.drop.remove([message for message in box.drop.messages if message == messages[0]])
        box.drop.add(late)

    box.drop.afterwards(meanwhile)
    called = student.move_mails(*box.login, landing.path)
    called.value()
    pop3s.wait_free(box.drop)
    kept = [*landing.files().values(), *(message.content for message in box.drop.messages)]
    lost = [content for content in [*(message.content for message in messages[1:]), late] if content not in kept]
    scene.expect(lost, "seen").equals([], lost_between_sessions=lambda got: True)
    scene.expect(len([message for message in box.drop.messages if message in messages]), "seen").equals(
        0, nothing_committed=lambda got: True
    )


def test_move_fails(scene: Scene, student: Student, fresh: Fresh, pop3s: FakePOP3) -> None:
    """if anything goes wrong in the middle, an exception comes out and the mailbox is untouched

    中途出任何差错，都要抛出异常，邮箱原封不动
    """
    half = Send(b"+OK 900 octets\r\nSubject: half of")
    lost = Send(b"-ERR [SYS/TEMP] that mail cannot be read now\r\n")
    tries: tuple[tuple[str, str, str, Sequence[Action]], ...] = (
        ("the third mail cannot be read: -ERR", "第三封读不出来：-ERR", "RETR 3", (lost,)),
        ("in the middle of the third the connection breaks", "第三封传到一半，连接断了", "RETR 3", (half, Reset())),
        ("in the middle of the third the server closes", "第三封传到一半，服务器关闭", "RETR 3", (half, Close())),
        ("the second mail cannot be deleted: -ERR", "第二封删不掉：-ERR", "DELE 2", (lost,)),
        ("QUIT is answered by -ERR", "QUIT 得到的回答是 -ERR", "QUIT", (lost,)),
    )

    def short() -> list[bytes]:
        return [mail([f"Subject: {fresh.word()}"], plain("Hi.\r\n")) for _ in range(3)]

    def untouched(english: str, chinese: str, folder: str, box: Box, fault: str = "") -> None:
        before, so_far = box.drop.messages, len(pop3s.commands)
        scene.now(f"There are three mails; {english}.", f"有三封邮件；{chinese}。")
        called = student.move_mails(*box.login, folder)
        pop3s.wait_free(box.drop)
        left = len(box.drop.messages)
        met = not fault or fault in pop3s.said()[so_far:]
        scene.expect(left, "seen").satisfies(
            lambda left: left == len(before),
            ("three mails on the server, as before", "服务器上仍然是三封邮件"),
            went_on=lambda left: met and not isinstance(called.outcome, Raised),
            deleted_though_failed=lambda left: True,
        )
        called.raises(*FAILURE, failure_hidden=lambda got: not isinstance(got, Raised), other_exception=crashed)

    for english, chinese, command, actions in tries:
        pop3s.well_again()
        pop3s.instead(command, *actions)
        landing = Landing(scene, fresh)
        untouched(english, chinese, landing.path, Box(pop3s, fresh, short()), command)
    pop3s.well_again()
    missing = str(Path(Landing(scene, fresh).path) / fresh.word())
    box = Box(pop3s, fresh, short())
    untouched("the folder does not exist", "文件夹不存在", missing, box)
    if sys.platform == "linux":  # elsewhere, no folder is closed to who may do everything
        box = Box(pop3s, fresh, short())
        untouched("no file can be made in the folder", "文件夹里不能新建文件", "/proc/self/task", box)


def test_silence(scene: Scene, student: Student, fresh: Fresh, pop3s: FakePOP3, wire: Wire) -> None:
    """a silent server costs no more than the timeout, at whatever moment it falls silent

    服务器沉默时最多等到超时，不管它在哪一刻沉默
    """
    landing = Landing(scene, fresh)
    patient = student.within(3)
    silence: dict[str, Any] = {
        "no_timeout": lambda got: isinstance(got, Hung),
        "silence_hidden": lambda got: not isinstance(got, Raised),
        "other_exception": crashed,
    }
    half = Send(b"+OK 900 octets\r\nSubject: half of")
    for call, more, commands, actions, english, chinese in (
        (patient.count_mails, (), ("greeting",), (), "instead of greeting", "本该问候时"),
        (patient.list_mails, (), ("LIST", "UIDL"), (), "when it is to list", "该列出邮件时"),
        (patient.fetch_mail, (1,), ("RETR",), (half,), "in the middle of a mail", "在一封邮件传到一半时"),
        (patient.list_headers, (), ("TOP", "RETR"), (half,), "in the middle of a header", "在头部传到一半时"),
        (patient.new_mails, ([],), ("UIDL",), (), "at UIDL", "在 UIDL 之后"),
        (patient.move_mails, (landing.path,), ("RETR",), (half,), "in the middle of a mail", "在一封邮件传到一半时"),
        (patient.move_mails, (landing.path,), ("QUIT",), (), "at QUIT, when all is moved", "在移动完之后的 QUIT 时"),
    ):
        scene.now(f"The server falls silent {english}; timeout 0.1 s.", f"服务器{chinese}沉默了；超时是 0.1 秒。")
        pop3s.well_again()
        for command in commands:
            pop3s.instead(command, *actions, Silence())
        box = Box(pop3s, fresh, [gmail(a_letter(fresh)) for _ in range(2)])
        call(*box.login, *more, 0.1).raises(*FAILURE, **silence)
    scene.now("The server says nothing even to the TLS handshake.", "服务器连 TLS 握手也不回应。")
    with FakeTCP(wire, [Silence()]) as silent:
        login = silent.host, silent.port, fresh.word(), fresh.word()
        patient.count_mails(*login, 0.1).raises(*FAILURE, **silence)


# --- what the tests share ---------------------------------------------------------------------------------

def a_letter(fresh: Fresh, html: str = "", files: Sequence[File] = (), subject: str = SUBJECTS[0]) -> Letter:
    """A mail of this run: two people, a long subject, a text with a line that begins with a dot."""
    zone = timezone(timedelta(hours=fresh.one_of([8, -5, 9])))
    moment = datetime(2026, 1, 1, tzinfo=zone) + timedelta(seconds=fresh.number(0, 31_000_000))
    named = f"{fresh.one_of(NAMES)}{fresh.word(3)}", f"{fresh.word()}@example.org"
    recipients = [("Li, Lei", f"{fresh.word()}@example.com"), named]
    return Letter(
        subject=f"{subject} {fresh.word()}",
        sender=(f"{fresh.one_of(NAMES)}{fresh.word(3)}", f"{fresh.word()}@example.com"),
        to=fresh.shuffled([*recipients, ("", f"{fresh.word()}@example.net")]),
        date=moment,
        text=_text(fresh),
        html=html or f"<p>你好 {fresh.word()}</p>\r\n",
        files=files,
    )


def _text(fresh: Fresh) -> str:
    return f"你好 {fresh.word()}，\r\n\r\n.附件请查收 = {fresh.word()}\r\n"


def _header(letter: Letter, *instead: str) -> list[str]:
    """The header lines of a plain mail, some of them others: those that begin alike are left out."""
    lines = [f"From: {words(letter.sender[0], 'utf-8')} <{letter.sender[1]}>", "To: <b@example.org>", "Subject: Hi"]
    lines.append("Date: Tue, 24 Nov 2026 09:30:00 +0800")
    taken = tuple(line.partition(":")[0] for line in instead)
    return [*(line for line in lines if not line.startswith(taken)), *instead, "MIME-Version: 1.0"]


def _is_header(got: Any) -> bool:
    return isinstance(got, dict) and got.keys() >= {"subject", "from", "to", "date"}


def _headers(called: Answer, **mistakes: Any) -> dict[str, Any]:
    """What read_headers has returned, once it is known to be of that form."""
    value: dict[str, Any] = called.value(**mistakes)
    called.part(value).satisfies(
        _is_header,
        ("a dict with subject, from, to and date", "含 subject、from、to、date 的字典"),
        returned_none=None,
    )
    return value


def _all_headers(called: Answer, **mistakes: Any) -> list[dict[str, Any]]:
    """What list_headers has returned, once it is known to be of that form."""
    value: list[dict[str, Any]] = called.value(**mistakes)
    called.part(value).satisfies(
        lambda got: isinstance(got, list | tuple) and all(map(_is_header, got)),
        ("a list of dicts with subject, from, to and date", "列表，每项是含 subject、from、to、date 的字典"),
        returned_none=None,
    )
    return value


def _expect_subject(called: Answer, subject: str) -> dict[str, Any]:
    value = _headers(
        called,
        always_utf8=raises("UnicodeDecodeError"),
        not_decoded=lambda got: raises("AttributeError").matches(got) or isinstance(got, NotPlain),
    )
    called.part(value["subject"]).equals(
        subject,
        not_decoded=lambda got: "=?" in got,
        folds_kept=lambda got: "\n" in got or "\r" in got,
        always_utf8=lambda got: "\ufffd" in got,
        words_apart=lambda got: got.replace(" ", "") == subject.replace(" ", ""),
        first_part_only=lambda got: got.strip() and subject.startswith(got.strip()),
    )
    return value


def _expect_headers(called: Answer, letter: Letter) -> None:
    value = _expect_subject(called, letter.subject)
    called.part(value["from"]).equals(
        letter.sender,
        address_is_text=lambda got: isinstance(got, str),
        not_decoded=lambda got: "=?" in got[0],
        quotes_kept=lambda got: '"' in got[0],
    )
    called.part(value["to"]).equals(
        list(letter.to),
        split_at_commas=lambda got: len(got) > len(letter.to),
        first_recipient_only=lambda got: len(got) == 1 or isinstance(got[0], str),
        address_is_name=lambda got: any(pair[0] and pair[0] in pair[1] for pair in got),
        not_decoded=lambda got: any("=?" in pair[0] for pair in got),
        quotes_kept=lambda got: any('"' in pair[0] for pair in got),
    )
    moment = letter.date.isoformat()
    called.part(value["date"]).equals(
        moment,
        date_as_written=lambda got: "," in got,
        date_without_offset=moment[:19],
        date_in_another_zone=lambda got: datetime.fromisoformat(got) == letter.date,
    )


def _lines(text: Any) -> Any:
    """A body for a comparison: its lines, as the line ends are left open, and those behind the last text."""
    return text.rstrip("\r\n").splitlines() if isinstance(text, str) else text


def _expect_bodies(called: Answer, text: str | None, html: str | None, **mistakes: Any) -> None:
    expected = {"text": _lines(text), "html": _lines(html)}
    common: dict[str, Any] = {
        "single_part_only": lambda got: isinstance(got, Raised)
        and got.type in ("AttributeError", "KeyError", "TypeError"),
        "transfer_encoding_left": lambda got: any(
            re.search(r"^[A-Za-z0-9+/]{16,}=*$|=[0-9A-F]{2}=[0-9A-F]{2}", line) for line in got["text"] or got["html"]
        ),
        "mail_as_text": lambda got: re.search(r"\\u[0-9a-f]{4}", "".join(got["text"] or [])),
        "always_utf8": lambda got: raises("UnicodeDecodeError").matches(got) or "\ufffd" in str(got),
        "first_level_only": lambda got: got["text"] is None and got["html"] is None,
    }
    mistakes = {"empty_for_none": lambda got: [] in (got["text"], got["html"]), **mistakes, **common}
    value = called.value(**mistakes)
    called.part(value).satisfies(
        lambda got: isinstance(got, dict) and got.keys() == {"text", "html"},
        ('a dict with "text" and "html"', "含 text 和 html 的字典"),
        returned_none=None,
    )
    called.part({name: _lines(part) for name, part in value.items()}).equals(expected, **mistakes)


ABSOLUTE = "/a/folder/that/is/watched"
"""Stands for such a folder's path where the folder is not there yet."""


class Landing:
    """A folder for what is saved, deep inside another: what lands beside it is seen, and what lands where the student's
    program runs.
    """

    def __init__(self, scene: Scene, fresh: Fresh) -> None:
        self._scene = scene
        self.home = scene.folder()
        self._place = self.home
        for name in (fresh.word(), fresh.word(), "saved"):
            self._place = self._place / name
            self._place.mkdir()
            self._place.chmod(0o777)  # the student's program may run as somebody else
        self.path = str(self._place)

    def put(self, name: str, content: bytes) -> None:
        """A file that was there before."""
        (self._place / name).write_bytes(content)

    def link(self, name: str) -> None:
        """A link out of the folder, to a file that is not there; on a system that lets nobody make links, a file."""
        try:
            (self._place / name).symlink_to(self._place.parent / "away.txt")
        except OSError:
            self.put(name, b"")

    def files(self) -> dict[str, bytes]:
        """What is in the folder. A link is no file of it."""
        return written(self._place)

    def elsewhere(self) -> list[str]:
        """The files outside it, by their paths from the one or the other place."""
        inside = self._place.relative_to(self.home).as_posix() + "/"
        beside = [name for name in written(self.home) if not name.startswith(inside)]
        assert self._scene.process is not None
        return [*beside, *written(Path(self._scene.process.folder))]


def _save_and_expect(
    scene: Scene, student: Student, fresh: Fresh, landing: Landing, names: Sequence[str | None], reason: str
) -> None:
    """Save attachments of these names. `reason` is what it is called when they are saved wrongly, or not at all."""
    contents = [fresh.data(40) for _ in names]
    parts = [attached(_disposition(name), content) for name, content in zip(names, contents, strict=True)]
    raw = mail(_header(a_letter(fresh), "Subject: Files"), multipart("mixed", "=_s", plain("Hi."), *parts))
    old = landing.files()
    called = student.save_attachments(raw, landing.path)
    pairs = called.value(**{"no_name_left": raises("IsADirectoryError"), reason: crashed})
    _expect_pairs(called, pairs, landing)
    if reason == "outside_the_folder" and len(pairs) == len(names):
        called.part([pair[0] for pair in pairs]).equals(list(names), name_cleaned=lambda got: True)
    _expect_files(scene, called, landing, [pair[1] for pair in pairs], contents, old, reason)


def _disposition(name: str | None) -> str:
    if name is None:
        return "attachment"
    if re.fullmatch(r"[\w./]*", name, re.ASCII):
        return f'attachment; filename="{name}"'
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def _doubles(word: str) -> list[str | None]:
    more = [f"{word}{middle}.txt" for middle in (" (1)", "-1", "_1", ".1", "1", "-2", "_2", " (2)", "2", "(1)")]
    return [f"{word}.txt", f"{word}.txt", f"{word}.txt", *more, f"1-{word}.txt", f"1_{word}.txt", f"{word}.txt"]


def _expect_saved(
    scene: Scene,
    called: Answer,
    landing: Landing,
    contents: list[bytes],
    names: list[str | None] | None = None,
    lost: str = "not_saved",
) -> None:
    """Attachments of an ordinary kind are there, in order, and nothing else."""
    pairs = called.value(
        text_attachment_rewritten=lambda got: raises("TypeError").matches(got) or raises("UnicodeError").matches(got),
        base64_is_not_all=raises("Error"),
    )
    _expect_pairs(called, pairs, landing)
    there = landing.files()
    called.part(pairs).satisfies(
        lambda got: len(got) == len(contents),
        (f"{len(contents)} attachments", f"{len(contents)} 个附件"),
        body_saved=lambda got: len(got) > len(contents),
        **{lost: lambda got: len(got) < len(contents)},
    )
    if names is not None:
        called.part([pair[0] for pair in pairs]).equals(
            names,
            name_not_decoded=lambda got: any("=?" in (name or "=?") or "%" in (name or "") for name in got),
            not_in_order=names[::-1],
        )
    saved = [there.get(pair[1], b"") for pair in pairs]
    scene.expect(saved).equals(
        contents,
        outside_the_folder=lambda got: landing.elsewhere(),
        base64_left=lambda got: any(_is_base64(one) for one in got),
        not_in_order=lambda got: got != contents and sorted(got) == sorted(contents),
        text_attachment_rewritten=lambda got: got[-1] == contents[-1] and got[:-1] != contents[:-1],
    )


def _is_base64(data: bytes) -> bool:
    return len(data) > 16 and re.fullmatch(rb"[A-Za-z0-9+/=\r\n]+", data) is not None


def _expect_pairs(called: Answer, pairs: Any, landing: Landing) -> None:
    called.part(pairs).satisfies(
        lambda got: isinstance(got, list | tuple)
        and all(isinstance(theirs, str | None) and isinstance(ours, str) for theirs, ours in got),
        ("a list of pairs: the sender's name or None, the file's name", "列表，每项一对：原来的名字或 None，文件名"),
        returned_none=None,
    )
    called.part(pairs).satisfies(
        lambda got: not any(ours.startswith(landing.path) for _, ours in got),
        ("names of files, without the folder", "文件名，不带文件夹"),
        path_returned=lambda got: True,
    )


def _expect_files(
    scene: Scene,
    called: Answer,
    landing: Landing,
    names: Sequence[str],
    contents: Sequence[bytes],
    old: dict[str, bytes],
    reason: str,
) -> None:
    """Each content is in the file that was named for it, under a name that works everywhere; nothing is lost."""
    called.part(names).satisfies(
        lambda got: isinstance(got, list | tuple) and all(isinstance(name, str) for name in got),
        ("names of files", "文件名的列表"),
        returned_none=None,
    )
    there = landing.files()
    scene.expect(landing.elsewhere()).satisfies(
        lambda seen: not seen,
        ("nothing outside the folder", "文件夹之外什么也没有"),
        uid_is_a_path=lambda seen: reason == "uid_is_a_path",
        link_followed=lambda seen: reason == "link_followed",
        outside_the_folder=lambda seen: True,
    )
    kept = {name: there.get(name) for name in old}
    alike = {name.casefold() for name in old} & {name.casefold() for name in names}
    scene.expect(kept, "seen").satisfies(
        lambda seen: seen == old and not alike,
        ("the files of before, as they were", "之前的文件原样保留"),
        older_file_overwritten=lambda seen: True,
    )
    called.part(list(names)).satisfies(
        lambda got: len(got) == len(contents),
        (f"{len(contents)} files", f"{len(contents)} 个文件"),
        not_saved=lambda got: len(got) < len(contents),
    )
    unsafe = [name for name in names if _why_unsafe(name)]
    called.part(unsafe[0] if unsafe else "").satisfies(
        lambda got: not got and not unsafe,
        ("a name that works on every system", "在每个系统上都能用的名字"),
        **{_why_unsafe(unsafe[0]) if unsafe else reason: lambda got: True},
    )
    one_file = len({name.casefold() for name in names}) < len(names)
    saved = [there.get(name) for name in names]
    called.part(saved).satisfies(
        lambda got: got == list(contents) and not one_file,
        ("files of their own, each with the content that it came with", "各自的文件，内容和收到的一样"),
        overwritten=lambda got: len(set(names)) < len(names),
        case_alone_differs=lambda got: one_file,
        not_in_order=lambda got: None not in got and sorted(got) == sorted(contents),
        bare_lf=[content.replace(CRLF, b"\n") for content in contents],
        bytes_through_text=all,
    )


def _why_unsafe(name: str) -> str:
    """The reason why this is not a name for a file on every system; "" if it is one."""
    if "\\" in name:
        return "backslash_kept"
    if "/" in name:
        return "outside_the_folder"
    if not name.strip(". "):
        return "no_name_left"
    if re.search(r"[\x00-\x1f\x7f-\x9f]", name):
        return "control_characters"
    if re.fullmatch(r"(?i)(con|prn|aux|nul|com[1-9]|lpt[1-9])", name.partition(".")[0].rstrip()):
        return "reserved_on_windows"
    if re.search(r'[:*?"<>|]|[. ]$', name):
        return "forbidden_on_windows"
    return "name_too_long" if len(name.encode("utf-8", "replace")) > 255 else ""


class Box:
    """A mailbox of this run on that server, and what is needed to get into it."""

    def __init__(self, server: FakePOP3, fresh: Fresh, contents: Sequence[bytes]) -> None:
        self.host, self.port = server.host, server.port
        self.user, self.password = fresh.word(), f"{fresh.word()} 密{fresh.word()}"
        self.drop: Maildrop = server.maildrop(self.user, self.password, contents)
        self.login = (self.host, self.port, self.user, self.password)


def _deliver(drop: Maildrop, fresh: Fresh, uids: Sequence[str]) -> None:
    for uid in uids:
        drop.add(travelling(qq_mail(a_letter(fresh)) + b"\xff\r\n"), uid)


def _expect_goodbye(scene: Scene, server: FakePOP3) -> None:
    """The last session ended with QUIT, and its connection is closed: who comes next finds the mailbox free."""
    closed = server.wait_closed()
    last = server.said()[-1]
    scene.expect(last, "received").equals("QUIT", no_goodbye=lambda got: True)
    scene.expect(closed, "seen").satisfies(
        lambda seen: seen, ("the connection closed", "连接已关闭"), left_open=lambda seen: True
    )
