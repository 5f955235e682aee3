"""`python -m dojo`."""

import sys

from dojo.cli import main

sys.exit(main(sys.argv[1:]))
