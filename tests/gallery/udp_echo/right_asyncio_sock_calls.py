"""asyncio without transports: the loop's own calls for a plain socket."""

import socket
import struct
import time
import asyncio


def say(host, port, data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(data, (host, port))


def ask(host, port, data, timeout):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(data, (host, port))
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("no answer")
            s.settimeout(left)
            answer, sender = s.recvfrom(65536)
            if sender == (host, port):
                return answer


async def _serve(host, port):
    loop = asyncio.get_running_loop()
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setblocking(False)
    s.bind((host, port))
    tasks = set()
    while True:
        data, sender = await loop.sock_recvfrom(s, 65536)
        t = asyncio.create_task(loop.sock_sendto(s, data, sender))
        tasks.add(t)
        t.add_done_callback(tasks.discard)


def serve(host, port):
    asyncio.run(_serve(host, port))


def pack(number, data):
    return struct.pack("!I", number) + data


def unpack(datagram):
    if len(datagram) < 4:
        raise ValueError("no number")
    return struct.unpack("!I", datagram[:4])[0], datagram[4:]


async def _answer(loop, s, address, number):
    while True:
        datagram, sender = await loop.sock_recvfrom(s, 65536)
        try:
            got, data = unpack(datagram)
        except ValueError:
            continue
        if sender == address and got == number:
            return data


async def _ask_all(host, port, questions, timeout, tries):
    loop = asyncio.get_running_loop()
    answers = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setblocking(False)
        s.bind(("", 0))
        for number, question in enumerate(questions):
            for attempt in range(tries):
                await loop.sock_sendto(s, pack(number, question), (host, port))
                try:
                    async with asyncio.timeout(timeout):
                        answers.append(await _answer(loop, s, (host, port), number))
                    break
                except TimeoutError:
                    if attempt == tries - 1:
                        raise
    return answers


def ask_all(host, port, questions, timeout, tries):
    return asyncio.run(_ask_all(host, port, questions, timeout, tries))
