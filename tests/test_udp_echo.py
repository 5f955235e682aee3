"""udp_echo: messages that may get lost, come late or come twice. In the order of the contract."""

import contextlib
import errno
import heapq
import itertools
import os
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NoReturn, Self

import pytest

from dojo.expect import Answer, Scene, Student, raises
from dojo.failure import Row, shown
from dojo.fresh import Fresh
from dojo.outcome import Hung, Raised
from dojo.server import Server
from dojo.wire import Wire
from dojo.words import word

LOCAL = "127.0.0.1"
PAUSE = 0.002
"""Seconds between two datagrams that must arrive in this order."""
NOISE = 0.02
"""Seconds between two datagrams of a noise."""
FLOOD = 25
"""Datagrams of a noise that comes at once."""
SHOWN_ALIKE = 4
"""Datagrams that are alike, of those that the transcript shows."""
WITHIN = 1.6
"""Seconds that a test waits for a datagram. They cost nothing while all is well."""
LATE = 0.45
"""Seconds after which something comes that must find nobody waiting any longer."""
EARLY = 0.85
"""The part of its time that a wait must have lasted, at least: the clocks of some systems are coarse."""
KEPT = 1000
"""Datagrams that are kept of a client that sends without an end."""


@dataclass(frozen=True)
class Reply:
    """A datagram for the client of the fake server."""

    source: str
    """"server"; "stranger", from another port; "lookalike", from another address and the same port."""
    data: bytes
    after: float = 0.0
    """Seconds after the datagram to which it is a reply."""
    to: int | None = None
    """It goes to the sender of this datagram, counted from 0; else to the sender of the one to which it is a reply."""


Script = Callable[[bytes, int], list[Reply]]
"""The replies to a datagram that has come so many times before."""


def udp_socket(host: str = LOCAL, port: int = 0) -> socket.socket:
    """A socket for datagrams, bound, with room for the largest one."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 17)
    try:
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made


def at_one_port(host: str) -> tuple[socket.socket, socket.socket]:
    """Two sockets with the same port, of 127.0.0.1 and of `host`, another address of this machine. While the first is
    there, the system gives the port to nobody. macOS has no other address: there they differ by the port."""
    while True:
        first = udp_socket()
        try:
            return first, udp_socket(host, first.getsockname()[1])
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                return first, udp_socket()
            first.close()
            if error.errno != errno.EADDRINUSE:  # by somebody else at the other address: another port, then
                raise


@contextlib.contextmanager
def nobody() -> Iterator[int]:
    """A port of 127.0.0.1 at which nobody listens, and that nobody else can get meanwhile."""
    with udp_socket() as taken:
        taken.connect((LOCAL, 1))  # it is open to this address alone
        yield taken.getsockname()[1]


@contextlib.contextmanager
def kept(port: int) -> Iterator[None]:
    """Keep this port, which a client had, from being given to the next one by chance. (If it still has it, it may.)"""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            held.enter_context(udp_socket(LOCAL, port))
        yield


def largest() -> int:
    """Bytes of the longest datagram that a program on this machine can send if it asks for nothing: 65,507, which is
    what IPv4 has room for, or the 9,216 to which macOS limits it."""
    with udp_socket() as receiver, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for size in (65507, 9216):
            with contextlib.suppress(OSError):
                sender.sendto(bytes(size), receiver.getsockname())
                return size
    return 1024


def note(wire: Wire, source: str, target: str, data: bytes) -> None:
    """Write down one datagram, an empty one too."""
    if data:
        wire.sent(source, target, data, piece=True)
    else:
        wire.note(f"{source} → {target}   an empty datagram")


class FakeUDP:
    """A UDP server that follows a script for each datagram it gets, and keeps what it got."""

    def __init__(self, wire: Wire, script: Script) -> None:
        self._wire = wire
        self._script = script
        lookalike, server = at_one_port("127.0.0.2")
        self.host: str = server.getsockname()[0]
        self.port: int = server.getsockname()[1]
        self._sockets = {"server": server, "stranger": udp_socket(self.host), "lookalike": lookalike}
        self._woken, self._wake = socket.socketpair()
        self._changed = threading.Condition()
        self._got: list[bytes] = []
        self._clients: list[Any] = []
        self._astray = False
        self._taken = 0
        self._marks: set[bytes] = set()
        self._due: list[tuple[float, int, Reply, Any]] = []
        self._number = itertools.count()
        self._sent: Counter[tuple[str, bytes]] = Counter()
        self._thread = threading.Thread(target=self._run, name="fake UDP server")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._wake.close()
        self._thread.join()
        for sock in (*self._sockets.values(), self._woken):
            sock.close()

    @property
    def so_far(self) -> list[bytes]:
        """Every datagram that has come, in order."""
        with self._changed:
            return list(self._got)

    def senders(self, datagram: bytes) -> list[int]:
        """The ports from which this datagram has come, in order."""
        with self._changed:
            pairs = zip(self._got, self._clients, strict=True)
            return [client[1] for got, client in pairs if got == datagram]

    def has_sent(self, data: bytes) -> bool:
        """Whether this has been sent, by anybody."""
        with self._changed:
            return any(sent == data for _, sent in self._sent)

    def at_the_lookalike(self, _: object) -> bool:
        """Whether a datagram has come to the same port of 127.0.0.1, which is not the server's address."""
        with self._changed:
            return self._astray

    def received(self, count: int) -> list[bytes]:
        """The datagrams that have come since the last call of this: wait for so many, and then for one of our own,
        which proves that no other is on its way."""
        mark = os.urandom(16)
        with self._changed:
            self._changed.wait_for(lambda: len(self._got) >= self._taken + count, WITHIN)
            self._marks.add(mark)
        with udp_socket() as sock:
            sock.sendto(mark, (self.host, self.port))
        with self._changed:
            self._changed.wait_for(lambda: mark not in self._marks, WITHIN)
            taken, self._taken = self._taken, len(self._got)
            return self._got[taken:]

    def _run(self) -> None:
        with selectors.DefaultSelector() as chosen:
            for sock in (self._woken, self._sockets["server"], self._sockets["lookalike"]):
                chosen.register(sock, selectors.EVENT_READ)
            while True:
                left = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
                ready = {key.fileobj for key, _ in chosen.select(left)}
                if self._woken in ready:
                    return
                if self._sockets["server"] in ready:
                    self._receive()
                if self._sockets["lookalike"] in ready:
                    self._receive_astray()
                while self._due and self._due[0][0] <= time.monotonic():
                    _, _, reply, client = heapq.heappop(self._due)
                    self._send(reply, client)

    def _receive(self) -> None:
        try:
            data, client = self._sockets["server"].recvfrom(65535)
        except ConnectionError:  # in this way Windows tells that a client has gone
            return
        with self._changed:
            if data in self._marks:
                self._marks.remove(data)
                self._changed.notify_all()
                return
            times = self._got.count(data)
            if len(self._got) < KEPT:
                self._got.append(data)
                self._clients.append(client)
                self._changed.notify_all()
        note(self._wire, "client", "server", data)
        came, at_once = time.monotonic(), 0
        for reply in self._script(data, times):
            at_once += reply.after == 0
            when = came + (reply.after or PAUSE * (at_once - 1))
            target = client if reply.to is None else self._clients[reply.to]
            heapq.heappush(self._due, (when, next(self._number), reply, target))

    def _receive_astray(self) -> None:
        with contextlib.suppress(ConnectionError):
            note(self._wire, "client", "lookalike", self._sockets["lookalike"].recvfrom(65535)[0])
            with self._changed:
                self._astray = True

    def _send(self, reply: Reply, client: Any) -> None:
        with self._changed:
            self._sent[reply.source, reply.data] += 1
            times = self._sent[reply.source, reply.data]
        if times <= SHOWN_ALIKE:
            note(self._wire, reply.source, "client", reply.data)
        elif times == SHOWN_ALIKE + 1:
            self._wire.note("(and so on)", "（如此继续）")
        with contextlib.suppress(OSError):  # the client may have gone
            self._sockets[reply.source].sendto(reply.data, client)


@pytest.fixture
def udp(wire: Wire) -> Iterator[Callable[..., FakeUDP]]:
    """UDP servers that follow a script, each made by a call."""
    with contextlib.ExitStack() as servers:
        yield lambda script: servers.enter_context(FakeUDP(wire, script))


class Sender:
    """Somebody who sends datagrams to the student's server, from a socket that hears everybody."""

    def __init__(self, server: Server, name: str, address: tuple[str, int]) -> None:
        self.server = server
        self.name = name
        self.address = address
        """Where the server is."""
        self.socket = udp_socket()
        self._sought: set[bytes] = set()

    def sends(self, data: bytes) -> None:
        """Send one datagram."""
        note(self.server.wire, self.name, "server", data)
        self.socket.sendto(data, self.address)

    def leaves(self) -> None:
        """Give the port back: what is sent there finds nobody."""
        self.server.wire.note(f"{self.name} has gone", f"{self.name} 已经离开")
        self.socket.close()

    def finds(self, host: str, fresh: Fresh) -> None:
        """Find the server at this host: a program may bind more than one socket, one for a while to find a free port,
        say, or one to be stopped by. The server is where a datagram comes back from."""
        until = time.monotonic() + WITHIN
        asked: dict[bytes, tuple[str, int]] = {}
        seen = 0
        while time.monotonic() < until:
            self.server.has_ended()
            for place in self.server.listenings[seen:]:
                seen += 1
                if place.type == socket.SOCK_DGRAM and not isinstance(place.address, str):
                    self.address = host, place.address[1]
                    data = fresh.word().encode()
                    asked[data] = self.address
                    self.sends(data)
            self.socket.settimeout(NOISE)
            with contextlib.suppress(TimeoutError, ConnectionError):
                data, source = self.socket.recvfrom(65535)
                note(self.server.wire, "server", self.name, data)
                if asked.get(data) == source:
                    self.address = source
                    self._sought = asked.keys() - {data}
                    return
                if data in asked:
                    self._from_elsewhere(data, source)
        nothing = word("heard_nothing", seconds=f"{WITHIN:g}")
        wanted = f"{self.name}: {', '.join(map(told, asked))}"
        rows = (Row("heard_wanted", wanted), Row("heard", nothing))
        self.server.fail_as([], {} if asked else {"speaks_tcp": []}, rows)

    def hears(self, *expected: bytes, **mistakes: Any) -> None:
        """The next datagrams are these, in any order: UDP promises none. A mistake is told by the list of what came."""
        got: list[bytes] = []
        while len(got) < len(expected) and (data := self.next(WITHIN)) is not None:
            if data not in self._sought:  # it was sent to a socket that the server had before, and came late
                got.append(data)
        if sorted(got) != sorted(expected):
            heard = ", ".join(map(told, got)) or word("heard_nothing", seconds=f"{WITHIN:g}")
            wanted = f"{self.name}: {', '.join(map(told, expected))}"
            self.server.fail_as(got, mistakes, (Row("heard_wanted", wanted), Row("heard", heard)))

    def next(self, within: float) -> bytes | None:
        """The next datagram, None when none comes within so many seconds. Fails when it is not the server's."""
        self.socket.settimeout(within)
        try:
            data, source = self.socket.recvfrom(65535)
        except (TimeoutError, ConnectionError):  # ConnectionError: so Windows tells that nobody is there
            return None
        note(self.server.wire, "server" if source == self.address else where(source), self.name, data)
        if source != self.address:
            self._from_elsewhere(data, source)
        return data

    def _from_elsewhere(self, data: bytes, source: tuple[str, int]) -> NoReturn:
        wanted = f"{self.name}: {told(data)} ← {where(self.address)}"
        rows = (Row("heard_wanted", wanted), Row("heard", f"{told(data)} ← {where(source)}"))
        self.server.fail("answers_from_elsewhere", rows)


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """An address for the student's server, which is free until it comes."""
    held, free = at_one_port("127.0.0.3")
    with held:
        found = free.getsockname()
        free.close()
        yield found


@pytest.fixture
def sender(address: tuple[str, int]) -> Iterator[Callable[[Server, str], Sender]]:
    """People who send datagrams to the student's server, each made by a call."""
    with contextlib.ExitStack() as senders:

        def make(server: Server, name: str) -> Sender:
            made = Sender(server, name, address)
            senders.enter_context(contextlib.closing(made.socket))
            return made

        yield make


FIRST_TWO: list[dict[str, Any]] = [{"serve": []}, {"serves_once": []}]
"""What it means when the first datagram does not come back, or the second."""
Address = tuple[str, int]
MakeUDP = Callable[..., FakeUDP]
MakeSender = Callable[[Server, str], Sender]


def started(scene: Scene, address: Address) -> Server:
    """The student's echo server, once it can be reached at this address. What else it binds is its own matter."""
    server = scene.serve("serve", *address, never="never_bound", bound_elsewhere=in_use)
    if not server.listens(lambda place: place.type == socket.SOCK_DGRAM and place.address == address, WITHIN):
        places = [place for place in server.listenings if not isinstance(place.address, str)]
        sockets = [place for place in places if place.type == socket.SOCK_DGRAM]
        seen = ", ".join(where(place.address) for place in sockets or places if not isinstance(place.address, str))
        rows = (Row("expected", f"bind → {where(address)}"), Row("seen", seen if sockets else f"SOCK_STREAM, {seen}"))
        server.fail("bound_elsewhere" if sockets else "speaks_tcp", rows)
    return server


def goes_on(server: Server) -> None:
    """The call of `serve` has not come back, after all that has crossed the wire."""
    if server.has_ended():
        server.fail("returned_early", (Row("called", server.call),))


def where(address: Address) -> str:
    """The address as text."""
    return f"{address[0]} port {address[1]}"


def told(data: bytes) -> str:
    """The datagram, cut where it is long."""
    return shown(data) if len(data) <= 60 else f"{shown(data[:20])} … ({len(data):,} bytes)"


def some_bytes(fresh: Fresh) -> bytes:
    """Bytes that are no text, with what is lost when they are taken for a line of one."""
    return b" " + fresh.word().encode() + b"\xff\x00" + fresh.word().encode() + b"\r\n"


def numbered(number: int, data: bytes) -> bytes:
    """What `pack` gives."""
    return number.to_bytes(4, "big") + data


def of_the_start(long: bytes) -> Callable[[Any], bool]:
    """Whether what came is the first part of the long datagram."""
    return lambda got: b"" != got != long and long.startswith(got)


def gave_something(got: Any) -> bool:
    """The call came back without an exception."""
    return got is None or isinstance(got, (bytes, bytearray, str, int, float, list, tuple, dict))


def hung(got: Any) -> bool:
    """The call did not come back."""
    return isinstance(got, Hung)


def timed_out(got: Any) -> bool:
    """The call gave up."""
    return raises("TimeoutError").matches(got)


def gave_in(got: Any) -> bool:
    """The call ended with an error that what came from outside can have caused."""
    of_the_code = ("NotImplementedError", "NameError", "ImportError", "SyntaxError", "RecursionError", "MemoryError")
    return (
        isinstance(got, Raised)
        and "Exception" in got.bases
        and got.own_frame() is not None
        and not any(name in got.bases for name in of_the_code)
    )


def in_use(got: Any) -> bool:
    """The call asked for a local address that is taken."""
    return isinstance(got, Raised) and got.attributes.get("errno") == errno.EADDRINUSE


def timed(scene: Scene, call: Callable[[], Answer]) -> tuple[Answer, float]:
    """The answer to a call, and the seconds for which it lasted."""
    scene.load()
    begun = time.monotonic()
    answer = call()
    return answer, time.monotonic() - begun


def hasty(waited: float, seconds: float) -> Callable[[Any], bool]:
    """Whether the call gave up before its time was over."""
    return lambda got: timed_out(got) and waited < EARLY * seconds


def long_enough(scene: Scene, waited: float, seconds: float) -> None:
    """A call that gave up has waited for all of its time. This cannot go wrong by chance: what else the machine has to
    do makes a call longer, and never shorter."""
    scene.expect(f"TimeoutError: {waited:.3f} s").satisfies(
        lambda got: waited >= EARLY * seconds, f"TimeoutError: {seconds:g} s", too_early=lambda got: True
    )


def over_before(scene: Scene, late: bool, seconds: float) -> None:
    """A call that gave up had come back before what was sent long after its time: `late` says that it had not."""
    scene.expect(f"TimeoutError: > {seconds:g} s").satisfies(
        lambda got: not late, f"TimeoutError: {seconds:g} s", waits_too_long=lambda got: True
    )


TCP = {"speaks_tcp": raises("ConnectionRefusedError")}
"""Somebody is there, for datagrams: only TCP finds nobody."""


# --- one datagram ------------------------------------------------------------------------------------------


def test_say(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """one call sends one datagram: byte for byte, whole, or not at all; it waits for nothing

    一次调用发送一个数据报：逐字节不变，完整发送，否则就不发送；不等任何东西
    """
    server = udp(lambda data, times: [Reply("server", b"late", after=LATE)])
    data, long = some_bytes(fresh), fresh.word(largest()).encode()
    answer = student.say(server.host, server.port, data)
    late = server.has_sent(b"late")
    answer.returns(None, **TCP)
    scene.expect(server.received(1), "received").equals([data], address_constant=server.at_the_lookalike)
    scene.now(f"The server says nothing for {LATE} s.", f"服务器 {LATE} 秒内什么也不说。")
    scene.expect(f"> {LATE} s").satisfies(
        lambda got: not late, ("`say` returns at once", "`say` 立刻返回"), say_waits=lambda got: True
    )
    scene.now(f"The data has {len(long):,} bytes.", f"数据有 {len(long):,} 字节。")
    student.say(server.host, server.port, long).returns(None)
    scene.expect([told(each) for each in server.received(1)], "received").equals(
        [told(long)],
        datagram_split=lambda got: len(got) > 1,
        datagram_cut=lambda got: len(got) == 1,
    )
    scene.now("The data is empty.", "数据是空的。")
    student.say(server.host, server.port, b"").returns(None)
    scene.expect(server.received(1), "received").equals([b""], empty_not_sent=[])
    scene.now("The data has 65,508 bytes: one too many.", "数据有 65,508 字节：多了一个。")
    student.say(server.host, server.port, bytes(65508)).raises(
        "OSError", too_long_accepted=None, too_long_other_error=gave_in
    )
    scene.expect(server.received(0), "received").satisfies(
        lambda got: got == [], word("heard_nothing", seconds="0"), too_long_accepted=lambda got: True
    )
    scene.now("Nobody listens at this port. Three calls.", "这个端口没有人监听。调用三次。")
    with nobody() as port:
        for _ in range(3):
            student.say(LOCAL, port, data).returns(None, nobody_there=raises("OSError"))


def test_ask(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """the answer to a question is the datagram that comes back, long or empty; it is returned as soon as it is there

    问题的回答，就是回来的那个数据报，可长可空；它一到就返回
    """
    plain, long, short = (fresh.word().encode() for _ in range(3))
    answers = {plain: some_bytes(fresh), long: fresh.word(largest()).encode(), b"": some_bytes(fresh), short: b""}
    server = udp(lambda question, times: [Reply("server", answers[question])] if question in answers else [])
    answer, waited = timed(scene, lambda: student.within(3).ask(server.host, server.port, plain, 30.0))
    answer.returns(
        answers[plain],
        **TCP,
        address_constant=server.at_the_lookalike,
        waits_out_the_time=hung,
        too_early=hasty(waited, 30.0),
    )
    scene.now(
        f"The server answers with one datagram of {largest():,} bytes.",
        f"服务器用一个 {largest():,} 字节的数据报回答。",
    )
    answer, waited = timed(scene, lambda: student.ask(server.host, server.port, long, 2.0))
    answer.returns(
        answers[long],
        too_early=hasty(waited, 2.0),
        datagram_cut=of_the_start(answers[long]),
        waits_for_the_rest=lambda got: hung(got) or gave_in(got),
    )
    scene.now("The question is empty.", "问题是空的。")
    answer, waited = timed(scene, lambda: student.ask(server.host, server.port, b"", 2.0))
    answer.returns(answers[b""], empty_not_sent=lambda got: b"" not in server.so_far, too_early=hasty(waited, 2.0))
    scene.now("The server answers with an empty datagram.", "服务器用一个空的数据报回答。")
    answer, waited = timed(scene, lambda: student.ask(server.host, server.port, short, 2.0))
    answer.returns(
        b"",
        too_early=hasty(waited, 2.0),
        empty_is_no_answer=lambda got: gave_something(got) or hung(got) or gave_in(got),
    )
    scene.told.clear()
    scene.expect(server.received(4), "received").equals([plain, long, b"", short])


def test_silence(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """no answer in time is an error: TimeoutError, or a ConnectionError where nobody listens

    没有及时得到回答是错误：TimeoutError；没有人监听时也可以是 ConnectionError
    """
    timeout = 0.1
    question, second, old, new, late = (fresh.word().encode() for _ in range(5))

    def script(data: bytes, times: int) -> list[Reply]:
        if data == second:
            return [Reply("server", old, to=0), Reply("server", new)]
        return [] if times else [Reply("stranger", late, after=LATE)]

    mistakes: dict[str, Any] = {"no_timeout": hung, "silence_returned": gave_something}
    scene.now("Nobody listens at this port.", "这个端口没有人监听。")
    with nobody() as port:
        answer, waited = timed(scene, lambda: student.within(2).ask(LOCAL, port, question, timeout))
    if not raises("ConnectionError").matches(answer.outcome):
        answer.raises("TimeoutError", **mistakes)
        long_enough(scene, waited, timeout)
    server = udp(script)
    scene.now(
        f"The server is there, and says nothing. A stranger does, after {LATE} s: far too late.",
        f"服务器在那里，但是什么也不说。{LATE} 秒后有个陌生人说话：早就太晚了。",
    )
    answer, waited = timed(scene, lambda: student.within(2).ask(server.host, server.port, question, timeout))
    overdue = server.has_sent(late)
    answer.raises("TimeoutError", **TCP, waits_too_long=late, **mistakes)
    scene.expect(server.received(1), "received").equals(
        [question], address_constant=server.at_the_lookalike, asked_more_than_once=lambda got: len(got) > 1
    )
    long_enough(scene, waited, timeout)
    over_before(scene, overdue, timeout)
    scene.now(
        "The next question. First the answer to the last one comes, late, to the port from which it was asked.",
        "下一个问题。先来的是上一个问题迟到的回答，发往当时提问的那个端口。",
    )
    with kept(server.senders(question)[0]):
        student.ask(server.host, server.port, second, 2.0).returns(new, late_answer_taken=old, fixed_port=in_use)


def test_stranger(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """only the address that was asked can answer; others neither end the wait nor make it longer

    只有被问的地址才能回答；别的地址既不能结束等待，也不能延长等待
    """
    question, answer, late = (fresh.word().encode() for _ in range(3))
    fakes = fresh.word().encode(), fresh.word().encode()
    others = [Reply("stranger", fakes[0]), Reply("lookalike", fakes[1])]
    server = udp(lambda data, times: [] if times else [*others, Reply("server", answer)])
    scene.now(
        "Two datagrams from other addresses come before the answer.",
        "在回答之前，先从别的地址来了两个数据报。",
    )
    got, waited = timed(scene, lambda: student.ask(server.host, server.port, question, 2.0))
    got.returns(
        answer,
        **TCP,
        address_constant=server.at_the_lookalike,
        stranger_trusted=lambda got: got in fakes,
        too_early=hasty(waited, 2.0),
        stranger=timed_out,
        noise_ends_wait=lambda got: got is None or got == b"" or gave_in(got),
    )
    scene.expect(server.received(1), "received").equals([question], noise_asked_again=lambda got: len(got) > 1)
    timeout, last = 0.36, 0.28
    scene.now(
        f"The server says nothing. For {last} s a stranger sends a datagram every {NOISE} s, and then no more.",
        f"服务器什么也不说。一个陌生人在 {last} 秒内每 {NOISE} 秒发来一个数据报，然后停止。",
    )
    noise = [Reply("stranger", fakes[0], after=NOISE * number) for number in range(1, round(last / NOISE) + 1)]
    server = udp(lambda data, times: [] if times else [*noise, Reply("stranger", late, after=last + 0.3)])
    got, waited = timed(scene, lambda: student.within(2).ask(server.host, server.port, question, timeout))
    overdue = server.has_sent(late)
    got.raises(
        "TimeoutError",
        stranger_trusted=lambda got: got in (fakes[0], late),
        no_timeout=hung,
        silence_returned=gave_something,
    )
    scene.expect(server.received(1), "received").equals([question], asked_more_than_once=lambda got: len(got) > 1)
    long_enough(scene, waited, timeout)
    over_before(scene, overdue, timeout)


# --- the echo server ---------------------------------------------------------------------------------------


def test_serve(scene: Scene, address: Address, sender: MakeSender, fresh: Fresh) -> None:
    """each datagram comes back: byte for byte, whole, once, and from the port that it went to

    每个数据报都会回来：逐字节不变，完整，一次，并且来自它被发往的那个端口
    """
    server = started(scene, address)
    alice = sender(server, "alice")
    data, again = some_bytes(fresh), fresh.word().encode()
    alice.sends(data)
    alice.hears(data, bytes_changed=lambda got: len(got) == 1)
    alice.sends(again)
    alice.hears(again, serves_once=[])
    alice.sends(again)  # two that are alike are still two
    alice.hears(again, double_dropped=[])
    long, last = fresh.word(largest()).encode(), fresh.word().encode()
    scene.now(
        f"A datagram of {len(long):,} bytes, then a short one.",
        f"先是 {len(long):,} 字节的数据报，再是一个短的。",
    )
    alice.sends(long)
    alice.sends(last)
    alice.hears(
        long,
        last,
        waits_for_the_rest=lambda got: not got or any(each.endswith(last) and each != last for each in got),
        datagram_cut=lambda got: any(map(of_the_start(long), got)) or got == [last],
    )
    scene.now("Words that people send when they want to leave.", "人们想离开时会发的词。")
    for data in (b"quit", b"exit", b"bye", b"stop", b"end", b"q", b"\x04"):
        alice.sends(data)
        alice.hears(data, word_ends_it=[])
    goes_on(server)


def test_empty(scene: Scene, address: Address, sender: MakeSender, fresh: Fresh) -> None:
    """an empty datagram comes back like any other, and ends nothing

    空的数据报和别的一样会回来，它不表示结束
    """
    server = started(scene, address)
    alice = sender(server, "alice")
    data, last = fresh.word().encode(), fresh.word().encode()
    for mistakes in FIRST_TWO:
        alice.sends(data)
        alice.hears(data, **mistakes)
        data = fresh.word().encode()
    scene.now("Two datagrams came back. Now an empty one, and another.", "两个数据报回来了。现在是一个空的，再来一个。")
    alice.sends(b"")
    alice.sends(data)
    alice.hears(b"", data, empty_not_answered=[data], empty_is_the_end=lambda got: got in ([], [b""]))
    alice.sends(last)
    alice.hears(last, empty_is_the_end=[])
    goes_on(server)


def test_senders(scene: Scene, address: Address, sender: MakeSender, fresh: Fresh) -> None:
    """each sender gets its own datagrams back, and one that has gone changes nothing for the others

    每个发送者收回自己的数据报；有人离开，对别人没有影响
    """
    scene.slow = 0.002  # else the server is done with what Carol sends before she has gone
    server = started(scene, address)
    alice, bob, carol = (sender(server, name) for name in ("alice", "bob", "carol"))
    sent = {alice: set[bytes](), bob: set[bytes]()}

    def sends(one: Sender) -> bytes:
        data = fresh.word().encode()
        sent[one].add(data)
        one.sends(data)
        return data

    def heard_by_another(got: list[bytes]) -> bool:
        return any(each not in sent[alice] for each in got)

    def bobs_went_to_alice(got: list[bytes]) -> bool:
        waiting = iter(lambda: alice.next(0.05), None)
        return any(each not in sent[bob] for each in got) or any(each in sent[bob] for each in waiting)

    def hears_in_turn(silent: str) -> None:
        first, second = sends(alice), sends(bob)
        bob.hears(second, not_to_its_sender=bobs_went_to_alice, **{silent: tied})
        alice.hears(first, not_to_its_sender=heard_by_another, **{silent: tied})

    def tied(got: Any) -> bool:
        return got == [] or raises("ConnectionError").matches(got)

    for mistakes in FIRST_TWO:
        alice.hears(sends(alice), **mistakes)
    scene.now("Alice and Bob send in turn.", "Alice 和 Bob 轮流发送。")
    for _ in range(2):
        hears_in_turn("tied_to_one")
    scene.now(
        "Carol has sent some datagrams and gone. Then Alice and Bob go on.",
        "Carol 发出几个数据报后就离开了。然后 Alice 和 Bob 继续。",
    )
    for _ in range(2):
        data = fresh.word().encode()
        carol.sends(data)
        carol.hears(data, tied_to_one=[])
    for _ in range(5):
        carol.sends(fresh.word().encode())
    carol.leaves()
    for _ in range(3):
        hears_in_turn("gone_sender_ends_it")
    alice.hears(sends(alice), not_to_its_sender=heard_by_another, gone_sender_ends_it=tied)
    goes_on(server)


def test_any_port(scene: Scene, sender: MakeSender, fresh: Fresh) -> None:
    """port 0 is any free port: the server takes the one that the system gives it

    端口 0 表示任意一个空闲端口：服务器用系统给它的那一个
    """
    server = scene.serve("serve", LOCAL, 0, never="never_bound")
    alice = sender(server, "alice")
    alice.finds(LOCAL, fresh)
    data = fresh.word().encode()
    alice.sends(data)
    alice.hears(data, serves_once=[])
    goes_on(server)


# --- numbers -----------------------------------------------------------------------------------------------


def test_numbers(student: Student, fresh: Fresh) -> None:
    """a number is 4 bytes, unsigned, the most significant first; less than 4 bytes are a ValueError

    编号是 4 个字节，无符号，高位在前；不到 4 个字节是 ValueError
    """
    data = b"7 \x00\xff" + fresh.word().encode() + b" \r\n\x00"
    small, middle = fresh.number(1, 200), 0x01000001 + 256 * fresh.number(1, 0xFFFF)
    large = 0xC0000001 + 256 * fresh.number(1, 0xFFFF)
    too_narrow = (raises("error"), raises("OverflowError"))
    for number in (small, middle, large, 0):
        student.pack(number, data).returns(
            numbered(number, data),
            little_endian=number.to_bytes(4, "little") + data,
            signed_number=lambda got, number=number: number == large and any(each.matches(got) for each in too_narrow),
            number_not_four_bytes=lambda got: (
                (isinstance(got, bytes) and got.endswith(data)) or any(each.matches(got) for each in too_narrow)
            ),
        )
    for number in (small, middle, large):
        student.unpack(numbered(number, data)).returns(
            (number, data),
            little_endian=(int.from_bytes(number.to_bytes(4, "big"), "little"), data),
            signed_number=(number - (1 << 32), data),
            number_in_a_tuple=lambda got, number=number: got[0] == (number,),
            number_not_four_bytes=lambda got, number=number: got[0] != number or raises("error").matches(got),
            data_changed=lambda got: got[1] != data,
        )
    student.unpack(numbered(small, b"")).returns((small, b""), no_data_refused=gave_in)
    for short in (numbered(large, b"")[:3], b""):
        student.unpack(short).raises("ValueError", short_datagram=lambda got: gave_something(got) or gave_in(got))


# --- questions with numbers --------------------------------------------------------------------------------


class Quiz:
    """Questions, their answers, and the datagrams of both."""

    def __init__(self, fresh: Fresh, count: int) -> None:
        self.questions = [fresh.word().encode() for _ in range(count)]
        self.answers = [some_bytes(fresh) for _ in range(count)]

    @property
    def asked(self) -> list[bytes]:
        """The questions on the wire."""
        return [numbered(number, question) for number, question in enumerate(self.questions)]

    def answer(self, number: int, to: int | None = None) -> Reply:
        """The answer with this number, from the server."""
        return Reply("server", numbered(number, self.answers[number]), to=to)

    def replies(self, datagram: bytes) -> list[Reply]:
        """The answer to this datagram; none when it is no question with a number."""
        number = int.from_bytes(datagram[:4], "big")
        return [self.answer(number)] if len(datagram) >= 4 and number < len(self.answers) else []


def not_as_agreed(quiz: Quiz, server: FakeUDP) -> dict[str, Any]:
    """The mistakes that show in what `ask_all` sends first, or in all that it returns."""
    data = quiz.questions[0]

    def first(wanted: Callable[[bytes], bool]) -> Callable[[Any], bool]:
        return lambda got: wanted(server.so_far[0])

    return {
        **TCP,
        "address_constant": server.at_the_lookalike,
        "question_without_number": lambda got: any(datagram in quiz.questions for datagram in server.so_far),
        "numbers_not_from_zero": first(lambda datagram: counted(datagram, data)),
        "little_endian": lambda got: any(datagram[:4] == b"\x01\0\0\0" for datagram in server.so_far),
        "number_not_four_bytes": first(lambda datagram: datagram != quiz.asked[0] and datagram.endswith(data)),
        "answer_with_number": [numbered(number, answer) for number, answer in enumerate(quiz.answers)],
    }


def counted(datagram: bytes, question: bytes) -> bool:
    """The question has a number that does not begin with 0: 1, or what an earlier call has left."""
    return datagram[4:] == question and 0 < int.from_bytes(datagram[:4], "big") < 1000


def test_ask_all(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """questions are numbered 0, 1, 2, …, and their answers come back in this order, without the numbers

    问题按 0、1、2…… 编号；回答按这个顺序返回，不带编号
    """
    quiz = Quiz(fresh, 5)
    quiz.questions[1:3] = [b"", quiz.questions[0]]
    quiz.answers[2:4] = [b"", fresh.word(largest() - 4).encode()]
    shared = [quiz.answers[2], quiz.answers[1], quiz.answers[2], *quiz.answers[3:]]
    server = udp(lambda datagram, times: quiz.replies(datagram))
    student.within(3).ask_all(server.host, server.port, quiz.questions, 30.0, 1).returns(
        quiz.answers,
        **not_as_agreed(quiz, server),
        empty_is_no_answer=lambda got: len(server.so_far) == 3 and (hung(got) or timed_out(got)),
        datagram_cut=lambda got: of_the_start(quiz.answers[3])(got[3]),
        alike_share_an_answer=shared,
        waits_out_the_time=hung,
    )
    scene.expect(server.received(5), "received").equals(quiz.asked)
    many = Quiz(fresh, 260)
    scene.now(f"The next call, with {len(many.questions)} questions.", f"下一次调用，有 {len(many.questions)} 个问题。")
    others = udp(lambda datagram, times: many.replies(datagram))
    student.ask_all(others.host, others.port, many.questions, 2.0, 3).returns(
        many.answers,
        remembers_the_last_call=[*quiz.answers, *many.answers],
        **not_as_agreed(many, others) | {"number_not_four_bytes": lambda got: many.asked[256] not in others.so_far},
    )


def test_lost(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """a question without an answer is sent again: the same datagram, and no other question before

    没有得到回答的问题要再发一次：同一个数据报，在这之前不发别的问题
    """
    quiz = Quiz(fresh, 3)
    tries = 3

    def script(datagram: bytes, times: int) -> list[Reply]:
        if not times:
            return []
        if datagram == quiz.asked[1]:  # the answer to the first try, which is late
            return [quiz.answer(1, to=server.so_far.index(datagram))]
        return quiz.replies(datagram)

    server = udp(script)
    scene.now(
        "No question gets an answer when it comes for the first time. When the second one comes again, the answer to"
        " its first try arrives.",
        "每个问题第一次到达时，都没有回答。第二个问题再次到达时，它第一次尝试的回答才到。",
    )
    renumbered, all_at_once = (lambda got: renumbers(server.so_far)), (lambda got: hurries(server.so_far))
    student.within(3).ask_all(server.host, server.port, quiz.questions, 0.1, tries).returns(
        quiz.answers,
        **not_as_agreed(quiz, server),
        no_timeout=lambda got: hung(got) and len(server.so_far) == 1,
        waits_too_long=hung,
        retry_renumbered=renumbered,
        all_at_once=all_at_once,
        lost_not_repeated=lambda got: (
            (timed_out(got) or gave_something(got)) and set(map(server.so_far.count, server.so_far)) == {1}
        ),
        late_answer_lost=lambda got: timed_out(got) and len(set(server.senders(quiz.asked[1]))) > 1,
        tries_shared=lambda got: timed_out(got) and len(set(server.so_far)) > 1,
        lost=timed_out,
        silence_returned=lambda got: isinstance(got, list),
    )
    distinct = [datagram for datagram, _ in groupby(server.received(6))]
    scene.expect(distinct, "received").equals(quiz.asked, retry_renumbered=renumbered, all_at_once=all_at_once)


def renumbers(datagrams: list[bytes]) -> bool:
    """The second datagram has the same data as the first, and another number."""
    first, second = datagrams[:2]
    return first != second and first[4:] == second[4:]


def hurries(datagrams: list[bytes]) -> bool:
    """The second datagram is another question, though the first has no answer yet."""
    first, second = datagrams[:2]
    return first[4:] != second[4:]


def test_ignored(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """what is not the answer to this question is ignored: late, doubled, too short, too early, or a stranger's

    不是这个问题的回答就忽略：迟到的、重复的、太短的、过早的、陌生人发来的
    """
    quiz = Quiz(fresh, 3)
    fakes = [fresh.word().encode() for _ in range(4)]
    others = [Reply("stranger", numbered(0, fakes[0])), Reply("lookalike", numbered(0, fakes[1]))]
    future = numbered(1, fakes[2])
    inside = numbered(9, numbered(0, fakes[3]))
    useless = [numbered(0x01000000, quiz.answers[1]), inside, b"", bytes(3), future]
    before = [
        [*others, *(Reply("server", data) for data in useless)],
        [quiz.answer(0)],
        [quiz.answer(0), quiz.answer(1)],
    ]

    def script(datagram: bytes, times: int) -> list[Reply]:
        if datagram not in quiz.asked or times:
            return []
        number = quiz.asked.index(datagram)
        return [*before[number], quiz.answer(number), quiz.answer(number)]

    def foretold(got: Any) -> bool:
        return len(got) == 3 and got[0] == quiz.answers[0] and got[1] == fakes[2]

    def of_the_server(got: Any) -> bool:
        told = {b"", *quiz.answers, *(data[4:] for data in (inside, future))}
        return got != quiz.answers and set(got) <= told

    server = udp(script)
    scene.now(
        "Other datagrams come before each answer, and each answer comes twice.",
        "每个回答之前都有别的数据报，而且每个回答都来两次。",
    )
    answer, waited = timed(scene, lambda: student.ask_all(server.host, server.port, quiz.questions, 2.0, 1))
    answer.returns(
        quiz.answers,
        **not_as_agreed(quiz, server),
        stranger_trusted=lambda got: bool(set(got) & set(fakes[:2])),
        short_datagram=lambda got: raises("error").matches(got) or got[0] == b"",
        answer_before_question=foretold,
        number_not_checked=of_the_server,
        noise_asked_again=lambda got: len(server.so_far) > len(set(server.so_far)),
        noise_counts_as_try=hasty(waited, 2.0),
        ignored=timed_out,
        noise_ends_wait=lambda got: gave_something(got) or gave_in(got),
    )
    scene.expect(server.received(3), "received").equals(
        quiz.asked, noise_asked_again=lambda got: len(got) > 3, answer_before_question=lambda got: len(got) < 3
    )


def test_gives_up(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """after the last try and its wait it gives up with TimeoutError, and the next call knows nothing of it

    最后一次尝试等完之后以 TimeoutError 放弃；下一次调用和它无关
    """
    quiz, other = Quiz(fresh, 2), Quiz(fresh, 1)
    timeout, tries, late = 0.2, 3, fresh.word().encode()
    first, second = quiz.asked[0], other.asked[0]
    noise = Reply("server", numbered(7, quiz.answers[1]), after=0.75 * timeout)
    old = Reply("server", numbered(0, quiz.answers[0]), to=0)

    def script(datagram: bytes, times: int) -> list[Reply]:
        if datagram == first:
            first_time = [] if times else [Reply("stranger", late, after=timeout * tries + 0.25)]
            return [*first_time, *([noise] if times < tries else [])]
        return [old, other.answer(0)] if datagram == second else quiz.replies(datagram)

    server = udp(script)
    scene.now(
        f"The first question never gets an answer; during each try, one with another number comes. tries is {tries}.",
        f"第一个问题一直没有回答；每次尝试期间，都来一个别的编号的回答。tries 是 {tries}。",
    )
    answer, waited = timed(
        scene, lambda: student.within(2.5).ask_all(server.host, server.port, quiz.questions, timeout, tries)
    )
    overdue = server.has_sent(late)
    answer.raises(
        "TimeoutError",
        **not_as_agreed(quiz, server),
        number_not_checked=lambda got: got[0] == quiz.answers[1],
        no_timeout=lambda got: hung(got) and len(server.so_far) == 1,
        never_gives_up=lambda got: hung(got) and len(server.so_far) > tries,
        waits_too_long=hung,
        silence_returned=gave_something,
    )
    repeated = [datagram for datagram in server.received(tries) if datagram.endswith(quiz.questions[0])]
    scene.expect(repeated, "received").equals(
        [first] * tries,
        **not_as_agreed(quiz, server),
        one_try_too_many=[first] * (tries + 1),
        lost_not_repeated=[first],
        retry_renumbered=lambda got: len(set(got)) > 1,
        noise_asked_again=lambda got: len(got) > tries,
    )
    long_enough(scene, waited, tries * timeout)
    over_before(scene, overdue, tries * timeout)
    scene.now(
        "The next call. First an answer to the question of the last call comes, late, to the port from which it was"
        " asked.",
        "下一次调用。先来的是上一次调用的问题迟到的回答，发往当时提问的那个端口。",
    )
    with kept(server.senders(first)[0]):
        student.ask_all(server.host, server.port, other.questions, 2.0, 1).returns(
            other.answers,
            late_answer_taken=[quiz.answers[0]],
            answer_with_number=[numbered(0, other.answers[0])],
            fixed_port=in_use,
            numbers_not_from_zero=lambda got: counted(server.so_far[-1], other.questions[0]),
            gives_up=timed_out,
        )
    scene.now("Nobody listens at this port. tries is 1.", "这个端口没有人监听。tries 是 1。")
    with nobody() as port:
        answer, waited = timed(scene, lambda: student.within(2).ask_all(LOCAL, port, quiz.questions, timeout, 1))
    if not raises("ConnectionError").matches(answer.outcome):
        answer.raises("TimeoutError", no_timeout=hung, silence_returned=gave_something)
        long_enough(scene, waited, timeout)


# --- much at once ------------------------------------------------------------------------------------------


def test_flood(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """many datagrams at once do not keep a call from ending as it should, by TimeoutError

    一下子来许多数据报，不妨碍调用照常以 TimeoutError 结束
    """
    scene.slow = 0.006  # so that there is always one that has come already, until the time is over
    timeout, quiz, fakes = 0.08, Quiz(fresh, 1), [fresh.word().encode() for _ in range(2)]
    mistakes: dict[str, Any] = {
        "no_timeout": hung,
        "negative_timeout": lambda got: (
            raises("ValueError", "imeout").matches(got) or raises("BlockingIOError").matches(got)
        ),
    }
    question = quiz.questions[0]
    strangers = [Reply("stranger", fakes[0], after=0.001 * number) for number in range(FLOOD)]
    server = udp(lambda data, times: [] if times else strangers)
    scene.now(
        f"The server says nothing. A stranger sends {FLOOD} datagrams, the first at the very moment of the question.",
        f"服务器什么也不说。一个陌生人发来 {FLOOD} 个数据报，第一个就在提问的那一刻。",
    )
    student.within(3).ask(server.host, server.port, question, timeout).raises(
        "TimeoutError",
        **TCP,
        address_constant=server.at_the_lookalike,
        stranger_trusted=fakes[0],
        **mistakes,
        silence_returned=gave_something,
    )
    scene.expect(server.received(1), "received").equals(
        [question], address_constant=server.at_the_lookalike, asked_more_than_once=lambda got: len(got) > 1
    )
    scene.now(
        f"The server sends {FLOOD} answers with another number, and a stranger as many with the right one. tries is 1.",
        f"服务器发来 {FLOOD} 个别的编号的回答，一个陌生人发来同样多编号正确的回答。tries 是 1。",
    )
    replies = [
        Reply(source, data, after=0.001 * number)
        for number in range(FLOOD)
        for source, data in (("stranger", numbered(0, fakes[0])), ("server", numbered(7, fakes[1])))
    ]
    server = udp(lambda data, times: [] if times else replies)
    student.within(3).ask_all(server.host, server.port, quiz.questions, timeout, 1).raises(
        "TimeoutError",
        **not_as_agreed(quiz, server),
        stranger_trusted=[fakes[0]],
        number_not_checked=[fakes[1]],
        **mistakes,
        silence_returned=gave_something,
    )
    scene.expect(server.received(1), "received").equals(
        quiz.asked,
        **not_as_agreed(quiz, server),
        noise_asked_again=lambda got: len(got) > FLOOD,
        one_try_too_many=lambda got: len(got) > 1,
    )
