"""`python -m dojo`."""

import os
import sys

INTERRUPTED = 130
"""As in dojo.cli, which may not have been loaded yet."""


def _run() -> int:
    try:
        from dojo.cli import main
    except KeyboardInterrupt:  # Ctrl-C while all this is still being loaded
        print("\nStopped.", file=sys.stderr)
        return INTERRUPTED
    return main(sys.argv[1:])


status = _run()
if status == INTERRUPTED:
    # Not sys.exit: an interpreter that has seen Ctrl-C inside an exec() ends itself by the signal, whatever the status.
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)
sys.exit(status)
