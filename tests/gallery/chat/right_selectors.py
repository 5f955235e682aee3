"""One thread for all: a selector, and for each client a buffer of what came and one of what has to go.

The client program has its keyboard in a thread of its own and reads the network in the main one.
"""

import selectors
import socket
import sys
import threading
import unicodedata

MOST_UNSENT = 500_000


def split_lines(data):
    pieces = data.split(b"\n")
    rest = pieces.pop()
    return [piece[:-1] if piece[-1:] == b"\r" else piece for piece in pieces], rest


def clean(line):
    text = line.decode("utf-8", "replace")
    return "".join(c for c in text if unicodedata.category(c) != "Cc").strip()


class Chat:
    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.clients = {}  # socket → [name, what came, what has to go]

    def accept(self, listener):
        conn, _ = listener.accept()
        conn.setblocking(False)
        self.clients[conn] = ["", b"", b""]
        self.selector.register(conn, selectors.EVENT_READ)

    def send(self, conn, line):
        client = self.clients[conn]
        client[2] += line.encode() + b"\n"
        self.selector.modify(conn, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def tell(self, line, but=None):
        for conn in self.clients:
            if self.clients[conn][0] and conn is not but:
                self.send(conn, line)

    def read(self, conn):
        try:
            data = conn.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        client = self.clients[conn]
        lines, client[1] = split_lines(client[1] + data)
        for line in lines:
            if len(line) > 1000:
                self.drop(conn)
                return
            self.take(conn, clean(line))
        if not data or len(client[1]) > 1001:
            self.drop(conn)

    def take(self, conn, text):
        name = self.clients[conn][0]
        if name:
            if text:
                self.tell(f"{name}: {text}", but=conn)
        elif not text:
            self.send(conn, "* the name is empty")
        elif len(text) > 20:
            self.send(conn, "* the name is too long")
        elif any(client[0] == text for client in self.clients.values()):
            self.send(conn, "* the name is taken")
        else:
            self.clients[conn][0] = text
            self.tell(f"* {text} joined")

    def write(self, conn):
        client = self.clients[conn]
        try:
            sent = conn.send(client[2])
        except BlockingIOError:
            return
        except OSError:
            self.drop(conn)
            return
        client[2] = client[2][sent:]
        if not client[2]:
            self.selector.modify(conn, selectors.EVENT_READ)

    def drop(self, conn):
        name = self.clients.pop(conn)[0]
        self.selector.unregister(conn)
        conn.close()
        if name:
            self.tell(f"* {name} left")

    def run(self, listener):
        self.selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, events in self.selector.select():
                if key.fileobj is listener:
                    self.accept(listener)
                    continue
                if key.fileobj in self.clients and events & selectors.EVENT_WRITE:
                    self.write(key.fileobj)
                if key.fileobj in self.clients and events & selectors.EVENT_READ:
                    self.read(key.fileobj)
            for conn, client in list(self.clients.items()):
                if len(client[2]) > MOST_UNSENT:
                    self.drop(conn)


def serve(host, port):
    chat_room = Chat()
    with socket.create_server((host, port)) as listener:
        try:
            chat_room.run(listener)
        except KeyboardInterrupt:
            for conn in chat_room.clients:
                conn.close()


def type_lines(conn, finished):
    while True:
        line = sys.stdin.readline()
        if finished.is_set() or line in ("", "exit\n"):
            break
        try:
            conn.sendall(line.encode())
        except OSError:
            break
    finished.set()
    try:
        conn.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def chat(host, port):
    finished = threading.Event()
    with socket.create_connection((host, port)) as conn:
        keyboard = threading.Thread(target=type_lines, args=(conn, finished))
        keyboard.start()
        buffer = b""
        while True:
            try:
                data = conn.recv(4096)
            except OSError:
                break
            if not data:
                break
            lines, buffer = split_lines(buffer + data)
            for line in lines:
                print(line.decode("utf-8", "replace"))
        if not finished.is_set():
            finished.set()
            print("* connection closed")
        keyboard.join()
