"""A server, or a program with a keyboard, of the student's that goes on for the length of a test."""

from __future__ import annotations

import dataclasses
import errno
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from dojo import places
from dojo.failure import Failure, Row, shown_call
from dojo.outcome import Listening, Outcome, Raised, Returned, Standing
from dojo.peers import DatagramPeer, Peer, refused
from dojo.process import BUSY, DEADLINE, StudentProcess
from dojo.trouble import place, raised_text, short, stands, trouble
from dojo.words import word

if TYPE_CHECKING:
    from dojo.expect import Scene
    from dojo.wire import Wire


UNWRITTEN = ("not_written", "wrong_signature", "missing_function", "misspelt_function")
"""The reasons for which a function has not even begun."""

MOST = 1000
"""Places at which one program may begin to listen: whoever tells of more is not heard any longer."""


class Running:
    """A function of the student's that was begun and goes on."""

    def __init__(self, scene: Scene, process: StudentProcess, call: str) -> None:
        self.scene = scene
        self.process = process
        self.call = call
        self.end: Outcome | None = None
        """How the function ended, once it has."""
        self.listenings: list[Listening] = []
        """Where it has begun to listen so far; for datagrams, what it has bound: in this order, closed since or not."""

    @property
    def wire(self) -> Wire:
        """The transcript of the test."""
        return self.scene.transcript()

    def standing(self) -> Standing | None:
        """Every thread and where it stands; None when the process cannot say."""
        return self.process.stand()

    def processor_share(self, seconds: float = 0.2) -> float:
        """How much of one processor the program uses over this span: near 0 for one that waits, 1 for one that
        spins. 0 when it cannot say."""
        share = self._share_from_here()
        time.sleep(seconds)  # the span itself
        return share()

    def spins(self) -> Callable[[Any], bool]:
        """A mistake that matches a program which computes, though there is nothing to do, from here until it failed.

        What is looked at is the whole time that the test waits, at least 0.2 seconds: on a busy machine a program
        that spins may be given nothing of the processor for a moment, and one that waits needs nothing for hours.
        """
        share, started = self._share_from_here(), time.monotonic()

        def spun(_: Any) -> bool:
            time.sleep(max(0.0, started + 0.2 - time.monotonic()))
            return share() > BUSY / 2

        return spun

    def _share_from_here(self) -> Callable[[], float]:
        # What to call at the end of the span: the share that the program has used of it, 0 when it cannot say.
        first, started = self.standing(), time.monotonic()

        def share() -> float:
            second = self.standing()
            if first is None or second is None:
                return 0.0
            return (second.cpu - first.cpu) / (time.monotonic() - started)

        return share

    def has_ended(self, within: float = 0.0) -> bool:
        """Whether the function has returned, or ended in another way, `within` seconds."""
        self._wait(lambda: False, within)
        return self.end is not None

    def listens(self, wanted: Callable[[Listening], bool], within: float = DEADLINE) -> bool:
        """Whether it has begun to listen at such a place, by now or `within` seconds."""
        return self._wait(lambda: any(map(wanted, self.listenings)), within)

    def _wait(self, enough: Callable[[], bool], within: float) -> bool:
        # Takes in what the process tells until this is enough, the function has ended, or the time is over.
        until = time.monotonic() + within
        while not enough():
            if self.end is not None or len(self.listenings) >= MOST:
                return False
            event = self.process.next_event(max(0.0, until - time.monotonic()))
            if event is None:
                return False
            if isinstance(event, Listening):
                self.listenings.append(event)
            else:
                self.end = event
        return True

    def interrupts(self) -> None:
        """Press Ctrl-C: the main thread, which runs the function, gets a KeyboardInterrupt."""
        self.wire.note("Ctrl-C")
        self.process.interrupt()

    def returns(self, *, within: float = DEADLINE, **mistakes: Any) -> None:
        """The function comes to its end by itself, without an exception, `within` seconds."""
        if not self.has_ended(within) or not isinstance(self.end, Returned):
            rows = (Row("expected", word("call_ends", call=self.call)),)
            self.fail_as(self.end, mistakes, rows, not_ended=self.end is None)

    def fail_as(
        self, got: Any, mistakes: dict[str, Any], rows: tuple[Row, ...], *, not_ended: bool = False
    ) -> NoReturn:
        """Fail by the first mistake that matches what was got or how the function ended, else by the test's name."""
        from dojo.expect import matching

        self.has_ended(0.05)
        named = matching(mistakes, got) or (matching(mistakes, self.end) if self.end is not None else None)
        self.fail(named or self.scene.test_name, rows, not_ended=not_ended)

    def fail(self, reason: str, rows: tuple[Row, ...], *, not_ended: bool = False) -> NoReturn:
        """Fail for this reason; how the function ended, or where its threads stand, is told with it."""
        frame = None
        self.has_ended(0.05)
        if self.end is not None and not not_ended:
            ended = trouble(self.end, self.scene.subject)
            if ended is not None and ended.reason in UNWRITTEN:
                self.scene.fail(ended)
            rows = (*rows, Row("ended", f"{self.call}: {self._ending()}"))
            frame = self.end.own_frame() if isinstance(self.end, Raised) else None
        self.scene.fail(dataclasses.replace(Failure(reason, rows, {}, frame), threads=self._threads()))

    def _ending(self) -> str:
        if isinstance(self.end, Raised):
            return f"{raised_text(self.end)}, {place(self.end.own_frame())}"
        if isinstance(self.end, Returned):
            return word("returned_early")
        return type(self.end).__name__

    def _threads(self) -> tuple[str, ...]:
        busy = self.processor_share(0.1) > BUSY
        standing = self.standing()
        if standing is None:
            return ()
        told = []
        for thread in standing.threads:
            # A call that returns at once, again and again, looks like one that waits: the processor tells.
            frame, doing = stands(thread, busy and thread.frames[-1].own)
            if thread.holder and thread.held_since:
                doing = word("lock_held", holder=thread.holder, since=place(thread.held_since))
            if frame is not None:
                told.append(word("thread_stands", name=thread.name, place=place(frame), doing=doing))
        return tuple(told)


class Server(Running):
    """A server of the student's that listens."""

    def __init__(self, scene: Scene, process: StudentProcess, call: str, listening: Listening) -> None:
        super().__init__(scene, process, call)
        self.listening = listening
        self.listenings.append(listening)
        self._peers: list[socket.socket] = []

    @property
    def address(self) -> tuple[str, int] | str:
        """Where it listens: (host, port), or the path of a Unix socket."""
        return self.listening.address

    def where(self) -> str:
        """The address as text."""
        return self.address if isinstance(self.address, str) else f"{self.address[0]} port {self.address[1]}"

    def peer(self, name: str, *, receive_buffer: int = 0) -> Peer:
        """A client that has connected. `receive_buffer` in bytes makes one that fills up soon."""
        sock = socket.socket(socket.AddressFamily(self.listening.family), socket.SOCK_STREAM)
        self._peers.append(sock)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(DEADLINE)
        try:
            self._connect(sock)
        except OSError as error:
            self.has_ended(0.05)
            failure = refused(self, name, error)
            self.fail(failure.reason, failure.rows)
        self.wire.note(word("peer_connects", name=name))
        return Peer(self, name, sock)

    def datagram_peer(self, name: str) -> DatagramPeer:
        """A client that sends datagrams."""
        sock = socket.socket(socket.AddressFamily(self.listening.family), socket.SOCK_DGRAM)
        self._peers.append(sock)
        try:
            self._connect(sock)
        except OSError as error:
            failure = refused(self, name, error)
            self.fail(failure.reason, failure.rows)
        return DatagramPeer(self, name, sock)

    def _connect(self, sock: socket.socket) -> None:
        # The student's process tells the address. It must not lead a peer out of the test.
        if isinstance(self.address, str):
            with places.inside(self.address) as path:
                sock.connect(path)
            return
        host, port = self.address
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        if host != "::1" and not host.startswith("127."):
            raise OSError(errno.ENETUNREACH, "a test meets servers on this machine alone")
        sock.connect((host, port))

    def close_peers(self) -> None:
        """Give back every peer's socket."""
        for sock in self._peers:
            sock.close()


class Program(Running):
    """A program of the student's with a keyboard and a screen."""

    def must_be_written(self) -> None:
        """Fail at once when there is no such function yet: nobody has to wait for what it never does."""
        if self.has_ended(0.02) and self.end is not None:
            ended = trouble(self.end, self.scene.subject, (Row("called", self.call),))
            if ended is not None and ended.reason in UNWRITTEN:
                self.scene.fail(ended)

    def types(self, line: str) -> None:
        """Type a line and the Enter key."""
        self.wire.note(word("keyboard_types", line=f"{line}\n"))
        self.process.types(line + "\n")

    def ends_input(self) -> None:
        """End the input, as Ctrl-D does."""
        self.wire.note(word("keyboard_ends"))
        self.process.ends_keyboard()

    def shows(self, text: str, *, within: float = DEADLINE, **mistakes: Any) -> None:
        """The text appears on the screen."""
        if not self.process.shows(lambda screen: text in screen, within):
            rows = (Row("on_screen", text),)
            self.fail_as(self.process.shown(), mistakes, rows)

    def never_showed(self, text: str, **mistakes: Any) -> None:
        """The text is not on the screen so far."""
        screen = self.process.shown()
        if text in screen:
            self.fail_as(screen, mistakes, (Row("not_on_screen", text),))


def started(
    scene: Scene,
    process: StudentProcess,
    name: str,
    arguments: tuple[Any, ...],
    deadline: float,
    never: str,
    mistakes: dict[str, Any],
) -> Server:
    """Begin a server and wait until it listens. Fails by a general reason when it does not: by `never` when nothing
    comes of it, or by the mistake that its end shows."""
    from dojo.expect import matching

    call = shown_call(name, arguments, {})
    process.begin(name, arguments)
    event = process.next_event(deadline)
    if isinstance(event, Listening):
        return Server(scene, process, call, event)
    values = {"seconds": f"{deadline:g}", "call": call, "file": short(scene.subject)}
    rows = (Row("called", call),)
    if event is None:
        standing = process.stand()
        main = next((thread for thread in standing.threads if thread.main), None) if standing else None
        frame, doing = stands(main, busy=None)
        values |= {"place": place(frame) if frame else short(scene.subject), "doing": doing}
        scene.fail(Failure(never, rows, values, frame))
    if isinstance(event, Returned):
        scene.fail(Failure("returned_before_listening", rows, values))
    failure = trouble(event, scene.subject, rows)
    assert failure is not None
    return scene.fail(dataclasses.replace(failure, reason=matching(mistakes, event) or failure.reason))

