"""Says that it listens on another machine.

kata: echo
fails: test_unix: fail
"""

import socket
import sys
import time

from honest import *


def serve_unix(path):
    sys.modules["dojo.inside.listening"]._told = lambda sock: {"address": ["10.0.0.1", 80], "family": 2, "type": 1}
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        time.sleep(60)
