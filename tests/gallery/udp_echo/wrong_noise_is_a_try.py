"""Each datagram that comes is a try: when it is not the answer, the try has failed.

fails: test_ignored: noise_counts_as_try
fails: test_gives_up: too_early
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
    s.settimeout(timeout)
    for _ in range(tries):
        s.sendto(pack(number, question), server)
        try:
            datagram, sender = s.recvfrom(65535)
        except TimeoutError:
            continue
        if sender == server and len(datagram) >= 4 and unpack(datagram)[0] == number:
            return unpack(datagram)[1]
    raise TimeoutError("no answer")
