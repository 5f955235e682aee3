"""echo: sockets, from the server's side and from the client's. A working solution."""

import contextlib
import selectors
import socket
import threading
from pathlib import Path


def greet(host: str, port: int, text: str) -> None:
    """Listen, send the text as UTF-8 to the first client, end the connection and return."""
    with _listen(host, port) as listener:
        connection, _ = listener.accept()
    with connection:
        connection.sendall(text.encode("utf-8"))
        # Closing while bytes are unread would reset the connection, and what is still on its way would be lost:
        # so say that this was all, and let the client speak until it ends too.
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def read_text(host: str, port: int, timeout: float) -> str:
    """All the text that a server sends until it ends the connection."""
    with socket.create_connection((host, port), timeout) as connection:
        return _until_the_end(connection).decode("utf-8")  # once, when all is there: a piece may end in a character


def echo_one(host: str, port: int) -> None:
    """Send back to one client what it sends, until it ends; then return."""
    with _listen(host, port) as listener:
        connection, _ = listener.accept()
    with connection:
        _send_back(connection)


def get_echo(host: str, port: int, data: bytes, timeout: float) -> bytes:
    """Send the data to an echo server, and return what comes back, as many bytes as were sent, whatever they are."""
    unsent = memoryview(data)
    received = bytearray()
    with socket.create_connection((host, port), timeout) as connection, selectors.DefaultSelector() as ready:
        connection.setblocking(False)
        ready.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while len(received) < len(data):
            events = ready.select(timeout)
            if not events:
                raise TimeoutError(f"nothing moved for {timeout} s")
            (_, possible), *_ = events
            if possible & selectors.EVENT_WRITE:
                unsent = unsent[connection.send(unsent) :]  # send takes what there is room for, and says how much
                if not unsent:
                    ready.modify(connection, selectors.EVENT_READ)  # else select() would never wait again
            if possible & selectors.EVENT_READ:
                piece = connection.recv(65536)
                if not piece:
                    raise ConnectionError(f"the server ended after {len(received)} of {len(data)} bytes")
                received += piece
    return bytes(received)


def ask(host: str, port: int, question: bytes, timeout: float) -> bytes:
    """Send the question, say that it ends there, and return the answer, which ends with the connection."""
    with socket.create_connection((host, port), timeout) as connection:
        connection.sendall(question)
        connection.shutdown(socket.SHUT_WR)  # one direction ends; the other stays open for the answer
        return _until_the_end(connection)


def serve(host: str, port: int) -> None:
    """Send back to every client what it sends, many at once, until Ctrl-C. OSError when it cannot listen."""
    with _listen(host, port) as listener:
        _serve_clients(listener)


def serve_unix(path: str) -> None:
    """The same at a Unix socket."""
    Path(path).unlink(missing_ok=True)  # the file of a server that has ended stays behind
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen()
        _serve_clients(listener)


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. create_server sets SO_REUSEADDR, without which a restart would fail."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family)


def _serve_clients(listener: socket.socket) -> None:
    """A thread for each client, until Ctrl-C."""
    talking: set[socket.socket] = set()
    lock = threading.Lock()
    try:
        while True:
            connection, _ = listener.accept()
            with lock:
                talking.add(connection)
            threading.Thread(target=_attend, args=(connection, talking, lock), daemon=True).start()
    except KeyboardInterrupt:
        with lock:
            for connection in talking:
                # Not close: while a thread waits in recv, that would tell the client nothing.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


def _attend(connection: socket.socket, talking: set[socket.socket], lock: threading.Lock) -> None:
    """Serve one client, in its thread."""
    try:
        _send_back(connection)
    except ConnectionError:
        pass  # it has left without a goodbye: nobody else need know
    finally:
        with lock:
            talking.discard(connection)
            connection.close()


def _send_back(connection: socket.socket) -> None:
    """What comes goes back, until the other side ends: then recv gives b""."""
    while data := connection.recv(65536):
        connection.sendall(data)


def _until_the_end(connection: socket.socket) -> bytes:
    """All that comes until the other side ends."""
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


if __name__ == "__main__":
    serve("127.0.0.1", 2007)
