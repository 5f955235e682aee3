"""An answer is kept under its number until it is needed.

fails: test_ignored: answer_before_question
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
    got = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for number, question in enumerate(questions):
            for _ in range(tries):
                if number in got:
                    break
                s.sendto(pack(number, question), (host, port))
                end = time.monotonic() + timeout
                while number not in got and (left := end - time.monotonic()) > 0:
                    s.settimeout(left)
                    try:
                        datagram, sender = s.recvfrom(65536)
                    except TimeoutError:
                        break
                    if sender == (host, port) and len(datagram) >= 4:
                        n, data = unpack(datagram)
                        got.setdefault(n, data)
            if number not in got:
                raise TimeoutError
    return [got[i] for i in range(len(questions))]
