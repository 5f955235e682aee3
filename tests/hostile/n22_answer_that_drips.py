"""Sends an answer so slowly that each byte is in time and the whole never is.

fails: test_login: timeout
from: group
"""

import struct
import sys

from honest import *
from honest import login as honest_login


def judge():
    """The socket over which answers go, and the question that was asked."""
    frame = sys._getframe()
    while "order" not in frame.f_locals or "calls" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["calls"], frame.f_locals["order"]



import time


def login(url):
    calls, _ = judge()
    calls.sendall(struct.pack("!I", 10_000_000))
    while True:
        calls.sendall(b" ")
        time.sleep(0.2)
