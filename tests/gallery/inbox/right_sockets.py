"""No poplib: the protocol over a TLS socket, an error class of its own, names in plain ASCII."""

import hashlib
import os
import re
import socket
import ssl
from contextlib import contextmanager
from email import message_from_bytes, policy
from poplib import error_proto


class Refused(error_proto):
    pass


class Session:
    def __init__(self, host, port, timeout):
        plain = socket.create_connection((host, port), timeout)
        try:
            self.socket = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise
        self.unread = b""
        self.answer()

    def line(self):
        while b"\r\n" not in self.unread:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the server is gone")
            self.unread += data
        line, _, self.unread = self.unread.partition(b"\r\n")
        return line

    def answer(self):
        line = self.line()
        if not line.startswith(b"+OK"):
            raise Refused(line.decode("utf-8", "replace"))
        return line[4:]

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\r\n")
        return self.answer()

    def ask_for_lines(self, command):
        self.ask(command)
        lines = []
        while (line := self.line()) != b".":
            lines.append(line[1:] if line.startswith(b".") else line)
        return lines


@contextmanager
def session(host, port, user, password, timeout):
    made = Session(host, port, timeout)
    with made.socket:
        made.ask(f"USER {user}")
        made.ask(f"PASS {password}")
        yield made
        made.ask("QUIT")


def join_lines(lines):
    return b"".join(line + b"\r\n" for line in lines)


def as_utf8(text):
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def read_headers(raw):
    mail = message_from_bytes(raw, policy=policy.default)
    found = {}
    for key in ("from", "to"):
        try:
            people = mail[key].addresses if key in mail else ()
        except IndexError:
            people = ()
        found[key] = [tuple(map(as_utf8, (one.display_name, one.addr_spec))) for one in people]
    date = getattr(mail["date"], "datetime", None)
    return {
        "subject": "" if mail["subject"] is None else re.sub(r"\s+", " ", str(mail["subject"])),
        "from": found["from"][0] if found["from"] else ("", ""),
        "to": found["to"],
        "date": None if date is None else date.isoformat(),
    }


def text(part):
    if part is None:
        return None
    data = part.get_payload(decode=True)
    charset = part.get_content_charset("utf-8")
    try:
        "".encode(charset)
    except LookupError:
        charset = "utf-8"
    return data.decode(charset, "replace").replace("\r\n", "\n")


def read_bodies(raw):
    mail = message_from_bytes(raw, policy=policy.default)
    return {"text": text(mail.get_body(("plain",))), "html": text(mail.get_body(("html",)))}


def parts(mail):
    if mail.get_content_maintype() != "multipart":
        return [mail]
    return [leaf for part in mail.iter_parts() for leaf in parts(part)]


def write(folder, name, data):
    # The content's hash makes each name its own; what is left of the sender's is for the eye.
    rest = re.sub(r"[^A-Za-z0-9.-]+", "_", name or "")[-40:].strip("._-")
    for attempt in range(1000):
        path = os.path.join(folder, f"{hashlib.sha256(data + b'%d' % attempt).hexdigest()[:12]}-{rest or 'file'}")
        if not os.path.lexists(path):
            with open(path, "wb") as file:
                file.write(data)
            return os.path.basename(path)
    raise OSError("no free name")


def save_attachments(raw, folder):
    saved = []
    for part in parts(message_from_bytes(raw, policy=policy.default)):
        if part.get_content_disposition() == "attachment" or part.get_filename() or part.get_content_maintype() != "text":
            data = part.get_payload(decode=True)
            if data is None:  # a message, or the blocks of fields of a report
                data = b"".join(inner.as_bytes() for inner in part.get_payload())
            saved.append((part.get_filename(), write(folder, part.get_filename(), data)))
    return saved


def count_mails(host, port, user, password, timeout=10.0):
    with session(host, port, user, password, timeout) as pop:
        count, size = pop.ask("STAT").split()[:2]
    return int(count), int(size)


def list_mails(host, port, user, password, timeout=10.0):
    with session(host, port, user, password, timeout) as pop:
        sizes = in_order(pop.ask_for_lines("LIST"))
        ids = in_order(pop.ask_for_lines("UIDL"))
    return [(number, int(size), uid.decode()) for (number, size), (_, uid) in zip(sizes, ids)]


def in_order(lines):
    pairs = [line.split() for line in lines]
    return sorted((int(number), value) for number, value in pairs)


def fetch_mail(host, port, user, password, number, timeout=10.0):
    with session(host, port, user, password, timeout) as pop:
        return join_lines(pop.ask_for_lines(f"RETR {number}"))


def list_headers(host, port, user, password, timeout=10.0):
    with session(host, port, user, password, timeout) as pop:
        count = int(pop.ask("STAT").split()[0])
        return [read_headers(join_lines(pop.ask_for_lines(f"TOP {n} 0"))) for n in range(1, count + 1)]


def new_mails(host, port, user, password, known, timeout=10.0):
    with session(host, port, user, password, timeout) as pop:
        ids = [(n, uid.decode()) for n, uid in in_order(pop.ask_for_lines("UIDL"))]
        return [(uid, join_lines(pop.ask_for_lines(f"RETR {n}"))) for n, uid in ids if uid not in known]


def move_mails(host, port, user, password, folder, timeout=10.0):
    with session(host, port, user, password, timeout) as pop:
        numbers = [line.decode().split()[0] for line in pop.ask_for_lines("LIST")]
        names = [write(folder, "mail.eml", join_lines(pop.ask_for_lines(f"RETR {n}"))) for n in numbers]
        for n in numbers:
            pop.ask(f"DELE {n}")
    return names
