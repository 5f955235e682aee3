"""The reference chat beside a plain asyncio one and `ncat --chat`: messages a second and the time of delivery.

All three run in turn, with the same clients, in one run of the bench; the clients cost the same for each.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field

from dojo.launch import ROOT

CLIENTS = 200
SPEAKERS = 10
MESSAGES = 20
"""What each speaker says, one message after the other."""

PLAIN = """
import asyncio, sys
writers = set()
async def client(reader, writer):
    name = (await reader.readline()).strip()
    writers.add(writer)
    while line := await reader.readline():
        for other in writers:
            if other is not writer:
                other.write(name + b": " + line)
    writers.discard(writer)
async def main():
    server = await asyncio.start_server(client, "127.0.0.1", int(sys.argv[1]), backlog=500)
    await server.serve_forever()
asyncio.run(main())
"""
REFERENCE = f"""
import sys
sys.path.insert(0, {str(ROOT / "reference")!r})
import chat
chat.serve("127.0.0.1", int(sys.argv[1]))
"""


@dataclass
class Counted:
    """What the clients saw."""

    sent: dict[str, float] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)


def main() -> None:
    """Measure each server and print a line for it."""
    servers = {
        "reference/chat.py": [sys.executable, "-c", REFERENCE],
        "plain asyncio": [sys.executable, "-c", PLAIN],
    }
    if shutil.which("ncat"):
        servers["ncat --chat"] = ["ncat", "-l", "--chat", "-m", str(CLIENTS + 10), "127.0.0.1"]
    print(f"chat, {CLIENTS} clients, {SPEAKERS} of them say {MESSAGES} messages each, all others hear each")
    for name, command in servers.items():
        print(f"  {name:<18} {_measured(command)}", flush=True)


def _measured(command: list[str]) -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            counted, seconds = asyncio.run(asyncio.wait_for(_converse(port), 120))
        except (OSError, TimeoutError) as error:
            return f"did not come to an end: {type(error).__name__}"
        finally:
            server.kill()
    delays = sorted(counted.delays)
    rate = SPEAKERS * MESSAGES / seconds
    middle, late = delays[len(delays) // 2], delays[len(delays) * 99 // 100]
    return f"{rate:6.0f} messages/s   delivery {middle * 1000:5.0f} ms median, {late * 1000:5.0f} ms for 99 of 100"


async def _converse(port: int) -> tuple[Counted, float]:
    counted = Counted()
    peers = []
    for number in range(CLIENTS):
        for _ in range(200):  # the server may still be starting
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
        writer.write(f"peer{number}\n".encode())
        peers.append((reader, writer))
    await asyncio.sleep(1)  # until the joining has been told to everybody: not a part of what is measured
    wanted = SPEAKERS * MESSAGES * (CLIENTS - 1)
    complete = asyncio.Event()
    listeners = [asyncio.create_task(_listen(reader, counted, wanted, complete)) for reader, _ in peers]
    started = time.perf_counter()
    speakers = [_speak(number, writer, counted) for number, (_, writer) in enumerate(peers[:SPEAKERS])]
    await asyncio.gather(*speakers)
    await complete.wait()
    seconds = time.perf_counter() - started
    for task in listeners:
        task.cancel()
    for _, writer in peers:
        writer.close()
    return counted, seconds


async def _listen(reader: asyncio.StreamReader, counted: Counted, wanted: int, complete: asyncio.Event) -> None:
    while line := await reader.readline():
        found = re.search(rb"message-\d+-\d+", line)
        if found:
            counted.delays.append(time.perf_counter() - counted.sent[found[0].decode()])
            if len(counted.delays) == wanted:
                complete.set()


async def _speak(number: int, writer: asyncio.StreamWriter, counted: Counted) -> None:
    for message in range(MESSAGES):
        text = f"message-{number}-{message}"
        counted.sent[text] = time.perf_counter()
        writer.write(f"{text}\n".encode())
        await writer.drain()
        await asyncio.sleep(0)
