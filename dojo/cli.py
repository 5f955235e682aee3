"""The command line. `make` is a thin front of it: what make is given (KATA=, SUBJECT= …) arrives here in the
environment, and a word on the command line goes before it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from dojo import catalog
from dojo.catalog import UsageError
from dojo.grade import arguments
from dojo.words import word

OK, FAILED, USAGE, BROKEN, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes: all passed; something failed; bad input; the dojo itself failed; Ctrl-C."""


def main(words: Sequence[str]) -> int:
    """Run one command; its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # a log in another encoding
    try:
        return _run(words)
    except UsageError as error:
        print(error, file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print(f"\n{word('interrupted')}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `make test | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run(words: Sequence[str]) -> int:
    options = _parser().parse_args(words)
    if options.command == "test":
        from dojo import practice

        return practice.test(options)
    if options.command == "hint":
        from dojo import practice

        return practice.hint(_one_kata(options.kata))
    if options.command == "play":
        from dojo import play

        return play.play(options)
    if options.command in ("grade", "report", "merge"):
        from dojo.grade import command

        run = {"grade": command.grade, "report": command.make_reports, "merge": command.merge}[options.command]
        return run(options)
    if options.command == "check":
        from dojo import check

        return check.main()
    if options.command == "bench":
        from dojo import bench

        return bench.main()
    if options.command == "bench-grade":
        from dojo import bench_class, bench_grade

        bench_class.main()
        return bench_grade.main()
    if options.command == "picture":
        from dojo import picture

        return picture.main()
    if options.command == "doctor":
        from dojo.sandbox import doctor

        return doctor.main()
    if options.command == "prove":
        from dojo import prove

        return prove.main()
    _parser().print_help()
    return OK


def _one_kata(name: str) -> catalog.Kata:
    if not name:
        raise UsageError("which kata? For example: make hint KATA=urlparse")
    return catalog.kata(name)


def _set(name: str) -> bool:
    return os.environ.get(name, "").lower() not in ("", "0", "no", "false")


def _parser() -> argparse.ArgumentParser:
    environ = os.environ
    names = ", ".join(each.name for each in catalog.katas())
    parser = argparse.ArgumentParser(
        prog="python -m dojo",
        description="Katas for network programming in Python.",
        epilog=f"the katas: {names}\nexample:   python -m dojo test urlparse",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    test = commands.add_parser("test", help="test your solutions: all katas, or the ones named")
    test.add_argument("kata", nargs="*", default=environ.get("KATA", "").split(), help=names)
    test.add_argument(
        "--subject",
        default=environ.get("SUBJECT", ""),
        help="judge `reference`, or this file or folder, instead of katas/",
    )
    test.add_argument("--all", action="store_true", default=_set("ALL"), help="every failure in full")
    test.add_argument(
        "--debug", action="store_true", default=_set("DEBUG"), help="one test with the terminal, for breakpoint()"
    )
    test.add_argument("--seed", default=environ.get("SEED", ""), help="the data of an earlier run again")
    test.add_argument("--test", default=environ.get("TEST", ""), help="one test, by its number or its name")
    test.add_argument("--python", default="", type=_interpreter, help="the Python that runs your code")
    hint = commands.add_parser("hint", help="a hint for the last failure; again for the next one")
    hint.add_argument("kata", nargs="?", default=environ.get("KATA", ""), help=names)
    play = commands.add_parser("play", help="see what your solution makes: the letter of html_mail, in a browser")
    play.add_argument("kata", nargs="?", default=environ.get("KATA", ""), help="html_mail")
    play.add_argument("--subject", default=environ.get("SUBJECT", ""), help="as with test")
    play.add_argument("--no-open", action="store_true", default=_set("NO_OPEN"), help="only say where the page is")
    arguments.add(commands, names, _set)
    commands.add_parser("check", help="the project's own tests, lint and types")
    commands.add_parser("doctor", help="whether a class can be graded safely here, and what is missing")
    commands.add_parser("bench", help="what a run costs, as ratios")
    commands.add_parser("bench-grade", help="what grading a submission costs: each kata, and beside other graders")
    commands.add_parser("picture", help="draw the pictures of the pages")
    commands.add_parser("prove", help="the slower proofs: other Pythons, many runs under load")
    return parser


def _interpreter(path: str) -> str:
    if path and not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"no interpreter at {path}")
    return path
