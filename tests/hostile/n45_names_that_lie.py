"""Has functions, threads and types whose names are lies.

fails: test_login: fail
from: group
"""

import threading

from honest import *
from honest import login as honest_login


def login(url):
    threading.current_thread().name = "\x1b[2J" * 100_000
    kind = type("pass", (Exception,), {})
    kind.__name__ = kind.__qualname__ = "\x1b[2J\r\n" + "x" * 100_000
    raise kind("\u202e\x00\x1b]8;;http://example.com\x07")
