"""Returns a list that holds itself, and one that is deeper than any stack.

fails: test_login: fail
from: group
"""

from honest import *
from honest import login as honest_login


def login(url):
    answer = []
    for _ in range(10**6):
        answer = [answer]
    circle = [answer]
    circle.append(circle)
    return circle
