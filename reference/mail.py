"""mail: from a text to a letter that arrives. A working solution."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime, make_msgid


class NotSent(Exception):
    """The mail has reached nobody."""


class LoginRefused(NotSent):
    """The server says that user or password is wrong."""


def write_mail(sender: str, to: list[str], subject: str, text: str) -> EmailMessage:
    """A mail to these people: headers and a plain text."""
    _refuse_line_breaks(sender, *to, subject)
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(to)  # one header: assigning to it again would add a second
    message["Subject"] = subject
    message["Date"] = localtime()
    # The sender's domain: without one, the name of this machine would be told to everybody.
    message["Message-ID"] = make_msgid(domain=message["From"].addresses[0].domain)
    message.set_content(text)
    return message


def mailbox(name: str, address: str) -> str:
    """A name with an address, written so that every program reads the same two out of it again."""
    return str(Address(display_name=name, addr_spec=address))  # refuses line breaks by itself


def recipients(message: EmailMessage) -> list[str]:
    """The addresses that a mail must be brought to: of To, Cc and Bcc, each once."""
    headers = [header for name in ("To", "Cc", "Bcc") for header in message.get_all(name, [])]
    return list(dict.fromkeys(address.addr_spec for header in headers for address in header.addresses))


def send(
    host: str, port: int, user: str, password: str, message: EmailMessage, timeout: float = 10.0
) -> dict[str, int]:
    """Bring a mail to a server that speaks TLS from the first byte."""
    with _translated(), _closing(_over_tls(host, port, timeout)) as server:
        server.login(user, password)
        return _deliver(server, message)


def send_starttls(
    host: str, port: int, user: str, password: str, message: EmailMessage, timeout: float = 10.0
) -> dict[str, int]:
    """The same for a server that begins in plain text and goes over to TLS on the command STARTTLS."""
    with _translated(), _closing(smtplib.SMTP(host, port, timeout=timeout)) as server:
        # Raises when it is not offered: whoever sits between could hide it and wait for the password.
        server.starttls(context=ssl.create_default_context())
        server.login(user, password)
        return _deliver(server, message)


def send_many(
    host: str, port: int, user: str, password: str, messages: list[EmailMessage], timeout: float = 10.0
) -> list[dict[str, int] | None]:
    """Bring several mails to a server over one connection, with one login."""
    results: list[dict[str, int] | None] = []
    with _translated(), _closing(_over_tls(host, port, timeout)) as server:
        server.login(user, password)
        for message in messages:
            try:
                results.append(_deliver(server, message))
            except OSError:
                results.append(None)
                with suppress(OSError):
                    server.rset()  # smtplib does it after most refusals, but not after one of DATA
    return results


# --- what the functions above share -----------------------------------------------------------------------


def _refuse_line_breaks(*values: str) -> None:
    """What follows a line break would be another header. EmailMessage lets one at the very end through."""
    if any("\r" in value or "\n" in value for value in values):
        raise ValueError("a line break in a header")


def _over_tls(host: str, port: int, timeout: float) -> smtplib.SMTP:
    # Without a context of ours, smtplib checks no certificate at all.
    return smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())


def _deliver(server: smtplib.SMTP, message: EmailMessage) -> dict[str, int]:
    """Hand one mail over. send_message takes the sender from From, and leaves Bcc out of what it sends."""
    refused = server.send_message(message, to_addrs=recipients(message))
    return {address: code for address, (code, _) in refused.items()}


@contextmanager
def _closing(server: smtplib.SMTP) -> Iterator[smtplib.SMTP]:
    """Say goodbye in any case; what the answer is, or whether one comes, changes nothing any more."""
    try:
        yield server
    finally:
        with suppress(OSError):
            server.quit()
        server.close()


@contextmanager
def _translated() -> Iterator[None]:
    """Tell what went wrong in the terms of this module: smtplib's exceptions and those of ssl are all OSErrors."""
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        kind = LoginRefused if error.smtp_code == 535 else NotSent
        raise kind(f"the server refused the login with {error.smtp_code}") from error
    except OSError as error:
        raise NotSent(str(error)) from error
