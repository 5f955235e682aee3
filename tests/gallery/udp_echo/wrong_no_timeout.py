"""An answer always comes, as it does on this machine. The timeout is for bad networks.

fails: test_silence: no_timeout
fails: test_stranger: no_timeout
fails: test_lost: no_timeout
fails: test_gives_up: no_timeout
fails: test_flood: no_timeout
"""

import socket
import struct


def say(host, port, data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(data, (host, port))


def ask(host, port, data, timeout):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((host, port))
        s.send(data)
        return s.recv(65535)


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
    s.sendto(pack(number, question), server)
    while True:
        datagram, sender = s.recvfrom(65535)
        if sender == server and len(datagram) >= 4 and unpack(datagram)[0] == number:
            return unpack(datagram)[1]
