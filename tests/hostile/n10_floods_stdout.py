"""Prints without an end.

fails: test_login: output_limit
from: group
"""

from honest import *
from honest import login as honest_login


def login(url):
    line = "x" * 65536
    while True:
        print(line)
