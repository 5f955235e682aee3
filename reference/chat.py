"""chat: many clients, one conversation."""

import contextlib
import queue
import socket
import sys
import threading
from collections.abc import Iterator

LONGEST_LINE = 1000
"""Bytes of a line, without its end."""

LONGEST_NAME = 20
"""Characters of a name."""

CONTROLS = dict.fromkeys([*range(32), *range(127, 160)])
"""For str.translate: the control characters, each to be taken out."""

KEPT = 500
"""Lines that wait for a client that does not read; one more, and it is dropped."""

GRACE = 0.5
"""Seconds that a client that leaves has to take what is still on its way."""


def split_lines(data: bytes) -> tuple[list[bytes], bytes]:
    """The complete lines in a piece of a stream, without their LF or CRLF, and the rest."""
    *lines, rest = data.split(b"\n")
    return [line.removesuffix(b"\r") for line in lines], rest


def clean(line: bytes) -> str:
    """A line as text for others: UTF-8, no control characters (0-31, 127-159), no blanks at its ends."""
    return line.decode("utf-8", "replace").translate(CONTROLS).strip()


def serve(host: str, port: int) -> None:
    """Serve a chat on this address until Ctrl-C; port 0 means any free port."""
    room = Room()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        try:
            while True:
                connection, _ = listener.accept()
                # Nothing that waits for this client may happen here: the others would wait with it.
                Client(room, connection).start()
        except KeyboardInterrupt:
            room.close()


class Room:
    """Who is in. One lock guards it all, and nothing that may wait for the network happens under it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._members: dict[str, Client] = {}
        self._connected: set[Client] = set()
        self._closing = False

    def connect(self, client: "Client") -> None:
        """Know of a connection, with or without a name."""
        with self._lock:
            self._connected.add(client)
            if self._closing:
                client.hang_up()

    def enter(self, name: str, client: "Client") -> str:
        """Let the client in under this name. Returns why not; empty when it is in."""
        if not name:
            return "* the name is empty"
        if len(name) > LONGEST_NAME:
            return "* the name is too long"
        with self._lock:  # from the look to the entry in one go, or two may both find the name free
            if name in self._members:
                return "* the name is taken"
            self._members[name] = client
            self._tell(f"* {name} joined")
        return ""

    def say(self, name: str, text: str) -> None:
        """Tell everybody else."""
        with self._lock:
            self._tell(f"{name}: {text}", but=name)

    def leave(self, name: str) -> None:
        """Forget the client, and tell the others if it was in."""
        with self._lock:
            if name:
                del self._members[name]
                self._tell(f"* {name} left")

    def disconnect(self, client: "Client") -> None:
        """Know no more of a connection."""
        with self._lock:
            self._connected.discard(client)

    def _tell(self, line: str, but: str = "") -> None:
        # Under the lock, so that everybody hears everything in the same order. A queue never makes us wait.
        for name, client in self._members.items():
            if name != but:
                client.tell(line)

    def close(self) -> None:
        """End every connection, and wait until the threads are done."""
        with self._lock:
            self._closing = True
            clients = list(self._connected)
        for client in clients:
            client.hang_up()
        for client in clients:
            client.reader.join()


class Client:
    """One connection: a thread that reads it, one that writes to it, a queue between room and writer."""

    def __init__(self, room: Room, connection: socket.socket) -> None:
        self._room = room
        self._connection = connection
        self._waiting: queue.Queue[str | None] = queue.Queue(KEPT)
        # Daemons, so that a second Ctrl-C ends the program; Room.close joins them all.
        self.reader = threading.Thread(target=self._read, daemon=True)
        self._writer = threading.Thread(target=self._write, daemon=True)

    def start(self) -> None:
        """Begin to read and to write."""
        self._writer.start()
        self.reader.start()

    def tell(self, line: str | None) -> None:
        """Have a line sent, without waiting; a client that is too slow is dropped. None: the last."""
        try:
            self._waiting.put_nowait(line)
        except queue.Full:
            self.hang_up()

    def hang_up(self) -> None:
        """End the connection. After close() alone, a thread in recv or sendall would go on waiting."""
        with contextlib.suppress(OSError):  # the other side may have been quicker
            self._connection.shutdown(socket.SHUT_RDWR)

    def _read(self) -> None:
        name = ""
        self._room.connect(self)
        try:
            for line in self._lines():
                if name and line:
                    self._room.say(name, line)
                elif not name:
                    refused = self._room.enter(line, self)
                    if refused:
                        self.tell(refused)
                    else:
                        name = line
        finally:  # however it ended: the others are told, and nothing of this client is left
            self._room.leave(name)
            self.tell(None)
            self._writer.join(GRACE)
            self.hang_up()
            self._writer.join()
            self._room.disconnect(self)
            self._connection.close()

    def _lines(self) -> Iterator[str]:
        """The client's lines, until it leaves or sends one that is too long."""
        rest = b""
        with contextlib.suppress(OSError):  # a reset is a goodbye too
            while data := self._connection.recv(4096):
                lines, rest = split_lines(rest + data)
                for line in lines:
                    if len(line) > LONGEST_LINE:
                        return
                    yield clean(line)
                if len(rest) > LONGEST_LINE + 1:  # a CR may be waiting for its LF
                    return

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # it is gone: whoever reads from it sees that too
            while (line := self._waiting.get()) is not None:
                self._connection.sendall(line.encode("utf-8") + b"\n")


def chat(host: str, port: int) -> None:
    """The client: types to the server what the user types, shows what the server says."""
    with socket.create_connection((host, port)) as connection:
        over = threading.Event()
        reader = threading.Thread(target=_show, args=(connection, over), daemon=True)
        reader.start()
        try:
            while (line := input()) != "exit" and not over.is_set():
                connection.sendall(line.encode("utf-8") + b"\n")
        except (EOFError, KeyboardInterrupt, OSError):
            pass  # the end of the input, Ctrl-C, or a server that has gone, which the reader has said
        over.set()
        # First a goodbye, so that all that was sent arrives, and what is still on its way is shown. Then
        # an end for whoever reads: close() alone would leave the reader in recv for ever.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            reader.join(GRACE)
            connection.shutdown(socket.SHUT_RDWR)
        reader.join()


def _show(connection: socket.socket, over: threading.Event) -> None:
    rest = b""
    with contextlib.suppress(OSError):
        while data := connection.recv(4096):
            lines, rest = split_lines(rest + data)
            for line in lines:
                print(line.decode("utf-8", "replace"), flush=True)
    if not over.is_set():
        over.set()  # before it is said: whoever reads it and presses Enter finds it set
        print("* connection closed", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] in ("serve", "chat") and sys.argv[3].isdecimal():
        {"serve": serve, "chat": chat}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(f"usage: python3 {sys.argv[0]} serve|chat HOST PORT")
