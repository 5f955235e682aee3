"""Has a statement where it must not stand.

all: import_error
from: group
"""

X = 1
from __future__ import annotations
