"""socketserver with a thread for each datagram; a client with a thread that listens and a queue."""

import queue
import socket
import socketserver
import struct
import threading
import time


def say(host, port, data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(data, (host, port))


class Mailbox:
    """A socket whose thread puts every datagram of one server into a queue."""

    def __init__(self, host, port):
        self.server = host, port
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("", 0))
        self.queue = queue.Queue()
        self.open = True
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        self.sock.settimeout(0.05)
        while self.open:
            try:
                data, sender = self.sock.recvfrom(65535)
            except TimeoutError:
                continue
            if sender == self.server:
                self.queue.put(data)

    def send(self, data):
        self.sock.sendto(data, self.server)

    def receive(self, until):
        try:
            return self.queue.get(timeout=max(until - time.monotonic(), 0))
        except queue.Empty:
            return None

    def close(self):
        self.open = False
        self.thread.join()
        self.sock.close()


def ask(host, port, data, timeout):
    box = Mailbox(host, port)
    try:
        box.send(data)
        answer = box.receive(time.monotonic() + timeout)
        if answer is None:
            raise TimeoutError("silence")
        return answer
    finally:
        box.close()


class Handler(socketserver.DatagramRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.read())


class Server(socketserver.ThreadingUDPServer):
    max_packet_size = 65535
    daemon_threads = True


def serve(host, port):
    with Server((host, port), Handler) as server:
        server.serve_forever()


def pack(number, data):
    return struct.pack("!I", number) + data


def unpack(datagram):
    if len(datagram) < 4:
        raise ValueError("too short")
    return struct.unpack("!I", datagram[:4])[0], datagram[4:]


def ask_all(host, port, questions, timeout, tries):
    box = Mailbox(host, port)
    try:
        return [insist(box, number, question, timeout, tries) for number, question in enumerate(questions)]
    finally:
        box.close()


def insist(box, number, question, timeout, tries):
    tried = 0
    while tried < tries:
        box.send(pack(number, question))
        until = time.monotonic() + timeout
        while (datagram := box.receive(until)) is not None:
            if len(datagram) >= 4 and unpack(datagram)[0] == number:
                return unpack(datagram)[1]
        tried += 1
    raise TimeoutError(f"{tries} times without an answer")
