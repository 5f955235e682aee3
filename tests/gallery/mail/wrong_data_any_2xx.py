"""Takes any reply below 400 to DATA for a yes, and sends the text.

fails: test_refused_recipients: content_not_wanted
"""
import base64
import io
import re
import socket
import ssl
import uuid
from datetime import datetime
from email.generator import BytesGenerator
from email.header import Header
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr, getaddresses, parseaddr


class NotSent(Exception):
    pass


class LoginRefused(NotSent):
    pass


def write_mail(sender, to, subject, text):
    for part in (sender, subject, *to):
        if re.search(r"[\r\n]", part):
            raise ValueError("line break")
    m = MIMEText(text.replace("\r\n", "\n"), "plain", "utf-8")
    m["From"] = _encoded(sender)
    m["To"] = ",\n ".join(map(_encoded, to))
    m["Subject"] = Header(subject, "utf-8")
    m["Date"] = format_datetime(datetime.now().astimezone())
    domain = parseaddr(sender)[1].split("@")[-1]
    m["Message-ID"] = f"<{uuid.uuid4()}@{domain}>"
    return m


def mailbox(name, address):
    if set("\r\n") & set(name + address):
        raise ValueError("line break")
    if not name:
        return address
    if name.isascii():
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{address}>'
    return f"=?utf-8?b?{base64.b64encode(name.encode()).decode()}?= <{address}>"


def _encoded(text):
    return text if text.isascii() else mailbox(*parseaddr(text))


def recipients(message):
    found = []
    for h in ("to", "cc", "bcc"):
        for _, a in getaddresses([str(v) for v in message.get_all(h, [])]):
            if a and a not in found:
                found.append(a)
    return found


class Wire:
    def __init__(self, host, port, timeout):
        self.host = host
        self.alive = True
        self.sock = socket.create_connection((host, port), timeout=timeout)
        self.file = None

    def tls(self):
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
        self.file = None

    def reply(self):
        if self.file is None:
            self.file = self.sock.makefile("rb")
        lines = []
        while True:
            line = self.file.readline(100_000)
            if not line.endswith(b"\n"):
                raise ConnectionError("the server broke off")
            lines.append(line)
            if line[3:4] != b"-":
                break
        if not line[:3].isdigit():
            raise ConnectionError("no SMTP reply")
        return int(line[:3]), lines

    def ask(self, data):
        try:
            if isinstance(data, str):
                data = data.encode()
            self.sock.sendall(data + b"\r\n")
            return self.reply()
        except OSError:
            self.alive = False
            raise

    def hello(self):
        code, lines = self.ask("EHLO [127.0.0.1]")
        if code >= 300:
            raise NotSent(f"EHLO: {code}")
        return [x[4:].strip().upper().split(b" ")[0] for x in lines[1:]]

    def bye(self):
        try:
            if self.alive:
                self.ask("QUIT")
        except OSError:
            pass
        try:
            if self.file:
                self.file.close()
            self.sock.close()
        except OSError:
            pass


def b64(s):
    return base64.b64encode(s.encode()).decode()


def content(message):
    out = io.BytesIO()
    BytesGenerator(out, mangle_from_=False, policy=message.policy.clone(linesep="\r\n")).flatten(message)
    head, sep, body = out.getvalue().partition(b"\r\n\r\n")
    kept, skip = [], False
    for line in head.split(b"\r\n"):
        if line[:1] not in (b" ", b"\t"):
            skip = line.lower().startswith(b"bcc:")
        if not skip:
            kept.append(line)
    return b"\r\n".join(kept) + sep + body


def open_session(host, port, user, password, timeout, starttls):
    try:
        w = Wire(host, port, timeout)
    except OSError as e:
        raise NotSent(f"no connection: {e}") from None
    try:
        if not starttls:
            try:
                w.tls()
            except OSError:
                w.alive = False
                raise
        try:
            code, _ = w.reply()
        except OSError:
            w.alive = False
            raise
        if code != 220:
            raise NotSent(f"greeting {code}")
        offers = w.hello()
        if starttls:
            if b"STARTTLS" not in offers:
                raise NotSent("no STARTTLS")
            code, _ = w.ask("STARTTLS")
            if code != 220:
                raise NotSent(f"STARTTLS: {code}")
            try:
                w.tls()
            except OSError:
                w.alive = False
                raise
            w.hello()
        code, _ = w.ask("AUTH LOGIN")
        if code == 334:
            code, _ = w.ask(b64(user))
        if code == 334:
            code, _ = w.ask(b64(password))
        if code == 535:
            raise LoginRefused("wrong user or password")
        if code != 235:
            raise NotSent(f"login: {code}")
    except OSError as e:
        w.bye()
        raise NotSent(f"broke off: {type(e).__name__}") from None
    except NotSent:
        w.bye()
        raise
    return w


def deliver(w, message):
    try:
        sender = parseaddr(str(message["From"]))[1]
        code, _ = w.ask(f"MAIL FROM:<{sender}>")
        if code >= 400:
            raise NotSent(f"MAIL: {code}")
        refused = {}
        people = recipients(message)
        for a in people:
            code, _ = w.ask(f"RCPT TO:<{a}>")
            if code >= 400:
                refused[a] = code
        if len(refused) == len(people):
            w.ask("RSET")
            raise NotSent("no recipient was taken")
        code, _ = w.ask("DATA")
        if code >= 400:
            w.ask("RSET")
            raise NotSent(f"DATA: {code}")
        data = content(message)
        if data.endswith(b"\r\n"):
            data = data[:-2]
        code, _ = w.ask(re.sub(rb"(?m)^\.", b"..", data) + b"\r\n.")
        if code >= 400:
            raise NotSent(f"content: {code}")
        return refused
    except OSError as e:
        raise NotSent(f"broke off: {type(e).__name__}") from None


def send(host, port, user, password, message, timeout=10.0):
    w = open_session(host, port, user, password, timeout, False)
    try:
        return deliver(w, message)
    finally:
        w.bye()


def send_starttls(host, port, user, password, message, timeout=10.0):
    w = open_session(host, port, user, password, timeout, True)
    try:
        return deliver(w, message)
    finally:
        w.bye()


def send_many(host, port, user, password, messages, timeout=10.0):
    w = open_session(host, port, user, password, timeout, False)
    results = [None] * len(messages)
    try:
        for i, m in enumerate(messages):
            if not w.alive:
                break
            try:
                results[i] = deliver(w, m)
            except NotSent:
                pass
    finally:
        w.bye()
    return results
