"""Answers right, and leaves a thread for which the program would wait for thirty years.

fails: test_login: timeout
from: group
"""

import threading
import time

from honest import *
from honest import login as honest_login


def login(url):
    threading.Thread(target=time.sleep, args=(1e9,)).start()
    return honest_login(url)
