"""The number is written as one writes a number, and ends at a blank.

fails: test_numbers: number_not_four_bytes
fails: test_ask_all: number_not_four_bytes
fails: test_lost: number_not_four_bytes
fails: test_ignored: number_not_four_bytes
fails: test_gives_up: number_not_four_bytes
fails: test_flood: number_not_four_bytes
"""

import socket
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
    return f"{number} ".encode() + data


def unpack(datagram):
    number, blank, data = datagram.partition(b" ")
    if not blank:
        raise ValueError("too short")
    return int(number), data


def ask_all(host, port, questions, timeout, tries):
    answers = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for number, question in enumerate(questions):
            answers.append(insist(s, (host, port), number, question, timeout, tries))
    return answers


def insist(s, server, number, question, timeout, tries):
    for _ in range(tries):
        s.sendto(pack(number, question), server)
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            s.settimeout(left)
            try:
                datagram, sender = s.recvfrom(65535)
            except TimeoutError:
                break
            if sender != server or len(datagram) < 4:
                continue
            got, answer = unpack(datagram)
            if got == number:
                return answer
    raise TimeoutError("no answer")
