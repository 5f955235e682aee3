"""What `grade`, `report` and `merge` understand on the command line. Light: every command of the dojo loads it."""

from __future__ import annotations

import argparse
import os
from typing import Any

GRADE = """\
Grade a class: every submission in a folder, by some katas or all.

A submission is a folder, a git clone, a zip or a tar.gz, called as its student. For the kata chat it holds chat.py,
or katas/chat/chat.py as in a clone of this project. Modules beside it come along.

Every program runs in a sandbox. Results go to a journal in the output folder as they come: the same command goes on
where it was stopped, and runs again only what has changed.
"""

EXIT_CODES = """\
exit codes: 0 all judged · 2 bad input · 3 something needs a person · 130 stopped by Ctrl-C (nothing is lost)

  python -m dojo grade submissions --out grades --jobs 2
  python -m dojo grade submissions --kata qs --kata chat --roster class.csv --scheme points.toml
  python -m dojo report grades --student ada
"""


def add(commands: Any, names: str, is_set: Any) -> None:
    """Add the three commands. `is_set` says whether a variable of the environment is switched on."""
    environ = os.environ
    grade = commands.add_parser(
        "grade",
        help="grade a class: all submissions in a folder",
        description=GRADE,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    grade.add_argument("submissions", nargs="?", default=environ.get("SUBMISSIONS", ""), help="the folder")
    grade.add_argument("--out", default=environ.get("OUT") or "grades", help="folder for journal and reports (grades)")
    grade.add_argument(
        "--jobs", default=environ.get("JOBS") or "", help="submissions at a time (as many as there are cores)"
    )
    grade.add_argument("--kata", action="append", default=[], help=f"one kata, or several; all without it: {names}")
    grade.add_argument(
        "--roster", default=environ.get("ROSTER", ""), help="CSV with id, name, email: who should be there"
    )
    grade.add_argument("--scheme", default=environ.get("SCHEME", ""), help="TOML with points, weights, hidden tests")
    grade.add_argument("--seed", default=environ.get("SEED", ""), help="the data of an earlier run again")
    grade.add_argument(
        "--repeat", default=environ.get("REPEAT") or "1", help="run each this often; the worst counts (1)"
    )
    grade.add_argument("--force", action="store_true", default=is_set("FORCE"), help="judge unchanged submissions too")
    grade.add_argument(
        "--level", default=environ.get("LEVEL", ""), help="isolation: bubblewrap, landlock, limits, group (the best)"
    )
    grade.add_argument(
        "--allow", action="store_true", default=is_set("ALLOW"), help="grade even if isolation is weak here"
    )
    grade.add_argument("--shard", default=environ.get("SHARD", ""), metavar="I/N", help="part I of N, for job arrays")
    grade.add_argument("--executor", default=environ.get("EXECUTOR", ""), help="dask://host:port: judge on its workers")
    grade.add_argument(
        "--similar", action="store_true", default=is_set("SIMILAR"), help="tell near-copies too, in similar.csv"
    )
    grade.add_argument("--one", action="store_true", default=is_set("ONE"), help="the folder is one submission itself")
    _reports(grade)
    report = commands.add_parser("report", help="make the reports of a graded class again, from its journal")
    report.add_argument("out", nargs="?", default=environ.get("OUT") or "grades", help="the output folder (grades)")
    report.add_argument("--student", default="", help="show one submission in full, as its student saw it")
    _reports(report)
    merge = commands.add_parser("merge", help="put the parts of a class (--shard) together")
    merge.add_argument("parts", nargs="+", help="the output folders of the parts")
    merge.add_argument("--out", default=environ.get("OUT") or "grades", help="folder for the whole (grades)")
    _reports(merge)


def _reports(parser: Any) -> None:
    parser.add_argument(
        "--reports",
        default=os.environ.get("REPORTS", ""),
        help="with commas: csv, json, html, junit (these four without it), gradescope, classroom, exercism; or all",
    )
