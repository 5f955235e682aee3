"""Returns a number that is not even equal to itself.

fails: test_login: fail
from: group
"""

from honest import *
from honest import login as honest_login


def login(url):
    return (float("nan"), float("nan"))
