"""mail: from a text to a letter that arrives.

Fill in one function after the other and run `make test KATA=mail` after each.
The page beside this file (README.md, 中文: README.zh.md) explains every step.

Steps 1 to 3 need no network. The others speak SMTP to a server whose address and account are arguments.

A promise for the whole file: the password is sent only over TLS, to a server whose certificate was checked for
`host`; and it is never printed, and never part of an error's text, in Base64 neither.
"""

from email.message import EmailMessage


class NotSent(Exception):
    """Raise this when the mail has reached nobody: nobody listens at that address, the server is silent for too
    long, breaks off or has a certificate that is not right, no recipient is accepted, the mail is refused.
    """


class LoginRefused(NotSent):
    """Raise this when the server says that user or password is wrong (reply 535): to try again is no use."""


def write_mail(sender: str, to: list[str], subject: str, text: str) -> EmailMessage:
    """A mail to these people: headers and a plain text, both of which may hold any characters.

    `sender` and each of `to` is an address, or a name with an address as text, the name in any letters as they are:
    'Zoë <zoe@example.com>', '"Lovelace, Ada" <ada@example.com>'. The headers are From, To (one header for all),
    Subject, Date (now, in the zone that it names) and Message-ID (new in each mail, even for the same text, with the
    domain of the sender's address behind its @). The text arrives line by line as it is, where LF or CR LF ends a
    line and nothing else does; the last line end may be added.

    Raises ValueError when there is a line break (CR or LF) anywhere in sender, to or subject.

    write_mail("ada@example.com", ["bob@example.org"], "Lunch", "At noon?\\n")
        → From: ada@example.com
          To: bob@example.org
          Subject: Lunch
          Date: Mon, 06 Jul 2026 11:30:00 +0200
          Message-ID: <178333020000.1234.5678@example.com>
          (and what the email package adds), an empty line, the text
    """
    raise NotImplementedError


def mailbox(name: str, address: str) -> str:
    """A name with an address, written so that every program reads the same two out of it again (RFC 5322 §3.4).

    The name may hold commas, quotation marks, brackets, backslashes, any letters; it may be "". The address is
    ASCII. One line, however long the name is. Raises ValueError when there is a line break (CR or LF) in one of them.

    mailbox("Ada", "ada@example.com")             → 'Ada <ada@example.com>'
    mailbox("Lovelace, Ada", "ada@example.com")   → '"Lovelace, Ada" <ada@example.com>'
    """
    raise NotImplementedError


def recipients(message: EmailMessage) -> list[str]:
    """The addresses that a mail must be brought to: of To, Cc and Bcc, without names, as they stand there, each once,
    in any order.

    Any of the three headers may be missing.

    To: Bob <bob@example.org>, carol@example.org   Cc: bob@example.org   → ["bob@example.org", "carol@example.org"]
    """
    raise NotImplementedError


def send(
    host: str, port: int, user: str, password: str, message: EmailMessage, timeout: float = 10.0
) -> dict[str, int]:
    """Bring a mail to a server that speaks TLS from the first byte: log in, hand the mail over, say goodbye.

    The envelope: MAIL FROM is the address in From, and there is a RCPT TO for each of recipients(message). The
    content is the message without its Bcc header, else as it is. QUIT is the last word, after an error as well, as
    long as there is a connection.

    Returns the recipients that the server refused and its reply code for each: {} when it took all of them. What
    the server has taken is sent, whatever happens to QUIT.

    Raises LoginRefused or NotSent (see there). `timeout` is in seconds: the longest wait for the connection, and for
    each reply.

    send("mail.example.com", 465, "ada", "lovelace", message)   → {"nobody@example.org": 550}
    """
    raise NotImplementedError


def send_starttls(
    host: str, port: int, user: str, password: str, message: EmailMessage, timeout: float = 10.0
) -> dict[str, int]:
    """The same for a server that begins in plain text and goes over to TLS on the command STARTTLS (RFC 3207).

    Raises NotSent, before anything of the login is sent, when the server does not offer STARTTLS or refuses it.

    send_starttls("mail.example.com", 587, "ada", "lovelace", message)   → {}
    """
    raise NotImplementedError


def send_many(
    host: str, port: int, user: str, password: str, messages: list[EmailMessage], timeout: float = 10.0
) -> list[dict[str, int] | None]:
    """Bring several mails to a server that speaks TLS from the first byte, over one connection, with one login.

    Returns for each mail, in their order, what send would return, or None when it was not sent. A mail that the
    server refuses does not keep the next one back. When the connection breaks, the mails before it are sent all the
    same, and the caller must learn that.

    Raises LoginRefused or NotSent when it does not come as far as the first mail; whatever happens to the mails, the
    first one too, is told by None.

    send_many("mail.example.com", 465, "ada", "lovelace", [first, second, third])   → [{}, None, {}]
    """
    raise NotImplementedError


if __name__ == "__main__":
    # To try by hand: python katas/mail/mail.py
    print(write_mail("ada@example.com", ["bob@example.org"], "Lunch", "At noon?\n"))
