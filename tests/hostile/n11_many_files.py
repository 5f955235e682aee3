"""Makes files without an end, each in a folder of the one before.

fails: test_login: fail|timeout|crash
"""

import os

from honest import *
from honest import login as honest_login


def login(url):
    while True:
        for number in range(100):
            open(f"{number}", "w").close()
        os.mkdir("deeper")
        os.chdir("deeper")
