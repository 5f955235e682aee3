"""Answers with a text that takes a hundred times its size to hold.

fails: test_login: protocol_error|timeout|output_limit
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
    text = b"[" + b"[]," * 10_000_000 + b"[]]"
    calls.sendall(struct.pack("!I", len(text)) + text)
    while True:
        pass
