"""Forks in a loop, and so do all that it forks. The guard ends it, or the system has refused a fork before.

fails: test_login: crash|fail
"""

import os

from honest import *
from honest import login as honest_login


def login(url):
    while True:
        os.fork()
