"""Opens sockets without an end.

fails: test_login: fail
from: limits
"""

import socket

from honest import *
from honest import login as honest_login


def login(url):
    kept = []
    while True:
        kept.append(socket.socket())
