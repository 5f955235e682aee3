"""Starts threads without an end.

fails: test_login: fail|memory|crash|timeout
"""

import threading
import time

from honest import *
from honest import login as honest_login


def login(url):
    while True:
        threading.Thread(target=time.sleep, args=(1e9,), daemon=True).start()
