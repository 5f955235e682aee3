"""After a question, the next thing that the server says is the answer.

fails: test_ignored: number_not_checked
fails: test_gives_up: number_not_checked
fails: test_flood: number_not_checked
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
        s.sendto(data, (host, port))
        while (left := deadline - time.monotonic()) > 0:
            s.settimeout(left)
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
    s.connect(server)
    s.settimeout(timeout)
    for _ in range(tries):
        s.send(pack(number, question))
        try:
            return s.recv(65535)[4:]
        except TimeoutError:
            pass
    raise TimeoutError("no answer")
