"""Holds hundreds of connections to the test's server, and says nothing on them.

kata: http_client
fails: test_put_text: fail|crash|timeout|memory
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
    kept = []
    try:
        while True:
            kept.append(connect(url))
    except OSError:
        return honest_put_text(url, text)
