"""Makes .venv and installs what the dojo needs; a trouble becomes one sentence that says what to do next.

    python3 dojo/bootstrap.py          what a student needs
    python3 dojo/bootstrap.py --dev    and the linter and type checker

A stamp is written last, so a .venv that was cut off half-way has none and is made anew. The Makefile looks at
the stamp's time alone; this program, when it is run, at the hash inside.

This file must parse on every Python from 2.7 on, or an old one would greet a beginner with a SyntaxError: no
f-strings and no annotations, types as comments, ASCII text, and nothing imported at the top that 2.7 lacks.
"""

import contextlib
import errno
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import IO, Any

OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOG = ".venv-setup.log"
STAMP = ".complete"
STAMP_DEV = ".complete-dev"
LOCK_WAIT = 900  # seconds: longer than any honest set-up takes
INSTALL = "install a newer Python (https://www.python.org/downloads/) and name it: " + (
    "py -3.12 dojo\\bootstrap.py" if os.name == "nt" else "make test PYTHON=python3.12"
)
INTERRUPTED = 130  # what a shell gives for Ctrl-C

# Settings that would have pip install elsewhere than into the .venv, or not at all. Those that say how to
# reach an index (a mirror, a proxy, a certificate) are the student's to keep.
PIP_UNWANTED = (
    "PIP_DRY_RUN",
    "PIP_NO_DEPS",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_REQUIREMENT",
    "PIP_ROOT",
    "PIP_TARGET",
)
PIP_WANTED = {
    "PIP_USER": "0",
    "PIP_REQUIRE_HASHES": "0",
    "PIP_NO_INPUT": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_PROGRESS_BAR": "off",
    "PIP_NO_COLOR": "1",
    "PIP_QUIET": "0",
}
NO_NETWORK = (
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
    "ProtocolError",
    "IncompleteRead",
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "Connection reset by peer",
    "Read timed out",
)
DISK_FULL = ("No space left on device", "[Errno 28]", "Disk quota exceeded", "[WinError 112]")


class Trouble(Exception):
    """What went wrong and what to do next, as a person should read it."""


# --- which Python ------------------------------------------------------------------------------------------


def require_python(version, search_path):
    # type: (tuple[int, int], str) -> None
    """Raise Trouble if `version` is older than the dojo needs; name a newer Python found in `search_path`."""
    if version >= OLDEST:
        return
    sentence = "The dojo needs Python %d.%d or newer, and this is Python %d.%d" % (OLDEST + version)
    newer = newer_python(search_path)
    if newer:
        raise Trouble("%s; try: make test PYTHON=%s" % (sentence, newer))
    raise Trouble("%s; %s" % (sentence, INSTALL))


def newer_python(search_path):
    # type: (str) -> str | None
    """The name of the newest Python in `search_path` that is new enough and really starts, or None."""
    found = set()
    for folder in search_path.split(os.pathsep):
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            match = re.match(r"python3\.(\d+)(\.exe)?$", name)
            if match and (3, int(match.group(1))) >= OLDEST:
                found.add((int(match.group(1)), name))
    for _, name in sorted(found, reverse=True):
        # A pyenv shim is on PATH whether or not it leads anywhere, so the name alone proves nothing.
        try:
            with open(os.devnull, "r+b") as nothing:
                command = [name, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
                if subprocess.call(command, stdin=nothing, stdout=nothing, stderr=nothing) == 0:
                    return name
        except OSError:
            continue
    return None


def require_venv():
    # type: () -> None
    """Raise Trouble if this Python came without the means to make a .venv, as Debian's does."""
    import importlib.util

    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if not missing:
        return
    sentence = "This Python (%s) came without its %s module" % (sys.executable, missing[0])
    if distribution() & {"debian", "ubuntu"}:
        raise Trouble(
            "%s; install it, then run the same command again: "
            "sudo apt install python%d.%d-venv" % ((sentence,) + sys.version_info[:2])
        )
    raise Trouble("%s; add it with your system's package manager, or %s" % (sentence, INSTALL))


def distribution():
    # type: () -> set[str]
    """The ids of this Linux and of those it descends from, as /etc/os-release has them; empty elsewhere."""
    try:
        with io.open("/etc/os-release", encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError):
        return set()
    values = [line.partition("=")[2] for line in lines if line.startswith(("ID=", "ID_LIKE="))]
    return set(" ".join(values).replace('"', "").replace("'", "").split())


# --- what the dojo needs, and whether it is there ----------------------------------------------------------


def read_wants(root):
    # type: (str) -> tuple[list[str], list[str], str]
    """The requirements for all, those for development, and the text of constraints.txt."""
    import tomllib

    restore = "bring it back: git checkout -- pyproject.toml constraints.txt"
    try:
        with open(os.path.join(root, "pyproject.toml"), "rb") as file:
            table = tomllib.load(file)
        with io.open(os.path.join(root, "constraints.txt"), encoding="utf-8") as file:
            constraints = file.read()
        return list(table["project"]["dependencies"]), list(table["dependency-groups"]["dev"]), constraints
    except OSError as error:
        raise Trouble("Cannot read %s (%s); %s" % (error.filename, error.strerror, restore))
    except (KeyError, ValueError) as error:
        raise Trouble("pyproject.toml is damaged (%s); %s" % (error, restore))


def fingerprint(wants, constraints):
    # type: (Sequence[str], str) -> str
    """What a stamp holds: a hash of what was asked for and of the Python it was installed for."""
    parts = [str(sys.implementation.cache_tag), constraints]
    parts.extend(wants)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest() + "\n"


def is_stamped(stamp, mark):
    # type: (str, str) -> bool
    """Whether the file `stamp` exists and holds `mark`."""
    try:
        with io.open(stamp, encoding="ascii") as file:
            return file.read() == mark
    except (OSError, ValueError):
        return False


def write_stamp(stamp, mark):
    # type: (str, str) -> None
    """Write `mark` so that the file `stamp` is whole or absent, whenever this program is cut off."""
    with io.open(stamp + ".new", "w", encoding="ascii") as file:
        file.write(mark)
    os.replace(stamp + ".new", stamp)


def venv_python(root):
    # type: (str) -> str
    """Where the .venv's interpreter is, by the layout of this system."""
    if os.name == "nt":
        return os.path.join(root, ".venv", "Scripts", "python.exe")
    return os.path.join(root, ".venv", "bin", "python")


# --- one set-up at a time ----------------------------------------------------------------------------------


def try_lock(file):
    # type: (IO[Any]) -> bool
    """Take the lock on an open file, which lasts until it is closed; False if another process has it."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(1 << 30)  # far beyond the text, as a locked byte can be neither read nor written
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some network file systems know no locks. Going on without is better than no dojo at all.
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True


@contextlib.contextmanager
def locked_log(root, say):
    # type: (str, Say) -> Iterator[IO[bytes]]
    """The log, open and empty, held by this process alone; waits while another set-up runs in this folder."""
    with open(os.path.join(root, LOG), "ab", 0) as log:
        deadline = time.monotonic() + LOCK_WAIT
        told = False
        while not try_lock(log):
            if not told:
                say.line("Another set-up is at work in this folder; waiting for it ...")
                told = True
            if time.monotonic() > deadline:
                raise Trouble("Another set-up has been at work here for 15 minutes; end it, then try again")
            time.sleep(0.1)
        log.truncate(0)
        yield log


# --- the work ----------------------------------------------------------------------------------------------


class Say:
    """Speaks to the person: whole lines, and on a terminal one line that changes while the work goes on."""

    def __init__(self, stream):
        # type: (IO[str]) -> None
        self.stream = stream
        self.live = stream.isatty()
        self.shown = 0

    def line(self, text):
        # type: (str) -> None
        """A line that stays."""
        self.progress("")
        self.stream.write(text + "\n")
        self.stream.flush()

    def progress(self, text):
        # type: (str) -> None
        """A line that the next one replaces; nothing where there is no terminal, as in a log."""
        if not self.live or not (text or self.shown):
            return
        text = text[: shutil.get_terminal_size().columns - 1]
        self.stream.write("\r" + text + " " * (self.shown - len(text)) + ("" if text else "\r"))
        self.stream.flush()
        self.shown = len(text)


def venv_command(root):
    # type: (str) -> list[str]
    """The command that makes .venv."""
    # The interpreter's real path, so that the link inside .venv breaks when that Python gives way to another,
    # and the next run sees it. On Windows nothing is linked, and a path from the store must stay as it is.
    python = sys.executable if os.name == "nt" else os.path.realpath(sys.executable)
    return [python, "-I", "-m", "venv", os.path.join(root, ".venv")]


def pip_command(root, wants):
    # type: (str, Sequence[str]) -> list[str]
    """The command that installs the requirements `wants` into .venv."""
    constraints = os.path.join(root, "constraints.txt")
    return [venv_python(root), "-I", "-m", "pip", "install", "--constraint", constraints] + list(wants)


def pip_environment(environment):
    # type: (Mapping[str, str]) -> dict[str, str]
    """`environment` without what would lead pip away from the .venv."""
    mended = {name: value for name, value in environment.items() if name not in PIP_UNWANTED}
    mended.update(PIP_WANTED)
    return mended


def verify_command(root, wants):
    # type: (str, Sequence[str]) -> list[str]
    """The command that fails unless the packages of the requirements `wants` are in .venv."""
    names = [re.split(r"[^\w.-]", want)[0] for want in wants]
    program = "import importlib.metadata as m, sys; [m.version(name) for name in sys.argv[1:]]"
    return [venv_python(root), "-I", "-c", program] + names


def run(command, log, watch):
    # type: (Sequence[str], IO[bytes], Callable[[str], None]) -> tuple[int, list[str]]
    """Run `command`, its output to the log and line by line to `watch`. Returns its status and its lines."""
    log.write(("$ " + " ".join(command) + "\n").encode("utf-8", "replace"))
    lines = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=pip_environment(os.environ),
        # The child inherits the log and with it the lock, which thus lasts until the child has ended as well.
        pass_fds=() if os.name == "nt" else (log.fileno(),),
    ) as child:
        try:
            for data in child.stdout or ():
                log.write(data)
                lines.append(data.decode("utf-8", "replace").rstrip())
                watch(lines[-1])
        except BaseException:
            child.terminate()
            raise
    return child.returncode, lines


class Watch:
    """Turns pip's lines into a word on how far it is."""

    def __init__(self, say):
        # type: (Say) -> None
        self.say = say
        self.seen = 0

    def __call__(self, line):
        # type: (str) -> None
        """Take one line of pip's."""
        match = re.match(r"Collecting ([\w.-]+)", line)
        if match:
            self.seen += 1
            self.say.progress("  package %d: %s" % (self.seen, match.group(1)))
        elif line.startswith("Installing collected packages: "):
            self.say.progress("  unpacking %d packages" % (line.count(",") + 1))
        elif "Retrying (" in line:
            self.say.progress("  the package index does not answer; trying again")


def explain(what, lines, root):
    # type: (str, Sequence[str], str) -> Trouble
    """Why a command failed, as its output has it: the likely causes in a sentence, else its last lines."""
    text = "\n".join(lines)
    log = "its whole output: %s" % os.path.join(root, LOG)
    if any(sign in text for sign in DISK_FULL):
        return disk_full(root)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return Trouble(
            "The package index showed a certificate that this machine does not trust; if a proxy stands "
            "between, name its certificate: pip config set global.cert FILE (%s)" % log
        )
    if any(sign in text for sign in NO_NETWORK):
        return Trouble(
            "The first set-up needs the network, and pip cannot reach its package index; go online (behind a "
            "proxy, set HTTPS_PROXY), then run the same command again (%s)" % log
        )
    telling = [line for line in lines if line.startswith("ERROR")] or [line for line in lines if line.strip()]
    shown = [line if len(line) < 200 else line[:100] + " ... " + line[-90:] for line in telling[-6:]]
    return Trouble("%s failed:\n    %s\n(%s)" % (what, "\n    ".join(shown), log))


def disk_full(root):
    # type: (str) -> Trouble
    """The disk is full."""
    import tempfile

    return Trouble(
        "The disk is full, under %s or under %s for temporary files; free 200 MB, "
        "then run the same command again" % (root, tempfile.gettempdir())
    )


def explain_system(error, root):
    # type: (OSError, str) -> Trouble
    """What the operating system refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(root)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Trouble(
            "Cannot write %s (%s); make the folder writable for you, or clone the project into one that is"
            % (error.filename or root, error.strerror)
        )
    return Trouble("The set-up failed: %s; run the same command again" % error)


def remove_venv(root):
    # type: (str) -> None
    """Remove .venv, its stamps first: a removal that is cut off must not leave a stamp on a half."""
    venv = os.path.join(root, ".venv")
    for path in (os.path.join(venv, STAMP), os.path.join(venv, STAMP_DEV)):
        with contextlib.suppress(OSError):
            os.unlink(path)
    try:
        if os.path.islink(venv) or os.path.isfile(venv):
            os.unlink(venv)
        elif os.path.isdir(venv):
            shutil.rmtree(venv)
    except OSError as error:
        raise Trouble(
            "The old .venv cannot be removed (%s); close what uses it (an editor, a terminal), "
            "delete the folder %s by hand, then try again" % (error.strerror, venv)
        )


def set_up(root, dev, say):
    # type: (str, bool, Say) -> None
    """Bring .venv to what pyproject.toml asks for, with as little work as that takes.

    Raises Trouble or OSError.
    """
    if os.pathsep in root:
        raise Trouble("No .venv works in %s, as the path holds a %s; move the project" % (root, os.pathsep))
    student, extra, constraints = read_wants(root)
    stamp = os.path.join(root, ".venv", STAMP)
    stamp_dev = os.path.join(root, ".venv", STAMP_DEV)
    mark = fingerprint(student, constraints)
    mark_dev = fingerprint(student + extra, constraints)
    with locked_log(root, say) as log:
        begin = time.monotonic()
        sound = is_stamped(stamp, mark) and os.path.exists(venv_python(root))
        if sound and (not dev or is_stamped(stamp_dev, mark_dev)):
            # Only the time of pyproject.toml is newer, and by the time make judges.
            os.utime(stamp)
            if dev:
                os.utime(stamp_dev)
            say.line("The dojo is ready.")
            return
        if sound:
            say.line("Adding the tools for `make check` (once, a few seconds) ...")
        else:
            if os.path.lexists(os.path.join(root, ".venv")):
                say.line("The .venv here is unfinished or out of date; making it anew.")
            say.line("Setting up the dojo (once, about 10 s): a .venv folder with what the tests need ...")
            say.progress("  making .venv")
            remove_venv(root)
            status, lines = run(venv_command(root), log, Watch(say))
            if status:
                raise explain("Making .venv", lines, root)
        wants = student + extra if dev else student
        say.progress("  asking for packages")
        status, lines = run(pip_command(root, wants), log, Watch(say))
        if status:
            raise explain("pip", lines, root)
        status, lines = run(verify_command(root, wants), log, Watch(say))
        if status:
            raise Trouble(
                "pip ended well but the packages are not in .venv, so a setting led it elsewhere; "
                "look for it with: %s -m pip config list" % venv_python(root)
            )
        write_stamp(stamp, mark)
        if dev:
            write_stamp(stamp_dev, mark_dev)
        say.line("The dojo is ready, in %.0f s. From now on it works offline." % (time.monotonic() - begin))
    if "MAKELEVEL" not in os.environ:
        say.line("next: %s -m dojo test urlparse" % os.path.relpath(venv_python(root)))


def main(arguments, root=ROOT):
    # type: (Sequence[str], str) -> int
    """Set up the dojo in the folder `root`. Returns the exit status, 1 for a trouble."""
    say = Say(sys.stderr)
    if [argument for argument in arguments if argument != "--dev"]:
        say.line("usage: bootstrap.py [--dev]")
        return 2
    try:
        require_python(sys.version_info[:2], os.environ.get("PATH", ""))
        require_venv()
        set_up(root, "--dev" in arguments, say)
    except Trouble as trouble:
        say.line(str(trouble))
        return 1
    except KeyboardInterrupt:
        say.line("Stopped half-way; the next run begins the set-up anew.")
        return INTERRUPTED
    except OSError as error:
        say.line(str(explain_system(error, root)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
