"""Raises an exception derived from SystemExit with code 0.

fails: test_login: fail
from: group
"""

from honest import *
from honest import login as honest_login


def login(url):
    class Fine(SystemExit):
        pass

    raise Fine(0)
