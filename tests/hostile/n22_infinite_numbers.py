"""Answers with numbers that are larger than any number.

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
    calls, order = judge()
    text = b'{"id": "%s", "too_large": Infinity}' % order["id"].encode()
    calls.sendall(struct.pack("!I", len(text)) + text)
    while True:
        pass
