"""smtplib command by command: mail, rcpt, data. A class for the session; the mail in bytes with policy.SMTP."""

import base64
import smtplib
import ssl
from datetime import datetime, timezone
from email import policy
from email.headerregistry import Address, UniqueAddressHeader
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime
from uuid import uuid4


class NotSent(Exception):
    pass


class LoginRefused(NotSent):
    pass


def write_mail(sender, to, subject, text):
    message = EmailMessage(policy.SMTP)
    for name, value in {"From": sender, "To": ", ".join(to), "Subject": subject}.items():
        if value.strip("\r\n") != value:
            raise ValueError(name)
        message[name] = value
    message["Date"] = format_datetime(datetime.now(timezone.utc))
    message["Message-ID"] = f"<{uuid4()}@{message['From'].addresses[0].domain}>"
    message.set_content(text, cte="base64")
    return message


def mailbox(name, address):
    return str(Address(name, addr_spec=address))


def recipients(message):
    return list({a.addr_spec: 1 for h in ("To", "Cc", "Bcc") for v in message.get_all(h, []) for a in v.addresses})


class Session:
    def __init__(self, host, port, timeout, starttls=False):
        self.host, self.port, self.timeout, self.by_command = host, port, timeout, starttls

    def __enter__(self):
        try:
            context = ssl.create_default_context()
            if self.by_command:
                self.smtp = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
                try:
                    self.smtp.starttls(context=context)
                except BaseException:
                    self.__exit__()
                    raise
            else:
                self.smtp = smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=context)
                self.smtp.ehlo()
        except OSError as error:
            raise NotSent("no connection") from error
        return self

    def __exit__(self, *_):
        try:
            self.smtp.docmd("QUIT")
        except OSError:
            pass
        self.smtp.close()

    def command(self, wanted, *words):
        try:
            code, text = self.smtp.docmd(*words)
        except OSError as error:
            raise NotSent("no answer") from error
        if code not in wanted:
            raise NotSent(f"{words[0]}: {code}")
        return code

    def login(self, user, password):
        try:
            self.smtp.ehlo_or_helo_if_needed()
            token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
            code, _ = self.smtp.docmd("AUTH", f"PLAIN {token}")
        except OSError as error:
            raise NotSent("no answer") from error
        if code == 535:
            raise LoginRefused()
        if code != 235:
            raise NotSent(f"AUTH: {code}")

    def deliver(self, message):
        content = BytesParser(policy=policy.SMTP).parsebytes(message.as_bytes())
        del content["Bcc"]
        refused = {}
        try:
            self.command((250,), "MAIL", f"FROM:<{message['From'].addresses[0].addr_spec}>")
            for to in recipients(message):
                code, _ = self.smtp.docmd("RCPT", f"TO:<{to}>")
                if code not in (250, 251):
                    refused[to] = code
            if len(refused) == len(recipients(message)):
                raise NotSent("nobody")
            if self.smtp.data(content.as_bytes())[0] != 250:
                raise NotSent("refused")
        except (NotSent, OSError) as error:
            try:
                self.smtp.docmd("RSET")
            except OSError:
                pass
            raise NotSent(str(error))
        return refused


def send(host, port, user, password, message, timeout=10.0, starttls=False):
    with Session(host, port, timeout, starttls) as session:
        session.login(user, password)
        return session.deliver(message)


def send_starttls(host, port, user, password, message, timeout=10.0):
    return send(host, port, user, password, message, timeout, starttls=True)


def send_many(host, port, user, password, messages, timeout=10.0):
    results = []
    with Session(host, port, timeout) as session:
        session.login(user, password)
        for message in messages:
            try:
                results.append(session.deliver(message))
            except NotSent:
                results.append(None)
    return results
