"""A header with Chinese in it is encoded as a whole, the address too.

fails: test_letter: address_encoded
fails: test_names: address_encoded
fails: test_whole_letter: address_encoded
may fail: test_limit
"""

import html
import mimetypes
import os
from email import encoders
from email.header import Header
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formataddr


def html_text(text):
    return "<br>".join(html.escape(line) for line in text.split("\n"))


def mime_type(name):
    guess, encoding = mimetypes.guess_type(name)
    if not guess or encoding:
        return "application", "octet-stream"
    return tuple(guess.split("/"))


def set_headers(message, sender, to, subject):
    message["From"] = Header(f"{sender[0]} <{sender[1]}>", "utf-8")
    message["To"] = Header(", ".join(f"{name} <{address}>" for name, address in to), "utf-8")
    message["Subject"] = Header(subject, "utf-8")


def letter(sender, to, subject, text):
    message = MIMEText(text, "plain", "utf-8")
    set_headers(message, sender, to, subject)
    return message


def two_versions(text, page):
    message = MIMEMultipart("alternative")
    message.attach(MIMEText(text, "plain", "utf-8"))
    message.attach(MIMEText(page, "html", "utf-8"))
    return message


def picture_letter(text, picture, description):
    page = f'<p>{html_text(text)}</p><img alt="{html.escape(description)}" src="cid:sunrise">'
    message = MIMEMultipart("alternative")
    message.attach(MIMEText(text, "plain", "utf-8"))
    related = MIMEMultipart("related")
    related.attach(MIMEText(page, "html", "utf-8"))
    with open(picture, "rb") as file:
        image = MIMEImage(file.read(), mime_type(picture)[1])
    image.add_header("Content-ID", "<sunrise>")
    image.add_header("Content-Disposition", "inline", filename=os.path.basename(picture))
    related.attach(image)
    message.attach(related)
    return message


def attach(message, files):
    for path in files:
        maintype, subtype = mime_type(path)
        part = MIMEBase(maintype, subtype)
        with open(path, "rb") as file:
            part.set_payload(file.read())
        encoders.encode_base64(part)
        part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", os.path.basename(path)))
        message.attach(part)


def letter_with_files(text, files):
    message = MIMEMultipart()
    message.attach(MIMEText(text, "plain", "utf-8"))
    attach(message, files)
    return message


def whole_letter(sender, to, subject, text, picture, description, files, limit):
    message = MIMEMultipart("mixed")
    set_headers(message, sender, to, subject)
    message.attach(picture_letter(text, picture, description))
    attach(message, files)
    if len(message.as_string().encode("utf-8").replace(b"\n", b"\r\n")) > limit:
        raise ValueError(f"more than {limit} bytes")
    return message
