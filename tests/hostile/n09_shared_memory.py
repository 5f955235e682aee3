"""Takes memory that is shared by a mapping and belongs to no heap.

fails: test_login: memory|fail|timeout
"""

import mmap
import os
import time

from honest import *
from honest import login as honest_login


def login(url):
    for _ in range(8):
        if os.fork() == 0:
            kept = mmap.mmap(-1, 400 << 20)
            for at in range(0, len(kept), 4096):
                kept[at] = 1
            time.sleep(60)
    time.sleep(60)
