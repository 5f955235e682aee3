"""Each way in which a student's code may fail to answer costs one test, and is told in one sentence."""

from __future__ import annotations

import os
import sys
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from dojo import hints
from dojo.failure import shown
from tests.dojo.students import Bench, body

# what f() does, the reason that is given, and what its sentence must say
ENDINGS = [
    ("os._exit(0)", "ended_process", "exit code 0"),
    ("os._exit(7)", "ended_process", "exit code 7"),
    ("sys.exit(0)", "wanted_to_end", "SystemExit"),
    ("exit()", "wanted_to_end", "SystemExit"),
    ("raise KeyboardInterrupt", "wanted_to_end", "KeyboardInterrupt"),
    ("raise GeneratorExit", "wanted_to_end", "GeneratorExit"),
    ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed", "SIGSEGV"),
    ("os.abort()", "crashed", "SIGABRT"),
    ("os.kill(os.getpid(), signal.SIGKILL)", "killed", "SIGKILL"),
    ("raise NotImplementedError", "not_written", "kata"),
    ("raise ValueError('no')", "raised", ":2"),
    ("return f()", "endless_recursion", ":2"),
    ("bytearray(1 << 40)", "memory_limit", "MemoryError"),
    ("input()", "asked_keyboard", ":2"),
    ("breakpoint()", "breakpoint", "DEBUG=1"),
    ("return None", "returned_none", "return"),
    ("return object()", "not_plain", "object"),
    ("return (n for n in [1])", "never_run", "generator"),
    ("return [1, {2: {3}}]", "not_plain", "set"),
    ("return [1, 10**5000]", "not_plain", "digits"),
    ("return b'x' * (40 << 20)", "too_large", "bytes"),
    ("os.close(3); os.close(4); os.closerange(0, 100); return 1", None, ""),
    ("[os.write(fd, b'xxxxxxxxxxxx') for fd in range(3, 8) if is_socket(fd)]; return 1", "garbled", ""),
]
HEAD = """
import os, signal, socket, stat, sys, threading, time
def is_socket(fd):
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False
"""


def told(result: object) -> str:
    """The sentence that a student reads."""
    entry = hints.reasons(hints.GENERAL)[result.reason]  # type: ignore[attr-defined]
    return entry.sentence(result.values)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("line", "reason", "says"), ENDINGS, ids=[line for line, _, _ in ENDINGS])
def test_each_ending_costs_one_test(each_bench: Bench, line: str, reason: str | None, says: str) -> None:
    source = body(line) + HEAD
    result = each_bench.verdict(source)
    assert result.status == "fail"
    if reason is not None:
        assert result.reason == reason
        assert says in told(result)
        assert "{" not in told(result)
    assert each_bench.verdict(body("return 1")).status == "pass"  # the next test is untouched


def test_a_right_answer_passes(each_bench: Bench) -> None:
    assert each_bench.verdict(body("return 1")).status == "pass"


@pytest.mark.parametrize(
    ("lines", "place", "doing"),
    [
        (["while True: pass"], ":2", "computing"),
        (["import time", "time.sleep(1000)"], ":3", "asleep"),
        (["import socket", "a, b = socket.socketpair()", "return a.recv(1)"], ":4", "waiting for bytes"),
        (["import threading", "threading.Event().wait()"], ":3", "signal from another thread"),
        (["import socket", "s = socket.create_server(('127.0.0.1', 0))", "s.accept()"], ":4", "client to connect"),
        (
            ["while True:", "    try:", "        import time; time.sleep(1000)", "    except BaseException: pass"],
            ":4",
            "asleep",
        ),
    ],
)
def test_a_hang_is_told_with_its_place(each_bench: Bench, lines: list[str], place: str, doing: str) -> None:
    result = each_bench.verdict(body(*lines), deadline=0.3)
    assert result.reason == "hang"
    assert place in told(result)
    assert doing in told(result)


def test_signals_cannot_be_refused(bench: Bench) -> None:
    lines = [f"signal.signal(signal.{name}, signal.SIG_IGN)" for name in ("SIGTERM", "SIGINT", "SIGALRM", "SIGUSR1")]
    assert bench.verdict(body("import signal", *lines, "while True: pass"), deadline=0.3).reason == "hang"


def test_a_stopped_process_is_a_hang(bench: Bench) -> None:
    source = body("import os, signal", "os.kill(os.getpid(), signal.SIGSTOP)")
    assert bench.verdict(source, deadline=0.3).reason == "hang"


def test_endless_printing_is_stopped(bench: Bench) -> None:
    result = bench.verdict(body("while True: print('x' * 10000)"), deadline=30)
    assert result.reason == "output_limit"
    assert len(result.printed) < 40000
    assert "left out" in result.printed


def test_what_was_printed_is_told(bench: Bench) -> None:
    result = bench.verdict(body("import sys", "print('to the screen')", "print('你好', file=sys.stderr)", "return 2"))
    assert "to the screen" in result.printed
    assert "你好" in result.printed


def test_what_was_printed_survives_a_crash(bench: Bench) -> None:
    assert "last words" in bench.verdict(body("import os", "print('last words', end='')", "os._exit(3)")).printed


def test_a_thread_that_is_left_is_named(each_bench: Bench) -> None:
    lines = ["import threading, time", "threading.Thread(target=time.sleep, args=(1000,), name='left').start()"]
    result = each_bench.verdict(body(*lines, "return 1"))
    assert result.reason == "thread_left"
    assert "left" in told(result)


@pytest.mark.parametrize(
    "lines",
    [
        ["import threading, time", "threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()"],
        ["import threading", "threading.Thread(target=print).start()"],
        ["from concurrent.futures import ThreadPoolExecutor", "ThreadPoolExecutor().submit(int).result()"],
    ],
)
def test_a_thread_that_ends_with_the_program_is_no_fault(bench: Bench, lines: list[str]) -> None:
    assert bench.verdict(body(*lines, "return 1")).status == "pass"


def test_an_exception_in_a_thread_is_told(bench: Bench) -> None:
    lines = ["import threading", "t = threading.Thread(target=int, args=('x',), name='reader')", "t.start(); t.join()"]
    with bench.scene(body(*lines, "return 1")) as scene:
        scene.call("f", (), {}, 5.0).returns(1)
        assert scene.process is not None
        process = scene.process
    assert [(error.thread, error.type) for error in process.thread_errors] == [("reader", "ValueError")]


@pytest.mark.parametrize(
    ("source", "reason", "says"),
    [
        ("def f(:\n", "syntax_error", ":1"),
        ("def f():\n    return (1\n", "syntax_error", "never closed"),
        (b"\xff\xfe", "syntax_error", "kata"),
        ("x = 1\n\x00", "syntax_error", "kata"),
        ("from __future__ import nonsense\n", "syntax_error", "nonsense"),
        ("import requests\n", "module_not_there", "requests"),
        ("1 / 0\n", "import_error", ":1"),
        ("import os\nos._exit(0)\n", "ended_process", "exit code 0"),
        ("import sys\nsys.exit()\n", "wanted_to_end", ":2"),
        ("input()\n", "asked_keyboard", ":1"),
        ("", "missing_function", "`f`"),
        ("def ff(): return 1\n", "misspelt_function", "`ff`"),
        ("def f(x): return 1\n", "wrong_signature", "parameters"),
        ("f = 3\n", "missing_function", "`f`"),
        ("async def f(): return 1\n", "never_run", "coroutine"),
    ],
)
def test_a_file_that_cannot_be_used(bench: Bench, source: str | bytes, reason: str, says: str) -> None:
    result = bench.verdict(source)
    assert result.reason == reason
    assert says in told(result)


def test_a_file_that_hangs_while_loading_costs_one_deadline(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    file = bench.file("while True: pass\n")
    from dojo.expect import Scene
    from dojo.failure import Failed
    from dojo.process import StudentProcess

    reasons = []
    started = time.monotonic()
    monkeypatch.setattr(StudentProcess.load, "__defaults__", (0.3,))
    for _ in range(20):
        scene = Scene("own", file, lambda: bench.launcher, bench.failures)
        with pytest.raises(Failed) as failed:
            scene.call("f", (), {}, 5.0)
        scene.end()
        reasons.append(failed.value.failure.reason)
    assert reasons == ["import_hang"] * 20
    assert bench.failures[file].values["place"].endswith(":1")
    assert time.monotonic() - started < 20  # not twenty deadlines: the second test knows it already


@pytest.mark.parametrize("name", ["pytest", "conftest", "json", "socket", "sitecustomize", "dojo", "threading", "os"])
def test_files_beside_the_students_change_no_verdict(bench: Bench, name: str) -> None:
    (bench.folder / f"{name}.py").write_text("import os\nos._exit(0)\n")
    assert bench.verdict(body("return 1")).status == "pass"
    assert bench.verdict(body("return 2")).reason == "own"


@pytest.mark.parametrize(
    "patch",
    [
        "import json; json.dumps = json.loads = lambda *a, **k: '{\"returned\": 1}'",
        "import socket; socket.socket.sendall = socket.socket.recv = lambda *a: b''",
        "import builtins; builtins.type = builtins.isinstance = builtins.issubclass = lambda *a: True",
        "import time; time.monotonic = time.time = lambda: 0.0",
        "import sys; sys.modules.clear()",
        "import gc; [o.clear() for o in gc.get_objects() if type(o) is dict and 'returned' in o]",
    ],
)
def test_a_patched_library_never_makes_a_wrong_answer_right(bench: Bench, patch: str) -> None:
    assert bench.verdict(body(patch, "return 2"), deadline=2).status == "fail"


LIARS = [
    "class Liar:\n    def __eq__(self, other): return True\n    __class__ = int\n    __hash__ = None",
    "class Liar(int):\n    def __eq__(self, other): return True\n    def __int__(self): return 1",
    "class Liar(int):\n    def __index__(self): return 1\n    __trunc__ = __float__ = __index__",
    "class Liar(str):\n    def __eq__(self, other): return True\n    def __str__(self): return '1'",
    "class Liar(dict):\n    def __eq__(self, other): return True\n    def items(self): return [(1, 1)]",
    "class Liar(tuple):\n    def __eq__(self, other): return True\n    _fields = ('a',)",
]


@pytest.mark.parametrize("liar", LIARS)
def test_what_claims_to_be_equal_is_not(bench: Bench, liar: str) -> None:
    assert bench.verdict(f"{liar}\n{body('return Liar()')}").status == "fail"


def test_a_mail_crosses_both_ways(each_bench: Bench) -> None:
    message = EmailMessage()
    message["To"] = "小明 <ming@example.com>"
    message.set_content("你好")
    source = """
def f(messages):
    message = messages[0]
    message["Cc"] = message["To"].addresses[0].addr_spec
    return message
"""
    with each_bench.scene(source) as scene:
        answer = scene.call("f", ([message],), {}, 5.0)
        got = answer.value()
    assert isinstance(got, bytes)
    back = message_from_bytes(got, policy=policy.default)
    assert (back["To"], back["Cc"]) == (message["To"], "ming@example.com")
    assert back.get_content() == "你好\n"
    assert shown(message) == "(mail To: 小明 <ming@example.com>)"


@pytest.mark.parametrize("text", ["while True: pass", "return 'x' * 10**7", "raise SystemExit", "return '\\x1b[2J'"])
def test_an_exception_whose_message_is_hostile(bench: Bench, text: str) -> None:
    source = f"class Hostile(Exception):\n    def __str__(self):\n        {text}\n{body('raise Hostile')}"
    result = bench.verdict(source, deadline=0.5)
    assert result.status == "fail"
    assert len(str(result.rows)) < 3000
    assert "\x1b" not in str(result.rows)


@pytest.mark.parametrize("call", ["return 1", "return 2", "while True: pass"])
def test_a_process_that_detached_itself_is_ended(bench: Bench, call: str) -> None:
    if sys.platform != "linux" or os.environ.get("DOJO_LAUNCH") == "spawn":
        return  # without a fork server there is nobody to adopt it; a grader's sandbox ends it
    lines = [
        "import os, time",
        "if os.fork() == 0:",
        "    os.setsid()",
        "    if os.fork() == 0:",
        f"        open({str(bench.folder / 'p')!r}, 'w').write(str(os.getpid()))",
        f"        os.rename({str(bench.folder / 'p')!r}, {str(bench.folder / 'pid')!r})",
        "        time.sleep(1000)",
        "    os._exit(0)",
        f"while not os.path.exists({str(bench.folder / 'pid')!r}): time.sleep(0.001)",
        call,
    ]
    bench.verdict(body(*lines), deadline=1.0)
    pid = (bench.folder / "pid").read_text()
    assert bench.verdict(body("return 1")).status == "pass"  # which is started when the one before has been ended
    assert pid
    assert not Path(f"/proc/{pid}").exists()


def test_nothing_is_left_when_the_judge_is_killed(tmp_path: Path) -> None:
    import subprocess

    write = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
    (tmp_path / "slow.py").write_text(body("import time, os", write, "time.sleep(1000)"))
    code = (
        "from pathlib import Path\n"
        "from dojo.launch import launcher; from dojo.process import StudentProcess\n"
        f"slow = Path({str(tmp_path / 'slow.py')!r}); process = StudentProcess(launcher(slow), slow)\n"
        "process.load(); process.call('f', (), {}, 1000.0)\n"
    )
    root = Path(__file__).resolve().parent.parent.parent
    judge = subprocess.Popen([sys.executable, "-c", code], cwd=root)
    deadline = time.monotonic() + 10
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    judge.kill()
    judge.wait()
    pid = (tmp_path / "pid").read_text()
    while sys.platform == "linux" and Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_students_program_starts_as_bare_as_a_new_one(bench: Bench) -> None:
    """A forgotten `import urllib.parse` must fail here as it does elsewhere."""
    for attribute in ("parse", "request", "error"):
        result = bench.verdict(f"import urllib\n{body(f'urllib.{attribute}', 'return 1')}")
        assert result.reason == "raised", attribute


def test_the_environment_is_clean(each_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example.com:3128")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("SECRET", "x")
    with each_bench.scene(body("import os", "return dict(os.environ)")) as scene:
        names = set(scene.call("f", (), {}, 5.0).value())
    assert not {name for name in names if "proxy" in name.lower() or name.startswith("PYTHON") or name == "SECRET"}


def test_a_time_zone_that_a_test_asks_for(each_bench: Bench) -> None:
    """Also where the process comes from a server of forks, whose C library has its own zone in mind."""
    with each_bench.scene(body("import time", "return time.localtime(0).tm_hour")) as scene:
        scene.environment["TZ"] = "XXX-8"
        assert scene.call("f", (), {}, 5.0).value() == 8
