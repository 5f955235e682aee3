"""Raises an exception whose text never comes.

fails: test_login: timeout
from: group
"""

from honest import *
from honest import login as honest_login


def login(url):
    class Endless(ValueError):
        def __str__(self):
            while True:
                pass

    raise Endless
