"""socketserver: a handler for each client, its rfile cuts the lines. The client program watches both ends by select."""

import os
import select
import socket
import socketserver
import sys
import threading

lock = threading.Lock()
everyone = []  # handlers, those without a name too


def split_lines(data):
    cut = data.rfind(b"\n") + 1
    lines = data[:cut].split(b"\n")[:-1]
    return [line[:-1] if line.endswith(b"\r") else line for line in lines], data[cut:]


def is_control(char):
    return ord(char) in range(32) or ord(char) in range(127, 160)


def clean(line):
    text = str(line, "utf-8", "replace")
    for char in {char for char in text if is_control(char)}:
        text = text.replace(char, "")
    return text.strip()


class Handler(socketserver.StreamRequestHandler):
    name = None

    def handle(self):
        with lock:
            everyone.append(self)
        try:
            while True:
                line = self.rfile.readline(1003)
                if not line.endswith(b"\n"):
                    break
                self.got(clean(line))
        except OSError:
            pass

    def got(self, text):
        with lock:
            if self.name is not None:
                if text:
                    tell(f"{self.name}: {text}", but=self)
            elif not text:
                self.send("* the name is empty")
            elif len(text) > 20:
                self.send("* the name is too long")
            elif text in [other.name for other in everyone]:
                self.send("* the name is taken")
            else:
                self.name = text
                tell(f"* {text} joined")

    def finish(self):
        with lock:
            everyone.remove(self)
            if self.name is not None:
                tell(f"* {self.name} left")
        super().finish()

    def send(self, line):
        data = f"{line}\n".encode()
        try:
            if self.request.send(data, socket.MSG_DONTWAIT) < len(data):
                self.end()
        except OSError:
            self.end()

    def end(self):
        try:
            self.request.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def tell(line, but=None):
    for handler in everyone:
        if handler.name is not None and handler is not but:
            handler.send(line)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True


def serve(host, port):
    with Server((host, port), Handler) as server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            with lock:
                for handler in everyone:
                    handler.end()


def chat(host, port):
    conn = socket.create_connection((host, port))
    keys, heard = b"", b""
    typing = True
    while typing:
        ready, _, _ = select.select([conn, sys.stdin.fileno()], [], [])
        if conn in ready:
            try:
                data = conn.recv(4096)
            except OSError:
                data = b""
            if not data:
                print("* connection closed")
                break
            lines, heard = split_lines(heard + data)
            for line in lines:
                print(line.decode("utf-8", "replace"))
        else:
            typed = os.read(sys.stdin.fileno(), 4096)
            typing = bool(typed)
            lines, keys = split_lines(keys + typed)
            for line in lines:
                if line == b"exit":
                    typing = False
                    break
                try:
                    conn.sendall(line + b"\n")
                except OSError:
                    pass  # the next recv says so
    conn.close()
