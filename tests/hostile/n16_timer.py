"""Has a timer end it.

fails: test_login: crash
from: group
"""

import signal
import time

from honest import *
from honest import login as honest_login


def login(url):
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    time.sleep(60)
