"""Headers may hold any letter, if the policy says utf8.

fails: test_letter: raw_header
fails: test_names: raw_header
fails: test_whole_letter: raw_header
"""

import html
import mimetypes
import os
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import formataddr, make_msgid


def html_text(text):
    return html.escape(text).replace("\n", "<br>")


def mime_type(name):
    guess, encoding = mimetypes.guess_type(name)
    if guess is None or encoding:
        guess = "application/octet-stream"
    maintype, subtype = guess.split("/")
    return maintype, subtype


def set_headers(message, sender, to, subject):
    message["From"] = formataddr(sender)
    message["To"] = ", ".join(formataddr(person) for person in to)
    message["Subject"] = subject


def letter(sender, to, subject, text):
    message = EmailMessage(policy=SMTPUTF8)
    set_headers(message, sender, to, subject)
    message.set_content(text)
    return message


def add_versions(message, text, page):
    message.set_content(text)
    message.add_alternative(page, subtype="html")


def two_versions(text, page):
    message = EmailMessage(policy=SMTPUTF8)
    add_versions(message, text, page)
    return message


def add_picture(message, text, picture, description):
    cid = make_msgid(domain="example.com")
    page = f'<p>{html_text(text)}</p><img src="cid:{cid[1:-1]}" alt="{html.escape(description)}">'
    add_versions(message, text, page)
    maintype, subtype = mime_type(picture)
    with open(picture, "rb") as file:
        message.get_payload()[1].add_related(file.read(), maintype, subtype, cid=cid)


def picture_letter(text, picture, description):
    message = EmailMessage(policy=SMTPUTF8)
    add_picture(message, text, picture, description)
    return message


def add_files(message, files):
    for path in files:
        maintype, subtype = mime_type(path)
        with open(path, "rb") as file:
            message.add_attachment(file.read(), maintype, subtype, filename=os.path.basename(path))


def letter_with_files(text, files):
    message = EmailMessage(policy=SMTPUTF8)
    message.set_content(text)
    add_files(message, files)
    return message


def whole_letter(sender, to, subject, text, picture, description, files, limit):
    message = EmailMessage(policy=SMTPUTF8)
    set_headers(message, sender, to, subject)
    add_picture(message, text, picture, description)
    add_files(message, files)
    if len(message.as_bytes(policy=SMTPUTF8)) > limit:
        raise ValueError("the letter is too large")
    return message
