"""Answers right, and so late each time that a test of many calls never ends.

fails: test_resolve: timeout
"""

import time

from honest import *
from honest import resolve as honest_resolve


def resolve(page, link):
    time.sleep(4.8)
    return honest_resolve(page, link)
