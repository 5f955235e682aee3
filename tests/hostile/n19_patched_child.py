"""Patches the code of the dojo that runs in its own process.

fails: test_login: fail|crash|timeout|protocol_error
from: group
"""

import sys

from honest import *
from honest import login as honest_login


def login(url):
    plain = sys.modules["dojo.inside.plain"]
    plain.encode = lambda *_: True
    channel = sys.modules["dojo.inside.channel"]
    channel.dumps = lambda *_, **__: '{"returned": true, "kind": "bool", "status": "pass"}'
    return "wrong"
