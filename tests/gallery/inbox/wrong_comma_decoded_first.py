"""Decodes the header first, and looks for the addresses in what comes of it.

fails: test_headers: comma_decoded_first
"""

import base64
import binascii
import datetime
import email
import email.policy
import email.utils
import os
import quopri
import re
import socket
import ssl


class PopError(OSError):
    pass


def join_lines(lines):
    return b"\r\n".join([*lines, b""])


# ---------------------------------------------------------------- headers

def _fields(raw):
    """name in small letters, value unfolded as text, of each header field"""
    fields = []
    for line in re.split(rb"\r\n|\n|\r", raw):
        if not line:
            break
        text = line.decode("utf-8", "replace")
        if line[:1] in b" \t" and fields:
            fields[-1][1] += text
        elif ":" in text:
            name, value = text.split(":", 1)
            fields.append([name.strip().lower(), value])
    return fields


def _field(raw, name):
    for n, v in _fields(raw):
        if n == name:
            return v.strip()
    return None


WORD = re.compile(r"=\?([^?\s]*)\?([BbQq])\?([^?]*)\?=")


def _bytes(kind, data):
    data = data.encode("utf-8")
    if kind in "qQ":
        return quopri.decodestring(data.replace(b"_", b"=20"))
    data = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    return base64.b64decode(data + b"=" * (-len(data) % 4)) if len(data) % 4 != 1 else base64.b64decode(data[:-1])


def _decode(text):
    text = re.sub(r"(=\?[^?\s]*\?[BbQq]\?[^?]*\?=)\s+(?==\?[^?\s]*\?[BbQq]\?[^?]*\?=)", r"\1", text)
    out, pending, charset, end = [], b"", None, 0

    def flush():
        nonlocal pending
        if pending:
            out.append(_to_text(pending, charset))
        pending = b""
    for m in WORD.finditer(text):
        if m.start() > end:
            flush()
            out.append(text[end:m.start()])
        c = m[1].split("*")[0].lower()
        if c != charset:
            flush()
            charset = c
        pending += _bytes(m[2], m[3])
        end = m.end()
    flush()
    out.append(text[end:])
    return " ".join("".join(out).splitlines())


def _to_text(data, charset):
    try:
        return data.decode(charset or "utf-8", "replace")
    except Exception:
        return data.decode("utf-8", "replace")


def _people(value):
    return [(n, a) for n, a in email.utils.getaddresses([_decode(value or "")]) if a]


def read_headers(raw):
    senders = _people(_field(raw, "from"))
    try:
        t = email.utils.parsedate_tz(_field(raw, "date"))
        date = datetime.datetime(*t[:6], tzinfo=datetime.timezone(datetime.timedelta(seconds=t[9] or 0))).isoformat()
    except Exception:
        date = None
    return {
        "subject": _decode(_field(raw, "subject") or ""),
        "from": senders[0] if senders else ("", ""),
        "to": _people(_field(raw, "to")),
        "date": date,
    }


# ---------------------------------------------------------------- parts

def _parts(msg):
    todo = [msg]
    while todo:
        part = todo.pop(0)
        if part.get_content_maintype() == "multipart":
            todo[0:0] = part.get_payload() if part.is_multipart() else []
        else:
            yield part


def _label(part):
    return str(part.get("content-disposition", "")).split(";")[0].strip().lower()


def read_bodies(raw):
    msg = email.message_from_bytes(raw)
    found = {}
    for part in _parts(msg):
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and _label(part) != "attachment":
            found.setdefault(kind, _to_text(part.get_payload(decode=True), part.get_content_charset()))
    return {"text": found.get("text/plain"), "html": found.get("text/html")}


def _name(part):
    default = email.message_from_bytes(b"", policy=email.policy.default)
    for field, parameter in (("content-disposition", "filename"), ("content-type", "name")):
        for k, v in part.raw_items():
            if k.lower() == field:
                default[k] = re.sub(r"[\r\n]+", "", str(v))
                value = default[k].params.get(parameter)
                if value is not None:
                    value = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
                    return _decode(value)
                break
    return None


def save_attachments(raw, folder):
    result = []
    for part in _parts(email.message_from_bytes(raw)):
        name = _name(part)
        if _label(part) == "attachment" or name is not None or part.get_content_maintype() != "text":
            if part.is_multipart():
                data = b"\n".join(m.as_bytes() for m in part.get_payload())
            else:
                data = part.get_payload(decode=True)
            result.append((name, _store(folder, "attachment", ".bin", data)))
    return result


def _store(folder, stem, end, data):
    there = {n.lower() for n in os.listdir(folder)}
    i = 1
    while f"{stem}-{i}{end}" in there:
        i += 1
    name = f"{stem}-{i}{end}"
    fd = os.open(os.path.join(folder, name), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(fd, "wb") as f:
        f.write(data)
    return name


# ---------------------------------------------------------------- POP3

class Pop:
    def __init__(self, host, port, user, password, timeout):
        raw = socket.create_connection((host, port), timeout)
        try:
            self.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
        except BaseException:
            raw.close()
            raise
        self.file = self.sock.makefile("rb")
        self.good = False
        try:
            self.line()
            self.say(f"USER {user}")
            self.say(f"PASS {password}")
        except BaseException:
            self.close()
            raise

    def line(self):
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise PopError("the connection has ended")
        if not hasattr(self, "in_list") or not self.in_list:
            if not line.startswith(b"+OK"):
                raise PopError(line[:80].decode("latin-1"))
        return line[:-2] if line.endswith(b"\r\n") else line[:-1]

    def say(self, command):
        self.in_list = False
        self.sock.sendall(command.encode() + b"\r\n")
        return self.line()

    def many(self, command):
        self.say(command)
        self.in_list = True
        lines = []
        while (line := self.line()) != b".":
            lines.append(line[1:] if line.startswith(b".") else line)
        self.in_list = False
        return lines

    def pairs(self, command):
        return {int(a): b for a, b in (line.decode("latin-1").split(" ", 1) for line in self.many(command))}

    def close(self):
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.say("QUIT")
        finally:
            self.close()


def count_mails(host, port, user, password, timeout=10.0):
    with Pop(host, port, user, password, timeout) as p:
        _, n, size = p.say("STAT").split()[:3]
        return int(n), int(size)


def list_mails(host, port, user, password, timeout=10.0):
    with Pop(host, port, user, password, timeout) as p:
        uids = p.pairs("UIDL")
        return sorted((n, int(size.split()[0]), uids[n]) for n, size in p.pairs("LIST").items())


def fetch_mail(host, port, user, password, number, timeout=10.0):
    with Pop(host, port, user, password, timeout) as p:
        return join_lines(p.many(f"RETR {number}"))


def list_headers(host, port, user, password, timeout=10.0):
    with Pop(host, port, user, password, timeout) as p:
        n = int(p.say("STAT").split()[1])
        return [read_headers(join_lines(p.many(f"TOP {i} 0"))) for i in range(1, n + 1)]


def new_mails(host, port, user, password, known, timeout=10.0):
    result = []
    with Pop(host, port, user, password, timeout) as p:
        for n, uid in sorted(p.pairs("UIDL").items()):
            if uid not in known:
                result.append((uid, join_lines(p.many(f"RETR {n}"))))
    return result


def move_mails(host, port, user, password, folder, timeout=10.0):
    with Pop(host, port, user, password, timeout) as p:
        n = int(p.say("STAT").split()[1])
        names = []
        for i in range(1, n + 1):
            names.append(_store(folder, "mail", ".eml", join_lines(p.many(f"RETR {i}"))))
            p.say(f"DELE {i}")
    return names
