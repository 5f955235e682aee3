"""What a kata's tests say: call the student's functions, judge what came of it.

    student.port("http://example.com:8080/").returns(8080, port_is_text="8080")
    student.port("http://example.com:99999/").raises("ValueError")
    expect(request.body, "received").equals(b"name=Ada", body_is_query=b"")

The keywords are mistakes: the name is the reason (an entry of the kata's hints.toml), the value is what a
student who makes this mistake gives, or a function that recognises it. Where nothing matches, the reason is the
name of the test itself, which has its entry too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from dojo import places, terminal
from dojo.failure import Failed, Failure, Row, shown, shown_call
from dojo.launch import Launcher
from dojo.outcome import Frame, Loaded, Outcome, Raised, Returned
from dojo.process import DEADLINE, StudentProcess
from dojo.trouble import import_trouble, place, raised_text, short, trouble
from dojo.words import LANGUAGES, language, word

if TYPE_CHECKING:
    from dojo.server import Program, Server
    from dojo.wire import Wire

ALIGNED = 16
"""Characters or bytes from which two texts are shown one above the other, a caret under the first difference."""


@dataclass(frozen=True)
class raises:  # noqa: N801 - reads as a word in a test: `gives_up=raises("KeyError")`
    """A mistake that shows as an exception of this type, with this text in its message."""

    type: str
    message: str = ""

    def matches(self, outcome: object) -> bool:
        """Whether the outcome is this exception (or one derived from it)."""
        return isinstance(outcome, Raised) and self.type in outcome.bases and self.message in outcome.message


def same(expected: Any, actual: Any) -> bool:
    """Equal and of the same type, all the way down; a list and a tuple of the same items are the same.

    Both sides are plain data, so nothing of the student's decides what equal means. True is not 1, 1.0 is not 1,
    b"a" is not "a".
    """
    if isinstance(expected, (list, tuple)) and isinstance(actual, (list, tuple)):
        return len(expected) == len(actual) and all(map(same, expected, actual))
    if isinstance(expected, dict) and isinstance(actual, dict):
        return len(expected) == len(actual) and all(
            key in actual and same(value, actual[key]) for key, value in expected.items()
        )
    return type(expected) is type(actual) and bool(expected == actual)


def _matches(pattern: Any, got: Any) -> bool:
    if isinstance(pattern, raises):
        return pattern.matches(got)
    if callable(pattern):
        try:
            return bool(pattern(got))
        except Exception:
            return False  # written for answers of another kind than this one
    return same(pattern, got)


def matching(mistakes: dict[str, Any], got: Any) -> str | None:
    """The name of the first mistake that this answer shows."""
    return next((reason for reason, pattern in mistakes.items() if _matches(pattern, got)), None)


def _general_mistake(expected: Any, got: Any) -> str | None:
    """The reason when the wrong answer bears the mark of a mistake that can be made in every kata."""
    if got is None:
        return "returned_none"
    if isinstance(expected, str) and isinstance(got, bytes):
        return "bytes_not_text"
    if isinstance(expected, bytes) and isinstance(got, str):
        return "text_not_bytes"
    if isinstance(expected, str) and isinstance(got, str) and got[:2] in ("b'", 'b"') and expected[:2] != got[:2]:
        return "printed_bytes"
    return None


def _with_kind(value: Any, other: Any) -> str:
    text = shown(value)
    numbers = isinstance(value, (int, float, str)) and isinstance(other, (int, float, str))
    return f"{text}   ({type(value).__name__})" if numbers and type(value) is not type(other) else text


class Expectation:
    """A value, and what is expected of it. `label` is a key of words.py that says whose value it is."""

    def __init__(self, scene: Scene, value: Any, label: str = "got", rows: tuple[Row, ...] = ()) -> None:
        self._scene = scene
        self._value = value
        self._label = label
        self._rows = rows
        self.place: Frame | None = None

    def equals(self, expected: Any, **mistakes: Any) -> None:
        """The value is this one, by `same`."""
        if not same(expected, self._value):
            self.fail(expected, mistakes)

    def satisfies(self, test: Callable[[Any], bool], expected: str | tuple[str, str], **mistakes: Any) -> None:
        """The value passes the test; `expected` says in words, or in English and in Chinese, what is wanted."""
        if not _matches(test, self._value):
            words = expected if isinstance(expected, str) else expected[LANGUAGES.index(language())]
            self.fail(words, mistakes, in_words=True)

    def fail(self, expected: Any, mistakes: dict[str, Any], in_words: bool = False) -> NoReturn:
        """Fail by the first mistake that matches, a general one, or the test's own name."""
        got = self._value
        named = matching(mistakes, got)
        reason = named or (None if in_words else _general_mistake(expected, got)) or self._scene.test_name
        rows = self._words(expected) if in_words else self._difference(expected)
        self._scene.fail(Failure(reason, (*self._rows, *rows), {}, self.place))

    def _words(self, expected: str) -> list[Row]:
        got = self._value
        found = raised_text(got) if isinstance(got, Raised) else shown(got)
        return [Row("expected", expected), Row(self._label, found)]

    def _difference(self, expected: Any) -> list[Row]:
        got = self._value
        if type(expected) is type(got) and isinstance(got, (str, bytes)) and min(len(expected), len(got)) >= ALIGNED:
            from dojo.wire import side_by_side

            names = 10  # columns of the names with which side_by_side begins its rows
            lines = side_by_side(expected, got, names + max(40, terminal.columns() - 24))
            caret = " " * (lines[2].index("^") - names) + "^ " + self._where(expected, got)
            return [Row("expected", lines[0][names:]), Row(self._label, lines[1][names:]), Row("", caret)]
        return [Row("expected", _with_kind(expected, got)), Row(self._label, _with_kind(got, expected))]


    @staticmethod
    def _where(expected: str | bytes, got: str | bytes) -> str:
        from dojo.wire import first_difference

        at = first_difference(expected, got)
        place = word("at_character" if isinstance(got, str) else "at_byte", number=str(at))
        if at == len(got):
            return f"{place}: {word('ends_here')}"
        return f"{place}: {word('should_end')}" if at == len(expected) else place


class Answer:
    """What came of one call into the student's code."""

    def __init__(self, scene: Scene, call: str, outcome: Outcome, subject: Path) -> None:
        self._scene = scene
        self._rows = (Row("called", call),)
        self._subject = subject
        self.outcome = outcome

    def returns(self, expected: Any, **mistakes: Any) -> None:
        """The call returned this value, by `same`."""
        self._judged(mistakes).equals(expected, **mistakes)

    def satisfies(self, test: Callable[[Any], bool], expected: str | tuple[str, str], **mistakes: Any) -> None:
        """The call returned a value that passes the test; `expected` says in words, or in English and in Chinese,
        what is wanted."""
        self._judged(mistakes).satisfies(test, expected, **mistakes)

    def value(self, **mistakes: Any) -> Any:
        """What the call returned, for tests that look at its parts. Fails when it did not return."""
        self._judged(mistakes)
        assert isinstance(self.outcome, Returned)
        return self.outcome.value

    def part(self, value: Any) -> Expectation:
        """An expectation of a part of the answer, told with the call."""
        return Expectation(self._scene, value, "returned", self._rows)

    @property
    def called(self) -> tuple[Row, ...]:
        """The call, as a failure tells it."""
        return self._rows

    def raises(self, *types: str, **mistakes: Any) -> Raised:
        """The call ended with an exception of one of these types, or of a type derived from one."""
        got = self.outcome
        if isinstance(got, Raised) and any(name in got.bases for name in types):
            return got
        value = got.value if isinstance(got, Returned) else got
        named = matching(mistakes, value)
        failure = trouble(got, self._subject, self._rows)
        if failure is not None and not isinstance(got, Raised):
            self._scene.fail(dataclasses.replace(failure, reason=named or failure.reason))
        if failure is not None and failure.reason != "raised" and not named:
            self._scene.fail(failure)
        expected = Row("expected", word("an_error", names=word("or").join(types)))
        found = Row("raised", raised_text(got)) if isinstance(got, Raised) else Row("returned", shown(value))
        frame = got.own_frame() if isinstance(got, Raised) else None
        return self._scene.fail(Failure(named or self._scene.test_name, (*self._rows, expected, found), {}, frame))

    def _judged(self, mistakes: dict[str, Any]) -> Expectation:
        got = self.outcome
        if isinstance(got, Returned):
            return Expectation(self._scene, got.value, "returned", self._rows)
        failure = trouble(got, self._subject, self._rows)
        assert failure is not None
        return self._scene.fail(dataclasses.replace(failure, reason=matching(mistakes, got) or failure.reason))


class Student:
    """The student's file, as a test calls it: `student.port(url)` calls the function `port` there."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def __getattr__(self, name: str) -> Callable[..., Answer]:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*arguments: Any, **named: Any) -> Answer:
            return self._scene.call(name, arguments, named, DEADLINE)

        return call

    def within(self, seconds: float) -> _Within:
        """The same with another deadline: `student.within(10).download(url)`."""
        return _Within(self._scene, seconds)


class _Within:
    def __init__(self, scene: Scene, seconds: float) -> None:
        self._scene = scene
        self._seconds = seconds

    def __getattr__(self, name: str) -> Callable[..., Answer]:
        def call(*arguments: Any, **named: Any) -> Answer:
            return self._scene.call(name, arguments, named, self._seconds)

        return call


class Scene:
    """One test: the student's process, and what is told when the test fails."""

    def __init__(
        self,
        test_name: str,
        subject: Path,
        launcher: Callable[[], Launcher],
        import_failures: dict[Path, Failure],
        foreground: bool = False,
    ) -> None:
        self.test_name = test_name
        self.subject = subject
        self.environment: dict[str, str] = {}
        self.slow = 0.0
        """Seconds that each line of the student's functions takes, if a test says so before its first call: what
        comes from outside then meets them in the middle of their work."""
        self.told: list[tuple[str, str]] = []
        self.student = Student(self)
        self.process: StudentProcess | None = None
        self.wire: Wire | None = None
        self.wire_since = 0.0
        """From when on the wire is shown: seconds on its own clock."""
        self._last_call: tuple[Row, ...] = ()
        self._launcher = launcher
        self._import_failures = import_failures
        self._foreground = foreground
        self._begun = False
        self._finished = False
        self._servers: list[Server] = []
        self._folders: list[str] = []

    def tell(self, english: str, chinese: str = "") -> None:
        """Say what the test has set up or done, for the failure message."""
        self.told.append((english, chinese or english))

    def now(self, english: str, chinese: str = "") -> None:
        """The same, in place of all that was told and crossed the wire before: a test of several situations tells
        the one it is in."""
        self.told[:] = [(english, chinese or english)]
        if self.wire is not None:
            self.wire_since = self.wire.now()

    def fail(self, failure: Failure) -> NoReturn:
        """End the test with this failure."""
        raise Failed(failure) from None

    def expect(self, value: Any, label: str = "got") -> Expectation:
        """An expectation of something that the test saw itself, told with the last call."""
        return Expectation(self, value, label, self._last_call)

    def call(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any], deadline: float) -> Answer:
        """Call a function of the student's file; the process is started by the first call of a test."""
        process = self._ready()
        outcome = process.call(name, arguments, named, deadline)
        called = shown_call(name, arguments, named)
        self._last_call = (Row("called", called),)
        return Answer(self, called, outcome, self.subject)

    def load(self) -> None:
        """Start the student's process and load the file now, for a test that looks at how long its first call takes."""
        self._ready()

    def serve(
        self,
        name: str,
        *arguments: Any,
        race: float = 0.0,
        send_buffer: int = 0,
        deadline: float = DEADLINE,
        never: str = "never_listened",
        **mistakes: Any,
    ) -> Server:
        """Call a function of the student's that serves for the length of the test, and wait until it listens.
        With `race`, each line of the student's file takes that many seconds (0.002, say), so that its threads meet.
        `send_buffer` in bytes: what the system keeps for a client that does not read (SO_SNDBUF), else some MB.
        `never` is the reason when it does not listen; the mistakes are told by how it ended before."""
        from dojo.server import started

        process = self._ready(server=True, race=race, send_buffer=send_buffer)
        self._begun = True
        server = started(self, process, name, arguments, deadline, never, mistakes)
        self._servers.append(server)
        return server

    def program(self, name: str, *arguments: Any) -> Program:
        """Call a function of the student's that reads the keyboard, prints, and goes on for the length of the test."""
        from dojo.server import Program

        process = self._ready(server=True, keyboard=True)
        self._begun = True
        process.begin(name, arguments)
        program = Program(self, process, shown_call(name, arguments, {}))
        program.must_be_written()
        return program

    def folder(self) -> Path:
        """A new folder, for the length of the test, in which the student's program may write: for Unix sockets, say."""
        self._folders.append(places.home("d"))
        return Path(self._folders[-1])

    def transcript(self) -> Wire:
        """What crosses the wire in this test."""
        if self.wire is None:
            from dojo.wire import Wire

            self.wire = Wire()
        return self.wire

    def _ready(
        self, *, server: bool = False, race: float = 0.0, send_buffer: int = 0, keyboard: bool = False
    ) -> StudentProcess:
        if self.process is None:
            if self.subject in self._import_failures:  # it would fail, or hang, the same way in each test
                self.fail(self._import_failures[self.subject])
            launcher = self._launcher()
            self.process = StudentProcess(launcher, self.subject, self.environment, self._foreground, keyboard)
            outcome = self.process.load(server=server, race=race, send_buffer=send_buffer, slow=self.slow)
            failure = import_trouble(outcome, self.subject)
            if failure is not None:
                self._import_failures[self.subject] = failure
                self.fail(failure)
            if isinstance(outcome, Loaded):
                launcher.preload(outcome.modules, self.process.subject)
        return self.process

    def finish(self) -> None:
        """After the last line of a test that passes: the student's program must be able to end."""
        if self.process is None or self._begun or self._finished:
            return
        self._finished = True
        outcome = self.process.finish()
        if outcome is None:
            return
        values = {"file": short(self.subject), "thread": "", "place": short(self.subject)}
        threads = getattr(outcome, "threads", ())
        for thread in threads:
            if not thread.main and not thread.daemon:
                frame = thread.own_frame()
                where = place(frame) if frame else short(self.subject)
                self.fail(Failure("thread_left", (), {**values, "thread": thread.name, "place": where}, frame))
        failure = trouble(outcome, self.subject)
        self.fail(failure or Failure("thread_left", (), values))

    def printed(self) -> str:
        """All that the student's program has printed. It is brought to its end for this: the last call was made."""
        self.finish()
        assert self.process is not None
        return self.process.printed()

    def end(self) -> None:
        """End the student's process, however the test went."""
        for server in self._servers:
            server.close_peers()
        if self.process is not None:
            self.process.end()
        for folder in self._folders:
            places.leave(folder)
