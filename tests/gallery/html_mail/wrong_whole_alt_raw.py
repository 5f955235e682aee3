"""The description of the picture is escaped in a letter with a picture, and not in the whole one.

fails: test_whole_letter: description_not_escaped
"""
import html
import mimetypes
import os
from contextlib import ExitStack
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import make_msgid

POLICY = EmailPolicy(linesep="\r\n", max_line_length=78, cte_type="7bit")


def html_text(text):
    return html.escape(text).replace("\r\n", "<br>").replace("\n", "<br>")


def mime_type(name):
    kind, packed = mimetypes.guess_type(os.path.basename(name))
    if kind is None or packed:
        return ("application", "octet-stream")
    return tuple(kind.split("/", 1))


def _people(pairs):
    return [Address(display_name=n, addr_spec=a) for n, a in pairs]


def letter(sender, to, subject, text):
    m = EmailMessage(policy=POLICY)
    m["Subject"] = subject
    m["To"] = _people(to)
    m["From"] = _people([sender])
    m.set_content(text)
    return m


def two_versions(text, page):
    m = EmailMessage(policy=POLICY)
    m.set_content(text)
    m.add_alternative(page, subtype="html")
    return m


def _dress(m, text, picture, description, esc=html.escape):
    cid = make_msgid(domain="example.com")
    page = "".join(
        ["<!DOCTYPE html><html><body><p>", html_text(text), '</p><p><img src="cid:', cid[1:-1], '" alt="',
         esc(description), '"></p></body></html>']
    )
    m.add_alternative(page, subtype="html")
    with open(picture, "rb") as f:
        main, sub = mime_type(picture)
        m.get_payload()[1].add_related(f.read(), main, sub, cid=cid, disposition="inline")
    return m


def picture_letter(text, picture, description):
    m = EmailMessage(policy=POLICY)
    m.set_content(text)
    return _dress(m, text, picture, description)


def _attach(m, files):
    m.make_mixed()
    with ExitStack() as stack:
        for f in [stack.enter_context(open(p, "rb")) for p in files]:
            main, sub = mime_type(f.name)
            m.add_attachment(f.read(), main, sub, filename=os.path.basename(f.name))


def letter_with_files(text, files):
    m = EmailMessage(policy=POLICY)
    m.set_content(text)
    _attach(m, files)
    return m


def whole_letter(sender, to, subject, text, picture, description, files, limit):
    m = letter(sender, to, subject, text)
    _dress(m, text, picture, description, str)
    _attach(m, files)
    if len(m.as_bytes(policy=SMTP)) > limit:
        raise ValueError("too large")
    return m
