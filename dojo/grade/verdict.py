"""What became of one test, in one word: what is counted, and what a table shows."""

from __future__ import annotations

from dojo.result import FAIL as FAILED
from dojo.result import NOT_RUN as NEVER
from dojo.result import PASS as PASSED
from dojo.result import Result

PASS = "pass"
FAIL = "fail"
TIMEOUT = "timeout"
"""No end within the deadline."""
CRASH = "crash"
"""The process ended in the middle: by itself, by a signal, by a limit on processor time."""
MEMORY = "memory"
OUTPUT_LIMIT = "output_limit"
IMPORT_ERROR = "import_error"
"""The file could not be loaded."""
PROTOCOL_ERROR = "protocol_error"
"""What the process said is no answer to what it was asked."""
NOT_RUN = "not_run"
"""There was nothing to run the test on, or the time for all tests was over before it."""
INFRASTRUCTURE = "infrastructure"
"""A trouble of the machine or of the dojo: never the student's fault, never a 0."""

VERDICTS = (
    PASS,
    FAIL,
    TIMEOUT,
    CRASH,
    MEMORY,
    OUTPUT_LIMIT,
    IMPORT_ERROR,
    PROTOCOL_ERROR,
    NOT_RUN,
    INFRASTRUCTURE,
)

BY_REASON = {
    "hang": TIMEOUT,
    "import_hang": TIMEOUT,
    "thread_left": TIMEOUT,
    "ended_process": CRASH,
    "killed": CRASH,
    "crashed": CRASH,
    "process_limit": CRASH,
    "space_limit": CRASH,
    "memory_limit": MEMORY,
    "output_limit": OUTPUT_LIMIT,
    "too_large": OUTPUT_LIMIT,
    "syntax_error": IMPORT_ERROR,
    "module_not_there": IMPORT_ERROR,
    "import_error": IMPORT_ERROR,
    "garbled": PROTOCOL_ERROR,
}
"""The general reasons that have a verdict of their own; every other reason is a plain fail."""


def verdict(result: Result) -> str:
    """The verdict on one test. Only PASS scores."""
    if result.status == PASSED:
        return PASS
    if result.status == NEVER:
        return NOT_RUN
    if result.status != FAILED:
        return INFRASTRUCTURE
    found = BY_REASON.get(result.reason, FAIL)
    return IMPORT_ERROR if found in (CRASH, PROTOCOL_ERROR) and "loading" in result.values else found
