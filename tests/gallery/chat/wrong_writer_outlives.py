"""A daemon thread needs no end.

fails: test_server_ends: thread_outlives
may fail: test_many
"""

import queue
import socket
import threading


class Client:
    def __init__(self, conn):
        self.conn = conn
        self.name = ""
        self.lines = queue.Queue(300)

    def put(self, line):
        try:
            self.lines.put_nowait(line)
        except queue.Full:
            pass

    def write(self):
        while True:
            line = self.lines.get()
            if line is None:
                break
            try:
                self.conn.sendall(line.encode("utf-8") + b"\r\n")
            except OSError:
                break

    def stop(self):
        try:
            self.conn.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Room:
    def __init__(self):
        self.lock = threading.RLock()
        self.clients = []

    def names(self):
        return [client.name for client in self.clients if client.name]

    def send_all(self, line, but=None):
        with self.lock:
            for client in list(self.clients):
                if client.name and client is not but:
                    client.put(line)

    def refuse(self, name):
        if name == "":
            return "* the name is empty"
        if len(name) > 20:
            return "* the name is too long"
        if name in self.names():
            return "* the name is taken"
        return None

    def take(self, client, line):
        with self.lock:
            if client.name:
                if line:
                    self.send_all(f"{client.name}: {line}", client)
                return
            problem = self.refuse(line)
            if problem:
                client.put(problem)
            else:
                client.name = line
                self.send_all(f"* {line} joined")


def split_lines(data):
    lines = []
    while b"\n" in data:
        line, _, data = data.partition(b"\n")
        if line.endswith(b"\r"):
            line = line[:-1]
        lines.append(line)
    return lines, data


CONTROLS = {number: None for number in [*range(0, 32), *range(127, 160)]}


def clean(line):
    return line.decode("utf-8", "replace").translate(CONTROLS).strip(" ")


def read(room, client):
    buffer = b""
    try:
        while len(buffer) <= 4000:
            data = client.conn.recv(1000)
            if data == b"":
                break
            lines, buffer = split_lines(buffer + data)
            for line in lines:
                room.take(client, clean(line))
    except ConnectionError:
        pass
    with room.lock:
        room.clients.remove(client)
        if client.name:
            room.send_all(f"* {client.name} left")
    client.stop()
    client.conn.close()


def serve(host, port):
    room = Room()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen()
    try:
        while True:
            client = Client(listener.accept()[0])
            with room.lock:
                room.clients.append(client)
            client.writer = threading.Thread(target=client.write, daemon=True)
            client.writer.start()
            client.reader = threading.Thread(target=read, args=(room, client), daemon=True)
            client.reader.start()
    except KeyboardInterrupt:
        listener.close()
        with room.lock:
            clients = list(room.clients)
        for client in clients:
            client.stop()
        for client in clients:
            client.reader.join()


def show(file, state):
    try:
        for line in file:
            print(line.rstrip("\r\n"), flush=True)
    except OSError:
        pass
    if not state["over"]:
        state["over"] = True
        print("* connection closed", flush=True)


def chat(host, port):
    conn = socket.create_connection((host, port))
    file = conn.makefile("r", encoding="utf-8", errors="replace", newline="\n")
    state = {"over": False}
    thread = threading.Thread(target=show, args=(file, state))
    thread.start()
    while True:
        try:
            line = input("")
        except EOFError:
            break
        if state["over"] or line == "exit":
            break
        try:
            conn.sendall(f"{line}\n".encode("utf-8"))
        except OSError:
            break
    state["over"] = True
    try:
        conn.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    thread.join()
    file.close()
    conn.close()
