"""The timeout is for the question, and the tries share it.

may fail: test_lost
fails: test_gives_up: too_early
"""

import socket
import struct
import time


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
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((host, port))
        while True:
            try:
                data, sender = s.recvfrom(65536)
                s.sendto(data, sender)
            except ConnectionError:
                pass


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
    end = time.monotonic() + timeout
    for _ in range(tries):
        s.sendto(pack(number, question), address)
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
