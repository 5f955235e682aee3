"""chat: many clients, one conversation.

Fill in one function after the other and run `make test KATA=chat` after each.
The page beside this file (README.md, 中文: README.zh.md) explains every step and holds the protocol.
"""

import socket
import sys
import threading  # one way among several: the page names others


def split_lines(data: bytes) -> tuple[list[bytes], bytes]:
    r"""Cut a piece of a stream into its complete lines and the rest, which is the begin of the next line.

    A line ends with LF or with one CR and LF, and with nothing else. The lines come without their ends, in order; empty
    ones are lines too. The rest is b"" when the data ends with a line end.

    split_lines(b"one\ntwo\r\nth")   → ([b"one", b"two"], b"th")
    split_lines(b"\n\n")             → ([b"", b""], b"")
    split_lines(b"a\rb\n")           → ([b"a\rb"], b"")
    split_lines(b"not yet")          → ([], b"not yet")
    """
    raise NotImplementedError


def clean(line: bytes) -> str:
    r"""Turn a line as it came from the network into text that can be shown to others.

    Decoded as UTF-8; what is not UTF-8 becomes U+FFFD, as bytes.decode does it with errors="replace". Then every
    control character is taken out: the characters with the numbers 0 to 31 and 127 to 159. All others stay.
    Last, blanks at both ends are taken off: spaces, and other ones if you like. Raises nothing.

    clean(b"hello\r")                     → "hello"
    clean(b"  \xe4\xbd\xa0\xe5\xa5\xbd ")   → "你好"
    clean(b"\x1b[2Jha\x00ha")             → "[2Jhaha"     (ESC is number 27)
    clean(b"a\xffb")                      → "a\ufffdb"
    """
    raise NotImplementedError


def serve(host: str, port: int) -> None:
    """Serve a chat on this address until Ctrl-C. The page holds the protocol; in short:

    - A line has at most 1000 bytes, is UTF-8 and ends with LF or CRLF. Each line is used as clean() gives it.
    - A client's first line is its name. Everybody who is in, the new one too, hears `* NAME joined`.
    - Each further line TEXT is heard as `NAME: TEXT` by everybody else who is in, not by the sender itself.
      A line that clean() leaves empty is heard by nobody.
    - When a client leaves, in whatever way, all who are still in hear `* NAME left`, once; the name is free by then.
    - A name that is empty, longer than 20 characters or taken is answered `* the name is empty`,
      `* the name is too long` or `* the name is taken`, to that client alone; its next line is a name again.
    - The server writes LF (or CRLF) behind each line.

    host is the only address to listen on. port 0 means: any free port. On Ctrl-C (a KeyboardInterrupt in the main
    thread, which runs this function) every connection is closed, and the function returns None and listens no more.
    """
    raise NotImplementedError


def chat(host: str, port: int) -> None:
    """The client: what the user types goes to the server, what the server says goes to the screen, both at any time.

    - The keyboard is input(), a line each. The line `exit`, or the end of the input (EOFError), ends the program, also
      as the first one. `exit` is not sent; every line typed before it has reached the server. An empty line, `EXIT`,
      `exit now`, or ` exit ` with blanks ends nothing.
    - The screen is print(): each line of the server's, an empty one too, without its LF or CRLF, as soon as it is
      complete, also before a name was typed. Decoded as clean() does it: what is not UTF-8 becomes U+FFFD. Whether the
      rest of what clean() does is done here too is up to you.
    - When the connection ends from the other side, politely or by a reset, `* connection closed` is printed at
      once. Then the program ends; it may wait for one more line from the keyboard to do so.
    - Returns None, and by then the connection is closed and no thread is left. Raises OSError when no connection
      can be made, nothing else.
    """
    raise NotImplementedError


if __name__ == "__main__":
    # In one terminal:  python3 katas/chat/chat.py serve 127.0.0.1 8000
    # in the others:    python3 katas/chat/chat.py chat 127.0.0.1 8000
    if len(sys.argv) == 4 and sys.argv[1] in ("serve", "chat") and sys.argv[3].isdecimal():
        {"serve": serve, "chat": chat}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(f"usage: python3 {sys.argv[0]} serve|chat HOST PORT")
