"""A socket is a socket: connect, send, receive, as it was in the echo over TCP.

fails: test_say: speaks_tcp
fails: test_ask: speaks_tcp
fails: test_silence: speaks_tcp
fails: test_stranger: speaks_tcp
fails: test_serve: speaks_tcp
fails: test_empty: speaks_tcp
fails: test_senders: speaks_tcp
fails: test_any_port: speaks_tcp
fails: test_ask_all: speaks_tcp
fails: test_lost: speaks_tcp
fails: test_ignored: speaks_tcp
fails: test_gives_up: speaks_tcp
fails: test_flood: speaks_tcp
"""

import socket
import struct


def say(host, port, data):
    with socket.create_connection((host, port)) as s:
        s.sendall(data)


def ask(host, port, data, timeout):
    with socket.create_connection((host, port), timeout) as s:
        s.sendall(data)
        return s.recv(65535)


def serve(host, port):
    with socket.create_server((host, port)) as listener:
        while True:
            conn, _ = listener.accept()
            with conn:
                while data := conn.recv(65535):
                    conn.sendall(data)


def pack(number, data):
    return struct.pack("!I", number) + data


def unpack(datagram):
    if len(datagram) < 4:
        raise ValueError("too short")
    return struct.unpack("!I", datagram[:4])[0], datagram[4:]


def ask_all(host, port, questions, timeout, tries):
    answers = []
    for number, question in enumerate(questions):
        answers.append(unpack(ask(host, port, pack(number, question), timeout))[1])
    return answers
