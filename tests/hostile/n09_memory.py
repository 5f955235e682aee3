"""Takes memory until there is none.

fails: test_login: memory|timeout
"""

from honest import *
from honest import login as honest_login


def login(url):
    kept = []
    while True:
        kept.append(bytearray(b"x") * (256 << 20))
