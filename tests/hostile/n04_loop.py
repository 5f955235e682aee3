"""Never comes back.

fails: test_login: timeout
from: group
"""

from honest import *
from honest import login as honest_login


def login(url):
    while True:
        pass
