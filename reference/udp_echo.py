"""udp_echo: messages that may get lost, come late or come twice. A working solution."""

import socket
import struct
import time

LARGEST = 65535  # bytes; a receive buffer in which every datagram fits
HEAD = struct.Struct("!I")  # 4 bytes, unsigned; ! is network byte order, the most significant byte first


def say(host: str, port: int, data: bytes) -> None:
    """Send the data as one datagram, and wait for nothing. Raises OSError when it is too long for one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(data, (host, port))


def ask(host: str, port: int, data: bytes, timeout: float) -> bytes:
    """Send the data once, return the answer. Raises TimeoutError, or a ConnectionError where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        # Nothing is sent by this. From here on, the system itself drops what comes from any other address, so the
        # first datagram is the answer, and one timeout is the whole wait.
        sock.connect((host, port))
        sock.settimeout(timeout)
        sock.send(data)
        return sock.recv(LARGEST)


def serve(host: str, port: int) -> None:
    """Be the echo server at this address. Never returns."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, port))
        while True:
            try:
                data, sender = sock.recvfrom(LARGEST)
                sock.sendto(data, sender)
            except ConnectionError:  # in this way Windows tells that the receiver of an earlier answer has gone
                continue


def pack(number: int, data: bytes) -> bytes:
    """A numbered datagram: the number as 4 bytes, the most significant first, and then the data."""
    return HEAD.pack(number) + data


def unpack(datagram: bytes) -> tuple[int, bytes]:
    """The number and the data of a numbered datagram. Raises ValueError when it has less than 4 bytes."""
    if len(datagram) < HEAD.size:
        raise ValueError(f"a numbered datagram has at least {HEAD.size} bytes, this one {len(datagram)}")
    (number,) = HEAD.unpack_from(datagram)
    return number, datagram[HEAD.size :]


def ask_all(host: str, port: int, questions: list[bytes], timeout: float, tries: int) -> list[bytes]:
    """Ask one question after the other, each again when its answer does not come. Raises TimeoutError after the
    last try, or a ConnectionError where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((host, port))  # strangers are not heard
        return [_insist(sock, number, question, timeout, tries) for number, question in enumerate(questions)]


def _insist(sock: socket.socket, number: int, question: bytes, timeout: float, tries: int) -> bytes:
    for _ in range(tries):
        sock.send(pack(number, question))
        # A point in time, not a span: what is ignored must not make the wait begin anew.
        answer = _answer(sock, number, until=time.monotonic() + timeout)
        if answer is not None:  # and not `if answer`: the data of an answer may be empty
            return answer
    raise TimeoutError(f"no answer to question {number} in {tries} tries of {timeout:g} s")


def _answer(sock: socket.socket, number: int, until: float) -> bytes | None:
    while (left := until - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            found, data = unpack(sock.recv(LARGEST))
        except (TimeoutError, ValueError):  # ValueError: it was too short to be an answer
            continue
        if found == number:
            return data
    return None
