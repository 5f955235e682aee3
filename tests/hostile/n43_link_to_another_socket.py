"""Listens at the path that it was given, and puts a link to another socket in its place.

kata: echo
fails: test_unix: fail|timeout
"""

import os
import socket
import time

from honest import *


def serve_unix(path):
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        os.rename(path, path + "2")
        os.symlink("/run/dbus/system_bus_socket", path)
        server.listen()
        time.sleep(60)
