"""When the wrong thing comes, ask again: a question costs nothing.

fails: test_stranger: noise_asked_again
fails: test_ignored: noise_asked_again
fails: test_gives_up: noise_asked_again
fails: test_flood: asked_more_than_once
"""

import socket
import struct
import time


def say(host, port, data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(data, (host, port))


def ask(host, port, data, timeout):
    deadline = time.monotonic() + timeout
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        while (left := deadline - time.monotonic()) > 0:
            s.settimeout(left)
            s.sendto(data, (host, port))
            answer, sender = s.recvfrom(65535)
            if sender == (host, port):
                return answer
    raise TimeoutError("no answer")


def serve(host, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, port))
    while True:
        data, sender = s.recvfrom(65535)
        s.sendto(data, sender)


def pack(number, data):
    return struct.pack("!I", number) + data


def unpack(datagram):
    if len(datagram) < 4:
        raise ValueError("too short")
    return struct.unpack("!I", datagram[:4])[0], datagram[4:]


def ask_all(host, port, questions, timeout, tries):
    answers = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for number, question in enumerate(questions):
            answers.append(insist(s, (host, port), number, question, timeout, tries))
    return answers


def insist(s, server, number, question, timeout, tries):
    for _ in range(tries):
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            s.sendto(pack(number, question), server)
            s.settimeout(left)
            try:
                datagram, sender = s.recvfrom(65535)
            except TimeoutError:
                break
            if sender == server and len(datagram) >= 4 and unpack(datagram)[0] == number:
                return unpack(datagram)[1]
    raise TimeoutError("no answer")
