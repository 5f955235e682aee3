"""Returns more than can be held.

fails: test_login: output_limit|memory|timeout
from: group
"""

from honest import *
from honest import login as honest_login


def login(url):
    return "x" * (200 << 20)
