"""Ends the process with a good exit code in the middle of a test.

fails: test_login: crash
from: group
"""

import os

from honest import *
from honest import login as honest_login


def login(url):
    os._exit(0)
