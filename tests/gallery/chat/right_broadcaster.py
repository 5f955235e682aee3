"""Readers only put events into one queue; a single thread owns the room and needs no lock."""

import queue
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def split_lines(data):
    lines = []
    while True:
        line, end, rest = data.partition(b"\n")
        if not end:
            return lines, data
        lines.append(line[:-1] if line.endswith(b"\r") else line)
        data = rest


def clean(line):
    return CONTROL.sub("", line.decode(errors="replace")).strip()


def read(conn, events):
    """Put (connection, text) for each line; None as the text is the end."""
    rest = b""
    try:
        while data := conn.recv(8192):
            lines, rest = split_lines(rest + data)
            if len(rest) > 10_000:
                break
            for line in lines:
                events.put((conn, clean(line)))
    except OSError:
        pass
    finally:
        events.put((conn, None))


class Room:
    def __init__(self):
        self.names = {}  # connection → name

    def send(self, conn, line):
        data = (line + "\n").encode()
        try:
            full = conn.send(data, socket.MSG_DONTWAIT) < len(data)
        except OSError:
            full = True
        if full:
            self.stop(conn)

    def stop(self, conn):
        try:
            conn.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def tell(self, line, but=None):
        for conn in list(self.names):
            if conn is not but:
                self.send(conn, line)

    def run(self, events):
        while True:
            conn, text = events.get()
            if conn is None:
                return
            if text is None:
                name = self.names.pop(conn, None)
                conn.close()
                if name:
                    self.tell(f"* {name} left")
            elif conn in self.names:
                if text:
                    self.tell(f"{self.names[conn]}: {text}", but=conn)
            elif text == "":
                self.send(conn, "* the name is empty")
            elif len(text) > 20:
                self.send(conn, "* the name is too long")
            elif text in self.names.values():
                self.send(conn, "* the name is taken")
            else:
                self.names[conn] = text
                self.tell(f"* {text} joined")


def serve(host, port):
    events = queue.Queue(1000)
    room = Room()
    owner = threading.Thread(target=room.run, args=(events,))
    owner.start()
    accepted = []
    with socket.create_server((host, port)) as listener, ThreadPoolExecutor(max_workers=300) as pool:
        try:
            while True:
                conn, _ = listener.accept()
                accepted = [old for old in accepted if old.fileno() >= 0] + [conn]
                pool.submit(read, conn, events)
        except KeyboardInterrupt:
            for conn in accepted:
                room.stop(conn)
    events.put((None, None))
    owner.join()
    for conn in accepted:
        conn.close()


class Screen(threading.Thread):
    def __init__(self, conn):
        super().__init__()
        self.conn = conn
        self.gone = False
        self.quiet = False

    def run(self):
        heard = b""
        while True:
            try:
                data = self.conn.recv(1024)
            except OSError:
                break
            if not data:
                break
            lines, heard = split_lines(heard + data)
            for line in lines:
                print(line.decode(errors="replace"))
        self.gone = True
        if not self.quiet:
            print("* connection closed")


def chat(host, port):
    conn = socket.create_connection((host, port))
    screen = Screen(conn)
    screen.start()
    try:
        while not screen.gone:
            text = input("> ")
            if text == "exit" or screen.gone:
                break
            conn.sendall(text.encode() + b"\n")
    except EOFError:
        pass
    except OSError:
        pass
    screen.quiet = True
    try:
        conn.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    screen.join()
    conn.close()
