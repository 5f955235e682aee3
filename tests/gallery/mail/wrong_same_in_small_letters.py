"""Two addresses that differ in capitals only are one.

fails: test_recipients: two_taken_for_one
"""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formataddr, formatdate, getaddresses, make_msgid, parseaddr


class NotSent(Exception):
    pass


class LoginRefused(NotSent):
    pass


def check_line_breaks(values):
    for value in values:
        if "\n" in value or "\r" in value:
            raise ValueError("a line break in a header")


def write_mail(sender, to, subject, text):
    check_line_breaks([sender, subject] + to)
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = subject
    message["Date"] = formatdate(localtime=True)
    domain = parseaddr(sender)[1].split("@")[1]
    message["Message-ID"] = make_msgid(domain=domain)
    message.set_content(text)
    return message


def mailbox(name, address):
    check_line_breaks([name, address])
    return formataddr((name, address))


def recipients(message):
    headers = message.get_all("To", []) + message.get_all("Cc", []) + message.get_all("Bcc", [])
    found = {}
    for name, address in getaddresses(headers):
        found.setdefault(address.lower(), address)
    return list(found.values())


def log_in(server, user, password):
    try:
        server.login(user, password)
    except smtplib.SMTPAuthenticationError as error:
        if error.smtp_code == 535:
            raise LoginRefused(f"cannot log in as {user}") from error
        raise


def deliver(server, message):
    refused = server.send_message(message)
    return {address: code for address, (code, text) in refused.items()}


def say_goodbye(server):
    try:
        server.quit()
    except OSError:
        pass


def send(host, port, user, password, message, timeout=10.0):
    try:
        context = ssl.create_default_context()
        server = smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
        try:
            log_in(server, user, password)
            return deliver(server, message)
        finally:
            say_goodbye(server)
    except OSError as error:
        raise NotSent(str(error)) from error


def send_starttls(host, port, user, password, message, timeout=10.0):
    try:
        server = smtplib.SMTP(host, port, timeout=timeout)
        try:
            server.starttls(context=ssl.create_default_context())
            log_in(server, user, password)
            return deliver(server, message)
        finally:
            say_goodbye(server)
    except OSError as error:
        raise NotSent(str(error)) from error


def send_many(host, port, user, password, messages, timeout=10.0):
    results = []
    try:
        context = ssl.create_default_context()
        server = smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
        try:
            log_in(server, user, password)
            for message in messages:
                try:
                    results.append(deliver(server, message))
                except OSError:
                    results.append(None)
        finally:
            say_goodbye(server)
    except OSError as error:
        raise NotSent(str(error)) from error
    return results
