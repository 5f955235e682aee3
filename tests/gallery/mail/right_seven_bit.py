"""What goes over the wire is ASCII: the mail is written with cte_type 7bit."""

import base64
import copy
import re
import socket
import ssl
from email import policy
from email.message import EmailMessage
from email.utils import formataddr, formatdate, getaddresses, make_msgid, parseaddr


class Line:
    def __init__(self, host, port, timeout):
        self.ok = False
        self.sock = socket.create_connection((host, port), timeout)
        self.ok = True
        self.buf = b""

    def tls(self, host):
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=host)

    def readline(self):
        while b"\n" not in self.buf:
            d = self.sock.recv(4096)
            if not d:
                self.ok = False
                raise ConnectionError("the server broke off")
            self.buf += d
        line, _, self.buf = self.buf.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def reply(self):
        lines = []
        while True:
            l = self.readline()
            lines.append(l[4:])
            if l[3:4] != "-":
                return int(l[:3]), lines

    def cmd(self, text):
        self.sock.sendall(text.encode() + b"\r\n")
        return self.reply()

    def need(self, text, cls=None):
        code, lines = self.cmd(text)
        if code >= 400:
            raise NotSent(f"{text.split()[0]}: {code}")
        return code, lines

    def quit(self):
        try:
            self.cmd("QUIT")
        except (OSError, ValueError):
            pass
        self.sock.close()


def login(l, user, password):
    code, _ = l.cmd("AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode())
    if code == 535:
        raise LoginRefused("535")
    if code != 235:
        raise NotSent(f"AUTH {code}")


def payload(m):
    m = copy.deepcopy(m)
    del m["Bcc"]
    d = m.as_bytes(policy=policy.SMTP.clone(cte_type="7bit"))
    d = re.sub(rb"(?m)^\.", b"..", d)
    if not d.endswith(b"\r\n"):
        d += b"\r\n"
    return d + b".\r\n"


def mail(l, m):
    frm = parseaddr(str(m["From"]))[1]
    l.need(f"MAIL FROM:<{frm}>")
    refused = {}
    rc = recipients(m)
    for r in rc:
        code, _ = l.cmd(f"RCPT TO:<{r}>")
        if code >= 400:
            refused[r] = code
    if len(refused) == len(rc):
        raise NotSent(f"all refused {refused}")
    code, _ = l.cmd("DATA")
    if code != 354:
        raise NotSent(f"DATA {code}")
    l.sock.sendall(payload(m))
    code, _ = l.reply()
    if code >= 400:
        raise NotSent(f"content {code}")
    return refused


def opened(host, port, timeout, user, password, first):
    l = None
    try:
        l = Line(host, port, timeout)
        if first:
            try:
                l.tls(host)
            except OSError:
                l.sock.close()
                raise
        code, _ = l.reply()
        if code != 220:
            raise NotSent(f"greeting {code}")
        _, ext = l.need("EHLO [127.0.0.1]")
        if not first:
            if "STARTTLS" not in [e.upper() for e in ext]:
                raise NotSent("no STARTTLS")
            code, _ = l.cmd("STARTTLS")
            if code != 220:
                raise NotSent("STARTTLS refused")
            l.buf = b""
            try:
                l.tls(host)
            except OSError:
                l.sock.close()
                raise
            l.need("EHLO [127.0.0.1]")
        login(l, user, password)
        return l
    except NotSent:
        l.quit()
        raise
    except (OSError, ValueError) as e:
        if l:
            l.sock.close()
        raise NotSent(type(e).__name__) from e


def whole(host, port, user, password, message, timeout, first):
    l = opened(host, port, timeout, user, password, first)
    try:
        return mail(l, message)
    except (OSError, ValueError) as e:
        raise NotSent(type(e).__name__) from e
    finally:
        l.quit()


class NotSent(Exception):
    pass


class LoginRefused(NotSent):
    pass


def write_mail(sender: str, to: list[str], subject: str, text: str) -> EmailMessage:
    for v in [sender, subject, *to]:
        if "\n" in v or "\r" in v:
            raise ValueError("line break")
    m = EmailMessage()
    m["From"] = sender
    m["To"] = ", ".join(to)
    m["Subject"] = subject
    m["Date"] = formatdate(localtime=True)
    m["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2])
    m.set_content(text)
    return m


def mailbox(name: str, address: str) -> str:
    if re.search(r"[\r\n]", name + address):
        raise ValueError("line break")
    return formataddr((name, address))


def recipients(message: EmailMessage) -> list[str]:
    r = []
    for h in ("To", "Cc", "Bcc"):
        for n, a in getaddresses([str(v) for v in message.get_all(h, [])]):
            if a and a not in r:
                r.append(a)
    return r


def send(
    host: str, port: int, user: str, password: str, message: EmailMessage, timeout: float = 10.0
) -> dict[str, int]:
    return whole(host, port, user, password, message, timeout, True)


def send_starttls(
    host: str, port: int, user: str, password: str, message: EmailMessage, timeout: float = 10.0
) -> dict[str, int]:
    return whole(host, port, user, password, message, timeout, False)


def send_many(
    host: str, port: int, user: str, password: str, messages: list[EmailMessage], timeout: float = 10.0
) -> list[dict[str, int] | None]:
    l = opened(host, port, timeout, user, password, True)
    out = []
    dead = False
    for m in messages:
        if dead:
            out.append(None)
            continue
        try:
            out.append(mail(l, m))
        except NotSent:
            out.append(None)
            try:
                l.cmd("RSET")
            except (OSError, ValueError):
                dead = True
        except (OSError, ValueError):
            out.append(None)
            dead = True
    if dead:
        l.sock.close()
    else:
        l.quit()
    return out
