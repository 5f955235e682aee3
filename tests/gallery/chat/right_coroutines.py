"""One thread: each client is a generator that is sent its lines."""

import socket
import threading


def split_lines(data):
    *lines, rest = data.split(b"\n")
    return [x[:-1] if x.endswith(b"\r") else x for x in lines], rest


def clean(line):
    text = line.decode("utf-8", errors="replace")
    return "".join(c for c in text if ord(c) > 31 and not 127 <= ord(c) <= 159).strip()


# a hand-written scheduler: a generator for each client
import selectors


def serve(host, port):
    sel = selectors.DefaultSelector()
    room = {}

    class C:
        def __init__(self, s):
            self.s, self.out, self.name, self.co = s, [], None, None

        def say(self, t):
            if len(self.out) >= 400:
                self.out.pop(1)
            self.out.append((t + "\n").encode())
            sel.modify(self.s, 3, self)

    def tell(t, but=None):
        for c in room.values():
            if c is not but:
                c.say(t)

    def lines():
        rest = b""
        while True:
            data = yield
            ls, rest = split_lines(rest + data)
            for x in ls:
                yield x

    def talk(me):
        while True:
            n = clean((yield))
            if n == "":
                me.say("* the name is empty")
            elif len(n) > 20:
                me.say("* the name is too long")
            elif n in room:
                me.say("* the name is taken")
            else:
                break
        me.name = n
        room[n] = me
        tell(f"* {n} joined")
        while True:
            t = clean((yield))
            if t:
                tell(f"{n}: {t}", me)

    def end(c):
        sel.unregister(c.s)
        try:
            c.s.send(b"".join(c.out))
        except OSError:
            pass
        c.s.close()
        if c.name is not None:
            del room[c.name]
            tell(f"* {c.name} left")

    ls = socket.create_server((host, port))
    sel.register(ls, 1, None)
    try:
        while True:
            for key, ev in sel.select():
                c = key.data
                if c is None:
                    s = ls.accept()[0]
                    s.setblocking(False)
                    c = C(s)
                    c.rest = b""
                    c.co = talk(c)
                    next(c.co)
                    sel.register(s, 1, c)
                    continue
                if ev & 1:
                    try:
                        data = c.s.recv(999)
                    except BlockingIOError:
                        data = None
                    except OSError:
                        data = b""
                    if data is not None:
                        ll, c.rest = split_lines(c.rest + data)
                        for x in ll:
                            c.co.send(x)
                        if not data or len(c.rest) > 2000:
                            end(c)
                            continue
                if ev & 2 and c.out:
                    try:
                        k = c.s.send(c.out[0])
                        c.out[0] = c.out[0][k:]
                        if not c.out[0]:
                            c.out.pop(0)
                    except BlockingIOError:
                        pass
                    except OSError:
                        c.out.clear()
                    if not c.out:
                        sel.modify(c.s, 1, c)
    except KeyboardInterrupt:
        for k in list(sel.get_map().values()):
            k.fileobj.close()
        sel.close()


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
            s.sendall((line + "\n").encode())
    except (EOFError, OSError):
        pass
    try:
        s.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    t.join()
    s.close()
