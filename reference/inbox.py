"""inbox: read your mail, and keep what it brings in a safe place. A working solution."""

import itertools
import poplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

# poplib gives up on a line of more than 2048 bytes, as RFC 5321 would have it. Real mail has longer ones.
poplib._MAXLINE = 1024 * 1024  # type: ignore[attr-defined]

FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*]')
RESERVED = {"CON", "PRN", "AUX", "NUL"} | {f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10)}
LONGEST = 100  # bytes of a file's name without its ending; file systems stop at 255 for both


def join_lines(lines: list[bytes]) -> bytes:
    """The bytes of a message from its lines: each one gets back its CRLF."""
    return b"".join(line + b"\r\n" for line in lines)


def read_headers(raw: bytes) -> dict[str, Any]:
    """Who wrote what to whom, and when: the decoded header."""
    mail = _parsed(raw)
    sender = _addresses(mail, "From")
    date = mail["Date"]
    moment = date.datetime if date else None  # None as well when nobody can read it
    return {
        "subject": " ".join(str(mail["Subject"] or "").splitlines()),  # an encoded word may hold a line end
        "from": sender[0] if sender else ("", ""),
        "to": _addresses(mail, "To"),
        "date": moment.isoformat() if moment else None,
    }


def read_bodies(raw: bytes) -> dict[str, str | None]:
    """What the mail says, as plain text and as HTML."""
    mail = _parsed(raw)
    return {"text": _text(mail.get_body(("plain",))), "html": _text(mail.get_body(("html",)))}


def save_attachments(raw: bytes, folder: str) -> list[tuple[str | None, str]]:
    """Write what is attached into the folder: for each the name that it came with and the name that it got."""
    saved = []
    for part in _attachments(_parsed(raw)):
        name = part.get_filename()
        saved.append((name, _write_new(folder, _safe(name or ""), _content(part))))
    return saved


def count_mails(host: str, port: int, user: str, password: str, timeout: float = 10.0) -> tuple[int, int]:
    """How many mails there are, and how many octets in all."""
    with _session(host, port, user, password, timeout) as pop:
        return pop.stat()


def list_mails(host: str, port: int, user: str, password: str, timeout: float = 10.0) -> list[tuple[int, int, str]]:
    """Number, size in octets and unique id of each mail."""
    with _session(host, port, user, password, timeout) as pop:
        ids = _unique_ids(pop)
        sizes = {int(number): int(size) for number, size in (line.split() for line in pop.list()[1])}
        return [(number, sizes[number], uid) for number, uid in ids.items()]


def fetch_mail(host: str, port: int, user: str, password: str, number: int, timeout: float = 10.0) -> bytes:
    """One whole mail, byte for byte."""
    with _session(host, port, user, password, timeout) as pop:
        return join_lines(pop.retr(number)[1])


def list_headers(host: str, port: int, user: str, password: str, timeout: float = 10.0) -> list[dict[str, Any]]:
    """The headers of all mails; no body travels."""
    with _session(host, port, user, password, timeout) as pop:
        count, _ = pop.stat()
        return [read_headers(join_lines(pop.top(number, 0)[1])) for number in range(1, count + 1)]


def new_mails(
    host: str, port: int, user: str, password: str, known: list[str], timeout: float = 10.0
) -> list[tuple[str, bytes]]:
    """Unique id and bytes of each mail whose id is not among those known."""
    with _session(host, port, user, password, timeout) as pop:
        ids = _unique_ids(pop)
        return [(uid, join_lines(pop.retr(number)[1])) for number, uid in ids.items() if uid not in known]


def move_mails(host: str, port: int, user: str, password: str, folder: str, timeout: float = 10.0) -> list[str]:
    """Write all mails into the folder, then take them off the server: all of them or none."""
    with _session(host, port, user, password, timeout) as pop:
        count, _ = pop.stat()
        numbers = range(1, count + 1)
        # The unique id would make a fine name, if it were not the server that chooses it: it may be ../x.
        saved = [_write_new(folder, "mail.eml", join_lines(pop.retr(number)[1])) for number in numbers]
        for number in numbers:
            pop.dele(number)
    return saved


# --- what the functions above share -----------------------------------------------------------------------


@contextmanager
def _session(host: str, port: int, user: str, password: str, timeout: float) -> Iterator[poplib.POP3_SSL]:
    """A session after its login. Only where all went well it ends by QUIT, which is when the server deletes."""
    # Without a context poplib would take any certificate.
    pop = poplib.POP3_SSL(host, port, timeout=timeout, context=ssl.create_default_context())
    try:
        pop.user(user)
        pop.pass_(password)
        yield pop
        pop.quit()
    finally:
        pop.close()


def _unique_ids(pop: poplib.POP3_SSL) -> dict[int, str]:
    """In the order of the numbers: RFC 1939 promises none."""
    lines = [line.decode("ascii").split() for line in pop.uidl()[1]]
    return dict(sorted((int(number), uid) for number, uid in lines))


def _parsed(raw: bytes) -> EmailMessage:
    # From bytes, as each part has an encoding of its own; with the policy that decodes what stands in headers.
    return message_from_bytes(raw, policy=policy.default)


def _addresses(mail: EmailMessage, name: str) -> list[tuple[str, str]]:
    try:
        header = mail[name]
    except IndexError:  # the library's own, at `Ada <`, in Python 3.11 and 3.12
        return []
    return [(_utf8(each.display_name), _utf8(each.addr_spec)) for each in header.addresses] if header else []


def _utf8(text: str) -> str:
    """What the parser could not decode, and left as lone surrogates, are bytes of UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _text(part: Any) -> str | None:
    """The text of a part; its get_content() would stop at an unknown charset, and take ASCII where none is named."""
    if part is None:
        return None
    data = cast(bytes, part.get_payload(decode=True))
    try:
        return data.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def _attachments(part: Any) -> Iterator[EmailMessage]:
    """The parts that are not there to be read at once; what is inside an attached mail stays inside."""
    if part.get_content_maintype() == "multipart":
        for inner in part.iter_parts():
            yield from _attachments(inner)
    elif part.is_attachment() or part.get_filename() or part.get_content_maintype() != "text":
        yield part


def _content(part: EmailMessage) -> bytes:
    if part.is_multipart():  # message/rfc822 holds one message, message/delivery-status several
        return b"".join(inner.as_bytes() for inner in cast(list[EmailMessage], part.get_payload()))
    return cast(bytes, part.get_payload(decode=True))


def _safe(name: str) -> str:
    """A name for a file that is good on every system, as much as possible like the one that came."""
    name = re.split(r"[/\\]", name)[-1]
    path = Path(FORBIDDEN.sub("_", name))
    stem, suffix = (_cut(text).strip(". ") for text in (path.stem, path.suffix))
    if stem.partition(".")[0].rstrip().upper() in RESERVED:
        stem = f"_{stem}"
    return (stem or "file") + (f".{suffix}" if suffix else "")


def _cut(text: str) -> str:
    return text.encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore")


def _write_new(folder: str, name: str, content: bytes) -> str:
    """Write a file that was not there before; a number goes into its name where there is one already."""
    path = Path(folder)
    there = {each.name.casefold() for each in path.iterdir()}  # a.txt and A.TXT are one file on many systems
    stem, dot, suffix = name.rpartition(".") if "." in name else (name, "", "")
    names = itertools.chain([name], (f"{stem}-{number}{dot}{suffix}" for number in itertools.count(2)))
    free = next(each for each in names if each.casefold() not in there)
    with (path / free).open("xb") as file:
        file.write(content)
    return free
