"""Forks in a loop, and so do all that it forks.

fails: test_login: crash
"""

import os

from honest import *
from honest import login as honest_login


def login(url):
    while True:
        os.fork()
