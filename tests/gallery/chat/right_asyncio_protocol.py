"""asyncio with a Protocol: the transport calls back, and its own buffer is what a client is measured by."""

import socket
import threading


def split_lines(data):
    *lines, rest = data.split(b"\n")
    return [x[:-1] if x.endswith(b"\r") else x for x in lines], rest


def clean(line):
    text = line.decode("utf-8", errors="replace")
    return "".join(c for c in text if ord(c) > 31 and not 127 <= ord(c) <= 159).strip()


import asyncio


class P(asyncio.Protocol):
    def __init__(self, room, everyone):
        self.room, self.everyone = room, everyone
        self.name, self.rest = None, b""

    def connection_made(self, tr):
        self.tr = tr
        self.everyone.add(self)

    def say(self, text):
        if self.tr.get_write_buffer_size() > 900_000:
            self.tr.abort()
        else:
            self.tr.write(text.encode() + b"\n")

    def tell(self, text, but=None):
        for p in list(self.room.values()):
            if p is not but:
                p.say(text)

    def data_received(self, data):
        lines, self.rest = split_lines(self.rest + data)
        for line in lines:
            if len(line) > 1000:
                return self.tr.close()
            t = clean(line)
            if self.name is None:
                if t == "":
                    self.say("* the name is empty")
                elif len(t) > 20:
                    self.say("* the name is too long")
                elif t in self.room:
                    self.say("* the name is taken")
                else:
                    self.name = t
                    self.room[t] = self
                    self.tell(f"* {t} joined")
            elif t:
                self.tell(f"{self.name}: {t}", self)
        if len(self.rest) > 1001:
            self.tr.close()

    def connection_lost(self, exc):
        self.everyone.discard(self)
        if self.name is not None:
            del self.room[self.name]
            self.tell(f"* {self.name} left")


def serve(host, port):
    room, everyone = {}, set()

    async def main():
        loop = asyncio.get_running_loop()
        srv = await loop.create_server(lambda: P(room, everyone), host, port)
        try:
            await asyncio.Event().wait()
        finally:
            srv.close()
            for p in list(everyone):
                p.tr.abort()
            await asyncio.sleep(0)

    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass


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
