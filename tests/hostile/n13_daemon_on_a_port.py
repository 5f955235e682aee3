"""Answers right, and leaves a daemon that holds a port.
"""

import os
import socket
import time

from honest import *
from honest import login as honest_login


def login(url):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        try:
            server = socket.create_server(("127.0.0.1", 27080), reuse_port=True)
            server.listen()
            time.sleep(600)
        finally:
            os._exit(0)
    return honest_login(url)
