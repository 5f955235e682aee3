"""A letter on its whole way, with nothing of ours between: reference/html_mail.py writes it, reference/mail.py brings
it to postfix, reference/inbox.py fetches it from dovecot and reads it; http_client and protected read pages of nginx's.
What the references say to a server whose certificate is wrong is told by that server's own log: nothing.
"""

from __future__ import annotations

import importlib.util
import re
import ssl
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dojo.launch import ROOT
from tests.real.certificates import LEAVES
from tests.real.programs import WITHIN
from tests.real.servers import ADDRESSES, READERS, Servers
from tests.real.sides import Real

ANN, BEN, EVE = READERS
USER, PASSWORD = "ada@example.com", "love lace"
CHINESE = "第三季度报告 最终版.xlsx"


def reference(name: str) -> Any:
    """A reference solution as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"reference_{name}", ROOT / "reference" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def real(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Servers:
    """The servers, the mailboxes empty, an account to send from and one for each reader; the authority is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", servers.certificates.ca_file)
    Real(servers).close()
    for user in (USER, *READERS):
        servers.dovecot.account(user, PASSWORD)
    assert servers.postfix.ports
    return servers


def came(servers: Servers, reader: str) -> bytes:
    """The one mail that reference/inbox.py finds at dovecot, once postfix has delivered it; its trace left out."""
    inbox = reference("inbox")
    login = "127.0.0.1", servers.dovecot.pop3s, reader, PASSWORD
    deadline = time.monotonic() + WITHIN
    while not list(servers.dovecot.mail.glob(f"{reader}/new/*")):
        assert time.monotonic() < deadline, servers.postfix.log()
        time.sleep(0.01)
    count, size = inbox.count_mails(*login)
    raw: bytes = inbox.fetch_mail(*login, 1)
    assert (count, size) == (1, len(raw))
    assert inbox.list_mails(*login)[0][:2] == (1, size)
    trace = re.match(
        rb"Return-Path: .*\r\nX-Original-To: .*\r\nDelivered-To: .*\r\nReceived: .*\r\n([ \t].*\r\n)*", raw
    )
    assert trace is not None
    return raw[trace.end() :]


def tree(message: EmailMessage | MIMEPart) -> Any:
    """The parts of a mail with all that they say of themselves, and their contents as bytes."""
    told = [(name.lower(), str(value)) for name, value in message.items() if name.lower() != "bcc"]
    if message.is_multipart():
        return sorted(told), [tree(part) for part in message.iter_parts()]
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return sorted(told), payload.replace(b"\r\n", b"\n") if message.get_content_maintype() == "text" else payload


@pytest.mark.parametrize("way", ["tls", "starttls"])
def test_a_plain_mail(real: Servers, way: str) -> None:
    mail = reference("mail")
    text = "你好\n\n.\n..two dots\n.one\n" + "x" * 2000 + "\nthe end\n"
    message = mail.write_mail(f"Ada <{USER}>", [f"Ann <{ANN}>"], "你好 dots", text)
    message["Bcc"] = BEN
    send = mail.send if way == "tls" else mail.send_starttls
    assert send("127.0.0.1", real.postfix.ports[way], USER, PASSWORD, message) == {}
    raw = came(real, ANN)
    assert came(real, BEN) == raw
    assert b"ben@" not in raw
    assert tree(message_from_bytes(raw, policy=policy.default)) == tree(message)
    inbox = reference("inbox")
    assert inbox.read_headers(raw)["subject"] == "你好 dots"
    assert inbox.read_headers(raw)["from"] == ("Ada", USER)
    assert inbox.read_bodies(raw)["text"].replace("\r\n", "\n") == text


def test_a_letter_with_pictures_and_files(real: Servers, tmp_path: Path) -> None:
    house = ROOT / "katas" / "html_mail"
    wanted = {"mosaic.jpg": (house / "mosaic.jpg").read_bytes(), CHINESE: (house / "prices.xlsx").read_bytes()}
    for name, content in wanted.items():
        (tmp_path / name).write_bytes(content)
    text, picture = "1 < 2 & 你好\n.\nbye\n", house / "sunrise.png"
    files = [str(tmp_path / name) for name in wanted]
    people = ("Ada, 王小明", USER), [("Eve <e>", EVE)]
    message = reference("html_mail").whole_letter(*people, "照片和报价", text, str(picture), "日出", files, 10**7)
    assert reference("mail").send("127.0.0.1", real.postfix.ports["tls"], USER, PASSWORD, message) == {}
    raw = came(real, EVE)
    assert tree(message_from_bytes(raw, policy=policy.default)) == tree(message)
    inbox = reference("inbox")
    head = inbox.read_headers(raw)
    assert (head["subject"], head["from"], head["to"]) == ("照片和报价", *people)
    assert inbox.read_bodies(raw)["text"].replace("\r\n", "\n") == text
    assert "1 &lt; 2 &amp; 你好" in inbox.read_bodies(raw)["html"]
    folder = tmp_path / "saved"
    folder.mkdir()
    saved = dict(inbox.save_attachments(raw, str(folder)))
    assert {name: (folder / saved[name]).read_bytes() for name in wanted} == wanted
    assert picture.read_bytes() in [file.read_bytes() for file in folder.iterdir()]


def test_who_may_not_send_and_who_may_not_read(real: Servers) -> None:
    mail, inbox = reference("mail"), reference("inbox")
    message = mail.write_mail(USER, [ANN], "Hi", "Hello.\n")
    for send, way in ((mail.send, "tls"), (mail.send_starttls, "starttls")):
        with pytest.raises(mail.LoginRefused):
            send("127.0.0.1", real.postfix.ports[way], USER, "wrong", message)
    with pytest.raises(mail.NotSent):
        mail.send_starttls("127.0.0.1", real.postfix.ports["clear"], USER, PASSWORD, message)
    for password in ("wrong", f"{PASSWORD} "):
        with pytest.raises(inbox.poplib.error_proto, match="AUTH"):
            inbox.count_mails("127.0.0.1", real.dovecot.pop3s, ANN, password)


@pytest.mark.parametrize("leaf", LEAVES[1:])
def test_no_login_where_the_certificate_is_wrong(real: Servers, leaf: str) -> None:
    mail, inbox = reference("mail"), reference("inbox")
    message = mail.write_mail(USER, [ANN], "Hi", "Hello.\n")
    smtp, pop3 = real.postfix.log(), real.dovecot.log()
    for send, way, what in (
        (mail.send, "tls", message),
        (mail.send_many, "tls", [message]),
        (mail.send_starttls, "starttls", message),
    ):
        with pytest.raises(mail.NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            send("127.0.0.1", real.postfix.ports[f"{way}_{leaf}"], USER, PASSWORD, what)
    with pytest.raises(ssl.SSLCertVerificationError):
        inbox.count_mails(ADDRESSES[leaf], real.dovecot.pop3s, ANN, PASSWORD)
    # The servers' own account of what they were told.
    told = noted(real.postfix.log, smtp, r"disconnect from \S+ (.*)", 3)
    assert sorted(told) == ["commands=0/0", "commands=0/0", "ehlo=1 starttls=0/1 commands=1/2"]
    assert noted(real.dovecot.log, pop3, r"pop3-login: Info: Disconnected: .*(no auth attempts)", 1)
    assert "Login:" not in real.dovecot.log().removeprefix(pop3)


def noted(log: Callable[[], str], before: str, pattern: str, count: int) -> list[str]:
    """What a server has logged since, once there are so many such lines."""
    deadline = time.monotonic() + WITHIN
    while len(found := re.findall(pattern, log().removeprefix(before))) < count:
        assert time.monotonic() < deadline, log()
        time.sleep(0.01)
    return found


def test_pages(real: Servers) -> None:
    http_client, protected = reference("http_client"), reference("protected")
    pages = {"/page": b"a page\r\n\x00\xff", "/text": "你好\n".encode()}
    side = Real(real)
    try:
        for leaf in (None, *LEAVES):
            host, port = side.site(pages, ("ada", "love lace"), leaf=leaf)
            url = f"{'https' if leaf else 'http'}://{host}:{port}"
            if leaf not in (None, "good"):
                with pytest.raises(http_client.NoAnswer, match="CERTIFICATE_VERIFY_FAILED"):
                    http_client.fetch(f"{url}/page")
                with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
                    protected.get_page(f"{url}/secret", "ada", "love lace")
                continue
            answer = http_client.fetch(f"{url}/moved")
            assert (answer["status"], answer["body"]) == (200, pages["/page"])
            assert http_client.get_text(f"{url}/text") == "你好\n"
            assert http_client.fetch(f"{url}/nothing")["status"] == 404
            assert http_client.put_text(f"{url}/text", "new")["status"] == 405
            assert protected.get_page(f"{url}/secret", "ada", "love lace") == "welcome"
            with pytest.raises(PermissionError):
                protected.get_page(f"{url}/secret", "ada", "wrong")
    finally:
        side.close()
