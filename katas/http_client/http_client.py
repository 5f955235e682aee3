"""http_client: ask a web server, and understand its answer.

Fill in one function after the other and run `make test KATA=http_client` after each.
The page beside this file (README.md, 中文: README.zh.md) explains every step.

Several functions return an answer, which is always a dict with these three keys:

    {"status": 200,                              the status code, an int
     "headers": {"content-type": "text/html"},   header names in lower case, values as text
     "body": b"<p>Hello"}                        all bytes of the body, b"" when there is none
"""

from typing import Any


class NoAnswer(Exception):
    """Raise this when no complete answer came: nobody listens at that address, the server is silent for too
    long, closes too early, sends something that is not HTTP, or has a certificate that is not right.
    """


class HTTPFailure(Exception):
    """Raise this where an answer came, but with a status outside 200 to 299: HTTPFailure(404, b"not here")."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"the server answered with status {status}")
        self.status = status
        self.body = body


def get_text(url: str) -> str:
    """The text at a URL: GET it, and decode the body by the charset that its Content-Type declares.

    It is UTF-8 when no charset is declared, or one that Python does not know. What happens with an error status
    (404 and the like) is left open here.

    get_text("http://www.example.com/hello")   → "Hello, 小明!"
    """
    raise NotImplementedError


def get_with_params(url: str, params: dict[str, str]) -> str:
    """The same with parameters, which are added to the query of the URL (UTF-8, percent-encoded).

    The URL may have a query already, which stays, and a #fragment, which is not sent.

    get_with_params("http://www.example.com/find?lang=zh#top", {"q": "R&D 你"})
        asks for /find?lang=zh&q=R%26D+%E4%BD%A0
    """
    raise NotImplementedError


def fetch(url: str, timeout: float = 10.0) -> dict[str, Any]:
    """The whole answer to a GET: status, headers and body, whatever the status is. A 404 is an answer too.

    Redirects (301, 302, 303, 307, 308 with a Location) are followed. A chain of five must work; somewhere between
    five and 20 it gives up, by NoAnswer or with the last redirect as its answer. A redirect without a Location is
    an answer like any other. Whoever asks for a compressed body must decompress it.

    Raises NoAnswer when no complete answer came (see there), whatever its status was going to be. `timeout` is in
    seconds: the longest wait for the connection, and for the next bytes, from the first line to the end of the body.
    It may limit the whole as well, but need not.

    fetch("http://www.example.com/nothing")
        → {"status": 404, "headers": {"content-type": "text/plain", ...}, "body": b"not here"}
    """
    raise NotImplementedError


def get_json(url: str) -> Any:
    """The value that the JSON at a URL stands for: a dict, a list, a number, a text, true, false or null.

    None when the answer has no body (status 204).

    Raises HTTPFailure, with the status and the body, when the status is outside 200 to 299, and NoAnswer as fetch.

    get_json("http://www.example.com/users/1")   → {"name": "小明", "age": 20}
    get_json("http://www.example.com/users/0")   raises HTTPFailure with .status 404 and .body b'{"error": ...}'
    """
    raise NotImplementedError


def post_form(url: str, fields: dict[str, str]) -> dict[str, Any]:
    """Send the fields as a web form does, and return the answer. Errors as in fetch.

    The request is a POST; the fields are its body, URL-encoded in UTF-8, with Content-Type:
    application/x-www-form-urlencoded and a Content-Length; the URL stays as it is. A field with an empty value is
    sent too. No fields are an empty body, and still a POST. The timeout is 10 seconds; redirects are left open.

    post_form("http://www.example.com/login", {"user": "ada", "city": "New York"})
        sends the body   user=ada&city=New+York
    """
    raise NotImplementedError


def put_text(url: str, text: str) -> dict[str, Any]:
    """Store a text at a URL, and return the answer. Errors as in fetch.

    The request is a PUT; its body is the text in UTF-8, unchanged from its first blank to its last line end, with
    Content-Type: text/plain; charset=utf-8 and a Content-Length, which counts bytes. The timeout is 10 seconds;
    redirects are left open.

    put_text("http://www.example.com/notes/1", "你好")
        sends the body   b"\\xe4\\xbd\\xa0\\xe5\\xa5\\xbd"   (Content-Length: 6)
    """
    raise NotImplementedError


def send(method: str, url: str, value: Any = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Send a request by any method (PUT, PATCH, DELETE, POST, ...) and return the answer. Errors as in fetch.

    `method` may come in small letters; it is sent in capitals. `value` is sent as JSON (UTF-8), with Content-Type:
    application/json and a Content-Length. None stands for no value: then there is no body, and no Content-Type of
    yours. `headers` are sent as well; a Content-Type among them, written in any case, takes the place of
    application/json.

    Every status is an answer, and is returned as it came: the Location of a 201 is not followed, and a request
    that was answered by 307 or 308 is not sent again. Nor is one that got no answer. (GET and HEAD by send are left
    open.) The timeout is 10 seconds.

    Header values are sent in Latin-1. Raises ValueError, and sends nothing, when one of them holds a line break
    (CR or LF, whatever follows it) or a character outside Latin-1.

    send("patch", "http://www.example.com/users/1", {"age": 21})   sends PATCH with the body   {"age": 21}
    send("DELETE", "http://www.example.com/users/1")               → {"status": 204, "headers": {...}, "body": b""}
    """
    raise NotImplementedError


if __name__ == "__main__":
    # To try by hand: start `python -m http.server 8000 --bind 127.0.0.1` in another terminal, then run this file.
    print(get_text("http://127.0.0.1:8000/"))
