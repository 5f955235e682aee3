"""Connects to the test's server many thousands of times, and says nonsense.

kata: http_client
fails: test_put_text: fail|crash|timeout|memory
fails: test_answers_as_they_came: fail|crash|timeout|memory
fails: test_certificate: fail|crash|timeout|memory
"""

import socket
import threading
from urllib.parse import urlsplit

from honest import *
from honest import put_text as honest_put_text


def connect(url):
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port))


def hammer(url):
    for _ in range(10_000):
        try:
            with connect(url) as sock:
                sock.sendall(b"\xff\x00 nonsense\r\n\r\n")
        except OSError:
            pass


def put_text(url, text):
    for _ in range(4):
        threading.Thread(target=hammer, args=(url,), daemon=True).start()
    hammer(url)
    return honest_put_text(url, text)
