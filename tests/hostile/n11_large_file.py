"""Writes a file without an end.

fails: test_login: fail
from: limits
"""

from honest import *
from honest import login as honest_login


def login(url):
    with open("large", "wb") as file:
        while True:
            file.write(b"x" * (1 << 20))
