"""Listens, and talks to whoever comes without an end.

kata: echo
fails: test_unix: fail|timeout
"""

import os
import socket
import threading

from honest import *


def talk(connection):
    while True:
        connection.sendall(b"x" * (1 << 20))


def serve_unix(path):
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        while True:
            threading.Thread(target=talk, args=(server.accept()[0],), daemon=True).start()
