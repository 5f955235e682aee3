"""SO_REUSEPORT is for ports what SO_REUSEADDR is for addresses: both are needed.

fails: test_stop: port_shared
"""

import os
import socket
import threading


def open_listener(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
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
        sender = threading.Thread(target=send_all, args=(sock, data), daemon=True)
        sender.start()
        got = bytearray()
        while len(got) < len(data):
            piece = sock.recv(65536)
            if not piece:
                raise ConnectionError("the server has left")
            got += piece
        return bytes(got)


def send_all(sock, data):
    try:
        sock.sendall(data)
    except OSError:
        pass


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


def serve_all(listener):
    clients = set()
    try:
        while True:
            conn, addr = listener.accept()
            clients.add(conn)
            threading.Thread(target=serve_client, args=(conn, clients), daemon=True).start()
    except KeyboardInterrupt:
        for conn in list(clients):
            try:
                conn.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def serve_client(conn, clients):
    try:
        with conn:
            send_back(conn)
    except ConnectionError:
        pass
    finally:
        clients.discard(conn)
