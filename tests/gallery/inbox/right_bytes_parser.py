"""BytesParser, get_content where it is safe, numbered files, a class that holds the session."""

import poplib
import re
import ssl
from email import policy
from email.parser import BytesParser
from pathlib import Path

PARSER = BytesParser(policy=policy.SMTP)


class Line(poplib.POP3_SSL):
    """poplib with longer lines."""

    def _getline(self):
        line = self.file.readline(1_000_000)
        if not line:
            raise poplib.error_proto("-ERR EOF")
        return line.rstrip(b"\r\n"), len(line)


class Mailbox:
    def __init__(self, host, port, user, password, timeout):
        context = ssl.create_default_context()
        self.pop = Line(host, port, context=context, timeout=timeout)
        try:
            self.pop.user(user)
            self.pop.pass_(password)
        except BaseException:
            self.pop.close()
            raise

    def __enter__(self):
        return self.pop

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.pop.quit()
            return
        try:
            self.pop.rset()
            self.pop.quit()
        except (OSError, poplib.error_proto):
            self.pop.close()


def join_lines(lines):
    return b"\r\n".join([*lines, b""])


def utf8(parsed):
    return parsed.encode(errors="surrogateescape").decode(errors="replace")


def read_headers(raw):
    mail = PARSER.parsebytes(raw, headersonly=True)

    def pairs(name):
        try:
            field = mail.get(name)
        except IndexError:  # a header that the parser chokes on
            return []
        return [(utf8(a.display_name), utf8(a.addr_spec)) for a in field.addresses] if field is not None else []

    date = mail.get("date")
    return {
        "subject": re.sub(r"[\r\n]+", " ", str(mail.get("subject", ""))),
        "from": (pairs("from") or [("", "")])[0],
        "to": pairs("to"),
        "date": date.datetime.isoformat() if date is not None and date.datetime else None,
    }


def text(part):
    if part.get_param("charset") is not None:
        try:
            return part.get_content()
        except LookupError:
            pass
    return part.get_payload(decode=True).decode("utf-8", "replace")


def read_bodies(raw):
    mail = PARSER.parsebytes(raw)
    found = {}
    for key, kind in (("text", "plain"), ("html", "html")):
        part = mail.get_body(preferencelist=(kind,))
        found[key] = None
        if part is not None:
            found[key] = text(part)
    return found


def leaves(part):
    if part.is_multipart() and part.get_content_maintype() == "multipart":
        for inner in part.iter_parts():
            yield from leaves(inner)
    else:
        yield part


def write(folder, name, data):
    # Nothing of the sender's name but its ending.
    ending = (name or "").lower().rpartition(".")[2]
    if not re.fullmatch("[a-z0-9]{1,8}", ending):
        ending = "dat"
    number = 1
    while True:
        path = Path(folder) / f"{number:04}.{ending}"
        try:
            with path.open("xb") as file:
                file.write(data)
            return path.name
        except FileExistsError:
            number += 1


def save_attachments(raw, folder):
    saved = []
    for part in leaves(PARSER.parsebytes(raw)):
        name = part.get_filename()
        if part.get_content_maintype() == "text" and not name and not part.is_attachment():
            continue
        if part.get_content_type() == "message/rfc822":
            data = part.get_content().as_bytes()
        elif part.get_content_maintype() == "message":
            data = b"".join(bytes(inner) for inner in part.get_payload())
        else:
            data = part.get_payload(decode=True)
        saved.append((name, write(folder, name, data)))
    return saved


def count_mails(host, port, user, password, timeout=10.0):
    with Mailbox(host, port, user, password, timeout) as pop:
        return pop.stat()


def list_mails(host, port, user, password, timeout=10.0):
    with Mailbox(host, port, user, password, timeout) as pop:
        mails = []
        for number, size in sorted(tuple(map(int, line.split())) for line in pop.list()[1]):
            uid = pop.uidl(number).split()[2].decode()
            mails.append((number, size, uid))
        return mails


def fetch_mail(host, port, user, password, number, timeout=10.0):
    with Mailbox(host, port, user, password, timeout) as pop:
        return join_lines(pop.retr(number)[1])


def list_headers(host, port, user, password, timeout=10.0):
    with Mailbox(host, port, user, password, timeout) as pop:
        return [read_headers(join_lines(pop.top(n + 1, 0)[1])) for n in range(len(pop.list()[1]))]


def new_mails(host, port, user, password, known, timeout=10.0):
    mails = []
    with Mailbox(host, port, user, password, timeout) as pop:
        ids = dict(line.decode().split(" ") for line in pop.uidl()[1])
        for number in sorted(ids, key=int):
            if ids[number] not in set(known):
                mails.append((ids[number], join_lines(pop.retr(int(number))[1])))
    return mails


def move_mails(host, port, user, password, folder, timeout=10.0):
    names = []
    with Mailbox(host, port, user, password, timeout) as pop:
        for line in pop.list()[1]:
            number = int(line.split()[0])
            names.append(write(folder, "x.eml", join_lines(pop.retr(number)[1])))
            pop.dele(number)
    return names
