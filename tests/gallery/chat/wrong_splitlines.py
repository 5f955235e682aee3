"""splitlines() cuts at line ends, and line ends are what we want.

fails: test_split_lines: other_line_ends
fails: test_lines: other_line_ends
"""

import socket
import threading

members = {}  # name → connection
connections = set()
lock = threading.Lock()


def split_lines(data):
    lines = data.splitlines()
    rest = b"" if data.endswith(b"\n") or not data else lines.pop()
    return lines, rest


def clean(line):
    text = line.decode("utf-8", errors="replace")
    return "".join(c for c in text if not (ord(c) < 32 or 127 <= ord(c) <= 159)).strip()


def send(conn, line):
    data = (line + "\n").encode()
    try:
        if conn.send(data, socket.MSG_DONTWAIT) == len(data):
            return
    except OSError:
        pass
    hang_up(conn)  # gone, or its buffer is full: its own thread sees it and says goodbye


def hang_up(conn):
    try:
        conn.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def tell(line, but=None):
    for conn in members.values():
        if conn is not but:
            send(conn, line)


def enter(name, conn):
    with lock:
        if not name:
            send(conn, "* the name is empty")
        elif len(name) > 20:
            send(conn, "* the name is too long")
        elif name in members:
            send(conn, "* the name is taken")
        else:
            members[name] = conn
            tell(f"* {name} joined")
            return name
    return None


def receive(conn):
    rest = b""
    while True:
        try:
            data = conn.recv(4096)
        except OSError:
            return
        if not data:
            return
        lines, rest = split_lines(rest + data)
        for line in lines:
            if len(line) > 1000:
                return
            yield clean(line)
        if len(rest) > 1001:
            return


def serve_client(conn):
    name = None
    try:
        for line in receive(conn):
            if name is None:
                name = enter(line, conn)
            elif line:
                with lock:
                    tell(f"{name}: {line}", but=conn)
    finally:
        with lock:
            connections.discard(conn)
            if name is not None:
                del members[name]
                tell(f"* {name} left")
        conn.close()


def serve(host, port):
    with socket.create_server((host, port)) as listener:
        try:
            while True:
                conn, _ = listener.accept()
                with lock:
                    connections.add(conn)
                threading.Thread(target=serve_client, args=(conn,)).start()
        except KeyboardInterrupt:
            with lock:
                for conn in connections:
                    hang_up(conn)


def show(conn, over):
    rest = b""
    try:
        while data := conn.recv(4096):
            lines, rest = split_lines(rest + data)
            for line in lines:
                print(line.decode("utf-8", "replace"))
    except OSError:
        pass
    if not over.is_set():
        over.set()
        print("* connection closed")


def chat(host, port):
    over = threading.Event()
    with socket.create_connection((host, port)) as conn:
        reader = threading.Thread(target=show, args=(conn, over))
        reader.start()
        try:
            while not over.is_set():
                line = input()
                if line == "exit":
                    break
                conn.sendall((line + "\n").encode())
        except (EOFError, OSError):
            pass
        over.set()
        hang_up(conn)
        reader.join()
