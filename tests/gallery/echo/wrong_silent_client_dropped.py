"""A client that is silent for half a second is thrown out.

fails: test_at_once: silent_client_dropped
"""
import contextlib
import os
import socket
import threading


def listen(host, port):
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def greet(host, port, text):
    with listen(host, port) as listener:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(text.encode("utf-8"))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass


def read_text(host, port, timeout):
    with socket.create_connection((host, port), timeout=timeout) as s:
        data = b""
        while piece := s.recv(65536):
            data += piece
        return data.decode("utf-8")


def echo_one(host, port):
    with listen(host, port) as listener:
        connection, _ = listener.accept()
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data)


def get_echo(host, port, data, timeout):
    with socket.create_connection((host, port), timeout=timeout) as s:
        got = bytearray()
        for start in range(0, len(data), 4096):
            piece = data[start:start + 4096]
            s.sendall(piece)
            end = start + len(piece)
            while len(got) < end:
                b = s.recv(end - len(got))
                if not b:
                    raise ConnectionError("the server ended early")
                got += b
        return bytes(got)


def ask(host, port, question, timeout):
    with socket.create_connection((host, port), timeout=timeout) as s:
        s.sendall(question)
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := s.recv(65536):
            answer += piece
        return answer


def handle(connection, clients, lock):
    try:
        connection.settimeout(0.5)
        while data := connection.recv(65536):
            connection.sendall(data)
    except OSError:
        pass
    finally:
        with lock:
            clients.discard(connection)
            connection.close()


def run(listener):
    clients = set()
    lock = threading.Lock()
    with listener:
        try:
            while True:
                try:
                    connection, _ = listener.accept()
                except ConnectionError:
                    continue
                with lock:
                    clients.add(connection)
                threading.Thread(target=handle, args=(connection, clients, lock), daemon=True).start()
        except KeyboardInterrupt:
            pass
        finally:
            with lock:
                for connection in clients:
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)


def serve(host, port):
    run(listen(host, port))


def serve_unix(path):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(128)
    run(listener)
