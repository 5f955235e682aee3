"""Ends the process while it is being loaded: no report, so no failure either?

all: import_error
from: group
"""

import os

os._exit(0)
