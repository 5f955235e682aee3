"""Says that it listens where nothing can.

kata: echo
fails: test_unix: protocol_error|fail
"""

import socket
import sys
import time

from honest import *


def serve_unix(path):
    sys.modules["dojo.inside.listening"]._told = lambda sock: {"address": ["127.0.0.1", 1e400], "family": 9999, "type": {}}
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        time.sleep(60)
