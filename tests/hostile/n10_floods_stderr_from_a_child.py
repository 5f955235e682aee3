"""Has a child print half a gigabyte, past sys.stderr, and waits for it.

fails: test_login: output_limit
from: group
"""

import os

from honest import *
from honest import login as honest_login


def login(url):
    pid = os.fork()
    if pid == 0:
        for _ in range(8192):
            os.write(2, b"x" * 65536)
        os._exit(0)
    os.waitpid(pid, 0)
    return honest_login(url)
