"""A socket for each sender. What it tells of one that has gone is told to nobody.

fails: test_senders: gone_sender_ends_it
"""

import socket
import struct
import time
import selectors


def say(host, port, data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(data, (host, port))


def ask(host, port, data, timeout):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(data, (host, port))
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("no answer")
            s.settimeout(left)
            answer, sender = s.recvfrom(65536)
            if sender == (host, port):
                return answer


def serve(host, port):
    sel = selectors.DefaultSelector()

    def new():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return s

    main = new()
    main.bind((host, port))
    sel.register(main, selectors.EVENT_READ)
    known = set()
    while True:
        for key, _ in sel.select():
            data, sender = key.fileobj.recvfrom(65536)
            main.sendto(data, sender)
            if key.fileobj is main and sender not in known:
                known.add(sender)
                c = new()
                c.bind(main.getsockname())
                c.connect(sender)
                sel.register(c, selectors.EVENT_READ)


def pack(number, data):
    return struct.pack("!I", number) + data


def unpack(datagram):
    if len(datagram) < 4:
        raise ValueError("no number")
    return struct.unpack("!I", datagram[:4])[0], datagram[4:]


def ask_all(host, port, questions, timeout, tries):
    answers = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for number, question in enumerate(questions):
            answers.append(ask_one(s, (host, port), number, question, timeout, tries))
    return answers


def ask_one(s, address, number, question, timeout, tries):
    for _ in range(tries):
        s.sendto(pack(number, question), address)
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if left <= 0:
                break
            s.settimeout(left)
            try:
                datagram, sender = s.recvfrom(65536)
            except TimeoutError:
                break
            if sender != address or len(datagram) < 4:
                continue
            got, data = unpack(datagram)
            if got == number:
                return data
    raise TimeoutError(f"no answer to question {number}")
