"""Brings along what tells other graders what to do.

notes: conftest.py was ignored
notes: sitecustomize.py was ignored
from: group
"""

from honest import *
