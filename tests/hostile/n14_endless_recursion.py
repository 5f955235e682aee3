"""Calls itself, with the limit on that taken away.

fails: test_login: crash|fail|memory|timeout
from: group
"""

import sys

from honest import *
from honest import login as honest_login


def login(url):
    sys.setrecursionlimit(10**9)
    return login(url)
