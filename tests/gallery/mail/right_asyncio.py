"""asyncio underneath: streams, start_tls, and a wait_for around each reply."""

import asyncio
import base64
import copy
import re
import ssl
from email import policy
from email.message import EmailMessage
from email.utils import formataddr, formatdate, getaddresses, make_msgid, parseaddr


class S:
    def __init__(self, timeout):
        self.t = timeout

    async def w(self, c):
        return await asyncio.wait_for(c, self.t)

    async def reply(self):
        lines = []
        while True:
            l = await self.w(self.r.readline())
            if not l.endswith(b"\n"):
                raise ConnectionError("eof")
            lines.append(l[4:].strip().decode())
            if l[3:4] != b"-":
                return int(l[:3]), lines

    async def cmd(self, b):
        if isinstance(b, str):
            b = b.encode() + b"\r\n"
        self.wr.write(b)
        await self.w(self.wr.drain())
        return await self.reply()

    async def must(self, b, want=None):
        c, l = await self.cmd(b)
        if c >= 400 or (want and c != want):
            raise NotSent(f"{c}")
        return l

    async def open(self, host, port, user, password, first):
        ctx = ssl.create_default_context()
        self.r, self.wr = await self.w(asyncio.open_connection(host, port, **({"ssl": ctx} if first else {})))
        try:
            c, _ = await self.reply()
            if c >= 400:
                raise NotSent(str(c))
            ext = await self.must("EHLO [127.0.0.1]")
            if not first:
                if "STARTTLS" not in ext:
                    raise NotSent("no starttls")
                await self.must("STARTTLS", 220)
                await self.w(self.wr.start_tls(ctx, server_hostname=host))
                await self.must("EHLO [127.0.0.1]")
            c, _ = await self.cmd("AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode())
            if c == 535:
                raise LoginRefused("535")
            if c >= 300:
                raise NotSent(str(c))
        except NotSent:
            await self.quit()
            raise
        except BaseException:
            self.wr.close()
            raise

    async def quit(self):
        try:
            await self.cmd("QUIT")
        except (OSError, ValueError, asyncio.TimeoutError, RuntimeError):
            pass
        self.wr.close()

    async def mail(self, m):
        m2 = copy.deepcopy(m)
        del m2["bcc"]
        await self.must(f"MAIL FROM:<{parseaddr(str(m['From']))[1]}>")
        ref = {}
        rc = recipients(m)
        for r in rc:
            c, _ = await self.cmd(f"RCPT TO:<{r}>")
            if c >= 400:
                ref[r] = c
        if len(ref) == len(rc):
            raise NotSent("nobody")
        await self.must("DATA", 354)
        data = m2.as_bytes(policy=policy.SMTP)
        lines = data.split(b"\r\n")
        if lines[-1] == b"":
            lines.pop()
        data = b"".join((b"." + l if l.startswith(b".") else l) + b"\r\n" for l in lines) + b".\r\n"
        await self.must(data)
        return ref


async def _one(host, port, user, password, message, timeout, first):
    s = S(timeout)
    try:
        await s.open(host, port, user, password, first)
        try:
            return await s.mail(message)
        finally:
            await s.quit()
    except (OSError, ValueError, asyncio.TimeoutError) as e:
        raise NotSent(type(e).__name__) from e


async def _many(host, port, user, password, messages, timeout):
    s = S(timeout)
    try:
        await s.open(host, port, user, password, True)
    except (OSError, ValueError, asyncio.TimeoutError) as e:
        raise NotSent(type(e).__name__) from e
    out = []
    for m in messages:
        try:
            out.append(await s.mail(m))
        except NotSent:
            out.append(None)
            try:
                await s.cmd("RSET")
            except (OSError, ValueError, asyncio.TimeoutError):
                break
        except (OSError, ValueError, asyncio.TimeoutError):
            break
    await s.quit()
    return out + [None] * (len(messages) - len(out))


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
    return asyncio.run(_one(host, port, user, password, message, timeout, True))


def send_starttls(
    host: str, port: int, user: str, password: str, message: EmailMessage, timeout: float = 10.0
) -> dict[str, int]:
    return asyncio.run(_one(host, port, user, password, message, timeout, False))


def send_many(
    host: str, port: int, user: str, password: str, messages: list[EmailMessage], timeout: float = 10.0
) -> list[dict[str, int] | None]:
    return asyncio.run(_many(host, port, user, password, messages, timeout))
