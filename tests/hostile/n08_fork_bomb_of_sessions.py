"""Forks in a loop into sessions and groups of their own, whose parents end at once, deaf to signals.

fails: test_login: crash|timeout
"""

import os
import signal

from honest import *
from honest import login as honest_login


def login(url):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        try:
            if os.fork() == 0:
                os.setsid()
                if os.fork():
                    os._exit(0)
        except OSError:
            pass
