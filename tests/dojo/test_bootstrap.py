"""The set-up: what it does, what it leaves alone, what it says about each trouble. Nothing here downloads."""

import ast
import contextlib
import errno
import importlib.util
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from dojo import bootstrap

PROJECT = Path(bootstrap.ROOT)
SOURCE = PROJECT / "dojo" / "bootstrap.py"
STAMP = Path(".venv", bootstrap.STAMP)
STAMP_DEV = Path(".venv", bootstrap.STAMP_DEV)

# A .venv without pip takes 0.1 s to make instead of 3 s, and pip's part is played by a line of Python.
WITHOUT_PIP = [sys.executable, "-I", "-m", "venv", "--without-pip"]


class Pip:
    """Plays pip: runs `program` instead, and remembers what it was asked to install."""

    def __init__(self) -> None:
        self.program = "print('Collecting example==1.0')"
        self.asked: list[list[str]] = []

    def command(self, root: str, wants: Sequence[str]) -> list[str]:
        self.asked.append(list(wants))
        return [sys.executable, "-c", self.program]


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Pip:
    actor = Pip()
    monkeypatch.setattr(bootstrap, "pip_command", actor.command)
    monkeypatch.setattr(bootstrap, "venv_command", lambda root: [*WITHOUT_PIP, f"{root}/.venv"])
    return actor


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project that asks for no package, under a name that a shell would trip over."""
    root = tmp_path / "a student's folder"
    (root / "dojo").mkdir(parents=True)
    shutil.copy(SOURCE, root / "dojo")
    shutil.copy(PROJECT / "Makefile", root)
    ask_for(root, [], [])
    (root / "constraints.txt").write_text("", encoding="utf-8")
    return root


def ask_for(root: Path, wants: list[str], dev: list[str]) -> None:
    text = f"[project]\ndependencies = {wants!r}\n[dependency-groups]\ndev = {dev!r}\n"
    (root / "pyproject.toml").write_text(text, encoding="utf-8")


def set_up(root: Path, *arguments: str) -> int:
    return bootstrap.main(arguments, str(root))


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The last thing said, which is one line without a traceback."""
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said.splitlines()[-1]


# --- which Python ------------------------------------------------------------------------------------------


def test_the_source_parses_on_every_python() -> None:
    source = SOURCE.read_text(encoding="ascii")
    for node in ast.walk(ast.parse(source)):
        assert not isinstance(
            node, (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.AsyncFunctionDef)
        )
        if isinstance(node, ast.FunctionDef):
            every = [*node.args.args, *node.args.kwonlyargs, *node.args.posonlyargs]
            assert node.returns is None
            assert all(argument.annotation is None for argument in every)
            assert not node.args.kwonlyargs
            assert not node.args.posonlyargs
        if isinstance(node, ast.Raise):
            assert node.cause is None


def old_pythons() -> list[Path]:
    """The interpreters on this machine whose names say that they are too old."""
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    found = [path for folder in folders for path in folder.glob("python[23].*")]
    found += Path("~/.pyenv/versions").expanduser().glob("*/bin/python[23].*")
    return sorted({path.resolve() for path in found if re.fullmatch(r"python(2\.\d|3\.\d|3\.10)", path.name)})


def test_every_old_python_on_this_machine_gets_one_sentence(home: Path) -> None:
    # Where there is none, the tests below stand for it.
    for python in old_pythons():
        command = [str(python), str(home / "dojo" / "bootstrap.py")]
        run = subprocess.run(command, env={"PATH": ""}, capture_output=True, text=True, check=False)
        if run.returncode == 127:
            continue  # a pyenv shim that leads nowhere
        assert run.returncode == 1
        sentence = (
            r"The dojo needs Python 3\.11 or newer, and this is Python \d\.\d+; install a newer Python .*\n"
        )
        assert re.fullmatch(sentence, run.stderr)
        assert run.stdout == ""


@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 10)])
def test_an_old_python_is_told_of_a_newer_one_that_starts(tmp_path: Path, version: tuple[int, int]) -> None:
    for name, status in (("python3.9", 0), ("python3.12", 0), ("python3.13", 127), ("python3.12-config", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {status}\n", encoding="ascii")
        (tmp_path / name).chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(bootstrap.Trouble) as trouble:
            bootstrap.require_python(version, os.pathsep.join([str(tmp_path / "missing"), str(tmp_path)]))
    seen = ".".join(map(str, version))
    assert str(trouble.value) == (
        f"The dojo needs Python 3.11 or newer, and this is Python {seen}; try: make test PYTHON=python3.12"
    )


def test_an_old_python_without_a_newer_one_is_told_where_to_get_it() -> None:
    with pytest.raises(
        bootstrap.Trouble, match=r"this is Python 3\.8; install a newer Python \(https://www\.python"
    ):
        bootstrap.require_python((3, 8), "")


def test_python_3_11_is_new_enough() -> None:
    bootstrap.require_python((3, 11), "")
    bootstrap.require_python((4, 0), "")


@pytest.mark.parametrize(
    ("family", "advice"),
    [
        ({"ubuntu", "debian"}, f"sudo apt install python3.{sys.version_info.minor}-venv"),
        ({"fedora"}, "add it with your system's package manager"),
        (set[str](), "install a newer Python"),
    ],
)
def test_a_python_without_ensurepip_is_told_how_to_get_it(
    home: Path,
    family: set[str],
    advice: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ensurepip" else real(name))
    monkeypatch.setattr(bootstrap, "distribution", lambda: family)
    assert set_up(home) == 1
    line = one_line(capsys)
    assert "came without its ensurepip module" in line
    assert advice in line
    assert not (home / ".venv").exists()


# --- a set-up, and what it leaves alone --------------------------------------------------------------------


def test_the_first_run_installs_and_the_next_does_nothing(
    home: Path, pip: Pip, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set_up(home) == 0
    said = capsys.readouterr().err
    assert said.startswith("Setting up the dojo (once, about 10 s)")
    assert "The dojo is ready, in " in said
    assert "\r" not in said
    os.utime(home / STAMP, (0, 0))
    assert set_up(home) == 0
    assert one_line(capsys) == "The dojo is ready."
    assert len(pip.asked) == 1
    assert (home / STAMP).stat().st_mtime >= (home / "pyproject.toml").stat().st_mtime


def test_dev_adds_to_what_is_there(home: Path, pip: Pip, capsys: pytest.CaptureFixture[str]) -> None:
    assert set_up(home) == 0
    (home / ".venv" / "witness").touch()
    assert not (home / STAMP_DEV).exists()
    assert set_up(home, "--dev") == 0
    assert "Adding the tools for `make check`" in capsys.readouterr().err
    assert (home / ".venv" / "witness").exists()
    assert set_up(home, "--dev") == 0
    assert len(pip.asked) == 2


def test_dev_on_a_fresh_clone_asks_pip_once(home: Path, pip: Pip) -> None:
    pip.program = "raise SystemExit('ERROR: no')"
    ask_for(home, ["a==1"], ["b==2"])
    assert set_up(home, "--dev") == 1
    assert pip.asked == [["a==1", "b==2"]]


@pytest.mark.parametrize(
    "change", ["half-made", "another stamp", "constraints", "interpreter gone", "a file"]
)
def test_a_venv_that_is_not_right_is_made_anew(home: Path, pip: Pip, change: str) -> None:
    assert set_up(home, "--dev") == 0
    junk = home / ".venv" / "junk"
    junk.touch()
    if change == "half-made":
        (home / STAMP).unlink()
    elif change == "another stamp":
        (home / STAMP).write_bytes(b"\xff\n")
    elif change == "constraints":
        (home / "constraints.txt").write_text("example==2.0\n", encoding="utf-8")
    elif change == "interpreter gone":
        python = Path(bootstrap.venv_python(str(home)))
        python.unlink()
        python.symlink_to(home / "no such python")
    else:
        shutil.rmtree(home / ".venv")
        (home / ".venv").touch()
    assert set_up(home) == 0
    assert not junk.exists()
    assert (home / STAMP).exists()
    assert not (home / STAMP_DEV).exists()
    assert Path(bootstrap.venv_python(str(home))).exists()


def test_a_link_is_removed_and_not_what_it_leads_to(home: Path, pip: Pip, tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "keep").touch()
    (home / ".venv").symlink_to(treasure)
    assert set_up(home) == 0
    assert (treasure / "keep").exists()
    assert not (home / ".venv").is_symlink()


def test_settings_that_lead_pip_elsewhere_are_dropped_and_those_of_the_network_kept() -> None:
    given = {
        "PIP_USER": "1",
        "PIP_TARGET": "/elsewhere",
        "PIP_INDEX_URL": "https://mirror.example.com/simple",
    }
    mended = bootstrap.pip_environment(given)
    assert mended["PIP_USER"] == "0"
    assert "PIP_TARGET" not in mended
    assert mended["PIP_INDEX_URL"] == given["PIP_INDEX_URL"]


def test_a_terminal_sees_one_line_that_changes() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    say = bootstrap.Say(stream)
    watch = bootstrap.Watch(say)
    watch("Collecting pytest==9.2.0 (from -r somewhere)")
    watch("  Downloading something")
    watch("Installing collected packages: a, b, c")
    say.line("Done.")
    seen = stream.getvalue()
    assert seen.startswith("\r  package 1: pytest\r  unpacking 3 packages\r")
    assert seen.endswith(" \rDone.\n")
    assert "\x1b" not in seen


# --- troubles ----------------------------------------------------------------------------------------------


def test_no_network_is_one_sentence(
    home: Path, pip: Pip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def real_pip(root: str, wants: Sequence[str]) -> list[str]:
        return [sys.executable, "-I", "-m", "pip", "install", "--target", root + "/elsewhere", *wants]

    for name in [name for name in os.environ if name.upper().endswith("_PROXY") or name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setattr(bootstrap, "pip_command", real_pip)
    ask_for(home, ["example==1.0"], [])
    assert set_up(home) == 1
    assert one_line(capsys).startswith(
        "The first set-up needs the network, and pip cannot reach its package index; "
    )
    assert not (home / STAMP).exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("ERROR: OSError: [Errno 28] No space left on device", "The disk is full, "),
        (
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))",
            "The package index showed a",
        ),
    ],
)
def test_a_known_trouble_of_pip_is_one_sentence(
    home: Path, pip: Pip, words: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pip.program = f"print({words!r}); raise SystemExit(1)"
    assert set_up(home) == 1
    assert one_line(capsys).startswith(sentence)


def test_an_unknown_trouble_of_pip_shows_its_last_words_and_the_log(
    home: Path, pip: Pip, capsys: pytest.CaptureFixture[str]
) -> None:
    pip.program = (
        "print('first'); print('ERROR: no wheel ' + 'x' * 5000); print('a notice'); raise SystemExit(1)"
    )
    assert set_up(home) == 1
    said = capsys.readouterr().err
    assert "pip failed:\n    ERROR: no wheel xxx" in said
    assert max(map(len, said.splitlines())) < 250
    assert f"(its whole output: {home / bootstrap.LOG})" in said
    log = (home / bootstrap.LOG).read_text(encoding="utf-8")
    assert "first\n" in log
    assert "x" * 5000 in log
    assert not (home / STAMP).exists()


def test_a_pip_that_installed_elsewhere_is_not_believed(
    home: Path, pip: Pip, capsys: pytest.CaptureFixture[str]
) -> None:
    ask_for(home, ["example-of-a-package==1.0"], [])
    assert set_up(home) == 1
    assert one_line(capsys).startswith("pip ended well but the packages are not in .venv")
    assert not (home / STAMP).exists()


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (
            errno.EROFS,
            "Cannot write /home/student/x (Read-only file system); make the folder writable for you",
        ),
        (errno.EACCES, "Cannot write /home/student/x (Permission denied); make the folder writable for you"),
        (errno.ENOSPC, "The disk is full, "),
        (errno.EIO, "The set-up failed: [Errno 5] Input/output error"),
    ],
)
def test_what_the_system_refuses_is_one_sentence(
    home: Path,
    pip: Pip,
    number: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(root: str) -> None:
        raise OSError(number, os.strerror(number), "/home/student/x")

    monkeypatch.setattr(bootstrap, "venv_command", refuse)
    assert set_up(home) == 1
    assert one_line(capsys).startswith(sentence)


def test_a_damaged_or_missing_pyproject_says_how_to_bring_it_back(
    home: Path, pip: Pip, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "pyproject.toml").write_text("[project\n", encoding="utf-8")
    assert set_up(home) == 1
    assert one_line(capsys).endswith("bring it back: git checkout -- pyproject.toml constraints.txt")
    (home / "pyproject.toml").unlink()
    assert set_up(home) == 1
    assert one_line(capsys).startswith("Cannot read ")


def test_a_wrong_argument_shows_the_usage(home: Path, pip: Pip, capsys: pytest.CaptureFixture[str]) -> None:
    assert set_up(home, "--fast") == 2
    assert one_line(capsys) == "usage: bootstrap.py [--dev]"
    assert not (home / ".venv").exists()


# --- cut off, and two at once ------------------------------------------------------------------------------


class Elsewhere:
    """A set-up in a process group of its own, whose pip says that it has begun and ends when told to."""

    program = """
import os, sys
sys.path.insert(0, sys.argv[1])
from dojo import bootstrap
root, begun, go_on = sys.argv[2:5]
pip = "import sys; open(sys.argv[1], 'w').write('begun'); open(sys.argv[2]).read()"
bootstrap.venv_command = lambda root: [sys.executable, "-I", "-m", "venv", "--without-pip", root + "/.venv"]
bootstrap.pip_command = lambda root, wants: [sys.executable, "-c", pip, begun, go_on]
sys.exit(bootstrap.main([], root))
"""

    def __init__(self, root: Path, name: str) -> None:
        # Pipes with names: opening one waits for the other side, so none has to guess when that is ready.
        self.begun = root.parent / f"{name} has begun"
        self.go_on = root.parent / f"{name} may go on"
        os.mkfifo(self.begun)
        os.mkfifo(self.go_on)
        command = [
            sys.executable,
            "-c",
            self.program,
            str(PROJECT),
            str(root),
            str(self.begun),
            str(self.go_on),
        ]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)

    def wait_for_pip(self) -> None:
        assert self.begun.read_text(encoding="ascii") == "begun"

    def let_pip_end(self) -> None:
        self.go_on.write_text("", encoding="ascii")

    def hears(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.readline()

    def end(self) -> tuple[int, str]:
        """Its exit status and what it said that nobody has heard yet."""
        said = self.process.communicate(timeout=20)[1]
        return self.process.returncode, said

    def clear_away(self) -> None:
        """End what a failed test has left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.end()


@pytest.fixture
def elsewhere(home: Path) -> Iterator[Callable[[str], Elsewhere]]:
    begun: list[Elsewhere] = []

    def begin(name: str) -> Elsewhere:
        begun.append(Elsewhere(home, name))
        return begun[-1]

    yield begin
    for run in begun:
        run.clear_away()


@pytest.mark.parametrize("whole_group", [True, False])
def test_ctrl_c_is_one_line_and_the_next_run_mends(
    home: Path, pip: Pip, elsewhere: Callable[[str], Elsewhere], whole_group: bool
) -> None:
    run = elsewhere("first")
    run.wait_for_pip()
    # A terminal interrupts the whole group; `kill -INT` the set-up alone, which must then end its pip.
    (os.killpg if whole_group else os.kill)(run.process.pid, signal.SIGINT)
    status, said = run.end()
    assert status == 130
    assert said.splitlines()[1:] == ["Stopped half-way; the next run begins the set-up anew."]
    assert (home / ".venv").exists()
    assert not (home / STAMP).exists()
    assert set_up(home) == 0
    assert (home / STAMP).exists()


def test_a_second_run_waits_for_the_first_and_uses_its_work(elsewhere: Callable[[str], Elsewhere]) -> None:
    first = elsewhere("first")
    first.wait_for_pip()
    second = elsewhere("second")
    assert second.hears() == "Another set-up is at work in this folder; waiting for it ...\n"
    first.let_pip_end()
    assert first.end()[0] == 0
    status, said = second.end()
    assert status == 0
    assert said.startswith("The dojo is ready.\n")


def test_after_a_killed_run_the_next_waits_for_the_pip_that_it_left(
    elsewhere: Callable[[str], Elsewhere],
) -> None:
    first = elsewhere("first")
    first.wait_for_pip()
    first.process.kill()
    first.process.wait()
    second = elsewhere("second")
    assert second.hears() == "Another set-up is at work in this folder; waiting for it ...\n"
    first.let_pip_end()
    second.wait_for_pip()
    second.let_pip_end()
    status, said = second.end()
    assert status == 0
    assert said.startswith("The .venv here is unfinished or out of date; making it anew.\n")
    assert first.end()[0] == -signal.SIGKILL


# --- make --------------------------------------------------------------------------------------------------


def make(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make as a student's shell would, not as a part of the make that may run these tests."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    for name in ("KATA", "SUBJECT", "ALL", "DEBUG", "SEED", "TEST", "PYTHON"):
        clean.pop(name, None)
    command = ["make", *arguments]
    return subprocess.run(
        command, cwd=root, env=clean | environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def ready(home: Path) -> Path:
    """A project that looks set up; its Python prints what it is given."""
    python = home / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    script = '#!/bin/sh\nprintf "%s|%s|%s" "$*" "$KATA" "$SEED"\nexit "${SEED:-0}"\n'
    python.write_text(script, encoding="ascii")
    python.chmod(0o755)
    (home / STAMP).touch()
    (home / STAMP_DEV).touch()
    return home


def test_make_alone_is_help_and_needs_no_python(home: Path) -> None:
    (home / "katas" / "urlparse").mkdir(parents=True)
    (home / "katas" / "urlparse" / "README.md").touch()
    alone = make(home, PYTHON="no-such-python")
    assert alone.returncode == 0
    assert alone.stderr == ""
    for word in ("make test KATA=urlparse", "make hint", "make check", "make bench", "Katas: urlparse\n"):
        assert word in alone.stdout
    assert make(home, "help").stdout == alone.stdout
    assert not (home / ".venv").exists()


@pytest.mark.parametrize(
    "name",
    [
        "$(rm -rf dojo; touch pwned)",
        "$(shell touch pwned)",
        "$$(touch pwned)",
        "`touch pwned`",
        "'; touch pwned; '",
        '"; touch pwned; "',
        "x; touch pwned",
        "two  words # and more",
        "$HOME ${HOME} %d\\",
        "网络",
    ],
)
def test_a_strange_name_is_a_name_and_no_command(ready: Path, name: str) -> None:
    assert make(ready, "test", f"KATA={name}").stdout == f"-m dojo test|{name}|"
    assert make(ready, "test", KATA=name).stdout == f"-m dojo test|{name}|"
    assert not (ready / "pwned").exists()
    assert (ready / "dojo").exists()


@pytest.mark.parametrize("target", ["test", "hint", "check", "bench"])
def test_a_later_run_pays_nothing_for_the_set_up(ready: Path, target: str) -> None:
    plan = make(ready, "-n", target)
    assert plan.stdout == f".venv/bin/python -m dojo {target}\n"
    run = make(ready, target, "PYTHON=no-such-python")
    assert (run.returncode, run.stdout, run.stderr) == (0, f"-m dojo {target}||", "")


@pytest.mark.parametrize("change", ["pyproject.toml", "constraints.txt", "stamp", "interpreter"])
def test_make_sets_up_when_something_is_newer_or_gone(ready: Path, change: str) -> None:
    if change == "stamp":
        (ready / STAMP).unlink()
    elif change == "interpreter":
        (ready / ".venv" / "bin" / "python").unlink()
        (ready / ".venv" / "bin" / "python").symlink_to("no such python")
    else:
        later = (ready / STAMP).stat().st_mtime + 10
        os.utime(ready / change, (later, later))
    assert "python3 dojo/bootstrap.py" in make(ready, "-n", "test").stdout


def test_make_fails_when_the_dojo_does(ready: Path) -> None:
    assert make(ready, "test", "SEED=3").returncode == 2


def test_make_without_python_says_so(home: Path) -> None:
    run = make(home, "test", "PYTHON=no-such-python")
    assert run.returncode == 2
    assert run.stderr.startswith(
        "Cannot start no-such-python; install Python 3.11 or newer (https://www.python.org"
    )


# --- what the files agree on -------------------------------------------------------------------------------


def test_each_version_is_exact_and_has_one_place() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    named = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    lines = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = named + [line for line in lines if not line.startswith("#")]
    for pin in pins:
        assert re.fullmatch(r"[\w-]+==[\d.]+", pin), pin
    names = [re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower() for pin in pins]
    assert len(names) == len(set(names))


def test_no_file_beside_the_bootstrap_shadows_the_standard_library() -> None:
    # Python puts the folder of the program it runs first on its path.
    assert {path.stem for path in SOURCE.parent.iterdir()}.isdisjoint(sys.stdlib_module_names)
