"""asyncio without streams: the loop waits for plain sockets (sock_accept, sock_recv, sock_sendall)."""

import socket
import threading


def split_lines(data):
    *lines, rest = data.split(b"\n")
    return [x[:-1] if x.endswith(b"\r") else x for x in lines], rest


def clean(line):
    text = line.decode("utf-8", errors="replace")
    return "".join(c for c in text if ord(c) > 31 and not 127 <= ord(c) <= 159).strip()


import asyncio


def serve(host, port):
    async def main():
        loop = asyncio.get_running_loop()
        in_ = {}
        tasks = set()

        def tell(text, but=None):
            for n, q in in_.items():
                if n != but:
                    put(q, text)

        def put(q, text):
            if q.full():
                q.get_nowait()  # the oldest is thrown away
            q.put_nowait(text)

        async def writer(s, q):
            try:
                while True:
                    t = await q.get()
                    if t is None:
                        break
                    await loop.sock_sendall(s, t.encode() + b"\r\n")
            except OSError:
                pass

        async def client(s):
            q = asyncio.Queue(300)
            w = asyncio.create_task(writer(s, q))
            name, rest = None, b""
            try:
                while len(rest) <= 1001:
                    data = await loop.sock_recv(s, 1000)
                    if not data:
                        break
                    lines, rest = split_lines(rest + data)
                    for line in lines:
                        t = clean(line)
                        if name is None:
                            bad = "empty" if not t else "too long" if len(t) > 20 else "taken" if t in in_ else ""
                            if bad:
                                put(q, f"* the name is {bad}")
                            else:
                                name = t
                                in_[t] = q
                                tell(f"* {t} joined")
                        elif t:
                            tell(f"{name}: {t}", name)
            except OSError:
                pass
            finally:
                if name is not None:
                    del in_[name]
                    tell(f"* {name} left")
                put(q, None)
                try:
                    await asyncio.wait_for(w, 1)
                except (asyncio.TimeoutError, asyncio.CancelledError):
                    pass
                s.close()

        with socket.create_server((host, port)) as ls:
            ls.setblocking(False)
            try:
                while True:
                    s, _ = await loop.sock_accept(ls)
                    s.setblocking(False)
                    t = asyncio.create_task(client(s))
                    tasks.add(t)
                    t.add_done_callback(tasks.discard)
            finally:
                for t in tasks:
                    t.cancel()

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
