"""Takes the next question away from the code that waits for it.

fails: test_login: timeout|protocol_error
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



import threading


def login(url):
    calls, _ = judge()
    threading.Thread(target=calls.recv, args=(1 << 20,), daemon=True).start()
    return honest_login(url)
