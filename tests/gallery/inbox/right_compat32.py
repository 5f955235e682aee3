"""The older way: no policy, decode_header and getaddresses, walk by hand, the date through parsedate_tz."""

import os
import poplib
import ssl
import unicodedata
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import collapse_rfc2231_value, getaddresses, parsedate_tz

poplib._MAXLINE = 65536

DEVICES = {"con", "prn", "aux", "nul", *("com%d" % n for n in range(1, 10)), *("lpt%d" % n for n in range(1, 10))}


def join_lines(lines):
    return b"".join([line + b"\r\n" for line in lines])


def decoded(value):
    """A header's text; what is 8-bit in it is UTF-8."""
    if value is None:
        return ""
    text = ""
    try:
        pieces = decode_header(value)
    except HeaderParseError:
        return str(value)
    for piece, charset in pieces:
        if isinstance(piece, str):
            text += piece
        elif charset in (None, "unknown-8bit"):
            text += piece.decode("utf-8", "replace")
        else:
            try:
                text += piece.decode(charset, "replace")
            except LookupError:
                text += piece.decode("utf-8", "replace")
    return text.replace("\r", "").replace("\n", "")


def pairs(mail, name):
    raw = [value for key, value in mail.raw_items() if key.lower() == name]
    found = getaddresses([value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for value in raw])
    return [(decoded(name), address) for name, address in found if address]


def read_headers(raw):
    mail = message_from_bytes(raw)
    when = None
    parsed = parsedate_tz(str(mail["date"] or ""))
    if parsed:
        try:
            zone = timezone(timedelta(seconds=parsed[9] or 0))
            when = datetime(*parsed[:6], tzinfo=zone).isoformat()
        except (ValueError, OverflowError):
            when = None
    return {
        "subject": decoded(mail["subject"]),
        "from": (pairs(mail, "from") or [("", "")])[0],
        "to": pairs(mail, "to"),
        "date": when,
    }


def leaves(part):
    """Every part that holds something; an attached mail is one, and not looked into."""
    if part.get_content_maintype() == "message" or not part.is_multipart():
        return [part]
    found = []
    for inner in part.get_payload():
        found.extend(leaves(inner))
    return found


def is_attached(part):
    disposition = str(part.get("content-disposition", "")).strip().lower()
    return disposition.startswith("attachment")


def read_bodies(raw):
    bodies = {"text": None, "html": None}
    for part in leaves(message_from_bytes(raw)):
        key = {"text/plain": "text", "text/html": "html"}.get(part.get_content_type())
        if key and bodies[key] is None and not is_attached(part):
            data = part.get_payload(decode=True)
            try:
                bodies[key] = data.decode(part.get_content_charset("utf-8"), "replace")
            except LookupError:
                bodies[key] = data.decode("utf-8", "replace")
    return bodies


def file_name(part):
    name = part.get_param("filename", None, "content-disposition")
    if name is None:
        name = part.get_param("name")
    if name is None:
        return None
    if isinstance(name, tuple):
        return collapse_rfc2231_value(name)
    return decoded(name)


def good(name):
    kept = ""
    for c in name:
        if c in '/\\:*?"<>|' or unicodedata.category(c).startswith("C"):
            kept = "" if c in "/\\" else kept + "-"
        else:
            kept += c
    kept = kept.strip(" .")
    while len(kept.encode()) > 200:
        kept = kept[:-1]
    kept = kept.rstrip(" .")
    if not kept or kept.split(".")[0].strip().lower() in DEVICES:
        kept = "attachment " + kept
    return kept.strip(" .")


def save(folder, name, data):
    number = 0
    there = {each.casefold() for each in os.listdir(folder)}
    first = name
    while name.casefold() in there:
        number += 1
        name = "%d-%s" % (number, first)
    with open(folder + os.sep + name, "wb") as file:
        file.write(data)
    return name


def save_attachments(raw, folder):
    saved = []
    for part in leaves(message_from_bytes(raw)):
        name = file_name(part)
        if not (is_attached(part) or name or part.get_content_maintype() != "text"):
            continue
        if part.is_multipart():
            data = b"\r\n".join(inner.as_bytes() for inner in part.get_payload())
        else:
            data = part.get_payload(decode=True)
        saved.append((name, save(folder, good(name or ""), data)))
    return saved


def session(host, port, user, password, timeout, work):
    pop = poplib.POP3_SSL(host, port, context=ssl.create_default_context(), timeout=timeout)
    try:
        pop.user(user)
        pop.pass_(password)
        result = work(pop)
    except BaseException:
        pop.close()
        raise
    pop.quit()
    return result


def number_of(pop):
    return pop.stat()[0]


def count_mails(host, port, user, password, timeout=10.0):
    return session(host, port, user, password, timeout, lambda pop: tuple(pop.stat()))


def list_mails(host, port, user, password, timeout=10.0):
    def work(pop):
        sizes = dict(map(int, line.split()) for line in pop.list()[1])
        ids = dict(line.split(b" ", 1) for line in pop.uidl()[1])
        return [(n, size, ids[b"%d" % n].decode("ascii")) for n, size in sorted(sizes.items())]

    return session(host, port, user, password, timeout, work)


def fetch_mail(host, port, user, password, number, timeout=10.0):
    return session(host, port, user, password, timeout, lambda pop: join_lines(pop.retr(number)[1]))


def list_headers(host, port, user, password, timeout=10.0):
    def work(pop):
        return [read_headers(join_lines(pop.top(n, 0)[1])) for n in range(1, number_of(pop) + 1)]

    return session(host, port, user, password, timeout, work)


def new_mails(host, port, user, password, known, timeout=10.0):
    def work(pop):
        found = []
        for line in sorted(pop.uidl()[1], key=lambda line: int(line.split()[0])):
            number, uid = line.decode("ascii").split()
            if uid not in known:
                found.append((uid, join_lines(pop.retr(int(number))[1])))
        return found

    return session(host, port, user, password, timeout, work)


def move_mails(host, port, user, password, folder, timeout=10.0):
    def work(pop):
        mails = [join_lines(pop.retr(n)[1]) for n in range(1, number_of(pop) + 1)]
        names = [save(folder, "message.txt", mail) for mail in mails]
        for n in range(1, len(mails) + 1):
            pop.dele(n)
        return names

    return session(host, port, user, password, timeout, work)
