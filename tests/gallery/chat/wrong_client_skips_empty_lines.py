"""An empty line need not be shown.

fails: test_client: empty_line_not_shown
"""

import queue
import socket
import threading


def split_lines(data):
    *lines, rest = data.split(b"\n")
    return [x[:-1] if x.endswith(b"\r") else x for x in lines], rest


def clean(line):
    text = line.decode("utf-8", errors="replace")
    return "".join(c for c in text if ord(c) > 31 and not 127 <= ord(c) <= 159).strip()


class Client:
    def __init__(self, conn):
        self.conn = conn
        self.q = queue.Queue(500)
        self.writer = threading.Thread(target=self.write)
        self.writer.start()

    def write(self):
        try:
            while True:
                text = self.q.get()
                if text is None:
                    break
                self.conn.sendall((text + "\n").encode())
        except OSError:
            pass
        self.end()

    def say(self, text):
        try:
            self.q.put_nowait(text)
        except queue.Full:
            self.end()

    def end(self):
        try:
            self.conn.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(host, port):
    clients = {}
    threads = []
    conns = []
    lock = threading.Lock()

    def tell(text, but=None):
        for n, c in clients.items():
            if n != but:
                c.say(text)

    def handle(conn):
        rest = b""
        name = None
        me = Client(conn)
        try:
            while True:
                data = conn.recv(4096)
                if not data:
                    break
                lines, rest = split_lines(rest + data)
                for line in lines:
                    if len(line) > 1000:
                        return
                    text = clean(line)
                    if name is None:
                        if text == "":
                            me.say("* the name is empty")
                        elif len(text) > 20:
                            me.say("* the name is too long")
                        else:
                            with lock:
                                if text in clients:
                                    me.say("* the name is taken")
                                else:
                                    name = text
                                    clients[name] = me
                                    tell(f"* {name} joined")
                    elif text:
                        with lock:
                            tell(f"{name}: {text}", name)
                if len(rest.removesuffix(b"\r")) > 1000:
                    break
        except OSError:
            pass
        finally:
            if name is not None:
                with lock:
                    del clients[name]
                    tell(f"* {name} left")
            me.say(None)
            me.writer.join(1)
            me.end()
            me.writer.join()
            conn.close()

    with socket.create_server((host, port)) as s:
        try:
            while True:
                conn, addr = s.accept()
                conns.append(conn)
                t = threading.Thread(target=handle, args=(conn,))
                threads.append(t)
                t.start()
        except KeyboardInterrupt:
            pass
        for c in conns:
            try:
                c.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for t in threads:
            t.join()


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
                    if line:
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
            s.sendall((line + "\n").encode())
    except (EOFError, OSError):
        pass
    try:
        s.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    t.join()
    s.close()
