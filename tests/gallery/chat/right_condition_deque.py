"""A deque and a Condition for each client, in place of a queue; the connection is read as a file of bytes.

The client sends a line without the blanks at its ends.
"""

import socket
import threading


def split_lines(data):
    *lines, rest = data.split(b"\n")
    return [x[:-1] if x.endswith(b"\r") else x for x in lines], rest


def clean(line):
    text = line.decode("utf-8", errors="replace")
    return "".join(c for c in text if ord(c) > 31 and not 127 <= ord(c) <= 159).strip()


import collections


class Mailbox:
    """lines for one client; the newest are thrown away when it is full"""

    def __init__(self, sock):
        self.sock, self.lines, self.cond, self.done = sock, collections.deque(), threading.Condition(), False

    def put(self, line):
        with self.cond:
            if len(self.lines) < 1000:
                self.lines.append(line)
                self.cond.notify()

    def finish(self):
        with self.cond:
            self.done = True
            self.cond.notify()

    def pump(self):
        while True:
            with self.cond:
                while not self.lines and not self.done:
                    self.cond.wait()
                if not self.lines:
                    return
                chunk = b"".join(self.lines)
                self.lines.clear()
            try:
                self.sock.sendall(chunk)
            except OSError:
                return


class ChatServer:
    def __init__(self, addr):
        self.addr, self.lock, self.room, self.conns = addr, threading.Lock(), {}, {}

    def tell(self, text, but=None):
        for n in self.room:
            if n != but:
                self.room[n].put(text.encode() + b"\r\n")

    def client(self, sock):
        box, name = Mailbox(sock), None
        pump = threading.Thread(target=box.pump)
        pump.start()
        f = sock.makefile("rb")
        try:
            while True:
                raw = f.readline(1010)
                if not raw.endswith(b"\n"):
                    break
                t = clean(raw)
                with self.lock:
                    if name is None:
                        answer = None
                        if t == "":
                            answer = "* the name is empty"
                        elif len(t) > 20:
                            answer = "* the name is too long"
                        elif t in self.room:
                            answer = "* the name is taken"
                        if answer:
                            box.put(answer.encode() + b"\r\n")
                        else:
                            name = t
                            self.room[name] = box
                            self.tell(f"* {name} joined")
                    elif t != "":
                        self.tell(f"{name}: {t}", name)
        except OSError:
            pass
        finally:
            with self.lock:
                if name is not None:
                    del self.room[name]
                    self.tell(f"* {name} left")
            box.finish()
            pump.join(0.2)
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            pump.join()
            f.close()
            sock.close()
            with self.lock:
                del self.conns[sock]

    def run(self):
        with socket.create_server(self.addr) as ls:
            try:
                while 1:
                    sock, _ = ls.accept()
                    with self.lock:
                        t = self.conns[sock] = threading.Thread(target=self.client, args=[sock], daemon=True)
                    t.start()
            except KeyboardInterrupt:
                with self.lock:
                    left = list(self.conns.items())
                    for s, t in left:
                        try:
                            s.shutdown(socket.SHUT_RDWR)
                        except OSError:
                            pass
                for s, t in left:
                    t.join()


def serve(host, port):
    ChatServer((host, port)).run()


def chat(host, port):
    s = socket.create_connection((host, port))
    over = threading.Event()

    def read():
        rest = b""
        try:
            while True:
                data = s.recv(4096)
                if not data:
                    break
                lines, rest = split_lines(rest + data)
                for line in lines:
                    print(line.decode("utf-8", "replace"), flush=True)
        except OSError:
            pass
        over.set()
        print("* connection closed", flush=True)

    t = threading.Thread(target=read)
    t.start()
    try:
        while not over.is_set():
            line = input()
            if line == "exit" or over.is_set():
                break
            s.sendall((line.strip() + "\n").encode())
    except (EOFError, OSError):
        pass
    try:
        s.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    t.join()
    s.close()
