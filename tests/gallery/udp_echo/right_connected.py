"""Connected sockets, a new one for each question, so that the system sorts out who may answer."""

import socket
import time


def say(host, port, data):
    sock = socket.socket(type=socket.SOCK_DGRAM)
    try:
        sock.connect((host, port))
        sock.send(data)
    finally:
        sock.close()


def ask(host, port, data, timeout):
    with _tied_to(host, port) as sock:
        sock.settimeout(timeout)
        sock.send(data)
        return sock.recv(1 << 16)


def _tied_to(host, port):
    sock = socket.socket(type=socket.SOCK_DGRAM)
    sock.connect((host, port))
    return sock


def serve(host, port):
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind((host, port))
        room = bytearray(1 << 16)
        while True:
            size, sender = sock.recvfrom_into(room)
            sock.sendto(memoryview(room)[:size], sender)


def pack(number, data):
    return number.to_bytes(4, "big") + data


def unpack(datagram):
    head, data = datagram[:4], datagram[4:]
    if len(head) != 4:
        raise ValueError(f"{datagram!r} has no number")
    return int.from_bytes(head, "big"), data


def ask_all(host, port, questions, timeout, tries):
    return [_ask_one(host, port, number, data, timeout, tries) for number, data in enumerate(questions)]


def _ask_one(host, port, number, data, timeout, tries):
    with _tied_to(host, port) as sock:
        for _ in range(tries):
            sock.send(pack(number, data))
            end = time.monotonic() + timeout
            try:
                while True:
                    sock.settimeout(max(end - time.monotonic(), 0.001))
                    datagram = sock.recv(1 << 16)
                    if datagram[:4] == pack(number, b""):
                        return datagram[4:]
                    if time.monotonic() >= end:
                        break
            except TimeoutError:
                pass
            except ConnectionRefusedError:  # perhaps the server is there the next time, which is not yet
                time.sleep(max(end - time.monotonic(), 0.0))
    raise TimeoutError(f"question {number}: no answer")
