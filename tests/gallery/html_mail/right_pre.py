"""The lines of the text stand in a pre, where a line break is one; each file's type is from a table of its own."""

import html
import os
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, make_msgid

TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "csv": "text/csv",
    "txt": "text/plain",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "gz": "application/gzip",
    "tgz": "application/gzip",
}


def html_text(text):
    return html.escape(text).replace("\r\n", "\n").replace("\n", "<br>\n")


def mime_type(name):
    guess = TYPES.get(os.path.splitext(name)[1].lower()[1:], "application/octet-stream")
    maintype, subtype = guess.split("/")
    return maintype, subtype


def set_headers(message, sender, to, subject):
    message["From"] = formataddr(sender)
    message["To"] = ", ".join(formataddr(person) for person in to)
    message["Subject"] = subject


def attach(message, files):
    for path in files:
        maintype, subtype = mime_type(path)
        with open(path, "rb") as file:
            data = file.read()
        message.add_attachment(data, maintype=maintype, subtype=subtype, filename=os.path.basename(path))


def letter(sender, to, subject, text):
    message = EmailMessage()
    set_headers(message, sender, to, subject)
    message.set_content(text)
    return message


def two_versions(text, page):
    message = EmailMessage()
    message.set_content(text)
    message.add_alternative(page, subtype="html")
    return message


def picture_letter(text, picture, description):
    cid = make_msgid(domain="example.com")
    page = f'<pre>{html.escape(text)}</pre>\n<p><img src="cid:{cid[1:-1]}" alt="{html.escape(description)}"></p>\n'
    message = EmailMessage()
    message.set_content(text)
    message.add_alternative(page, subtype="html")
    maintype, subtype = mime_type(picture)
    with open(picture, "rb") as file:
        data = file.read()
    message.get_payload()[1].add_related(data, maintype=maintype, subtype=subtype, cid=cid)
    return message


def letter_with_files(text, files):
    message = EmailMessage()
    message.set_content(text)
    attach(message, files)
    return message


def whole_letter(sender, to, subject, text, picture, description, files, limit):
    message = picture_letter(text, picture, description)
    set_headers(message, sender, to, subject)
    attach(message, files)
    if len(message.as_bytes(policy=SMTP)) > limit:
        raise ValueError("the letter is too large")
    return message
