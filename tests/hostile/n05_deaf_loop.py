"""Never comes back, swallows every exception and ignores every signal that can be ignored.

fails: test_login: timeout
from: group
"""

import signal

from honest import *
from honest import login as honest_login


def login(url):
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
