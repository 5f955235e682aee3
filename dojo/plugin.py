"""The pytest plugin: the fixtures of the katas' tests, and failures told as a student can read them."""

from __future__ import annotations

import importlib
import json
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dojo import catalog, hints, launch, screen, trouble
from dojo.expect import Scene, Student
from dojo.failure import Failed, Failure, Row
from dojo.fresh import Fresh
from dojo.result import ERROR, PASS, Result, kata_of, titles
from dojo.words import word

if TYPE_CHECKING:
    from dojo.fakes.http import FakeHTTP
    from dojo.fakes.pop3 import FakePOP3
    from dojo.fakes.raw import FakeTCP
    from dojo.fakes.smtp import FakeSMTP
    from dojo.fakes.tls import Authority
    from dojo.wire import Wire

SCENE = pytest.StashKey[Scene]()
RESULT = pytest.StashKey[Result]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options that `python -m dojo test` passes on."""
    group = parser.getgroup("dojo")
    group.addoption("--subject", default="", help="the file or folder to judge, or `reference`")
    group.addoption("--seed", default="", help="the seed of the fresh data")
    group.addoption("--student-python", default=sys.executable, help="the interpreter for the student's code")
    group.addoption("--foreground", action="store_true", help="the student's code has the terminal, no deadlines")
    group.addoption("--shuffle", default="", metavar="SEED", help="run the tests in another order")
    group.addoption("--test", default="", help="one test, by its number or name, or several with commas")
    group.addoption("--results", default="", metavar="FILE", help="write the results as lines of JSON")
    group.addoption("--extra", action="store_true", help="the last tests are a teacher's own of the same kata")


def pytest_configure(config: pytest.Config) -> None:
    """One session's state: the launchers, the files that cannot be loaded, the results."""
    config.pluginmanager.register(Session(config), "dojo-session")


class Session:
    """What lives as long as a run of pytest."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.results: list[Result] = []
        self.import_failures: dict[Path, Failure] = {}
        self.warm: launch.Launcher | None = None
        """A launcher started ahead by the command line, while pytest itself was still loading."""
        self._last = False
        self._launcher: launch.Launcher | None = None
        self._launcher_for: Path | None = None

    @cached_property
    def seed(self) -> str:
        """The seed of this run's fresh data: the one asked for, or a new one."""
        return self.config.getoption("--seed") or os.urandom(4).hex()

    def launcher(self, subject: Path) -> launch.Launcher:
        """One for each student's file: what one file loads must not be there for the next."""
        if self._launcher is None or self._launcher_for != subject:
            if self._launcher is not None:
                self._launcher.close()
            option = self.config.getoption
            self._launcher = self.warm or launch.launcher(subject, option("--student-python"), option("--foreground"))
            self._launcher_for, self.warm = subject, None
        self._launcher.last = self._last
        return self._launcher

    def close(self) -> None:
        """End what was started."""
        for launcher in (self._launcher, self.warm):
            if launcher is not None:
                launcher.close()
        self._launcher = self.warm = None

    # --- hooks ---------------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Number the tests in the order of the contract; shuffle them if that is asked for."""
        numbers: dict[str, int] = {}
        extra = self.config.getoption("--extra")
        kata = ""
        for item in items:
            own = item.path.parent == launch.ROOT / "tests"
            if isinstance(item, pytest.Function) and (own or extra):
                kata = kata_of(item.path) if own else kata
                numbers[kata] = numbers.get(kata, 0) + 1
                made = Result(kata, item.originalname, numbers[kata], titles(item.function), extra=not own)
                item.stash[RESULT] = made
        self.choose(items)

    def choose(self, items: list[pytest.Item]) -> None:
        """Keep the tests that are asked for, in the order that is asked for."""
        only = self.config.getoption("--test")
        if only:
            items[:] = [item for item in items if RESULT in item.stash and _is(item.stash[RESULT], only)]
        if self.config.getoption("--shuffle"):
            random.Random(self.config.getoption("--shuffle")).shuffle(items)
        # A run that has to be ended is worth the results that it came to.
        self._write({"awaited": [item.stash[RESULT].as_data() for item in items if RESULT in item.stash]})

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Load what makes certificates, if a test will ask for them, while the first tests wait for the student."""
        asked = any("authority" in getattr(item, "fixturenames", ()) for item in session.items)
        if asked and "trustme" not in sys.modules:
            threading.Thread(target=importlib.import_module, args=("trustme",), daemon=True).start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, nextitem: pytest.Item | None) -> None:
        """Note whether this test is the last one."""
        self._last = nextitem is None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """After a test that passes: the student's program must be able to end, the fakes must be content."""
        result = yield
        scene = item.stash.get(SCENE, None)
        if scene is not None:
            scene.finish()
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn a failure into data, and into the text that a student reads."""
        if RESULT in item.stash and call.excinfo is not None and _failure(call.excinfo.value) is not None:
            item.repr_failure = _untold  # type: ignore[assignment,method-assign]
        report = yield
        result = item.stash.get(RESULT, None)
        if result is None:
            return report
        result.seconds += call.duration
        if report.failed:
            self._fail(item, call, report, result)
        elif report.when == "call" and report.passed and not result.status:
            result.status = PASS
        if report.when == "teardown":
            self.results.append(result)
            self._write({"result": result.as_data()})
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: Any) -> bool | None:
        """End a kata's test that takes too long by an exception of its own; pytest-timeout's way needs a terminal."""
        if RESULT not in item.stash or not hasattr(signal, "SIGALRM"):
            return None

        def ring(*_: object) -> None:
            raise Late(f"{settings.timeout:g}")

        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, settings.timeout)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_timeout_cancel_timer(self, item: pytest.Item) -> bool | None:
        """And no other one."""
        if RESULT not in item.stash or not hasattr(signal, "SIGALRM"):
            return None
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        return True

    def _fail(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport, result: Result
    ) -> None:
        error = call.excinfo.value if call.excinfo else None
        failure = _failure(error)
        if failure is None and SCENE in item.stash:
            failure = _late(error, item.stash[SCENE]) or (_plain(error) if result.extra else None)
        if failure is not None and SCENE in item.stash:
            result.failed(failure, item.stash[SCENE])
            if result.extra and not hints.known(result.reason, catalog.Kata(result.kata).hints):
                result.reason = "extra_test"  # a teacher's test has no hints
            if not hints.known(result.reason, catalog.Kata(result.kata).hints):
                result.status, result.internal = ERROR, f"hints.toml has no entry `{result.reason}`"
            if item.config.pluginmanager.has_plugin("terminalreporter"):  # elsewhere, nobody would read it
                report.longrepr = "\n".join(screen.details(result))
        else:
            result.status, result.reason, result.internal = ERROR, "infrastructure", report.longreprtext

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write that the results are complete, unless no test ran, on an error of use or of pytest."""
        if self.results and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self._write({"complete": True})

    def _write(self, told: dict[str, Any]) -> None:
        path = self.config.getoption("--results")
        if path:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(json.dumps(told) + "\n")

    def pytest_unconfigure(self) -> None:
        """End every process, whatever happened."""
        self.close()


def _untold(_: object) -> str:
    """What pytest tells of a failure that is told by dojo.screen: its own traceback would take longer than the test."""
    return ""


def _failure(error: BaseException | None) -> Failure | None:
    if isinstance(error, Failed):
        return error.failure
    if isinstance(error, AssertionError) and type(error).__name__ == "NoSuchRequest":
        rows = [Row("received", text) for text in getattr(error, "seen", [])]
        return Failure("no_such_request", tuple(rows), {"what": str(error)})
    if isinstance(error, AssertionError) and type(error).__name__ == "NoSuchContent":
        return Failure("no_such_content", (), {"what": str(error)})
    return None


class Late(BaseException):
    """A test has taken longer than a test may. No `except Exception` of a wait catches it."""


def _late(error: BaseException | None, scene: Scene) -> Failure | None:
    """The failure when a test was ended. Each wait of the dojo's own has a deadline, so that only a student's program
    that answers late each time can take so long."""
    if scene.process is None or not isinstance(error, Late):
        return None
    values = {"seconds": str(error), "place": trouble.short(scene.subject), "doing": word("idle")}
    return Failure("hang", (), values)


def _plain(error: BaseException | None) -> Failure | None:
    """The failure when a teacher's own test says `assert`."""
    if not isinstance(error, AssertionError):
        return None
    return Failure("extra_test", (Row("got", str(error)[:300]),) if str(error) else ())


def _is(result: Result, wanted: str) -> bool:
    names = {name.removeprefix("test_") for name in wanted.split(",")}
    return str(result.number) in names or result.test.removeprefix("test_") in names


def _session(request: pytest.FixtureRequest) -> Session:
    session = request.config.pluginmanager.get_plugin("dojo-session")
    assert isinstance(session, Session)
    return session


@pytest.fixture
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    """The test's scene: `scene.tell("the server answers 404")` says what the test does."""
    session = _session(request)
    result = request.node.stash.get(RESULT, None)
    chosen = catalog.Kata(result.kata if result else kata_of(request.path))
    try:
        subject = catalog.subject_file(chosen, request.config.getoption("--subject"))
    except catalog.UsageError as error:
        pytest.exit(str(error), 2)
    made = Scene(
        request.function.__name__.removeprefix("test_"),
        subject,
        lambda: session.launcher(subject),
        session.import_failures,
        request.config.getoption("--foreground"),
    )
    request.node.stash[SCENE] = made
    yield made
    made.end()


@pytest.fixture
def student(scene: Scene) -> Student:
    """The student's functions: `student.port(url)` calls `port` in a process of its own."""
    return scene.student


@pytest.fixture
def fresh(request: pytest.FixtureRequest) -> Fresh:
    """Fresh data, other in each run and each test, the same again with the same seed."""
    return Fresh(f"{_session(request).seed}/{request.node.name}")


@pytest.fixture
def wire(scene: Scene) -> Wire:
    """The transcript of what crosses the wire in this test."""
    return scene.transcript()


@pytest.fixture(scope="session")
def authority() -> Iterator[Authority]:
    """Certificates for this run, right and wrong."""
    from dojo.fakes.tls import Authority

    with Authority() as made:
        yield made


@pytest.fixture
def http(wire: Wire) -> Iterator[FakeHTTP]:
    """An HTTP server for this test."""
    from dojo.fakes.http import FakeHTTP

    with FakeHTTP(wire) as server:
        yield server


@pytest.fixture
def other_http(wire: Wire) -> Iterator[FakeHTTP]:
    """A second HTTP server for this test: another site."""
    from dojo.fakes.http import FakeHTTP

    with FakeHTTP(wire, name="other") as server:
        yield server


@pytest.fixture
def https(scene: Scene, wire: Wire, authority: Authority) -> Iterator[FakeHTTP]:
    """An HTTPS server for this test. The student's program trusts its authority, by SSL_CERT_FILE."""
    from dojo.fakes.http import FakeHTTP

    scene.environment["SSL_CERT_FILE"] = authority.ca_file
    with FakeHTTP(wire, tls=authority.good) as server:
        yield server


@pytest.fixture
def pop3(wire: Wire, authority: Authority) -> Iterator[FakePOP3]:
    """A POP3 server for this test: plain text, and TLS for the client that asks by STLS."""
    from dojo.fakes.pop3 import FakePOP3

    with FakePOP3(wire, stls=authority.good) as server:
        yield server


@pytest.fixture
def pop3s(scene: Scene, wire: Wire, authority: Authority) -> Iterator[FakePOP3]:
    """A POP3 server that speaks TLS at once. The student's program trusts its authority, by SSL_CERT_FILE."""
    from dojo.fakes.pop3 import FakePOP3

    scene.environment["SSL_CERT_FILE"] = authority.ca_file
    with FakePOP3(wire, tls=authority.good) as server:
        yield server


@pytest.fixture
def raw(wire: Wire) -> Iterator[Callable[..., FakeTCP]]:
    """Servers that follow a script, each made by a call: `raw([ReadRequest(), Send(b"..."), Close()])`."""
    from contextlib import ExitStack

    from dojo.fakes.raw import FakeTCP

    with ExitStack() as servers:

        def make(script: Any, **options: Any) -> FakeTCP:
            return servers.enter_context(FakeTCP(wire, script, **options))

        yield make


@pytest.fixture
def smtp(scene: Scene, wire: Wire, authority: Authority) -> Iterator[Callable[..., FakeSMTP]]:
    """Mail servers, each made by a call: `smtp()` speaks TLS from the first byte, `smtp(starttls=True)` offers it,
    `smtp("expired")` shows another certificate of the authority's, `smtp(None)` knows no TLS. The student's program
    trusts the authority, by SSL_CERT_FILE."""
    from contextlib import ExitStack

    from dojo.fakes.smtp import FakeSMTP

    scene.environment["SSL_CERT_FILE"] = authority.ca_file
    with ExitStack() as servers:

        def make(certificate: str | None = "good", **options: Any) -> FakeSMTP:
            tls = getattr(authority, certificate) if certificate else None
            return servers.enter_context(FakeSMTP(wire, tls=tls, **options))

        yield make
