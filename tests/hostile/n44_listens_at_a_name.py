"""Says that it listens at a name that somebody would have to look up.

kata: echo
fails: test_unix: protocol_error|fail
"""

import socket
import sys
import time

from honest import *


def serve_unix(path):
    sys.modules["dojo.inside.listening"]._told = lambda sock: {"address": ["example.com", 80], "family": 2, "type": 1}
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        time.sleep(60)
