"""The module socketserver."""

import os
import socket
import socketserver
import threading


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


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.server.talking.add(self.request)
        try:
            send_back(self.request)
        except ConnectionError:
            pass
        finally:
            self.server.talking.discard(self.request)


class Mixed(socketserver.ThreadingMixIn):
    daemon_threads = True
    allow_reuse_address = True

    def run(self):
        self.talking = set()
        try:
            self.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            pass
        for conn in list(self.talking):
            try:
                conn.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.server_close()


class Server(Mixed, socketserver.TCPServer):
    pass


class Server6(Server):
    address_family = socket.AF_INET6


def serve(host, port):
    kind = Server6 if ":" in host else Server
    kind((host, port), Handler).run()


def serve_unix(path):
    class Unix(Mixed, socketserver.TCPServer):
        address_family = socket.AF_UNIX
        allow_reuse_address = False

    if os.path.exists(path):
        os.unlink(path)
    Unix(path, Handler).run()
