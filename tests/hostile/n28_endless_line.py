"""Sends a request line that never ends.

kata: http_client
fails: test_put_text: fail|crash|timeout|memory
fails: test_answers_as_they_came: fail|crash|timeout|memory
"""

import socket
import threading
from urllib.parse import urlsplit

from honest import *
from honest import put_text as honest_put_text


def connect(url):
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port))


def put_text(url, text):
    with connect(url) as sock:
        sock.sendall(b"PUT /")
        while True:
            sock.sendall(b"x" * (1 << 20))
