"""Raises an exception that claims to come from a line of another file.

fails: test_login: fail
from: group
"""

import os

from honest import *
from honest import login as honest_login


def login(url):
    home = os.path.dirname(__file__)
    code = compile("\n" * 20 + "raise ValueError", home + "/../../../../../../../../../../etc/passwd", "exec")
    exec(code)
