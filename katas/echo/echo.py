"""echo: sockets, from the server's side and from the client's.

Fill in one function after the other and run `make test KATA=echo` after each.
The page beside this file (README.md, 中文: README.zh.md) explains every step.

For all functions: host is an address like "127.0.0.1" or "::1", or a name; port is a number. A server listens at
this host and this port, and nowhere else; with port 0 the system chooses a free one. The network carries bytes: text
is there only where a docstring says so, and then as UTF-8. At a name that stands for several addresses (localhost), a
server may listen at any of them.
"""

import socket


def greet(host: str, port: int, text: str) -> None:
    """Listen, send the text to the first client that comes, end the connection, and return.

    greet("127.0.0.1", 2007, "Hello, 明!")   the client receives b"Hello, \\xe6\\x98\\x8e!", then the end

    A client may send something itself, though nobody asked, before it reads and while it reads: it gets the whole text
    and a proper end all the same, never a reset. (Only the last test asks for this. The page says how, in "Back to
    step 1".) To that end you may read what it sends until it ends too: every client does, once it has seen your end.
    """
    raise NotImplementedError


def read_text(host: str, port: int, timeout: float) -> str:
    """Connect, read until the server ends the connection, and return all of it as text.

    The bytes come in pieces, cut anywhere. What is not UTF-8 raises UnicodeDecodeError.

    read_text("127.0.0.1", 2007, 5.0)   → "Hello, 明!"     (from a server that greets)

    For this function, get_echo and ask:
    TimeoutError     the server lets you wait for longer than timeout seconds
    ConnectionError  (or a type derived from it) nobody listens there, or the connection is reset
    """
    raise NotImplementedError


def echo_one(host: str, port: int) -> None:
    """Listen, and send back to the first client what it sends, until it ends its side; then end, and return.

    The very bytes go back, whatever they are, and at once: not only when a line or a buffer is full. When the client
    ends its side (you receive b""), it gets what is still owed to it, then the end.
    """
    raise NotImplementedError


def get_echo(host: str, port: int, data: bytes, timeout: float) -> bytes:
    """Connect to an echo server, send the data, and return what comes back: as many bytes as were sent.

    They are returned as they came, even if they should differ from the data.

    The server sends back what it gets as soon as it gets it, in pieces of any size. It does not end the connection:
    it waits for more. And it does not read on while you leave its echo unread, so with many megabytes you must read
    while you send (one of the last tests). No data is answered by b"" without waiting.

    Errors as for read_text; also ConnectionError when the server ends the connection before all has come back.

    get_echo("127.0.0.1", 2007, b"one\\ntwo", 5.0)   → b"one\\ntwo"
    """
    raise NotImplementedError


def ask(host: str, port: int, question: bytes, timeout: float) -> bytes:
    """Connect, send the question, end your side, and return the answer: all that comes until the server ends.

    The server answers when it has the whole question, and knows that only by the end of your side. (The question is
    short enough to be sent at once.) Errors as for read_text.
    """
    raise NotImplementedError


def serve(host: str, port: int) -> None:
    """Listen, and send back to every client what it sends, as echo_one does, until Ctrl-C.

    Clients       any number one after the other, and at least eight at once. None waits for another, also not for one
                  that is silent or one that does not read.
    Leaving       a client that ends its side gets the rest, then the end; one that resets is gone. Both trouble
                  nobody else, and nothing of them is left: no open socket, no thread, no work.
    Idle          when nobody sends, no processor time is used.
    Ctrl-C        arrives as KeyboardInterrupt (serve is called in the main thread). Every client's connection is
                  ended, though the client may be silent; then serve returns None, within a second, and does not wait
                  for clients. The program goes on: another serve may listen at the same host and port at once.

    Raises OSError when it cannot listen there (another program does, for example).
    """
    raise NotImplementedError


def serve_unix(path: str) -> None:
    """The same as serve at a Unix socket (AF_UNIX), whose address is the path of a file.

    A socket file that an earlier server has left at the path is removed first. Where Python has no AF_UNIX (on
    Windows), whatever exception that causes is fine.
    """
    raise NotImplementedError


if __name__ == "__main__":
    # To try by hand: python3 katas/echo/echo.py, and in a second terminal what the page says
    greet("127.0.0.1", 2007, "Hello!\n")
