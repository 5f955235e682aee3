"""Stops itself.

fails: test_login: timeout
from: group
"""

import os
import signal

from honest import *
from honest import login as honest_login


def login(url):
    os.kill(os.getpid(), signal.SIGSTOP)
