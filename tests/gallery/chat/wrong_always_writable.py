"""Each connection is watched for writing all the time.

fails: test_leaves: spins
"""

import socket
import threading


def split_lines(data):
    *lines, rest = data.split(b"\n")
    return [x[:-1] if x.endswith(b"\r") else x for x in lines], rest


def clean(line):
    text = line.decode("utf-8", errors="replace")
    return "".join(c for c in text if ord(c) > 31 and not 127 <= ord(c) <= 159).strip()


class Peer:
    def __init__(self, sock):
        self.sock = sock
        self.name = None
        self.rest = b""
        self.out = bytearray()
        self.gone = False


class Hub:
    """the protocol without any I/O"""

    def __init__(self):
        self.peers = {}  # sock -> Peer

    def say(self, p, text):
        if not p.gone:
            p.out += (text + "\n").encode()
            if len(p.out) > 500_000:
                p.gone = True

    def tell(self, text, but=None):
        for p in self.peers.values():
            if p.name is not None and p is not but:
                self.say(p, text)

    def got(self, p, data):
        lines, p.rest = split_lines(p.rest + data)
        for line in lines:
            if len(line) > 1000:
                p.gone = True
                return
            self.line(p, clean(line))
        if len(p.rest) > 1001:
            p.gone = True

    def line(self, p, text):
        if p.name is not None:
            if text:
                self.tell(p.name + ": " + text, p)
        elif not text:
            self.say(p, "* the name is empty")
        elif len(text) > 20:
            self.say(p, "* the name is too long")
        elif any(q.name == text for q in self.peers.values()):
            self.say(p, "* the name is taken")
        else:
            p.name = text
            self.tell("* " + text + " joined")

    def sweep(self):
        """end those that are gone; yields their sockets before closing"""
        while True:
            dead = [p for p in self.peers.values() if p.gone]
            if not dead:
                return
            for p in dead:
                del self.peers[p.sock]
                yield p.sock
                if p.out:
                    try:
                        p.sock.send(p.out)
                    except OSError:
                        pass
                p.sock.close()
                if p.name is not None:
                    self.tell("* " + p.name + " left")

    def receive(self, p):
        try:
            data = p.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.got(p, data)
        else:
            p.gone = True

    def flush(self, p):
        try:
            n = p.sock.send(p.out)
            del p.out[:n]
        except BlockingIOError:
            pass
        except OSError:
            p.gone = True

    def close(self):
        for s in self.peers:
            s.close()


def serve(host, port):
    import selectors

    hub = Hub()
    sel = selectors.DefaultSelector()
    with socket.create_server((host, port), backlog=128) as ls, sel:
        ls.setblocking(False)
        sel.register(ls, selectors.EVENT_READ)
        try:
            while True:
                for key, mask in sel.select():
                    if key.fileobj is ls:
                        try:
                            c, _ = ls.accept()
                        except OSError:
                            continue
                        c.setblocking(False)
                        hub.peers[c] = Peer(c)
                        sel.register(c, selectors.EVENT_READ)
                        continue
                    p = hub.peers.get(key.fileobj)
                    if p and mask & selectors.EVENT_READ:
                        hub.receive(p)
                    if p and mask & selectors.EVENT_WRITE and p.out:
                        hub.flush(p)
                for s in hub.sweep():
                    sel.unregister(s)
                for p in hub.peers.values():
                    ev = selectors.EVENT_READ | selectors.EVENT_WRITE
                    if sel.get_key(p.sock).events != ev:
                        sel.modify(p.sock, ev)
        except KeyboardInterrupt:
            pass
        finally:
            hub.close()


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
