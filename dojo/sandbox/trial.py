"""Trying one level of isolation on a file that tries to get out: `python -m dojo.sandbox.trial bubblewrap FOLDER`.

Exit code 0 when it works and holds; else a sentence on the last line says why not.
"""

from __future__ import annotations

import os
import socket
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from dojo.launch import ROOT, LaunchError, launcher
from dojo.outcome import Loaded, Returned
from dojo.process import StudentProcess
from dojo.sandbox import cell
from dojo.sandbox.levels import BUBBLEWRAP, Level, named
from dojo.sandbox.limits import Limits

SUBJECT = '''
import os, socket


def look(secret, pid, port, doors):
    """What a submission must not be able to do, and what it must."""
    did = []
    try:
        open(secret).close()
        did.append("reads the tests")
    except OSError:
        pass
    try:
        os.kill(pid, 0)
        did.append("sends signals to the judge")
    except OSError:
        pass
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
        did.append("meets servers on this machine")
    except OSError:
        pass
    for door in doors:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(1)
            try:
                sock.connect(door)
                did.append("meets " + door + ", by which programs may be started")
            except OSError:
                pass
    with open("file", "w") as file:
        file.write("its own folder can be written")
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), 5).close()
    return did
'''

MEETS = "meets servers on this machine"


def main(level: Level, folder: Path) -> str:
    """What is wrong with the level here; empty when nothing is. The folder is an empty one."""
    with socket.create_server(("127.0.0.1", 0)) as outside:
        subject, inside = folder / "s" / "look.py", folder / "c"
        inside.mkdir()
        subject.parent.mkdir()
        subject.write_text(SUBJECT, "utf-8")
        doors = _doors()
        secret = str(ROOT / "tests" / "conftest.py")
        try:
            found = cell.enter(level, Limits(), inside, subject)
            did = _ask(found, (secret, os.getpid(), outside.getsockname()[1], doors))
        except (cell.CellError, LaunchError) as error:
            return str(error)
    allowed = [] if level == BUBBLEWRAP else [MEETS]
    if isinstance(did, str) or not level.safe:
        return did if isinstance(did, str) else ""
    return "; ".join(f"a submission {what}" for what in did if what not in allowed)


def _doors() -> list[str]:
    """Paths of Unix sockets that are this user's own or a group's: a session's bus, a container engine. Landlock does
    not close them. Those that are open to everybody are made for that."""
    lines = Path("/proc/net/unix").read_text("utf-8", "replace").splitlines()[1:]
    paths = {line.split(maxsplit=7)[7] for line in lines if len(line.split(maxsplit=7)) == 8}
    found = []
    for path in sorted(path for path in paths if path.startswith("/")):
        with suppress(OSError):
            told = Path(path).stat()
            if told.st_uid == os.getuid() or not told.st_mode & stat.S_IWOTH:
                found.append(path)
    return found[:200]


def _ask(subject: Path, arguments: tuple[Any, ...]) -> list[str] | str:
    launching = launcher(subject)
    try:
        process = StudentProcess(launching, subject)
        try:
            loaded = process.load()
            if not isinstance(loaded, Loaded):
                return f"a submission could not be loaded: {loaded}"
            outcome = process.call("look", arguments, {})
            return outcome.value if isinstance(outcome, Returned) else f"a submission could not run: {outcome}"
        finally:
            process.end()
    finally:
        launching.close()


if __name__ == "__main__":
    said = main(named(sys.argv[1]), Path(sys.argv[2]))
    print(said)
    sys.exit(1 if said else 0)
