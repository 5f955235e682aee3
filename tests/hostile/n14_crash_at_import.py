"""Crashes while it is being loaded.

all: import_error
from: group
"""

import ctypes

ctypes.string_at(0)
