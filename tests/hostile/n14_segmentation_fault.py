"""Reads where no memory is.

fails: test_login: crash
from: group
"""

import ctypes

from honest import *
from honest import login as honest_login


def login(url):
    return ctypes.string_at(0)
