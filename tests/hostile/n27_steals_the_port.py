"""Binds the port of the test's own server, by every flag there is, and then answers as it should.

kata: http_client
"""

import socket
from urllib.parse import urlsplit

from honest import *
from honest import put_text as honest_put_text

kept = []


def put_text(url, text):
    port = urlsplit(url).port
    for host in ("127.0.0.1", "0.0.0.0", "::1", "::"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        thief = socket.socket(family)
        for flag in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            thief.setsockopt(socket.SOL_SOCKET, flag, 1)
        try:
            thief.bind((host, port))
            thief.listen()
        except OSError:
            pass
        kept.append(thief)
    return honest_put_text(url, text)
