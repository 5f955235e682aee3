"""Raises an exception with a text of 100 MB, escape sequences, HTML, and a name that is none.

fails: test_login: fail|crash
from: group
"""

from honest import *
from honest import login as honest_login


def login(url):
    class Meta(type):
        @property
        def __name__(self):
            return "\x1b[2J<script>alert(1)</script>" * 1000

        @property
        def __mro__(self):
            return [Meta] * 1000

    class Odd(Exception, metaclass=Meta):
        def __str__(self):
            return "\x1b]0;owned\x07<script>alert(1)</script>=cmd|' /C calc'!A0" * 2_000_000

        def __getattribute__(self, name):
            raise SystemExit(0)

    raise Odd
