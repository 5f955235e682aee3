"""Patches what a judge in the same process would use.

fails: test_login: fail|crash
from: group
"""

import builtins
import json
import socket
import time
import unittest

from honest import *
from honest import login as honest_login


for name in ("assertEqual", "assertTrue", "fail"):
    setattr(unittest.TestCase, name, lambda *_: None)


def login(url):
    builtins.isinstance = lambda *_: True
    builtins.len = lambda *_: 0
    builtins.AssertionError = None
    time.monotonic = time.time = lambda: 0.0
    socket.socket.recv = lambda *_: b""
    json.dumps = lambda *_, **__: '{"returned": true}'
    json.loads = lambda *_, **__: {}
    return "wrong"
