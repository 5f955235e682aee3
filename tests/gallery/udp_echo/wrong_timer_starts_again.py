"""settimeout says how long the whole loop takes. (It is the time for one recv.)

fails: test_stranger: waits_too_long
fails: test_gives_up: waits_too_long
"""

import socket
import struct


def say(host, port, data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(data, (host, port))


def ask(host, port, data, timeout):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.sendto(data, (host, port))
        while True:
            answer, sender = s.recvfrom(65535)
            if sender == (host, port):
                return answer


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
            while True:
                datagram, sender = s.recvfrom(65535)
                if sender == server and len(datagram) >= 4 and unpack(datagram)[0] == number:
                    return unpack(datagram)[1]
        except TimeoutError:
            pass
    raise TimeoutError("no answer")
