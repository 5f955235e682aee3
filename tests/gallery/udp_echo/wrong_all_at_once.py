"""First send all questions, then collect the answers: the numbers keep them apart.

fails: test_lost: all_at_once
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
    answers = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((host, port))
        for _ in range(tries):
            for number, question in enumerate(questions):
                if number not in answers:
                    s.send(pack(number, question))
            deadline = time.monotonic() + timeout
            while len(answers) < len(questions) and (left := deadline - time.monotonic()) > 0:
                s.settimeout(left)
                try:
                    number, data = unpack(s.recv(65535))
                except (TimeoutError, ValueError):
                    continue
                if number < len(questions):
                    answers[number] = data
            if len(answers) == len(questions):
                return [answers[number] for number in range(len(questions))]
    raise TimeoutError("no answer")
