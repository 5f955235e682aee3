"""A client may always say something more, so its socket is always asked for reading.

fails: test_slow_reader: spins_while_owing
"""

import os
import selectors
import socket


def open_listener(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen()
    return listener


def greet(host, port, text):
    with open_listener(host, port) as listener:
        conn, addr = listener.accept()
    with conn:
        conn.sendall(text.encode("utf-8"))
        conn.shutdown(socket.SHUT_WR)
        while conn.recv(4096):
            pass


def read_text(host, port, timeout):
    with socket.create_connection((host, port), timeout=timeout) as sock:
        data = b""
        while True:
            piece = sock.recv(4096)
            if not piece:
                return data.decode("utf-8")
            data += piece


def send_back(conn):
    while True:
        data = conn.recv(4096)
        if not data:
            break
        conn.sendall(data)


def echo_one(host, port):
    with open_listener(host, port) as listener:
        conn, addr = listener.accept()
    with conn:
        send_back(conn)


def get_echo(host, port, data, timeout):
    with socket.create_connection((host, port), timeout=timeout) as sock:
        # Never more under way than the buffers of two sockets hold: a little out, the same back.
        got = bytearray()
        for start in range(0, len(data), 16384):
            piece = data[start : start + 16384]
            sock.sendall(piece)
            while len(got) < start + len(piece):
                back = sock.recv(65536)
                if not back:
                    raise ConnectionResetError("too early")
                got += back
        return bytes(got)


def ask(host, port, question, timeout):
    with socket.create_connection((host, port), timeout=timeout) as sock:
        sock.sendall(question)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while True:
            piece = sock.recv(4096)
            if not piece:
                return answer
            answer += piece


def serve(host, port):
    with open_listener(host, port) as listener:
        serve_all(listener)


def serve_unix(path):
    if os.path.exists(path):
        os.remove(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen()
        serve_all(listener)


class Client:
    def __init__(self, conn):
        self.conn = conn
        self.waiting = bytearray()
        self.ended = False


def serve_all(listener):
    chosen = selectors.DefaultSelector()
    listener.setblocking(False)
    chosen.register(listener, selectors.EVENT_READ)
    try:
        while True:
            for key, events in chosen.select():
                if key.data is None:
                    welcome(chosen, listener)
                else:
                    serve_ready(chosen, key.data, events)
    except KeyboardInterrupt:
        for key in list(chosen.get_map().values()):
            if key.data is not None:
                key.data.conn.close()
    finally:
        chosen.close()


def welcome(chosen, listener):
    try:
        conn, addr = listener.accept()
    except OSError:
        return
    conn.setblocking(False)
    chosen.register(conn, selectors.EVENT_READ, Client(conn))


def serve_ready(chosen, client, events):
    try:
        if events & selectors.EVENT_READ:
            data = client.conn.recv(65536)
            client.waiting += data
            client.ended = not data
        if client.waiting:
            try:
                sent = client.conn.send(client.waiting)
                del client.waiting[:sent]
            except BlockingIOError:
                pass
    except ConnectionError:
        client.waiting.clear()
        client.ended = True
    if client.ended and not client.waiting:
        chosen.unregister(client.conn)
        client.conn.close()
        return
    wanted = selectors.EVENT_READ
    if client.waiting:
        wanted |= selectors.EVENT_WRITE
    chosen.modify(client.conn, wanted, client)
