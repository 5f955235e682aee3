"""html_mail: a letter with pictures and files in it. A working solution."""

import html
import mimetypes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from pathlib import Path


def html_text(text: str) -> str:
    """What a user wrote as HTML: its characters mean themselves, each of its lines stays a line."""
    # Escape first: the tags that are put in afterwards are ours, and are to be tags.
    return html.escape(text).replace("\r\n", "\n").replace("\n", "<br>\n")


def mime_type(name: str) -> tuple[str, str]:
    """Type and subtype for a file of this name: application, octet-stream where nothing else is known."""
    guess, compression = mimetypes.guess_type(name)
    if guess is None or compression is not None:
        # data.tar.gz is guessed to be a tar, with gzip around it: what is in the file is not the tar.
        return "application", "octet-stream"
    kind, _, subtype = guess.partition("/")
    return kind, subtype


def letter(sender: tuple[str, str], to: list[tuple[str, str]], subject: str, text: str) -> EmailMessage:
    """A plain letter with From, To and Subject. Sender and receivers are (name, address)."""
    message = EmailMessage()
    _address(message, sender, to, subject)
    message.set_content(text)
    return message


def _address(message: EmailMessage, sender: tuple[str, str], to: list[tuple[str, str]], subject: str) -> None:
    message["From"] = _mailbox(sender)
    message["To"] = [_mailbox(receiver) for receiver in to]
    message["Subject"] = subject


def _mailbox(person: tuple[str, str]) -> Address:
    name, address = person
    return Address(name, addr_spec=address)  # quotes or encodes the name where it has to


def two_versions(text: str, page: str) -> EmailMessage:
    """The same letter as plain text and as HTML (multipart/alternative)."""
    message = EmailMessage()
    message.set_content(text)
    message.add_alternative(page, subtype="html")  # the last one is the one that is liked best
    return message


def picture_letter(text: str, picture: str, description: str) -> EmailMessage:
    """The text, as plain text and as HTML with a picture below it."""
    content_id = make_msgid(domain="example.com")
    source = f"cid:{content_id.strip('<>')}"  # the brackets belong to the header, not to the id
    alt = html.escape(description)  # not html_text: in an attribute a <br> would be read as four characters
    page = f'<p>{html_text(text)}</p>\n<p><img src="{source}" alt="{alt}"></p>\n'
    message = two_versions(text, page)
    html_part = list(message.iter_parts())[1]
    assert isinstance(html_part, EmailMessage)
    kind, subtype = mime_type(picture)
    html_part.add_related(Path(picture).read_bytes(), kind, subtype, cid=content_id)
    return message


def letter_with_files(text: str, files: list[str]) -> EmailMessage:
    """The plain text and these files (multipart/mixed)."""
    message = EmailMessage()
    message.set_content(text)
    _attach(message, files)
    return message


def _attach(message: EmailMessage, files: list[str]) -> None:
    for path in map(Path, files):
        kind, subtype = mime_type(path.name)
        message.add_attachment(path.read_bytes(), kind, subtype, filename=path.name)


def whole_letter(
    sender: tuple[str, str],
    to: list[tuple[str, str]],
    subject: str,
    text: str,
    picture: str,
    description: str,
    files: list[str],
    limit: int,
) -> EmailMessage:
    """All of it in one letter. Raises ValueError if it is larger than `limit` bytes as it travels."""
    message = picture_letter(text, picture, description)
    _address(message, sender, to, subject)
    _attach(message, files)
    size = len(message.as_bytes(policy=SMTP))  # Base64 and all headers counted, each line with its CRLF
    if size > limit:
        raise ValueError(f"{size} bytes, and {limit} are the limit")
    return message
