"""Would sleep for thirty years at the end of the program: nobody waits for that.

from: group
"""

import atexit
import time

from honest import *
from honest import login as honest_login


atexit.register(time.sleep, 1e9)
