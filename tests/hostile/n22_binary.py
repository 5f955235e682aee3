"""Sends bytes that are no text at all.

fails: test_login: protocol_error
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



def login(url):
    calls, _ = judge()
    calls.sendall(struct.pack("!I", 256) + bytes(range(256)))
    while True:
        pass
