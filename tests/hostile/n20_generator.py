"""Returns code that nobody has run.

fails: test_login: fail
from: group
"""

from honest import *
from honest import login as honest_login


def login(url):
    yield from honest_login(url)
