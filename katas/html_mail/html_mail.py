"""html_mail: a letter with pictures and files in it.

Fill in one function after the other and run `make test KATA=html_mail` after each.
The page beside this file (README.md, 中文: README.zh.md) explains every step and draws the messages.

A promise that holds for the whole file: a text or a name from outside is never put into HTML as it is.
Files are given by their paths. Every message has a MIME-Version header, as EmailMessage writes it by itself.
"""

from email.message import EmailMessage


def html_text(text: str) -> str:
    """The text as HTML: it shows the same characters, and each of its lines stays a line, an empty one too.

    Safe between tags, and in an attribute between quotes of either kind. Each line end, LF or CR LF, becomes
    one <br> (one at the very end need not); there is no other tag in it.

    html_text("5 < 7")         → "5 &lt; 7"
    html_text("one\\ntwo")      → "one<br>two"   (a line break behind the <br> is fine)
    """
    raise NotImplementedError


def mime_type(name: str) -> tuple[str, str]:
    """Type and subtype of a file with this name, or at this path (RFC 2046, RFC 6838).

    Only the name counts: there need not be a file. ("application", "octet-stream") if the name does not tell,
    and for a compressed file like data.tar.gz, data.tgz or prices.csv.xz.

    mime_type("photo.jpg")     → ("image", "jpeg")
    mime_type("a.unheard")     → ("application", "octet-stream")
    """
    raise NotImplementedError


def letter(sender: tuple[str, str], to: list[tuple[str, str]], subject: str, text: str) -> EmailMessage:
    """A letter in plain text, with the headers From, To and Subject.

    People are (name, address), as ("李雷", "li@example.com"). A name may hold any letters, a comma, parentheses
    and quotation marks, or be empty. All receivers stand in one To header.

    letter(("李雷", "li@example.com"), [("Zoë", "zoe@example.com")], "报价", "你好\\n")
    """
    raise NotImplementedError


def two_versions(text: str, page: str) -> EmailMessage:
    """A letter in two versions, plain text and HTML, each letter for letter as given.

    multipart/alternative holding text/plain, then text/html. It needs no From, To or Subject.
    """
    raise NotImplementedError


def picture_letter(text: str, picture: str, description: str) -> EmailMessage:
    """A letter in two versions: the text, and the text as HTML with the picture below it.

    The plain text is `text`, letter for letter. The HTML shows the lines of `text`, empty ones between them
    too, and below them in one <img> the picture with `description` as its alt, in which a line break may become a
    blank. Both may hold any characters, also {}, %, $ and backslashes. The picture (a path, PNG or JPEG) is a part of
    the message with the type that mime_type gives. The <img> refers to its Content-ID by cid:, and both are in one
    multipart/related.
    """
    raise NotImplementedError


def letter_with_files(text: str, files: list[str]) -> EmailMessage:
    """A letter in plain text with files (paths) attached, in their order.

    multipart/mixed holding text/plain, then for each file a part with Content-Disposition: attachment, the type
    that mime_type gives, the file's name without its folders, and its bytes. Each path is one part: an empty file
    is one too, and so are two of the same name. The list may be empty; then text/plain alone is right as well.
    """
    raise NotImplementedError


def whole_letter(
    sender: tuple[str, str],
    to: list[tuple[str, str]],
    subject: str,
    text: str,
    picture: str,
    description: str,
    files: list[str],
    limit: int,
) -> EmailMessage:
    """All of it in one letter: headers, two versions, the picture in the HTML, the files attached to both versions.

    `files` may be empty here, too.
    Raises ValueError if the message has more than `limit` bytes as it travels: headers and Base64 counted, each
    line with CR and LF at its end (RFC 1870 §3, RFC 5321 §2.3.8).
    """
    raise NotImplementedError
