"""A copy of its own for each recipient; a context made by hand; the exceptions named one by one."""

import copy
import os
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, getaddresses, make_msgid
from email import headerregistry


class NotSent(Exception):
    pass


class LoginRefused(NotSent):
    pass


def write_mail(sender, to, subject, text):
    message = EmailMessage()
    message["Subject"] = subject
    if len("|".join([sender, *to, subject, ""]).splitlines()) > 1:
        raise ValueError("line break")
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=message["From"].addresses[0].domain)
    message.set_content(text, charset="utf-8", cte="quoted-printable")
    return message


def mailbox(name, address):
    return str(headerregistry.Address(display_name=name, addr_spec=address))


def recipients(message):
    pairs = getaddresses([str(message[name]) for name in ("To", "Cc", "Bcc") if message[name]])
    return list(dict.fromkeys(address for _, address in pairs if address))


def trust():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile)
    return context


def open_tls(host, port, timeout):
    return smtplib.SMTP_SSL(host, port, timeout=timeout, context=trust())


def open_starttls(host, port, timeout):
    server = smtplib.SMTP(host, port, timeout=timeout)
    try:
        server.starttls(context=trust())
    except Exception:
        bye(server)
        raise
    return server


def bye(server):
    try:
        server.quit()
    except Exception:
        server.close()


def copies(server, message):
    refused, sent = {}, 0
    public = copy.copy(message)
    del public["Bcc"]
    for address in recipients(message):
        try:
            server.send_message(public, to_addrs=[address])
            sent += 1
        except smtplib.SMTPRecipientsRefused as error:
            refused[address] = error.recipients[address][0]
    if not sent:
        raise NotSent("nobody took it")
    return refused


def run(opener, host, port, user, password, timeout, work):
    try:
        server = opener(host, port, timeout)
    except (smtplib.SMTPException, ssl.SSLError, ConnectionError, TimeoutError, OSError) as error:
        raise NotSent("no session") from error
    try:
        server.login(user, password)
        return work(server)
    except smtplib.SMTPAuthenticationError as error:
        if error.smtp_code != 535:
            raise NotSent("try later") from error
        raise LoginRefused("user or password") from error
    except (smtplib.SMTPException, ConnectionError, TimeoutError) as error:
        raise NotSent("broken off") from error
    finally:
        bye(server)


def send(host, port, user, password, message, timeout=10.0):
    return run(open_tls, host, port, user, password, timeout, lambda server: copies(server, message))


def send_starttls(host, port, user, password, message, timeout=10.0):
    return run(open_starttls, host, port, user, password, timeout, lambda server: copies(server, message))


def send_many(host, port, user, password, messages, timeout=10.0):
    def work(server):
        results = []
        for message in messages:
            try:
                results.append(copies(server, message))
            except (NotSent, smtplib.SMTPException):
                results.append(None)
        return results

    return run(open_tls, host, port, user, password, timeout, work)
