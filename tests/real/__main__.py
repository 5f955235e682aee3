"""`make check-real`: the fakes and the reference solutions against servers and clients that others have written."""

from __future__ import annotations

import argparse
import sys

from dojo import check, prove
from tests.real.programs import missing


def main() -> int:
    """Run the tests of this folder, or say in a sentence what they need."""
    argparse.ArgumentParser("python -m tests.real", description=__doc__).parse_args()
    sentence = missing()
    if sentence:
        print(sentence, file=sys.stderr)
        return 2
    return check.run(prove.real())


if __name__ == "__main__":
    sys.exit(main())
