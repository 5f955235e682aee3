"""udp_echo: messages that may get lost, come late or come twice.

Fill in one function after the other and run `make test KATA=udp_echo` after each.
The page beside this file (README.md, 中文: README.zh.md) explains every step.

In all functions `host` is an IPv4 address as text ("127.0.0.1"), `port` an int, and a datagram is bytes: from none
at all to 65,507 of them. All of them use UDP.
"""

import socket  # the later steps need more than this module: the page says what


def say(host: str, port: int, data: bytes) -> None:
    """Send the data as one datagram to this address, and wait for nothing. b"" is sent too: an empty datagram.

    Nobody has to be there: returns all the same.
    Raises OSError when the data is too long for a datagram (over 65,507 bytes); then nothing of it is sent.

    say("127.0.0.1", 9999, b"hello")
    """
    raise NotImplementedError


def ask(host: str, port: int, data: bytes, timeout: float) -> bytes:
    """Send the data as one datagram, once, and return the datagram that the asked address sends back, in full.

    It returns as soon as the answer is there. An answer may have up to 65,507 bytes, or none: b"" is an answer.
    A datagram from any other address or port is no answer. It is ignored, and the wait goes on as if it had not come.

    `timeout` is in seconds, for the whole wait, whatever else comes meanwhile. Raises TimeoutError when there is no
    answer by then. Where nobody listens, a ConnectionError (ConnectionRefusedError, say) is right too.
    What comes late for one call must not be heard by the next: each call has a new socket.

    ask("127.0.0.1", 9999, b"hello", 0.5)   → b"hello"     (when an echo server is there)
    """
    raise NotImplementedError


def serve(host: str, port: int) -> None:
    """Be the echo server at this address: send each datagram back to the address that it came from, unchanged.

    It is sent from the very port that it came to. Port 0 is any free port. Never returns: neither an empty datagram
    (which is sent back too), nor any other, nor a sender that has gone meanwhile is a reason to end.
    """
    raise NotImplementedError


def pack(number: int, data: bytes) -> bytes:
    """A numbered datagram: the number as 4 bytes, unsigned, the most significant first, and then the data.

    The number is one from 0 to 4294967295.

    pack(1, b"hello")   → b"\\x00\\x00\\x00\\x01hello"
    """
    raise NotImplementedError


def unpack(datagram: bytes) -> tuple[int, bytes]:
    """The number and the data of a numbered datagram: the way back from pack.

    Raises ValueError when it has less than 4 bytes. (With just 4, its data is b"".)

    unpack(b"\\x00\\x00\\x00\\x01hello")   → (1, b"hello")
    """
    raise NotImplementedError


def ask_all(host: str, port: int, questions: list[bytes], timeout: float, tries: int) -> list[bytes]:
    """Ask one question after the other, and return the data of their answers, in the order of the questions.

    The questions are numbered 0, 1, 2, … and each is sent as pack(number, question). Its answer is a datagram from the
    asked address with the same number; what is returned is its data, without the number.

    The next question is sent when the one before has its answer. When `timeout` seconds after it was sent no answer
    has come, the same datagram is sent again, number and all: at most `tries` times in all, the first one counted.
    Raises TimeoutError when the last try has had its `timeout` seconds too. Each question has all its tries.
    An answer to an earlier try is an answer too. Where nobody listens, a ConnectionError is right too.

    Whatever else comes is ignored: answers with another number (an earlier answer that comes late or twice, or one
    to a question that has not been sent yet), datagrams that are too short to have a number, datagrams from other
    addresses. They cause no sending, count as no try, and do not make the wait longer.

    ask_all("127.0.0.1", 9999, [b"one", b"two"], 0.5, 3)   → [b"one", b"two"]     (when an echo server is there)
    """
    raise NotImplementedError


if __name__ == "__main__":
    # To try by hand: python3 katas/udp_echo/udp_echo.py      (Ctrl-C ends it)
    serve("127.0.0.1", 9999)
