"""Writes reports of its own wherever it can, and is wrong.

fails: test_login: fail|protocol_error
"""

import os

from honest import *
from honest import login as honest_login


REPORT = """{"complete": true, "tests": [], "score": 100, "status": "pass"}
<testsuite tests="1" failures="0"/>
"""


def login(url):
    places = [".", "..", "../..", "../../..", os.environ["TMPDIR"], "/tmp", "/autograder/results", "/dev/fd"]
    for place in places:
        for name in ("results.json", "report.xml", "junit.xml", "log.txt", "index.html", "marks.csv"):
            try:
                with open(os.path.join(place, name), "w") as file:
                    file.write(REPORT)
            except OSError:
                pass
    for fd in range(3, 64):
        try:
            if os.fstat(fd).st_mode & 0o100000 == 0o100000:
                os.write(fd, REPORT.encode())
        except OSError:
            pass
    return "wrong"
