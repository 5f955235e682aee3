"""Changes everything about its process that the next test could inherit; its answers are right.
"""

import locale
import os
import resource
import signal
import sys
import time

from honest import *
from honest import login as honest_login


def login(url):
    answer = honest_login(url)
    os.chdir("/")
    os.umask(0o777)
    os.environ.clear()
    os.environ["TZ"] = "Mars/Olympus"
    time.tzset()
    try:
        locale.setlocale(locale.LC_ALL, "tr_TR.UTF-8")
    except locale.Error:
        pass
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.path.clear()
    sys.meta_path.clear()
    sys.setswitchinterval(10)
    for path in (__file__, os.path.dirname(__file__)):
        for change in (os.unlink, os.rmdir, lambda path: os.chmod(path, 0), lambda path: os.rename(path, path + "x")):
            try:
                change(path)
            except OSError:
                pass
    return answer
