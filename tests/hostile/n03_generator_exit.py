"""Raises what is no Exception.

fails: test_login: fail
from: group
"""

from honest import *
from honest import login as honest_login


def login(url):
    raise GeneratorExit
