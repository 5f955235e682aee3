"""Is no Python.

all: import_error
from: group
"""

def login(url:
