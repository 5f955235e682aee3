"""Waits for bytes that never come, without a timeout.

fails: test_login: timeout
from: group
"""

import socket

from honest import *
from honest import login as honest_login


def login(url):
    ours, theirs = socket.socketpair()
    return ours.recv(1)
