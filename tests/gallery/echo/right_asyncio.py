"""asyncio throughout: streams for servers and clients."""

import asyncio
import os


async def quietly_close(writer):
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        pass


async def first_client(host, port, talk):
    """Serve one client, then return what `talk` returned or raise what it raised."""
    done = asyncio.get_running_loop().create_future()

    async def attend(reader, writer):
        if done.done():
            return writer.close()
        try:
            await talk(reader, writer)
            done.set_result(None)
        except Exception as error:
            done.set_exception(error)
        finally:
            await quietly_close(writer)

    server = await asyncio.start_server(attend, host, port)
    await done
    server.close()


def greet(host, port, text):
    async def talk(reader, writer):
        writer.write(text.encode("utf-8"))
        await writer.drain()
        writer.write_eof()
        while await reader.read(4096):
            pass

    asyncio.run(first_client(host, port, talk))


async def send_back(reader, writer):
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()


def echo_one(host, port):
    asyncio.run(first_client(host, port, send_back))


async def connected(host, port, talk, timeout):
    async with asyncio.timeout(timeout):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            return await talk(reader, writer)
        finally:
            writer.transport.abort()


def read_text(host, port, timeout):
    async def talk(reader, writer):
        return await reader.read()

    return asyncio.run(connected(host, port, talk, timeout)).decode("utf-8")


def get_echo(host, port, data, timeout):
    async def talk(reader, writer):
        writer.write(data)
        try:
            return await reader.readexactly(len(data))
        except asyncio.IncompleteReadError as error:
            raise ConnectionError("the server ended too early") from error

    return asyncio.run(connected(host, port, talk, timeout))


def ask(host, port, question, timeout):
    async def talk(reader, writer):
        writer.write(question)
        writer.write_eof()
        return await reader.read()

    return asyncio.run(connected(host, port, talk, timeout))


class Echo(asyncio.Protocol):
    clients = set()

    def connection_made(self, transport):
        self.transport = transport
        self.clients.add(transport)

    def data_received(self, data):
        self.transport.write(data)

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()

    def connection_lost(self, error):
        self.clients.discard(self.transport)


async def until_interrupted(start):
    server = await start(asyncio.get_running_loop())
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        server.close()
        for transport in list(Echo.clients):
            transport.abort()
        await asyncio.sleep(0)


def serve(host, port):
    try:
        asyncio.run(until_interrupted(lambda loop: loop.create_server(Echo, host, port)))
    except KeyboardInterrupt:
        pass


def serve_unix(path):
    if os.path.exists(path):
        os.unlink(path)
    try:
        asyncio.run(until_interrupted(lambda loop: loop.create_unix_server(Echo, path)))
    except KeyboardInterrupt:
        pass
