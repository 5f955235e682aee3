"""inbox: read your mail, and keep what it brings in a safe place.

Fill in one function after the other and run `make test KATA=inbox` after each.
The page beside this file (README.md, 中文: README.zh.md) explains every step.

For steps 5 to 10: the server speaks TLS from the first byte, and its certificate is checked
(`ssl.create_default_context()`): if it is wrong, an OSError, and neither user nor password has been sent. No wait for
the server is longer than `timeout`, in seconds. Whatever goes wrong comes out as an exception, `poplib.error_proto` or
an OSError (ssl.SSLError, TimeoutError and ConnectionError are OSErrors): the libraries raise them by themselves.
A session that went well ends with QUIT. Nothing is deleted but by move_mails. The password is never printed.
"""

from typing import Any


def join_lines(lines: list[bytes]) -> bytes:
    r"""The bytes of a mail, from its lines without their ends: each line, the last one too, gets CRLF.

    join_lines([b"Subject: Hi", b"", b"Hello."])   → b"Subject: Hi\r\n\r\nHello.\r\n"
    join_lines([])                                 → b""
    """
    raise NotImplementedError


def read_headers(raw: bytes) -> dict[str, Any]:
    """What stands in the header of a mail, decoded:

    "subject"   text on one line, encoded words (RFC 2047) decoded; "" without a subject. Where a line end stands
                encoded in it: a blank, or nothing
    "from"      (name, address) of the first sender in From; ("", "") without one
    "to"        a list of (name, address), those of the header To in order; [] without recipients. A name may be ""
    "date"      the moment, as datetime.isoformat() writes it, with the offset that stands in the mail;
                None without a date, or with one that nobody can read

    Bytes that are not ASCII stand for UTF-8, in names too. An encoded word in an unknown charset may become anything,
    and so may a broken address, but no error.

    read_headers(b"From: Ada <ada@example.com>\\r\\nSubject: =?utf-8?B?5L2g5aW9?=\\r\\n\\r\\n")
        → {"subject": "你好", "from": ("Ada", "ada@example.com"), "to": [], "date": None}
    """
    raise NotImplementedError


def read_bodies(raw: bytes) -> dict[str, str | None]:
    """What the mail says: "text" and "html", a plain text and an HTML that are there to be read.

    None for what there is not: a mail may be a PDF alone. What is attached is not the body: parts labelled
    `Content-Disposition: attachment`, in capitals or not, and all that is inside an attached mail (message/rfc822).
    A text that has a file name but no label may be taken; one that is labelled `inline` is.
    A charset that is not stated or that Python does not know counts as UTF-8; bytes that do not fit become U+FFFD.
    Blanks stay; line ends may be LF or CRLF, and those behind the last line may be gone.

    read_bodies(b"Subject: Hi\\r\\n\\r\\nHello.\\r\\n")   → {"text": "Hello.\\r\\n", "html": None}
    """
    raise NotImplementedError


def save_attachments(raw: bytes, folder: str) -> list[tuple[str | None, str]]:
    """Write each attachment of the mail into a file of its own in the folder, which is there already.

    In the order of the mail, for each: the name that the sender gave it, decoded (None if it has none), and the name
    of the file in the folder. An attachment is every part that is labelled `attachment`, has a file name (that may
    stand in Content-Disposition or in Content-Type), or is no text: also where it is the whole mail. Containers
    (multipart) are none. Pictures that the HTML shows (in multipart/related) may be saved or left out.
    The file holds the part's bytes, decoded from Base64 or quoted-printable. An attached mail (message/rfc822) is
    saved whole, as a mail; what is attached to it is not saved once more. Of the report in a mail that came back
    (message/delivery-status) all fields are saved.

    The sender chooses the names, so they are not to be trusted. Yours:
    - is the name of a file directly in the folder, and no file that was there, or was just written, is overwritten,
      also where a.txt and A.TXT are the same file: no two names differ in capitals alone. A link counts as a file,
      one that leads to nothing too;
    - works on every system: none of / \\ : * ? " < > | and no control characters in it (U+0000 to U+001F, U+007F to
      U+009F), no dot or blank at its end, at most 255 bytes in UTF-8, and what stands before its first dot is none
      of the names that Windows keeps for itself: CON, PRN, AUX, NUL, COM1 to COM9, LPT1 to LPT9, in capitals or not.
    How you get such a name is up to you; every attachment is saved, whatever it is called.

    save_attachments(raw, "/tmp/mail")   → [("报告.pdf", "报告.pdf"), ("../../.bashrc", "bashrc"), (None, "file-1")]
    """
    raise NotImplementedError


def count_mails(host: str, port: int, user: str, password: str, timeout: float = 10.0) -> tuple[int, int]:
    """How many mails there are, and how many octets in all, as the server counts them (STAT).

    count_mails("pop.example.com", 995, "ada", "lovelace")   → (2, 320)
    """
    raise NotImplementedError


def list_mails(host: str, port: int, user: str, password: str, timeout: float = 10.0) -> list[tuple[int, int, str]]:
    """Number, octets and unique id of each mail, in the order of the numbers (LIST and UIDL). The server may send the
    lines in any order.

    list_mails("pop.example.com", 995, "ada", "lovelace")   → [(1, 120, "QhdPYR:00WBw1Ph7x7"), (2, 200, "2:x")]
    """
    raise NotImplementedError


def fetch_mail(host: str, port: int, user: str, password: str, number: int, timeout: float = 10.0) -> bytes:
    r"""The bytes of the mail with this number, as they lie on the server, each line end CRLF (RETR).

    A line may be long: up to 10,000 bytes here, and CRLF. If there is no such mail the server says -ERR: an exception.

    fetch_mail("pop.example.com", 995, "ada", "lovelace", 1)   → b"Subject: Hi\r\n\r\nHello.\r\n"
    """
    raise NotImplementedError


def list_headers(host: str, port: int, user: str, password: str, timeout: float = 10.0) -> list[dict[str, Any]]:
    """The headers of all mails, as read_headers gives them, in the order of the numbers. In one session, and without
    fetching the bodies: not a line of one travels (TOP).

    list_headers("pop.example.com", 995, "ada", "lovelace")   → [{"subject": "Hi", "from": …, "to": …, "date": …}]
    """
    raise NotImplementedError


def new_mails(
    host: str, port: int, user: str, password: str, known: list[str], timeout: float = 10.0
) -> list[tuple[str, bytes]]:
    """Unique id and bytes of each mail whose id is not in `known`, in the order of the numbers. Only those are fetched.

    A number is good for one session; the unique id of a mail stays (UIDL). New is what is not in `known`, wherever it
    stands; ids are the same only if they are so character by character.

    new_mails("pop.example.com", 995, "ada", "lovelace", ["QhdPYR:00WBw1Ph7x7"])   → [("2:x", b"Subject: …")]
    """
    raise NotImplementedError


def move_mails(host: str, port: int, user: str, password: str, folder: str, timeout: float = 10.0) -> list[str]:
    """Save every mail, byte for byte, as a file of its own in the folder, then delete all of them on the server.

    Returns the names of the files in the order of the mails. The folder is there, perhaps with files in it; for the
    names the same holds as in save_attachments, and the server, which chooses the unique ids, is not to be trusted.
    If anything goes wrong, with the third mail or with QUIT: an exception, and not one mail is deleted.
    A mail that comes while you work stays on the server, unless it is saved.

    move_mails("pop.example.com", 995, "ada", "lovelace", "/tmp/mail")   → ["mail.eml", "mail-2.eml"]
    """
    raise NotImplementedError


if __name__ == "__main__":
    # To try by hand: python katas/inbox/inbox.py
    print(join_lines([b"Subject: Hi", b"", b"Hello."]))
