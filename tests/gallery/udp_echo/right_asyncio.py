"""asyncio: a DatagramProtocol that puts what comes into a queue, and one that sends it back.

Empty datagrams are sent by the socket itself: before Python 3.13 a transport drops them.
"""

import asyncio
import socket
import struct


class Inbox(asyncio.DatagramProtocol):
    def __init__(self):
        self.queue = asyncio.Queue()

    def datagram_received(self, data, addr):
        self.queue.put_nowait((data, addr))


class Echo(asyncio.DatagramProtocol):
    def __init__(self, sock):
        self.sock = sock

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        if data:
            self.transport.sendto(data, addr)
        else:
            self.sock.sendto(data, addr)


def udp_socket(host=None, port=0):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    if host:
        sock.bind((host, port))
    return sock


def say(host, port, data):
    async def main():
        with udp_socket() as sock:
            await asyncio.get_running_loop().sock_sendto(sock, data, (host, port))

    asyncio.run(main())


class Client:
    def __init__(self, host, port):
        self.server = host, port
        self.sock = udp_socket("0.0.0.0")

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        self.transport, self.inbox = await loop.create_datagram_endpoint(Inbox, sock=self.sock)
        return self

    async def __aexit__(self, *error):
        self.transport.close()
        await asyncio.sleep(0)

    async def answer(self, datagram, accepts, timeout):
        self.sock.sendto(datagram, self.server)
        async with asyncio.timeout(timeout):
            while True:
                data, sender = await self.inbox.queue.get()
                if sender == self.server and accepts(data):
                    return data


def ask(host, port, data, timeout):
    async def main():
        async with Client(host, port) as client:
            return await client.answer(data, lambda answer: True, timeout)

    return asyncio.run(main())


def serve(host, port):
    async def main():
        sock = udp_socket(host, port)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: Echo(sock), sock=sock)
        await asyncio.Event().wait()

    asyncio.run(main())


def pack(number, data):
    return struct.pack("!I", number) + data


def unpack(datagram):
    if len(datagram) < 4:
        raise ValueError("too short")
    return struct.unpack("!I", datagram[:4])[0], datagram[4:]


def ask_all(host, port, questions, timeout, tries):
    async def main():
        async with Client(host, port) as client:
            return [await insist(client, number, data, timeout, tries) for number, data in enumerate(questions)]

    return asyncio.run(main())


async def insist(client, number, question, timeout, tries):
    head = pack(number, b"")
    for left in reversed(range(tries)):
        try:
            datagram = await client.answer(head + question, lambda data: data.startswith(head), timeout)
        except TimeoutError:
            if not left:
                raise
        else:
            return datagram[4:]
