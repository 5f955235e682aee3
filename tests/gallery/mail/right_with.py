"""The plainest way: EmailMessage, send_message, `with`."""

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime, make_msgid


class NotSent(Exception):
    pass


class LoginRefused(NotSent):
    pass


def write_mail(sender, to, subject, text):
    if any(c in "".join([sender, subject, *to]) for c in "\r\n"):
        raise ValueError("line break")
    msg = EmailMessage()
    msg["Date"] = localtime()
    msg["From"] = sender
    msg["To"] = to
    msg["Subject"] = subject
    msg["Message-ID"] = make_msgid(domain=msg["From"].addresses[0].domain)
    msg.set_content(text)
    return msg


def mailbox(name, address):
    return str(Address(name, addr_spec=address))


def recipients(message):
    found = set()
    for header in ("To", "Cc", "Bcc"):
        if header in message:
            found |= {address.addr_spec for address in message[header].addresses}
    return sorted(found)


def exchange(connect, user, password, messages, starttls=False):
    results = []
    try:
        with connect() as server:
            if starttls:
                server.starttls(context=ssl.create_default_context())
            server.login(user, password)
            for message in messages:
                try:
                    refused = server.send_message(message)
                except smtplib.SMTPException as error:
                    results.append(error)
                else:
                    results.append({address: reply[0] for address, reply in refused.items()})
    except smtplib.SMTPAuthenticationError as error:
        raise (LoginRefused if error.smtp_code == 535 else NotSent)(f"login: {error.smtp_code}")
    except OSError as error:
        raise NotSent(f"{type(error).__name__}: {error}")
    return results


def one(results):
    if isinstance(results[0], Exception):
        raise NotSent(str(results[0]))
    return results[0]


def send(host, port, user, password, message, timeout=10.0):
    def connect():
        return smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())

    return one(exchange(connect, user, password, [message]))


def send_starttls(host, port, user, password, message, timeout=10.0):
    return one(exchange(lambda: smtplib.SMTP(host, port, timeout=timeout), user, password, [message], starttls=True))


def send_many(host, port, user, password, messages, timeout=10.0):
    def connect():
        return smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())

    return [None if isinstance(each, Exception) else each for each in exchange(connect, user, password, messages)]
