"""asyncio: no thread and no lock. Whoever has too much in its write buffer is cut off."""

import asyncio
import contextlib
import re

LIMIT = 400_000


def split_lines(data):
    lines = []
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        line = data[start:end]
        lines.append(line[:-1] if line.endswith(b"\r") else line)
        start = end + 1
    return lines, data[start:]


def clean(line):
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "", line.decode("utf-8", "replace")).strip()


class Room:
    def __init__(self):
        self.members = {}
        self.writers = set()

    def tell(self, line, but=None):
        for name, writer in list(self.members.items()):
            if name != but:
                self.write(writer, line)

    def write(self, writer, line):
        if writer.transport.get_write_buffer_size() > LIMIT:
            writer.transport.abort()
        else:
            writer.write(f"{line}\n".encode())

    def trouble(self, name):
        if not name:
            return "* the name is empty"
        if len(name) > 20:
            return "* the name is too long"
        if name in self.members:
            return "* the name is taken"
        return ""

    async def client(self, reader, writer):
        self.writers.add(writer)
        name = ""
        try:
            while (line := await reader.readline()).endswith(b"\n"):
                text = clean(line)
                if not name:
                    if problem := self.trouble(text):
                        self.write(writer, problem)
                    else:
                        name = text
                        self.members[name] = writer
                        self.tell(f"* {name} joined")
                elif text:
                    self.tell(f"{name}: {text}", but=name)
        except (OSError, ValueError):  # reset; or a line longer than the reader's limit
            pass
        finally:
            self.writers.discard(writer)
            if name:
                del self.members[name]
                self.tell(f"* {name} left")
            writer.close()


async def run_server(host, port):
    room = Room()
    server = await asyncio.start_server(room.client, host, port, limit=2000)
    try:
        await asyncio.Event().wait()  # until Ctrl-C cancels it
    finally:
        server.close()
        for writer in list(room.writers):
            writer.close()


def serve(host, port):
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run_server(host, port))


async def show(reader, over):
    with contextlib.suppress(OSError):
        while line := await reader.readline():
            print(line.decode("utf-8", "replace").rstrip("\r\n"))
    if not over.is_set():
        over.set()
        print("* connection closed")


def read_key():
    try:
        return input()
    except EOFError:
        return "exit"


async def run_client(host, port):
    reader, writer = await asyncio.open_connection(host, port)
    over = asyncio.Event()
    shower = asyncio.create_task(show(reader, over))
    while not over.is_set():
        line = await asyncio.to_thread(read_key)
        if line == "exit" or over.is_set():
            break
        writer.write(f"{line}\n".encode())
        with contextlib.suppress(OSError):
            await writer.drain()
    over.set()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    await shower


def chat(host, port):
    asyncio.run(run_client(host, port))
