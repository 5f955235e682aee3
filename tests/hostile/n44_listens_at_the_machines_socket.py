"""Says that it listens at a socket of the machine's own.

kata: echo
fails: test_unix: fail
"""

import socket
import sys
import time

from honest import *


def serve_unix(path):
    sys.modules["dojo.inside.listening"]._told = lambda sock: {"address": "/run/dbus/system_bus_socket", "family": 1, "type": 1}
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        time.sleep(60)
