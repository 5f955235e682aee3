"""mail: from a text to a letter that arrives. In the order of the contract."""

import base64
import re
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses
from typing import Any

from dojo.expect import Answer, Expectation, Scene, Student, raises
from dojo.fakes.raw import FakeTCP, Silence
from dojo.fakes.smtp import FakeSMTP
from dojo.fresh import Fresh
from dojo.inside.plain import Mail
from dojo.outcome import Hung, Raised
from dojo.wire import Wire

SERVERS = Callable[..., FakeSMTP]

LAX = timedelta(minutes=2)
"""How far the time in a Date may be from now."""


def test_write_mail(student: Student, fresh: Fresh) -> None:
    """a mail is headers that say from whom, to whom and what about, and then a text

    一封邮件：先是邮件头，写明谁发、发给谁、关于什么，然后是正文
    """
    sender, to, subject = _address(fresh), _address(fresh), f"{fresh.word()} {fresh.word()}"
    text = f"Hello {fresh.word()},\n\nsee you at {fresh.number(1, 12)}.\n"
    answer = student.write_mail(sender, [to], subject, text)
    message = _written(answer)
    kind = message.get_content_type()
    answer.part(kind).equals("text/plain", not_plain_text=lambda got: got.startswith("text/"))
    answer.part({**_headers(message), "text": _lines(message)}).equals(
        {"From": [sender], "To": [to], "Subject": subject, "text": text.removesuffix("\n").split("\n")},
        headers_in_text=lambda got: any(line.lstrip().startswith("Subject:") for line in got["text"]),
        to_is_a_list=lambda got: _source(message, "To").startswith(("[", "(")),
        header_missing=lambda got: any(name not in message for name in ("From", "To", "Subject")),
        address_encoded=lambda got: _encoded_whole(message, "From"),
        text_missing=lambda got: "".join(got["text"]) == "",
    )


def test_any_characters(student: Student, fresh: Fresh) -> None:
    """subject and text may hold any characters, long lines, dots: they can be read again just as they were

    主题和正文可以有任何字符、很长的行、句点：读出来和原来一样
    """
    subject = f"你好 {fresh.word()}：Ünïcode ✓ " + "很长的主题" * 12
    text = "\n".join(
        [
            f"  你好，{fresh.name()}！ 😀  ",
            "",
            ".",
            "..a line may begin with dots",
            "From here on, and =3D is no code",
            "line\u2028separator, next\x85line, vertical\x0btab, form\x0cfeed: in one line",
            "x" * 3000,
            "字" * 1500,
            "\tthe end  ",
            "",
            "",
        ]
    )
    sender, to = _address(fresh), _address(fresh)
    answer = student.write_mail(sender, [to], subject, text)
    message = _written(answer, ascii_only=raises("UnicodeEncodeError"))
    answer.part(_text(message.get("Subject"))).equals(
        subject, characters_lost=lambda got: "你" not in got, subject_changed=lambda got: True
    )
    answer.part(_lines(message)).equals(
        text.removesuffix("\n").split("\n"),
        cut_at_other_characters=lambda got: "\n".join(got).split() == text.split() and len(got) > text.count("\n"),
        characters_lost=lambda got: "你好" not in "".join(got) or "😀" not in "".join(got),
        text_stripped=lambda got: [line.strip() for line in got] == [line.strip() for line in text.strip().split("\n")],
    )
    lines = [f"你好 {fresh.word()}", "", f"in lines that end with CR LF {fresh.word()}", "the end"]
    answer = student.write_mail(sender, [to], subject, "".join(f"{line}\r\n" for line in lines))
    answer.part(_lines(_written(answer))).equals(
        lines, line_ends_doubled=lambda got: "".join(got).replace("\r", "") == "".join(lines)
    )


def test_several_recipients(student: Student, fresh: Fresh) -> None:
    """several recipients with names stand in one To header

    多个带名字的收件人写在同一个 To 里
    """
    people = [(f"{fresh.word().title()}, Ada", _address(fresh)), (fresh.name(), _address(fresh)), ("", _address(fresh))]
    sender = (fresh.name(), _address(fresh))
    written = [f'"{people[0][0]}" <{people[0][1]}>', f"{people[1][0]} <{people[1][1]}>", people[2][1]]
    subject = fresh.word()
    answer = student.write_mail(f"{sender[0]} <{sender[1]}>", written, subject, "Hello.\n")
    message = _written(answer, header_added_twice=raises("ValueError", "at most 1"))
    answer.part(len(message.get_all("To", []))).equals(1, header_added_twice=lambda got: got > 1)
    got = {"From": _people(message, "From", [sender]), "To": _people(message, "To", people)}
    answer.part(got).equals(
        {"From": [sender], "To": people},
        first_recipient_only=lambda got: len(got["To"]) == 1,
        names_lost=lambda got: (
            [address for _, address in [*got["From"], *got["To"]]] == [address for _, address in [sender, *people]]
        ),
        address_encoded=lambda got: _encoded_whole(message, "From"),
        name_torn=lambda got: len(got["To"]) != 3,
    )


def test_date_and_message_id(scene: Scene, student: Student, fresh: Fresh) -> None:
    """a mail says when it was written, and has a name of its own: Date and Message-ID

    邮件要写明何时写成，并有自己的唯一标识：Date 和 Message-ID
    """
    ahead = fresh.number(2, 11)
    scene.environment["TZ"] = f"XXX-{ahead}"  # as POSIX writes it: no table of time zones is needed
    scene.tell(
        f"Your program runs on a machine whose clocks are {ahead} hours ahead of UTC.",
        f"你的程序所在的机器，时间比 UTC 早 {ahead} 小时。",
    )
    domain, to, subject = fresh.host(), _address(fresh), fresh.word()

    def written(name: str = "") -> tuple[Answer, str]:
        sender = f'"{name}" <{fresh.word()}@{domain}>'
        answer = student.write_mail(sender, [to], subject, "Hello.\n")
        message = _written(answer)
        _expect_now(answer, message, timedelta(hours=ahead), date_is_off=lambda got: True)
        ident = _source(message, "Message-ID")
        answer.part(ident).satisfies(
            lambda got: re.fullmatch(rf"<[^<>@\s]+@{re.escape(domain)}>", got) is not None,
            (f"Message-ID: <something of its own@{domain}>", f"Message-ID：<唯一的内容@{domain}>"),
            message_id_missing=lambda got: got == "",
            message_id_without_brackets=lambda got: not (got.startswith("<") and got.endswith(">")),
            domain_of_the_name=lambda got: other in got,
            domain_of_this_machine=lambda got: "@" in got,
        )
        return answer, ident

    other = fresh.host()
    answer, first = written(fresh.word())
    answer, second = written(f"{fresh.word()}@{other}")
    scene.now("The same call twice.", "同样的调用，两次。")
    sender = f"{fresh.word()}@{domain}"
    same = [student.write_mail(sender, [to], subject, "Hello.\n") for _ in range(2)]
    idents = [_source(_written(answer), "Message-ID") for answer in same]
    same[-1].part(idents).satisfies(
        lambda got: got[0] != got[1],
        ("two mails with two Message-IDs", "两封邮件的 Message-ID 不同"),
        message_id_of_the_content=lambda got: first != second,
        message_id_twice=lambda got: True,
    )
    answer.part([first, second]).satisfies(
        lambda got: got[0] != got[1],
        ("two mails with two Message-IDs", "两封邮件的 Message-ID 不同"),
        message_id_twice=lambda got: True,
    )


def test_date_in_summer(scene: Scene, student: Student, fresh: Fresh) -> None:
    """the Date is right in summer time too, and in a zone that is not whole hours away from UTC

    夏令时期间，或者时区和 UTC 相差的不是整小时，Date 也要对
    """
    # Newfoundland's zone, as POSIX writes it. It is always summer: the one half of the year there, the other half as
    # far south of the equator, where it lasts over New Year.
    summer = "J60,J304" if 4 <= datetime.now(UTC).month <= 9 else "J244,J120"
    scene.environment["TZ"] = f"NST3:30NDT2:30,{summer}"
    scene.tell(
        "Your program runs on a machine in summer time: its clocks are 2½ hours behind UTC, and 3½ in winter.",
        "你的程序所在的机器正处于夏令时：时间比 UTC 晚 2 个半小时；冬天晚 3 个半小时。",
    )
    answer = student.write_mail(_address(fresh), [_address(fresh)], fresh.word(), "Hello.\n")
    _expect_now(answer, _written(answer), timedelta(hours=-2.5))


def test_header_injection(student: Student, fresh: Fresh) -> None:
    """a line break in a header is refused: what follows would be another header

    邮件头里的换行要拒绝：换行之后就是另一个邮件头
    """
    sender, to, subject, victim = _address(fresh), _address(fresh), fresh.word(), _address(fresh)

    def injected(got: Any) -> bool:
        return isinstance(got, Mail) and victim in str(message_from_bytes(got).get("Bcc", ""))

    for end in ("\n", "\r\n", "\r"):
        bad = f"{end}Bcc: {victim}"
        for headers in (
            (sender, [to], subject + bad),
            (sender, [to, to + bad], subject),
            (sender + bad, [to], subject),
        ):
            student.write_mail(*headers, "Hello.\n").raises(
                "ValueError",
                header_injected=injected,
                break_not_refused=lambda got: isinstance(got, Mail),
                break_found_too_late=lambda got: _raised(got, "HeaderParseError", "HeaderWriteError"),
            )
    for end in ("\n", "\r\n", "\r"):
        for headers in (
            (sender, [to], subject + end),
            (sender, [_address(fresh), to + end], subject),
            (sender, [to + end, _address(fresh)], subject),
            (sender + end, [to], subject),
        ):
            student.write_mail(*headers, "Hello.\n").raises(
                "ValueError", break_at_the_end=lambda got: isinstance(got, Mail)
            )


def test_mailbox(student: Student, fresh: Fresh) -> None:
    """a name with commas, quotes or Chinese letters is written so that it is read again as that name

    名字里有逗号、引号或汉字时，写出来的结果要能读回同一个名字
    """
    word = fresh.word().title()

    def check(name: str, **mistakes: Any) -> None:
        address = _address(fresh)
        student.mailbox(name, address).satisfies(
            lambda got: isinstance(got, str) and _read(got, name, address),
            (f"read as the name {name} and the address {address}", f"读出来是名字 {name} 和地址 {address}"),
            returned_none=lambda got: got is None,
            bytes_not_text=lambda got: isinstance(got, bytes),
            **mistakes,
        )

    check(f"{word} {fresh.word().title()}")
    for name in (f"{word}, Ada", f"{word} (work)", f"{word}@home", f"Dr. {word}; {word}"):
        check(name, name_not_quoted=lambda got: '"' not in got)
    for name in (f'Ada "{word}" Byron', f"back\\slash {word}", f'{word}"'):
        check(name, quotes_not_escaped=lambda got: True)
    for name in (fresh.name(), f"{word}, 小明", f"Zoë {word}"):
        check(name, ascii_name_only=lambda got: True)
    check("")
    long = f"很长的名字 {word} " + "很长 " * 30 + "完"
    student.mailbox(long, address := _address(fresh)).satisfies(
        lambda got: not set("\r\n") & set(got) and _read(got, long, address),
        (f"in one line: the name {long} and the address {address}", f"一行之内：名字 {long} 和地址 {address}"),
        long_name_folded=lambda got: bool(set("\r\n") & set(got)),
    )
    for bad in (f"{word}\nBcc: {address}", f"{word}\r{word}", f"{word}\r\n", f"{word}\n"):
        student.mailbox(bad, address).raises("ValueError", break_in_mailbox=lambda got: isinstance(got, str))
    for bad in (f"{address}\r\nX: y", f"{address}\n", f"{address}\r"):
        student.mailbox(word, bad).raises("ValueError", break_in_mailbox=lambda got: isinstance(got, str))


def test_recipients(student: Student, fresh: Fresh) -> None:
    """who gets a mail: the bare addresses of To, Cc and Bcc, each once

    邮件要送给谁：To、Cc、Bcc 里的地址，不带名字，每个一次
    """
    a, b, c, d = (_address(fresh) for _ in range(4))

    def check(expected: Sequence[str], headers: dict[str, str], **mistakes: Any) -> None:
        answer = student.recipients(_mail(fresh, **headers))
        got = answer.value(
            header_missing_crashes=lambda got: len(headers) < 3 and _raised(got, "TypeError", "AttributeError")
        )
        answer.part(got).satisfies(
            lambda got: isinstance(got, list) and sorted(got) == sorted(expected),
            f"{sorted(expected)}",
            returned_none=None,
            **mistakes,
            cc_or_bcc_left_out=lambda got: set(got) < set(expected),
        )

    check([a], {"To": a})
    check([a, b], {"To": f"{a}, {b}"}, commas_are_not_read=lambda got: len(got) == 1)
    check([a, b, c, d], {"To": a, "Cc": f"{b}, {c}", "Bcc": d})
    check([b], {"Bcc": b})
    check(
        [a, b],
        {"To": f'"{fresh.word().title()}, Ada" <{a}>, {fresh.name()} <{b}>'},
        cut_at_commas=lambda got: len(got) > 2,
        names_kept=lambda got: any("<" in address for address in got),
    )
    check([a, b], {"To": f"{a}, {b}", "Cc": f"Bob <{a}>"}, each_one_once=lambda got: len(got) > 2)
    special = [f"{fresh.word().title()}+{fresh.word()}@{fresh.host()}", f"o'{fresh.word()}/x=y@{fresh.host()}"]
    check(
        special,
        {"To": special[0], "Bcc": special[1]},
        letters_made_small=lambda got: sorted(got) == sorted(address.lower() for address in special),
        address_cut=lambda got: any(address not in special for address in got),
    )
    small = _address(fresh)
    twice = [small, small.capitalize()]
    check(twice, {"To": twice[0], "Cc": twice[1]}, two_taken_for_one=lambda got: len(got) == 1)
    named = f"{fresh.word()}@{fresh.host()}"
    check([a, b], {"To": f'"{named}" <{a}>, {b}'}, name_taken_for_address=lambda got: named in got)


def test_send(scene: Scene, student: Student, fresh: Fresh, smtp: SERVERS) -> None:
    """TLS, login, the envelope, the mail as it is, goodbye

    TLS、登录、信封、原样的邮件、告别
    """
    user, secret = _login(fresh)
    server = smtp(accounts={user: secret})
    to = [_address(fresh) for _ in range(3)]
    message = _mail(fresh, To=f'"Byron, {fresh.word().title()}" <{to[0]}>, {to[1]}', Cc=f"{fresh.name()} <{to[2]}>")
    answer = student.send(server.host, server.port, user, secret, message)
    refused = answer.value(**_not_delivered(server))
    _expect_arrived(scene, server, message, to)
    answer.part(refused).equals({}, returned_none=None)
    scene.expect(server.deliveries[0].sender, "received").equals(_sender(message), another_sender=lambda got: True)
    _expect_goodbye(scene, server, "no_quit")
    scene.now(
        "The mail has several parts: a text, the same in HTML, and a file.",
        "这封邮件有几个部分：正文、同样内容的 HTML 和一个文件。",
    )
    message = _mail(fresh, To=to[0])
    message.add_alternative(f"<p>你好 {fresh.word()}</p>\n", subtype="html")
    data = b"\x00\xff\r\n.\n" + fresh.word().encode()
    message.add_attachment(data, "application", "octet-stream", filename=f"{fresh.word()}.bin")
    server = smtp(accounts={user: secret})
    answer = student.send(server.host, server.port, user, secret, message)
    answer.value(parts_lost=lambda got: isinstance(got, Raised) and not server.deliveries)
    _expect_arrived(scene, server, message, to[:1])
    for each in server.deliveries:
        scene.expect(_parts(each.message), "received").equals(_parts(message), parts_lost=lambda got: True)


def test_bcc(scene: Scene, student: Student, fresh: Fresh, smtp: SERVERS) -> None:
    """who stands in Bcc gets the mail, and nobody can see it

    Bcc 里的人收得到邮件，但谁也看不出来
    """
    user, secret = _login(fresh)
    server = smtp(accounts={user: secret})
    open_, hidden = _address(fresh), [_address(fresh), _address(fresh)]
    message = _mail(fresh, To=open_, Bcc=f"{fresh.name()} <{hidden[0]}>, {hidden[1]}")
    student.send(server.host, server.port, user, secret, message).value(**_not_delivered(server))
    scene.expect([_raw(each.message, "Bcc") for each in server.deliveries], "received").satisfies(
        lambda got: not any(got), ("mails without a Bcc header", "没有 Bcc 头的邮件"), bcc_shown=lambda got: True
    )
    _expect_arrived(scene, server, message, [open_, *hidden], bcc_not_reached=lambda got: not set(hidden) & set(got))
    shown = [address for each in server.deliveries for address in hidden if address.encode() in each.content]
    scene.expect(shown, "received").equals([], bcc_shown=lambda got: True)
    server = smtp(accounts={user: secret})
    scene.now("The header is written BCC.", "这个邮件头写成了 BCC。")
    message = _mail(fresh, To=open_, BCC=hidden[0])
    student.send(server.host, server.port, user, secret, message).value(**_not_delivered(server))
    _expect_arrived(scene, server, message, [open_, hidden[0]], bcc_not_reached=lambda got: hidden[0] not in got)
    shown = [hidden[0] for each in server.deliveries if hidden[0].encode() in each.content]
    scene.expect(shown, "received").equals([], bcc_shown=lambda got: True)


def test_refused_recipients(scene: Scene, student: Student, fresh: Fresh, smtp: SERVERS) -> None:
    """the server refuses some recipients: the others get the mail, and the caller learns who did not

    服务器拒绝了一部分收件人：其他人照样收到，调用者要知道谁没收到
    """
    user, secret = _login(fresh)
    server = smtp(accounts={user: secret})
    unknown, busy, good, other = (_address(fresh) for _ in range(4))
    server.on("RCPT", unknown, reply="550 5.1.1 Nobody here by that name")
    server.on("RCPT", busy, reply="450 4.2.1 Mailbox busy")
    scene.now(
        f"The server refuses {unknown} with 550 and {busy} with 450, and takes two others.",
        f"服务器用 550 拒绝 {unknown}，用 450 拒绝 {busy}，接受另外两个。",
    )
    message = _mail(fresh, To=f"{good}, {unknown}", Cc=f"{busy}, {other}")
    answer = student.send(server.host, server.port, user, secret, message)
    refused = answer.value(good_ones_dropped=lambda got: _raised(got, "NotSent") and not server.deliveries)
    _expect_arrived(scene, server, message, [good, other])
    answer.part(refused).equals(
        {unknown: 550, busy: 450},
        refusals_not_told=lambda got: not got,
        codes_with_texts=lambda got: not all(type(code) is int for code in got.values()),
    )
    longer = _address(fresh)
    server.on("RCPT", longer, reply="550-5.1.1 Nobody here\r\n550 5.1.1 by that name")
    scene.now(f"The server refuses {longer} in a reply of two lines.", f"服务器用两行的回答拒绝 {longer}。")
    answer = student.send(server.host, server.port, user, secret, _mail(fresh, To=f"{longer}, {good}"))
    answer.returns({longer: 550}, rest_of_the_reply=lambda got: True)
    scene.now("The server refuses all the recipients.", "服务器拒绝所有收件人。")
    before = len(server.deliveries)
    message = _mail(fresh, To=f"{unknown}, {busy}")
    _expect_not_sent(scene, student.send(server.host, server.port, user, secret, message), user, secret)
    scene.expect(len(server.deliveries) - before, "received").equals(0)
    for step, reply in (
        ("MAIL", "550 5.7.1 Not from you"),
        ("DATA", "451 4.3.0 Later"),
        ("DATA", "250 2.0.0 OK"),
        ("CONTENT", "451 4.3.0 Later"),
        ("CONTENT", "554 5.6.0 No"),
    ):
        scene.now(f"The server answers {reply} to {_WORDS[step][0]}.", f"服务器对{_WORDS[step][1]}回答 {reply}。")
        server.on(step, reply=reply, once=True)
        message = _mail(fresh, To=good)
        _expect_not_sent(scene, student.send(server.host, server.port, user, secret, message), user, secret)
        if step == "DATA":
            server.wait_closed()
            ident = _raw(message, "Message-ID").encode()
            sent = [each.received for each in server.connections if ident in each.received]
            scene.expect([re.split(rb"(?i)\r\nDATA\r\n", each)[-1][:60] for each in sent], "received").satisfies(
                lambda got: got == [],
                (f"nothing of the mail after the {reply[:3]}", f"{reply[:3]} 之后没有邮件的内容"),
                content_not_wanted=lambda got: True,
            )


def test_login_refused(scene: Scene, student: Student, fresh: Fresh, smtp: SERVERS) -> None:
    """a wrong password is told as such, and never shown

    密码不对，要明确告诉调用者，但绝不能显示密码
    """
    user, secret = _login(fresh)
    wrong = fresh.word(12)
    server = smtp(accounts={user: secret})
    scene.now("The password is right.", "密码是对的。")
    student.send(server.host, server.port, user, secret, _mail(fresh)).value(**_not_delivered(server))
    scene.now("The password is wrong: the server answers 535.", "密码不对：服务器回答 535。")
    _expect_login_refused(scene, student.send(server.host, server.port, user, wrong, _mail(fresh)), user, wrong)
    scene.now("The server cannot check logins now: it answers 454.", "服务器现在无法检查登录：回答 454。")
    server.on("AUTH", reply="454 4.7.0 Temporary authentication failure")
    _expect_not_sent(scene, student.send(server.host, server.port, user, secret, _mail(fresh)), user, secret)
    scene.now("The server breaks off in the middle of the login.", "服务器在登录的中途断开了连接。")
    server.on("AUTH", drop=True)
    _expect_not_sent(scene, student.send(server.host, server.port, user, secret, _mail(fresh)), user, secret)
    _expect_unprinted(scene, user, secret, wrong)


def test_goodbye(scene: Scene, student: Student, fresh: Fresh, smtp: SERVERS) -> None:
    """QUIT is said after an error too; and what comes of QUIT does not undo what was sent

    出错之后也要说 QUIT；而 QUIT 的结果不会改变已经发出的邮件
    """
    user, secret = _login(fresh)
    bad = _address(fresh)
    for english, chinese, step, reply, password in (
        ("The password is wrong.", "密码不对。", "", "", fresh.word(12)),
        ("The server refuses the only recipient.", "服务器拒绝唯一的收件人。", "RCPT", "550 5.1.1 Nobody", secret),
        ("The server refuses the whole mail.", "服务器在收完之后拒绝邮件。", "CONTENT", "554 5.6.0 No", secret),
    ):
        server = smtp(accounts={user: secret})
        scene.now(english, chinese)
        if step:
            server.on(step, reply=reply)
        answer = student.send(server.host, server.port, user, password, _mail(fresh, To=bad))
        _expect_not_sent(scene, answer, user, password)
        _expect_goodbye(scene, server, "no_quit_after_error")
    server = smtp(accounts={user: secret})
    server.on("QUIT", drop=True)
    scene.now(
        "The server takes the mail, and breaks off instead of answering QUIT.",
        "服务器收下了邮件，然后没有回答 QUIT 就断开了。",
    )
    answer = student.send(server.host, server.port, user, secret, _mail(fresh))
    answer.returns({}, sent_is_sent=lambda got: isinstance(got, Raised) and len(server.deliveries) > 0)
    silent = smtp(accounts={user: secret})
    silent.on("QUIT", silence=True)
    scene.now(
        "The server takes the mail, and is silent after QUIT; the timeout is 0.5 s.",
        "服务器收下了邮件，QUIT 之后沉默了；超时时间是 0.5 秒。",
    )
    answer = student.within(5).send(silent.host, silent.port, user, secret, _mail(fresh), timeout=0.5)
    if silent.deliveries:
        answer.returns(
            {},
            no_timeout=lambda got: isinstance(got, Hung),
            sent_is_sent=lambda got: isinstance(got, Raised),
        )
    else:  # the machine is so slow that the timeout has passed before QUIT
        _expect_not_sent(scene, answer, user, secret)


def test_certificates(scene: Scene, student: Student, fresh: Fresh, smtp: SERVERS) -> None:
    """a certificate that is not right: an error, and not one byte of the login has left

    证书不对：报错，而且登录信息一个字节也没有发出
    """
    user, secret = _login(fresh)
    for leaf, english, chinese in _LEAVES:
        server = smtp(leaf, accounts={user: secret})
        scene.now(f"The server's certificate {english}.", f"服务器的证书{chinese}。")
        answer = student.send(server.host, server.port, user, secret, _mail(fresh))
        _expect_no_login(scene, server, "certificate_not_checked")
        _expect_not_sent(scene, answer, user, secret, certificate_error_let_out=raises("OSError"))


def test_no_answer(scene: Scene, student: Student, fresh: Fresh, smtp: SERVERS, wire: Wire) -> None:
    """nobody listens, silence, the end in the middle: NotSent, and no waiting for ever

    没有人监听、一片沉默、中途断开：NotSent，而且不会一直等下去
    """
    user, secret = _login(fresh)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and never listens: the port is free of others, and refuses
        scene.now("Nobody listens at this port.", "这个端口上没有人监听。")
        port = unused.getsockname()[1]
        _expect_not_sent(scene, student.send("127.0.0.1", port, user, secret, _mail(fresh)), user, secret)
    scene.now(
        "The server says nothing even to the TLS handshake, and the timeout is 0.1 s.",
        "服务器连 TLS 握手也不回应，超时时间是 0.1 秒。",
    )
    with FakeTCP(wire, [Silence()]) as silent:
        patient = student.within(2.5)
        answer = patient.send(silent.host, silent.port, user, secret, _mail(fresh), timeout=0.1)
        _expect_not_sent(scene, answer, user, secret)
    for step in ("CONNECT", "CONTENT"):
        server = smtp(accounts={user: secret})
        server.on(step, silence=True)
        scene.now(
            f"The server is silent where {_WORDS[step][0]} is due, and the timeout is 0.1 s.",
            f"服务器该回应{_WORDS[step][1]}的时候沉默了，超时时间是 0.1 秒。",
        )
        patient = student.within(2.5)
        answer = patient.send(server.host, server.port, user, secret, _mail(fresh), timeout=0.1)
        _expect_not_sent(scene, answer, user, secret)
    for step in ("EHLO", "AUTH", "RCPT", "CONTENT"):
        server = smtp(accounts={user: secret})
        server.on(step, drop=True)
        if step == "EHLO":
            server.on("HELO", drop=True)
        scene.now(
            f"The server breaks off where the answer to {_WORDS[step][0]} is due.",
            f"服务器该回应{_WORDS[step][1]}的时候断开了连接。",
        )
        _expect_not_sent(scene, student.send(server.host, server.port, user, secret, _mail(fresh)), user, secret)
    server = smtp(accounts={user: secret})
    server.on("CONNECT", reply="554 5.3.2 No service today")
    scene.now("The server greets with 554.", "服务器的问候是 554。")
    _expect_not_sent(scene, student.send(server.host, server.port, user, secret, _mail(fresh)), user, secret)


def test_send_starttls(scene: Scene, student: Student, fresh: Fresh, smtp: SERVERS) -> None:
    """the other way: plain text first, STARTTLS, and only then the login

    另一种方式：先是明文，然后 STARTTLS，之后才登录
    """
    user, secret = _login(fresh)
    # It would take the password in the clear too: whoever forgets STARTTLS is not stopped by it.
    server = smtp(starttls=True, accounts={user: secret}, clear_auth=True)
    to, unknown = [_address(fresh), _address(fresh)], _address(fresh)
    server.on("RCPT", unknown, reply="550 5.1.1 Nobody here by that name")
    message = _mail(fresh, To=f"{to[0]}, {unknown}", Bcc=to[1])
    scene.now(f"The server refuses {unknown} with 550.", f"服务器用 550 拒绝 {unknown}。")
    answer = student.send_starttls(server.host, server.port, user, secret, message)
    scene.expect([each.verbs for each in server.connections], "received").satisfies(
        lambda got: not any("AUTH" in verbs[: [*verbs, "STARTTLS"].index("STARTTLS")] for verbs in got),
        ("no AUTH before STARTTLS", "STARTTLS 之前没有 AUTH"),
        login_before_tls=lambda got: True,
    )
    refused = answer.value(
        no_ehlo_after_starttls=lambda got: isinstance(got, Raised) and _went_on_without_ehlo(server),
        tls_too_early=lambda got: isinstance(got, Raised) and _began_with_tls(server),
        good_ones_dropped=lambda got: (
            isinstance(got, Raised) and "RCPT" in server.connections[0].verbs and not server.deliveries
        ),
        **_not_delivered(server),
    )
    _expect_arrived(scene, server, message, to)
    answer.part(refused).equals(
        {unknown: 550}, returned_none=None, refusals_not_told={}, codes_with_texts=lambda got: got[unknown] != 550
    )
    scene.expect([each.message["Bcc"] for each in server.deliveries], "received").equals(
        [None] * len(server.deliveries), bcc_shown=lambda got: True
    )
    _expect_goodbye(scene, server, "no_quit")
    scene.now("The password is wrong.", "密码不对。")
    wrong = fresh.word(12)
    _expect_login_refused(scene, student.send_starttls(server.host, server.port, user, wrong, message), user, wrong)
    scene.now(
        "The server is silent after STARTTLS, and the timeout is 0.1 s.",
        "STARTTLS 之后服务器沉默了，超时时间是 0.1 秒。",
    )
    server.on("STARTTLS", silence=True)
    patient = student.within(2.5)
    answer = patient.send_starttls(server.host, server.port, user, secret, message, timeout=0.1)
    _expect_not_sent(scene, answer, user, secret)
    _expect_unprinted(scene, user, secret, wrong)


def test_starttls_refused(scene: Scene, student: Student, fresh: Fresh, smtp: SERVERS) -> None:
    """no STARTTLS, or a certificate that is not right: an error, and not one byte of the login has left

    没有 STARTTLS，或者证书不对：报错，而且登录信息一个字节也没有发出
    """
    user, secret = _login(fresh)
    accounts = {user: secret}
    hidden = smtp(None, accounts=accounts, clear_auth=True)
    closed = smtp(starttls=True, accounts=accounts, clear_auth=True)
    closed.on("STARTTLS", reply="454 4.7.0 TLS not available now")
    situations = [
        ("The server does not offer STARTTLS.", "服务器不提供 STARTTLS。", "went_on_in_clear", hidden),
        ("The server refuses STARTTLS with 454.", "服务器用 454 拒绝 STARTTLS。", "went_on_in_clear", closed),
    ]
    for leaf, english, chinese in _LEAVES:
        told = f"The server's certificate {english}.", f"服务器的证书{chinese}。"
        situations.append((*told, "starttls_not_checked", smtp(leaf, starttls=True, accounts=accounts)))
    for english, chinese, mistake, server in situations:
        scene.now(english, chinese)
        answer = student.send_starttls(server.host, server.port, user, secret, _mail(fresh))
        _expect_no_login(scene, server, mistake)
        _expect_not_sent(scene, answer, user, secret, certificate_error_let_out=raises("OSError"))
        if server in (hidden, closed) and any(each.verbs for each in server.connections):
            server.wait_closed(deadline=1.0)
            # A handshake begins with 22 and the version 3 (RFC 8446 §5.1), which are in no command.
            shaken = [each.received for each in server.connections if b"\x16\x03" in each.received]
            scene.expect([each[each.index(b"\x16\x03") :][:8] for each in shaken], "received").satisfies(
                lambda got: got == [],
                ("no TLS handshake, as the server has not agreed to one", "没有 TLS 握手：服务器没有同意"),
                tls_after_refusal=lambda got: True,
            )
            _expect_goodbye(scene, server, "no_quit_after_error")


def test_send_many(scene: Scene, student: Student, fresh: Fresh, smtp: SERVERS) -> None:
    """several mails, one connection, one login; one that is refused does not keep the next one back

    多封邮件，一个连接，一次登录；一封被拒绝，不影响下一封
    """
    user, secret = _login(fresh)
    bad, also_bad = _address(fresh), _address(fresh)
    server = smtp(accounts={user: secret})
    server.on("RCPT", bad, reply="550 5.1.1 Nobody here by that name")
    people = [[_address(fresh)], [bad], [_address(fresh), bad], [_address(fresh), _address(fresh)]]
    mails = [_mail(fresh, To=", ".join(to)) for to in people[:3]]
    mails.append(_mail(fresh, To=people[3][0], Bcc=people[3][1]))
    scene.now(
        f"Four mails. The server refuses {bad}: the only recipient of the second, one of two of the third.",
        f"四封邮件。服务器拒绝 {bad}：它是第二封唯一的收件人，也是第三封两个收件人之一。",
    )
    answer = student.send_many(server.host, server.port, user, secret, mails)
    got = answer.value(
        refusal_ends_it=lambda got: _raised(got, "NotSent", "OSError") and server.deliveries,
        **_not_delivered(server),
    )
    talk = [verb for each in server.connections for verb in each.verbs]
    scene.expect((len(server.connections), talk.count("AUTH")), "received").satisfies(
        lambda got: got == (1, 1),
        ("one connection and one login", "一个连接，一次登录"),
        connection_for_each=lambda got: got[0] > 1,
        login_for_each=lambda got: got[1] > 1,
    )
    reached: dict[str, list[str]] = {}
    for each in server.deliveries:
        subject = _raw(each.message, "Subject")
        reached[subject] = sorted([*reached.get(subject, []), *each.recipients])
    wanted = {_raw(mails[at], "Subject"): sorted(set(people[at]) - {bad}) for at in (0, 2, 3)}
    scene.expect(reached, "received").satisfies(
        lambda got: got == wanted,
        f"{wanted}",
        recipients_mixed=lambda got: any(not set(got[subject]) <= set(to) for subject, to in wanted.items()),
        refusal_ends_it=lambda got: len(got) < 3,
    )
    shown = [_raw(each.message, "Bcc") for each in server.deliveries if "Bcc" in each.message]
    scene.expect(shown, "received").equals([], bcc_shown=lambda got: True)
    results: list[dict[str, int] | None] = [{}, None, {bad: 550}, {}]
    answer.part(got).equals(
        results,
        returned_none=None,
        results_missing=lambda got: len(got) != 4,
        one_dict_for_all=lambda got: any(
            each and not set(each) <= set(to) for each, to in zip(got, people, strict=True)
        ),
        refusals_not_told=lambda got: got[1:3] != results[1:3],
    )
    _expect_goodbye(scene, server, "no_quit")

    server = smtp(accounts={user: secret})
    server.on("RCPT", also_bad, drop=True)
    mails = [_mail(fresh, To=to) for to in (_address(fresh), also_bad, _address(fresh))]
    scene.now(
        "Three mails. The server breaks off in the middle of the second.",
        "三封邮件。服务器在第二封的中途断开了连接。",
    )
    student.send_many(server.host, server.port, user, secret, mails).satisfies(
        lambda got: got[:2] == [{}, None] and len(got) == 3 and (got[2] is None) == (len(server.deliveries) == 1),
        "[{}, None, None]",
        broken_off_unsaid=lambda got: isinstance(got, Raised) or len(got) < 3,
    )
    server = smtp(accounts={user: secret})
    server.on("RCPT", also_bad, drop=True)
    scene.now(
        "Two mails. The server breaks off in the middle of the first.",
        "两封邮件。服务器在第一封的中途断开了连接。",
    )
    student.send_many(server.host, server.port, user, secret, mails[1:]).satisfies(
        lambda got: got[:1] == [None] and len(got) == 2 and (got[1] is None) == (not server.deliveries),
        "[None, None]",
        first_mail_raises=lambda got: isinstance(got, Raised),
        broken_off_unsaid=lambda got: len(got) < 2,
    )
    server = smtp(accounts={user: secret})
    server.on("RCPT", reply="550 5.1.1 Nobody here by that name")
    scene.now("Two mails. The server refuses all recipients.", "两封邮件。服务器拒绝所有收件人。")
    student.send_many(server.host, server.port, user, secret, mails[:2]).returns(
        [None, None], first_mail_raises=lambda got: isinstance(got, Raised)
    )
    server = smtp(accounts={user: secret})
    server.on("QUIT", drop=True)
    scene.now(
        "The server takes the mail, and breaks off instead of answering QUIT.",
        "服务器收下了邮件，然后没有回答 QUIT 就断开了。",
    )
    student.send_many(server.host, server.port, user, secret, mails[:1]).returns(
        [{}], sent_is_sent=lambda got: isinstance(got, Raised) and len(server.deliveries) > 0
    )
    server = smtp(accounts={user: secret})
    scene.now("The password is wrong.", "密码不对。")
    wrong = fresh.word(12)
    _expect_login_refused(scene, student.send_many(server.host, server.port, user, wrong, [_mail(fresh)]), user, wrong)
    scene.now("The server is silent at once, and the timeout is 0.1 s.", "服务器从一开始就沉默，超时时间是 0.1 秒。")
    server.on("CONNECT", silence=True)
    patient = student.within(2.5)
    answer = patient.send_many(server.host, server.port, user, secret, [_mail(fresh)], timeout=0.1)
    _expect_not_sent(scene, answer, user, secret)
    server = smtp("unknown_ca", accounts={user: secret})
    scene.now("The server's certificate is of nobody you trust.", "服务器的证书由不受信任的机构签发。")
    answer = student.send_many(server.host, server.port, user, secret, [_mail(fresh)])
    _expect_no_login(scene, server, "certificate_not_checked")
    _expect_not_sent(scene, answer, user, secret, certificate_error_let_out=raises("OSError"))
    _expect_unprinted(scene, user, secret, wrong)


# --- what the tests share -----------------------------------------------------------------------------------

_LEAVES = (
    ("unknown_ca", "is of nobody you trust", "由不受信任的机构签发"),
    ("wrong_host", "is for another host", "是给别的主机的"),
    ("expired", "has expired", "已经过期"),
)

_WORDS = {
    "CONNECT": ("the greeting", "连接（问候）"),
    "EHLO": ("EHLO", " EHLO "),
    "AUTH": ("AUTH", " AUTH "),
    "MAIL": ("MAIL", " MAIL "),
    "RCPT": ("RCPT", " RCPT "),
    "DATA": ("DATA", " DATA "),
    "CONTENT": ("the mail's last line", "邮件的最后一行"),
}
"""The steps of a server, in words."""


def _address(fresh: Fresh) -> str:
    return f"{fresh.word()}@{fresh.host()}"


def _login(fresh: Fresh) -> tuple[str, str]:
    return f"{fresh.word()}@example.com", fresh.word(12)


def _mail(fresh: Fresh, **headers: str) -> EmailMessage:
    """A mail of the judge's, with what a program may get wrong on the way: dots, characters, a Date of its own."""
    message = EmailMessage()
    message["From"] = f"{fresh.name()} <{_address(fresh)}>"
    for name, value in (headers or {"To": _address(fresh)}).items():
        message[name] = value
    message["Subject"] = f"你好 {fresh.word()}"
    message["Date"] = format_datetime(datetime.now(UTC) - timedelta(hours=fresh.number(2, 9)))
    message["Message-ID"] = f"<{fresh.word(12)}@example.com>"
    message["Reply-To"] = _address(fresh)
    message.set_content(
        f"你好 {fresh.word()}\n\n.\n..dots\n.{fresh.word()}\n"
        f"Bcc: {fresh.word()}, in the text\nin\u2028one\x0cline\nthe end\n\n\n"
    )
    return message


def _message(**headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in headers.items():
        message[name] = value
    return message


def _written(answer: Answer, **mistakes: Any) -> EmailMessage:
    """The mail that write_mail returned, as another program reads it."""
    value = answer.value(**mistakes)
    answer.part(value).satisfies(
        lambda got: isinstance(got, Mail),
        ("an EmailMessage", "一个 EmailMessage"),
        returned_none=None,
        message_as_text=lambda got: isinstance(got, (str, bytes)),
    )
    return message_from_bytes(bytes(value), policy=policy.default)


# A student's mail may be anything: the email package stumbles over some of it, which must not stop the judge.


def _raw(message: EmailMessage, name: str) -> str:
    try:
        return _text(message[name])
    except Exception:
        return "(cannot be read)"


def _source(message: EmailMessage, name: str) -> str:
    """The header as it is written, unfolded; "" if there is none."""
    for key, value in message.raw_items():
        if key.lower() == name.lower():
            return re.sub(r"\r?\n(?=[ \t])", "", str(value)).strip()
    return ""


def _encoded_whole(message: EmailMessage, name: str) -> bool:
    """Whether the address is inside the encoded words too (RFC 2047 §5: they may stand for names only)."""
    source = _source(message, name)
    return source.startswith("=?") and "@" not in source


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _people(
    message: EmailMessage, name: str, wanted: Sequence[tuple[str, str]] | None = None
) -> list[tuple[str, str]]:
    """(name, address) of everybody in this header: as `wanted`, if one of two readers reads it so."""
    if wanted is not None and _words_joined(_source(message, name)) == list(wanted):
        return list(wanted)
    try:
        everybody = [each for header in message.get_all(name, []) for each in header.addresses]
        return [(each.display_name, each.addr_spec) for each in everybody]
    except Exception:
        return []


def _read(text: str, name: str, address: str) -> bool:
    """Whether this header's text is read as that name and address."""
    wanted = [(name, address)]
    return _people(_message(To=text), "To") == wanted or _words_joined(text) == wanted


def _words_joined(text: str) -> list[tuple[str, str]]:
    """(name, address) of everybody in a header's text, where nothing stands between two encoded words that blanks
    part (RFC 2047 §6.2). The parser of Python 3.11 leaves blanks there, so it is not the only reader that counts."""
    try:
        return [(str(make_header(decode_header(name))), address) for name, address in getaddresses([text])]
    except Exception:
        return []


def _headers(message: EmailMessage) -> dict[str, Any]:
    return {
        "From": [address for _, address in _people(message, "From")],
        "To": [address for _, address in _people(message, "To")],
        "Subject": _raw(message, "Subject"),
    }


def _lines(message: EmailMessage) -> list[str]:
    try:
        part = message.get_body(("plain",))
        if part is None:
            return []
        # The last line end may be added (RFC 5322 §2.1: lines end with CR LF; no other character ends one).
        return str(part.get_content()).replace("\r\n", "\n").removesuffix("\n").split("\n")
    except Exception:
        return ["(cannot be read)"]


def _parts(message: EmailMessage) -> list[tuple[str, str, str | bytes]]:
    """Of each part its type, the file's name, and what it holds: a text line by line, whatever its line ends."""
    parts = [part for part in message.walk() if not part.is_multipart()]
    try:
        return [(part.get_content_type(), part.get_filename(""), _held(part)) for part in parts]
    except Exception:
        return [("(cannot be read)", "", "")]


def _held(part: EmailMessage) -> str | bytes:
    held = part.get_content()
    return held.replace("\r\n", "\n").removesuffix("\n") if isinstance(held, str) else held


def _moment(message: EmailMessage) -> datetime | None:
    try:
        moment = message["Date"].datetime
    except Exception:
        return None
    if not isinstance(moment, datetime):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # -0000: it is in UTC (RFC 5322 §3.3)


def _expect_now(answer: Answer, message: EmailMessage, ahead: timedelta, **mistakes: Any) -> None:
    """The Date is the present time, on a machine whose clocks are that far ahead of UTC."""
    moment = _moment(message)
    answer.part(_source(message, "Date")).satisfies(
        lambda got: moment is not None and abs(datetime.now(UTC) - moment) < LAX,
        ("Date: the present time, as RFC 5322 writes it", "Date：现在的时间，按 RFC 5322 的写法"),
        date_missing=lambda got: "Date" not in message,
        date_of_another_form=lambda got: moment is None,
        date_in_another_zone=lambda got: moment is not None and abs(moment - datetime.now(UTC) - ahead) < LAX,
        **mistakes,
    )


def _sender(message: EmailMessage) -> str:
    return _people(message, "From")[0][1]


def _raised(got: Any, *types: str) -> bool:
    return any(raises(name).matches(got) for name in types)


def _began_with_tls(server: FakeSMTP) -> bool:
    """Whether the first byte of a client was that of a TLS handshake (RFC 8446 §5.1)."""
    return server.wait(lambda: any(each.received[:1] == b"\x16" for each in server.connections), 0.5)


def _expect_not_sent(scene: Scene, answer: Answer, user: str, password: str, **mistakes: Any) -> None:
    """The call ended with NotSent, which gives the password away as little as any other error."""
    raised = answer.raises(
        "NotSent",
        **mistakes,
        no_timeout=lambda got: isinstance(got, Hung),
        failure_unnoticed=lambda got: isinstance(got, (dict, list)) or got is None,
        smtplib_let_out=raises("OSError"),
    )
    _expect_untold(scene, raised, user, password)


def _expect_login_refused(scene: Scene, answer: Answer, user: str, password: str) -> None:
    """The call ended with LoginRefused, without the password in it."""
    raised = answer.raises(
        "LoginRefused",
        refused_login_is_none=lambda got: isinstance(got, list) and got == [None] * len(got),
        refusal_unnoticed=lambda got: isinstance(got, (dict, list)) or got is None,
        refusal_not_told=raises("NotSent"),
        smtplib_let_out=raises("OSError"),
    )
    _expect_untold(scene, raised, user, password)


def _went_on_without_ehlo(server: FakeSMTP) -> bool:
    verbs = server.connections[-1].verbs
    after = verbs[verbs.index("STARTTLS") + 1 :] if "STARTTLS" in verbs else []
    return bool(after) and not {"EHLO", "HELO"} & set(after)


def _expect_untold(scene: Scene, raised: Raised, user: str, password: str) -> None:
    """Neither the error nor one that it comes from gives the password away."""
    link: Raised | None = raised
    while link is not None:
        scene.expect(link, "raised").satisfies(
            lambda link: not _tells(link.message, user, password),
            ("a message without the password, in Base64 too", "文本里没有密码，也没有它的 Base64"),
            password_in_error=lambda link: True,
        )
        link = link.cause


def _expect_unprinted(scene: Scene, user: str, *passwords: str) -> None:
    """Nothing that the program has printed gives a password away. The last thing in a test."""
    lines = scene.printed().splitlines()
    telling = [line for line in lines if any(_tells(line, user, password) for password in passwords)]
    # Of all the calls, not of the last one: an expectation that tells no call.
    Expectation(scene, telling, "you_printed").satisfies(
        lambda got: not got,
        ("nothing that gives the password away", "没有泄露密码的内容"),
        password_printed=lambda got: any(password in line for line in got for password in passwords),
        login_printed=lambda got: True,
    )


def _not_delivered(server: FakeSMTP) -> dict[str, Any]:
    """The mistakes of who does not get a good mail delivered by a good server."""

    def last() -> Any:
        return server.connections[-1]

    return {
        "message_not_text": lambda got: not server.deliveries and _raised(got, "TypeError", "AttributeError"),
        "ascii_only": raises("UnicodeEncodeError"),
        "no_tls_spoken": lambda got: (
            server.tls is not None and not server.starttls and server.wait_connections(1, 0.1) and not last().secured
        ),
        "stuck_in_data": lambda got: isinstance(got, Hung) and last().verbs[-1:] == ["DATA"],
        "no_login": lambda got: isinstance(got, Raised) and "AUTH" not in last().verbs and "MAIL" in last().verbs,
        "sent_but_raised": lambda got: isinstance(got, Raised) and len(server.deliveries) > 0,
    }


def _expect_arrived(
    scene: Scene, server: FakeSMTP, message: EmailMessage, people: Sequence[str], **mistakes: Any
) -> None:
    """The mail has come for exactly these people, each once, and as it was; in one delivery or in several."""
    deliveries = server.deliveries
    scene.expect(sorted(to for each in deliveries for to in each.recipients), "received").satisfies(
        lambda got: got == sorted(people),
        (f"the mail for {', '.join(sorted(people))}", f"发给 {'、'.join(sorted(people))} 的邮件"),
        **mistakes,
        nothing_arrived=lambda got: got == [],
        recipients_missed=lambda got: not set(people) <= set(got),
    )
    for each in deliveries:
        scene.expect(each.content, "received").satisfies(
            lambda got: re.search(rb"(?<!\r)\n", got) is None,
            ("lines that end with CR LF", "以 CR LF 结尾的行"),
            bare_line_feeds=lambda got: True,
        )
        _expect_same(scene, _as_read(message), _as_read(each.message))


def _expect_same(scene: Scene, wanted: dict[str, Any], got: dict[str, Any]) -> None:
    """A mail reads as it was given; what differs is shown, and nothing else."""
    names = [name for name in wanted if got[name] != wanted[name]]
    scene.expect({name: got[name] for name in names}, "received").equals(
        {name: wanted[name] for name in names},
        headers_lost=lambda _: not (got["From"] and got["To"] and got["Message-ID"]),
        dots_lost=lambda _: names == ["text"] and _only_dots_differ(wanted["text"], got["text"]),
        mail_changed=lambda _: True,
    )


def _only_dots_differ(wanted: list[str], got: list[str]) -> bool:
    """Whether dots at the beginning of lines are what is missing, or more than dots after a single one."""
    begun, rest = wanted[: len(got)], wanted[len(got) :]
    return (got != begun or any(rest)) and [line.lstrip(".") for line in got] == [line.lstrip(".") for line in begun]


def _as_read(message: EmailMessage) -> dict[str, Any]:
    return {
        **_headers(message),
        "Cc": _people(message, "Cc"),
        "Date": _text(_moment(message)),
        "Message-ID": _raw(message, "Message-ID"),
        "Reply-To": _raw(message, "Reply-To"),
        "text": _lines(message),
    }


def _expect_goodbye(scene: Scene, server: FakeSMTP, mistake: str) -> None:
    """The client has said QUIT before it left."""
    server.wait_closed(deadline=1.0)
    scene.expect([each.verbs[-1:] for each in server.connections], "received").satisfies(
        lambda got: all(last == ["QUIT"] for last in got),
        ("QUIT as the last word", "最后一句是 QUIT"),
        **{mistake: lambda got: True},
    )


def _expect_no_login(scene: Scene, server: FakeSMTP, mistake: str) -> None:
    """Not one byte of AUTH has come, and no mail."""
    seen = server.auth or b"".join(each.content for each in server.deliveries)
    scene.expect(seen, "received").satisfies(
        lambda got: got == b"", ("not one byte of AUTH", "没有一个字节的 AUTH"), **{mistake: lambda got: True}
    )


def _tells(text: str, user: str, password: str) -> bool:
    """Whether this text gives the password away, as it is or in the Base64 of AUTH."""
    tokens = [
        base64.b64encode(plain.encode()).decode()
        for plain in (password, f"\0{user}\0{password}", f"{user}\0{user}\0{password}")
    ]
    return any(secret in text for secret in (password, *tokens))
