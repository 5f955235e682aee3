"""Fills every file system that is made of memory.

fails: test_login: fail
only: bubblewrap
"""

import os

from honest import *
from honest import login as honest_login


def login(url):
    last = None
    for folder in ("/dev/shm", "/tmp", "/run", "/", "/dev", os.environ["HOME"]):
        try:
            for number in range(40):
                with open(f"{folder}/hostile{number}", "wb") as file:
                    for _ in range(63):
                        file.write(b"x" * (1 << 20))
        except OSError as error:
            last = error
    raise last
