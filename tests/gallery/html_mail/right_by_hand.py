"""The messages written by hand, line by line, and read by the parser at the end."""

import base64
import html
import mimetypes
import os
import secrets
from email import message_from_string
from email.header import Header
from email.policy import default


def html_text(text):
    for char, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot"), ("'", "#39")):
        text = text.replace(char, f"&{name};")
    return text.replace("\r\n", "\n").replace("\n", "<br>")


def mime_type(name):
    guess, encoding = mimetypes.guess_type(name)
    if guess and not encoding:
        return guess.split("/")
    return ["application", "octet-stream"]


def encoded(text):
    return Header(text, "utf-8").encode() if text else ""


def mailbox(name, address):
    return f"{encoded(name)} <{address}>"


def people(sender, to, subject):
    receivers = ",\n ".join(mailbox(*one) for one in to)
    return f"From: {mailbox(*sender)}\nTo: {receivers}\nSubject: {encoded(subject)}\n"


def part(kind, data, *headers):
    lines = [f"Content-Type: {kind}", "Content-Transfer-Encoding: base64", *headers]
    return "\n".join(lines) + "\n\n" + base64.encodebytes(data).decode("ascii")


def plain(text):
    return part("text/plain; charset=utf-8", text.encode())


def container(kind, *parts):
    boundary = secrets.token_hex(12)
    inside = "".join(f"--{boundary}\n{one}\n" for one in parts)
    return f"Content-Type: multipart/{kind}; boundary={boundary}\n\n{inside}--{boundary}--\n"


def versions(text, page):
    return plain(text), part("text/html; charset=utf-8", page.encode())


def with_picture(text, picture, description):
    page = f'<div>{html_text(text)}</div><img src="cid:p1" alt="{html_text(" ".join(description.split()))}">'
    text, page = versions(text, page)
    with open(picture, "rb") as file:
        image = part("/".join(mime_type(picture)), file.read(), "Content-ID: <p1>")
    return container("alternative", text, container("related", page, image))


def attachment(path):
    with open(path, "rb") as file:
        data = file.read()
    name = "".join(f"%{byte:02X}" for byte in os.path.basename(path).encode())
    return part("/".join(mime_type(path)), data, f"Content-Disposition: attachment; filename*=utf-8''{name}")


def message(body, headers=""):
    return message_from_string(f"{headers}MIME-Version: 1.0\n{body}", policy=default)


def letter(sender, to, subject, text):
    return message(plain(text), people(sender, to, subject))


def two_versions(text, page):
    return message(container("alternative", *versions(text, page)))


def picture_letter(text, picture, description):
    return message(with_picture(text, picture, description))


def letter_with_files(text, files):
    return message(container("mixed", plain(text), *map(attachment, files)))


def whole_letter(sender, to, subject, text, picture, description, files, limit):
    body = container("mixed", with_picture(text, picture, description), *map(attachment, files))
    made = message(body, people(sender, to, subject))
    if len(made.as_bytes().replace(b"\n", b"\r\n")) > limit:
        raise ValueError(limit)
    return made
