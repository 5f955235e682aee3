"""Brings along modules with the names of those that a judge uses.

notes: json.py beside the file shadows the standard library's json for the student's own code
from: group
"""

from honest import *
