"""Nobody sends but one thread, which goes over all buffers again and again. The client cleans what it shows."""

import socket
import threading


def split_lines(data):
    *lines, rest = data.split(b"\n")
    return [x[:-1] if x.endswith(b"\r") else x for x in lines], rest


def clean(line):
    text = line.decode("utf-8", errors="replace")
    return "".join(c for c in text if ord(c) > 31 and not 127 <= ord(c) <= 159).strip()


class User:
    def __init__(self, s):
        self.s, self.buf, self.lock, self.dead = s, bytearray(), threading.Lock(), False

    def say(self, t):
        with self.lock:
            if len(self.buf) > 800000:
                self.dead = True
                self.hang()
                return
            self.buf += (t + "\n").encode()
            self.push()

    def push(self):
        try:
            while self.buf:
                n = self.s.send(self.buf[:65536], socket.MSG_DONTWAIT)
                del self.buf[:n]
        except BlockingIOError:
            pass
        except OSError:
            self.buf.clear()

    def hang(self):
        try:
            self.s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(host, port):
    room, all_, lock, stop = {}, set(), threading.Lock(), threading.Event()

    def flusher():
        while not stop.wait(0.02):
            with lock:
                us = list(all_)
            for u in us:
                with u.lock:
                    u.push()

    def tell(t, but=None):
        for u in room.values():
            if u is not but:
                u.say(t)

    def handle(s):
        u, name, rest = User(s), None, b""
        with lock:
            all_.add(u)
        if stop.is_set():
            u.hang()
        try:
            while True:
                d = s.recv(8192)
                if not d:
                    return
                ls, rest = split_lines(rest + d)
                for x in ls:
                    if len(x) > 1000:
                        return
                    t = clean(x)
                    with lock:
                        if name is not None:
                            if t:
                                tell(f"{name}: {t}", u)
                        elif t == "" or len(t) > 20 or t in room:
                            u.say("* the name is " + ("empty" if not t else "too long" if len(t) > 20 else "taken"))
                        else:
                            name = t
                            room[t] = u
                            tell(f"* {t} joined")
                if len(rest) > 1001:
                    return
        except OSError:
            return
        finally:
            with lock:
                all_.remove(u)
                if name is not None:
                    del room[name]
                    tell(f"* {name} left")
            u.hang()
            s.close()

    ts = [threading.Thread(target=flusher)]
    ts[0].start()
    with socket.create_server((host, port)) as ls:
        try:
            while True:
                s, _ = ls.accept()
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                ts = [t for t in ts if t.is_alive()]
                t = threading.Thread(target=handle, args=(s,))
                ts.append(t)
                t.start()
        except KeyboardInterrupt:
            pass
        finally:
            stop.set()
            with lock:
                for u in all_:
                    u.hang()
            for t in ts:
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
                    print(clean(line), flush=True)
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
