"""Takes in many processes what one alone may not.

fails: test_login: memory|timeout
"""

import os
import time

from honest import *
from honest import login as honest_login


def login(url):
    for _ in range(12):
        if os.fork() == 0:
            kept = bytearray(b"x") * (300 << 20)
            time.sleep(60)
            os._exit(len(kept) % 2)
    time.sleep(60)
