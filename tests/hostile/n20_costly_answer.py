"""Returns many small things that are many large things for who takes them apart.

fails: test_login: fail|output_limit|timeout|memory
from: group
"""

from honest import *
from honest import login as honest_login


def login(url):
    return [()] * 3_000_000
