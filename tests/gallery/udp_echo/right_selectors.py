"""Sockets that never block, and a selector that waits."""

import selectors
import socket
import struct
import time


def open_socket():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    return sock


def say(host, port, data):
    with open_socket() as sock:
        sock.sendto(data, (host, port))


def datagrams(sock, seconds):
    """What comes within so many seconds, one (data, sender) after the other."""
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        while (left := end - time.monotonic()) > 0:
            if selector.select(left):
                try:
                    yield sock.recvfrom(65535)
                except BlockingIOError:
                    pass


def ask(host, port, data, timeout):
    with open_socket() as sock:
        sock.sendto(data, (host, port))
        for answer, sender in datagrams(sock, timeout):
            if sender == (host, port):
                return answer
    raise TimeoutError


def serve(host, port):
    with open_socket() as sock, selectors.DefaultSelector() as selector:
        sock.bind((host, port))
        selector.register(sock, selectors.EVENT_READ)
        while True:
            selector.select()
            try:
                while True:
                    sock.sendto(*sock.recvfrom(65535))
            except BlockingIOError:
                pass  # all is read, or there is no room to send


def pack(number, data):
    return struct.pack("!I", number) + data


def unpack(datagram):
    try:
        (number,) = struct.unpack_from("!I", datagram)
    except struct.error as error:
        raise ValueError("no number") from error
    return number, datagram[4:]


def ask_all(host, port, questions, timeout, tries):
    answers = []
    with open_socket() as s:
        for number, question in enumerate(questions):
            answers.append(insist(s, (host, port), number, question, timeout, tries))
    return answers


def insist(sock, server, number, question, timeout, tries):
    for _ in range(tries):
        sock.sendto(pack(number, question), server)
        for datagram, sender in datagrams(sock, timeout):
            if sender == server and len(datagram) >= 4 and unpack(datagram)[0] == number:
                return unpack(datagram)[1]
    raise TimeoutError
