"""Asks for input, from the keyboard and from the terminal.

fails: test_login: fail
"""

import os

from honest import *
from honest import login as honest_login


def login(url):
    try:
        os.open("/dev/tty", os.O_RDWR)
    except OSError:
        return input()
    return "a terminal"
