"""write is always followed by drain.

fails: test_slow_reader: slow_stalls_others
"""

import socket
import threading


def split_lines(data):
    *lines, rest = data.split(b"\n")
    return [x[:-1] if x.endswith(b"\r") else x for x in lines], rest


def clean(line):
    text = line.decode("utf-8", errors="replace")
    return "".join(c for c in text if ord(c) > 31 and not 127 <= ord(c) <= 159).strip()


def serve(host, port):
    import asyncio

    room = {}
    writers = set()

    async def say(w, text):
        if w.transport.get_write_buffer_size() > 600_000:
            w.transport.abort()
        else:
            w.write((text + "\n").encode())
            await w.drain()

    async def tell(text, but=None):
        for n, w in list(room.items()):
            if n != but:
                await say(w, text)

    async def handle(r, w):
        writers.add(w)
        name = None
        try:
            while True:
                try:
                    line = await r.readuntil(b"\n")
                except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                    break
                line = line[:-1].removesuffix(b"\r")
                if len(line) > 1000:
                    break
                text = clean(line)
                if name is None:
                    if not text:
                        await say(w, "* the name is empty")
                    elif len(text) > 20:
                        await say(w, "* the name is too long")
                    elif text in room:
                        await say(w, "* the name is taken")
                    else:
                        name = text
                        room[name] = w
                        await tell(f"* {name} joined")
                elif text:
                    await tell(f"{name}: {text}", name)
        except OSError:
            pass
        finally:
            writers.discard(w)
            if name is not None:
                del room[name]
                await tell(f"* {name} left")
            w.close()

    async def main():
        s = await asyncio.start_server(handle, host, port, limit=1002)
        async with s:
            try:
                await s.serve_forever()
            finally:
                for w in list(writers):
                    w.close()

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
