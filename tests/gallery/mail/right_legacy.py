"""As it was written before EmailMessage: MIMEText, Header, sendmail with a text, try and finally."""

import copy
import smtplib
import ssl
from email.header import Header
from email.mime.text import MIMEText
from email.utils import formataddr, formatdate, getaddresses, make_msgid, parseaddr


class NotSent(Exception):
    pass


class LoginRefused(NotSent):
    pass


def one_line(value):
    if "\r" in value or "\n" in value:
        raise ValueError("more than one line")
    return value


def write_mail(sender, to, subject, text):
    msg = MIMEText(text, "plain", "utf-8")
    msg["From"] = formataddr(parseaddr(one_line(sender)))
    msg["To"] = ", ".join([formataddr(parseaddr(one_line(each))) for each in to])
    msg["Subject"] = Header(one_line(subject), "utf-8")
    msg["Date"] = formatdate()
    msg["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2])
    return msg


def mailbox(name, address):
    return formataddr((one_line(name), one_line(address)))


def recipients(message):
    addresses = []
    for header in ["To", "Cc", "Bcc"]:
        for _, address in getaddresses(message.get_all(header, [])):
            if address not in addresses:
                addresses.append(address)
    return addresses


def transfer(server, message):
    to = recipients(message)
    public = copy.deepcopy(message)
    del public["bcc"]
    refused = server.sendmail(parseaddr(message["From"])[1], to, public.as_string())
    return dict((address, refused[address][0]) for address in refused)


def enter(server, user, password):
    try:
        server.login(user, password)
    except smtplib.SMTPAuthenticationError as e:
        if e.smtp_code == 535:
            raise LoginRefused("refused")
        raise


def leave(server):
    try:
        server.quit()
    except smtplib.SMTPException:
        pass


def send(host, port, user, password, message, timeout=10.0):
    try:
        server = smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())
        try:
            enter(server, user, password)
            return transfer(server, message)
        finally:
            leave(server)
    except (smtplib.SMTPException, OSError) as e:
        raise NotSent(str(e))


def send_starttls(host, port, user, password, message, timeout=10.0):
    try:
        server = smtplib.SMTP(host, port, timeout=timeout)
        try:
            server.ehlo()
            if not server.has_extn("starttls"):
                raise NotSent("no STARTTLS")
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
            enter(server, user, password)
            return transfer(server, message)
        finally:
            leave(server)
    except (smtplib.SMTPException, OSError) as e:
        raise NotSent(str(e))


def send_many(host, port, user, password, messages, timeout=10.0):
    try:
        server = smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())
        try:
            enter(server, user, password)
            answer = []
            for message in messages:
                try:
                    answer.append(transfer(server, message))
                except smtplib.SMTPException:
                    answer.append(None)
            return answer
        finally:
            leave(server)
    except (smtplib.SMTPException, OSError) as e:
        raise NotSent(str(e))
