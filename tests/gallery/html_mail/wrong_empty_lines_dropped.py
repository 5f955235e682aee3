"""A line in which nothing stands is no line of the text.

fails: test_picture_text: empty_lines_lost
"""

import html
import mimetypes
import os
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP


def html_text(text):
    return html.escape(text).replace("\r\n", "\n").replace("\n", "<br>\n")


def mime_type(name):
    guess, encoding = mimetypes.guess_type(name)
    if guess is None or encoding:
        guess = "application/octet-stream"
    maintype, subtype = guess.split("/")
    return maintype, subtype


def mailbox(name, address):
    return str(Address(name, addr_spec=address))


def set_headers(message, sender, to, subject):
    message["From"] = mailbox(*sender)
    message["To"] = ", ".join(mailbox(*person) for person in to)
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
    cid = "<picture1@example.com>"
    items = "".join(f"<li>{html.escape(line)}</li>" for line in text.replace("\r\n", "\n").split("\n") if line)
    page = f'<ul>{items}</ul><p><img alt="{html.escape(description)}" src="cid:{cid[1:-1]}"></p>'
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
