"""One function builds every letter; addresses by headerregistry, the HTML with a head and a style, all as Base64."""

import html
import mimetypes
import pathlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid

PAGE = """<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><title>A letter</title><style>p {{ color: #224 }}</style></head>
<body>
<p>{text}</p>
<p><img SRC='CID:{cid}' alt='{alt}' width="360"></p>
</body>
</html>
"""


def html_text(text):
    return "<br/>\n".join(html.escape(text).splitlines())


def mime_type(name):
    match mimetypes.guess_type(name):
        case (str(guess), None):
            return tuple(guess.split("/", 1))
        case _:
            return "application", "octet-stream"


def person(name, address):
    user, _, domain = address.partition("@")
    return Address(display_name=name, username=user, domain=domain)


def build(text, page=None, picture=None, files=(), sender=None, to=(), subject=None):
    message = EmailMessage(policy=SMTP)
    if sender:
        message["Subject"] = subject
        message["To"] = [person(*one) for one in to]
        message["From"] = person(*sender)
    message.set_content(text, cte="base64")
    if picture:
        path, alt = picture
        cid = make_msgid("picture", "example.org")
        page = PAGE.format(text=html_text(text), cid=cid.strip("<>"), alt=html.escape(alt))
    if page:
        message.add_alternative(page, subtype="html", cte="base64")
    if picture:
        maintype, subtype = mime_type(path)
        data = pathlib.Path(path).read_bytes()
        message.get_body(("html",)).add_related(data, maintype, subtype, cid=cid, disposition="inline")
    for path in map(pathlib.Path, files):
        maintype, subtype = mime_type(path.name)
        message.add_attachment(path.read_bytes(), maintype=maintype, subtype=subtype, filename=path.name)
    return message


def letter(sender, to, subject, text):
    return build(text, sender=sender, to=to, subject=subject)


def two_versions(text, page):
    return build(text, page)


def picture_letter(text, picture, description):
    return build(text, picture=(picture, description))


def letter_with_files(text, files):
    return build(text, files=files)


def whole_letter(sender, to, subject, text, picture, description, files, limit):
    message = build(text, None, (picture, description), files, sender, to, subject)
    if len(bytes(message)) > limit:
        raise ValueError("too large")
    return message
