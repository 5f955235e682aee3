"""Has a child answer at the same time.

fails: test_login: protocol_error
from: group
"""

import os

from honest import *
from honest import login as honest_login


def login(url):
    os.fork()
    return honest_login(url)
