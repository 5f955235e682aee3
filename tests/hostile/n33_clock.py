"""Has every clock of Python stand still.

from: group
"""

import datetime
import time

from honest import *
from honest import login as honest_login


for name in ("time", "monotonic", "perf_counter", "process_time", "time_ns", "monotonic_ns"):
    setattr(time, name, lambda: 0)
datetime.datetime = None
time.sleep = lambda seconds: None
