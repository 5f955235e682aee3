"""udp_echo: messages that may get lost, come late or come twice. In the order of the contract."""

import contextlib
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, Self

import pytest

from dojo.expect import Scene, Student, raises
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
"""Seconds between two datagrams of a noise that does not end."""
SHOWN_NOISES = 4
"""Datagrams of it that the transcript shows."""
WITHIN = 1.6
"""Seconds that a test waits for a datagram. They cost nothing while all is well."""
KEPT = 1000
"""Datagrams that are kept of a client that sends without an end."""

Reply = tuple[str, bytes]
"""Who sends what: "server"; "stranger", from another port; "lookalike", from another address and the same port."""
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
    """A UDP server that follows a script for each datagram it gets, and keeps what it got.

    With `noise`, it (or a stranger) goes on sending this to a client from the client's first datagram on.
    """

    def __init__(self, wire: Wire, script: Script, noise: Reply | None = None) -> None:
        self._wire = wire
        self._script = script
        self._noise = noise
        server = udp_socket()
        self.port: int = server.getsockname()[1]
        try:
            lookalike = udp_socket("127.0.0.2", self.port)
        except OSError:  # macOS has no second address without being asked
            lookalike = udp_socket()
        self._sockets = {"server": server, "stranger": udp_socket(), "lookalike": lookalike}
        self._woken, self._wake = socket.socketpair()
        self._changed = threading.Condition()
        self._got: list[bytes] = []
        self._taken = 0
        self._marks: set[bytes] = set()
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

    def received(self, count: int) -> list[bytes]:
        """The datagrams that have come since the last call of this: wait for so many, and then for one of our own,
        which proves that no other is on its way."""
        mark = os.urandom(16)
        with self._changed:
            self._changed.wait_for(lambda: len(self._got) >= self._taken + count, WITHIN)
            self._marks.add(mark)
        with udp_socket() as sock:
            sock.sendto(mark, (LOCAL, self.port))
        with self._changed:
            self._changed.wait_for(lambda: mark not in self._marks, WITHIN)
            taken, self._taken = self._taken, len(self._got)
            return self._got[taken:]

    def _run(self) -> None:
        client, noises = None, 0
        with selectors.DefaultSelector() as chosen:
            chosen.register(self._woken, selectors.EVENT_READ)
            chosen.register(self._sockets["server"], selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in chosen.select(NOISE if self._noise and client else None)}
                if self._woken in ready:
                    return
                if ready:
                    client = self._receive() or client
                elif self._noise:
                    noises += 1
                    self._send(self._noise, client, told=noises <= SHOWN_NOISES)
                    if noises == SHOWN_NOISES:
                        self._wire.note(f"(and so on, every {NOISE} s)")

    def _receive(self) -> Any:
        data, client = self._sockets["server"].recvfrom(65535)
        with self._changed:
            if data in self._marks:
                self._marks.remove(data)
                self._changed.notify_all()
                return None
            times = self._got.count(data)
            if len(self._got) < KEPT:
                self._got.append(data)
                self._changed.notify_all()
        note(self._wire, "client", "server", data)
        for reply in self._script(data, times):
            self._send(reply, client)
            time.sleep(PAUSE)
        return client

    def _send(self, reply: Reply, client: Any, told: bool = True) -> None:
        name, data = reply
        if told:
            note(self._wire, name, "client", data)
        with contextlib.suppress(OSError):  # the client may have gone
            self._sockets[name].sendto(data, client)


@pytest.fixture
def udp(wire: Wire) -> Iterator[Callable[..., FakeUDP]]:
    """UDP servers that follow a script, each made by a call."""
    with contextlib.ExitStack() as servers:
        yield lambda script, noise=None: servers.enter_context(FakeUDP(wire, script, noise))


class Sender:
    """Somebody who sends datagrams to the student's server, from a socket that hears everybody."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.socket = udp_socket()

    def sends(self, data: bytes) -> None:
        """Send one datagram."""
        note(self.server.wire, self.name, "server", data)
        self.socket.sendto(data, self._address())

    def leaves(self) -> None:
        """Give the port back: what is sent there finds nobody."""
        self.server.wire.note(f"{self.name} has gone")
        self.socket.close()

    def hears(self, *expected: bytes, **mistakes: Any) -> None:
        """The next datagrams are these, in any order: UDP promises none. A mistake is told by the list of what came."""
        got: list[bytes] = []
        while len(got) < len(expected) and (data := self.next(WITHIN)) is not None:
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
        except TimeoutError:
            return None
        note(self.server.wire, "server" if source == self._address() else f"port {source[1]}", self.name, data)
        if source != self._address():
            wanted = f"{self.name}: {told(data)} ← port {self._address()[1]}"
            rows = (Row("heard_wanted", wanted), Row("heard", f"{told(data)} ← port {source[1]}"))
            self.server.fail("answers_from_elsewhere", rows)
        return data

    def _address(self) -> tuple[str, int]:
        assert not isinstance(self.server.address, str)
        return self.server.address


@pytest.fixture
def sender() -> Iterator[Callable[[Server, str], Sender]]:
    """People who send datagrams to the student's server, each made by a call."""
    with contextlib.ExitStack() as senders:

        def make(server: Server, name: str) -> Sender:
            made = Sender(server, name)
            senders.enter_context(contextlib.closing(made.socket))
            return made

        yield make


FIRST_TWO: list[dict[str, Any]] = [{"serve": []}, {"serves_once": []}]
"""What it means when the first datagram does not come back, or the second."""
MakeUDP = Callable[..., FakeUDP]
MakeSender = Callable[[Server, str], Sender]


def started(scene: Scene) -> Server:
    """The student's echo server, once it can be reached."""
    server = scene.serve("serve", LOCAL, 0)
    if server.listening.type != socket.SOCK_DGRAM:
        server.fail("speaks_tcp", (Row("seen", f"SOCK_STREAM, {server.where()}"),))
    return server


def told(data: bytes) -> str:
    """The datagram, cut where it is long."""
    return shown(data) if len(data) <= 60 else f"{shown(data[:20])} … ({len(data):,} bytes)"


def now(scene: Scene, english: str, chinese: str) -> None:
    """Say what the next call is about, and no more what the last one was about."""
    scene.told[:] = [(english, chinese)]


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


TCP = {"speaks_tcp": raises("ConnectionRefusedError")}
"""Somebody is there, for datagrams: only TCP finds nobody."""


# --- one datagram ------------------------------------------------------------------------------------------


def test_say(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """one call sends one datagram: byte for byte, whole, or not at all

    一次调用发送一个数据报：逐字节不变，完整发送，否则就不发送
    """
    server = udp(lambda data, times: [])
    data, long = some_bytes(fresh), fresh.word(largest()).encode()
    student.say(LOCAL, server.port, data).returns(None, **TCP)
    scene.expect(server.received(1), "received").equals([data])
    now(scene, f"The data has {len(long):,} bytes.", f"数据有 {len(long):,} 字节。")
    student.say(LOCAL, server.port, long).returns(None)
    scene.expect([told(each) for each in server.received(1)], "received").equals(
        [told(long)],
        datagram_split=lambda got: len(got) > 1,
        datagram_cut=lambda got: len(got) == 1,
    )
    now(scene, "The data is empty.", "数据是空的。")
    student.say(LOCAL, server.port, b"").returns(None)
    scene.expect(server.received(1), "received").equals([b""], empty_not_sent=[])
    now(scene, "The data has 65,508 bytes: one too many.", "数据有 65,508 字节：多了一个。")
    student.say(LOCAL, server.port, bytes(65508)).raises("OSError", too_long_accepted=None)
    scene.expect(server.received(0), "received").satisfies(
        lambda got: got == [], word("heard_nothing", seconds="0"), too_long_accepted=lambda got: True
    )


def test_ask(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """the answer to a question is the datagram that comes back, long or empty

    问题的回答，就是回来的那个数据报，可长可空
    """
    plain, long, short = (fresh.word().encode() for _ in range(3))
    answers = {plain: some_bytes(fresh), long: fresh.word(largest()).encode(), b"": some_bytes(fresh), short: b""}
    server = udp(lambda question, times: [("server", answers[question])] if question in answers else [])
    student.ask(LOCAL, server.port, plain, 2.0).returns(answers[plain], **TCP)
    now(
        scene,
        f"The server answers with one datagram of {largest():,} bytes.",
        f"服务器用一个 {largest():,} 字节的数据报回答。",
    )
    student.ask(LOCAL, server.port, long, 2.0).returns(
        answers[long],
        datagram_cut=of_the_start(answers[long]),
        waits_for_the_rest=lambda got: hung(got) or gave_in(got),
    )
    now(scene, "The question is empty.", "问题是空的。")
    student.ask(LOCAL, server.port, b"", 2.0).returns(answers[b""], empty_not_sent=lambda got: b"" not in server.so_far)
    now(scene, "The server answers with an empty datagram.", "服务器用一个空的数据报回答。")
    student.ask(LOCAL, server.port, short, 2.0).returns(
        b"", empty_is_no_answer=lambda got: gave_something(got) or hung(got) or gave_in(got)
    )
    scene.told.clear()
    scene.expect(server.received(4), "received").equals([plain, long, b"", short])


def test_silence(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """no answer in time is an error: TimeoutError, or a ConnectionError where nobody listens

    没有及时得到回答是错误：TimeoutError；没有人监听时也可以是 ConnectionError
    """
    mistakes = {"no_timeout": hung, "silence_returned": gave_something}
    server = udp(lambda question, times: [])
    now(scene, "The server is there, and says nothing.", "服务器在那里，但是什么也不说。")
    student.within(2).ask(LOCAL, server.port, fresh.word().encode(), 0.2).raises("TimeoutError", **TCP, **mistakes)
    now(scene, "Nobody listens at this port.", "这个端口没有人监听。")
    with udp_socket() as taken:
        taken.connect((LOCAL, 1))  # the port is kept, and open to nobody
        port = taken.getsockname()[1]
        answer = student.within(2).ask(LOCAL, port, fresh.word().encode(), 0.2)
        answer.raises("TimeoutError", "ConnectionError", **mistakes)


def test_stranger(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """only the address that was asked can answer; others neither end the wait nor make it longer

    只有被问的地址才能回答；别的地址既不能结束等待，也不能延长等待
    """
    question, answer = fresh.word().encode(), fresh.word().encode()
    fakes = fresh.word().encode(), fresh.word().encode()
    others = [("stranger", fakes[0]), ("lookalike", fakes[1])]
    server = udp(lambda data, times: [] if times else [*others, ("server", answer)])
    now(
        scene,
        "Two datagrams from other addresses come before the answer.",
        "在回答之前，先从别的地址来了两个数据报。",
    )
    student.ask(LOCAL, server.port, question, 2.0).returns(
        answer,
        **TCP,
        stranger_trusted=lambda got: got in fakes,
        noise_ends_wait=lambda got: got is None or got == b"" or gave_in(got),
    )
    scene.expect(server.received(1), "received").equals([question], noise_asked_again=lambda got: len(got) > 1)
    now(
        scene,
        f"The server says nothing. A stranger sends a datagram every {NOISE} s.",
        f"服务器什么也不说。一个陌生人每 {NOISE} 秒发来一个数据报。",
    )
    server = udp(lambda data, times: [], ("stranger", fakes[0]))
    student.within(2).ask(LOCAL, server.port, question, 0.25).raises(
        "TimeoutError",
        stranger_trusted=fakes[0],
        noise_asked_again=lambda got: len(server.so_far) > 1,
        timer_starts_again=hung,
        silence_returned=gave_something,
    )
    scene.expect(server.received(1), "received").equals([question], noise_asked_again=lambda got: len(got) > 1)


# --- the echo server ---------------------------------------------------------------------------------------


def test_serve(scene: Scene, sender: MakeSender, fresh: Fresh) -> None:
    """each datagram comes back: byte for byte, whole, and from the port that it went to

    每个数据报都会回来：逐字节不变，完整，并且来自它被发往的那个端口
    """
    alice = sender(started(scene), "alice")
    data, again = some_bytes(fresh), fresh.word().encode()
    alice.sends(data)
    alice.hears(data, bytes_changed=lambda got: len(got) == 1)
    for _ in range(2):  # two that are alike are still two
        alice.sends(again)
        alice.hears(again, serves_once=[])
    long, last = fresh.word(largest()).encode(), fresh.word().encode()
    now(
        scene,
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


def test_empty(scene: Scene, sender: MakeSender, fresh: Fresh) -> None:
    """an empty datagram comes back like any other, and ends nothing

    空的数据报和别的一样会回来，它不表示结束
    """
    alice = sender(started(scene), "alice")
    data, last = fresh.word().encode(), fresh.word().encode()
    for mistakes in FIRST_TWO:
        alice.sends(data)
        alice.hears(data, **mistakes)
    now(
        scene, "Two datagrams came back. Now an empty one, and another.", "两个数据报回来了。现在是一个空的，再来一个。"
    )
    alice.sends(b"")
    alice.sends(data)
    alice.hears(b"", data, empty_not_answered=[data], empty_is_the_end=lambda got: got in ([], [b""]))
    alice.sends(last)
    alice.hears(last, empty_is_the_end=[])


def test_senders(scene: Scene, sender: MakeSender, fresh: Fresh) -> None:
    """each sender gets its own datagrams back, and one that has gone changes nothing for the others

    每个发送者收回自己的数据报；有人离开，对别人没有影响
    """
    server = started(scene)
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

    def hears_in_turn() -> None:
        first, second = sends(alice), sends(bob)
        bob.hears(second, not_to_its_sender=bobs_went_to_alice, tied_to_one=tied)
        alice.hears(first, not_to_its_sender=heard_by_another, tied_to_one=tied)

    def tied(got: Any) -> bool:
        return got == [] or raises("ConnectionError").matches(got)

    for mistakes in FIRST_TWO:
        alice.hears(sends(alice), **mistakes)
    now(scene, "Alice and Bob send in turn.", "Alice 和 Bob 轮流发送。")
    for _ in range(2):
        hears_in_turn()
    now(
        scene,
        "Carol has sent a datagram and gone. Then Alice and Bob go on.",
        "Carol 发出一个数据报后就离开了。然后 Alice 和 Bob 继续。",
    )
    carol.sends(fresh.word().encode())
    carol.leaves()
    hears_in_turn()
    alice.hears(sends(alice), not_to_its_sender=heard_by_another)


# --- numbers -----------------------------------------------------------------------------------------------


def test_numbers(student: Student, fresh: Fresh) -> None:
    """a number is 4 bytes, unsigned, the most significant first; less than 4 bytes are a ValueError

    编号是 4 个字节，无符号，高位在前；不到 4 个字节是 ValueError
    """
    data = b"7 \x00\xff" + fresh.word().encode()
    small, large = fresh.number(1, 200), 0xC0000001 + 256 * fresh.number(1, 0xFFFF)
    too_narrow = (raises("error"), raises("OverflowError"))
    for number in (small, large, 0):
        student.pack(number, data).returns(
            numbered(number, data),
            little_endian=number.to_bytes(4, "little") + data,
            number_not_four_bytes=lambda got: (
                (isinstance(got, bytes) and got.endswith(data)) or any(each.matches(got) for each in too_narrow)
            ),
        )
    for number in (small, large):
        student.unpack(numbered(number, data)).returns(
            (number, data),
            little_endian=(int.from_bytes(number.to_bytes(4, "big"), "little"), data),
            number_not_four_bytes=lambda got, number=number: got[0] != number or raises("error").matches(got),
        )
    student.unpack(numbered(small, b"")).returns((small, b""))
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

    def answer(self, number: int) -> Reply:
        """The answer with this number, from the server."""
        return "server", numbered(number, self.answers[number])

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
        "question_without_number": first(lambda datagram: datagram == data),
        "numbers_not_from_zero": first(lambda datagram: datagram == numbered(1, data)),
        "little_endian": lambda got: any(datagram[:4] == b"\x01\0\0\0" for datagram in server.so_far),
        "number_not_four_bytes": first(lambda datagram: datagram != quiz.asked[0] and datagram.endswith(data)),
        "answer_with_number": [numbered(number, answer) for number, answer in enumerate(quiz.answers)],
    }


def test_ask_all(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """questions are numbered 0, 1, 2, …, and their answers come back in this order, without the numbers

    问题按 0、1、2…… 编号；回答按这个顺序返回，不带编号
    """
    quiz = Quiz(fresh, 4)
    quiz.questions[1:3] = [b"", quiz.questions[0]]
    quiz.answers[2] = b""
    server = udp(lambda datagram, times: quiz.replies(datagram))

    student.ask_all(LOCAL, server.port, quiz.questions, 2.0, 1).returns(
        quiz.answers,
        **not_as_agreed(quiz, server),
        empty_is_no_answer=lambda got: len(server.so_far) >= 3 and (timed_out(got) or len(got) != 4 or None in got),
    )
    scene.expect(server.received(4), "received").equals(quiz.asked)


def test_lost(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """a question without an answer is sent again: the same datagram, and no other question before

    没有得到回答的问题要再发一次：同一个数据报，在这之前不发别的问题
    """
    quiz = Quiz(fresh, 3)
    server = udp(lambda datagram, times: quiz.replies(datagram) if times else [])
    now(
        scene,
        "Each question gets no answer when it comes for the first time.",
        "每个问题第一次到达时，都没有回答。",
    )
    renumbered, all_at_once = (lambda got: renumbers(server.so_far)), (lambda got: hurries(server.so_far))
    student.within(3).ask_all(LOCAL, server.port, quiz.questions, 0.15, 3).returns(
        quiz.answers,
        **not_as_agreed(quiz, server),
        no_timeout=hung,
        retry_renumbered=renumbered,
        all_at_once=all_at_once,
        lost_not_repeated=lambda got: (
            (timed_out(got) or gave_something(got)) and set(map(server.so_far.count, server.so_far)) == {1}
        ),
        tries_shared=lambda got: timed_out(got) and len(set(server.so_far)) > 1,
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
    """what is not the answer to this question is ignored: late, doubled, too short, or a stranger's

    不是这个问题的回答就忽略：迟到的、重复的、太短的、陌生人发来的
    """
    quiz = Quiz(fresh, 3)
    fakes = [fresh.word().encode() for _ in range(2)]
    others = [("stranger", numbered(0, fakes[0])), ("lookalike", numbered(0, fakes[1]))]
    useless = [("server", b""), ("server", bytes(3)), ("server", numbered(0x01000000, quiz.answers[1]))]
    before = [[*others, *useless], [quiz.answer(0)], [quiz.answer(0), quiz.answer(1)]]

    def script(datagram: bytes, times: int) -> list[Reply]:
        if datagram not in quiz.asked or times:
            return []
        number = quiz.asked.index(datagram)
        return [*before[number], quiz.answer(number), quiz.answer(number)]

    server = udp(script)
    now(
        scene,
        "Other datagrams come before each answer, and each answer comes twice.",
        "每个回答之前都有别的数据报，而且每个回答都来两次。",
    )
    student.ask_all(LOCAL, server.port, quiz.questions, 2.0, 1).returns(
        quiz.answers,
        **not_as_agreed(quiz, server),
        stranger_trusted=lambda got: bool(set(got) & set(fakes)),
        short_datagram=lambda got: raises("error").matches(got) or got[1:] == quiz.answers[1:],
        number_not_checked=lambda got: got != quiz.answers and set(got) <= {b"", *quiz.answers},
        noise_asked_again=lambda got: len(server.so_far) > len(set(server.so_far)),
        noise_counts_as_try=timed_out,
        noise_ends_wait=lambda got: gave_something(got) or gave_in(got),
    )
    scene.expect(server.received(3), "received").equals(quiz.asked, noise_asked_again=lambda got: len(got) > 3)


def test_gives_up(student: Student, scene: Scene, udp: MakeUDP, fresh: Fresh) -> None:
    """after the last try it gives up with TimeoutError, whatever else keeps coming

    最后一次尝试之后以 TimeoutError 放弃，不管还有什么别的不断到来
    """
    quiz = Quiz(fresh, 2)
    first = quiz.asked[0]
    server = udp(lambda datagram, times: [] if datagram == first else quiz.replies(datagram))
    now(scene, "The first question never gets an answer. tries is 2.", "第一个问题一直没有回答。tries 是 2。")
    student.within(2.5).ask_all(LOCAL, server.port, quiz.questions, 0.15, 2).raises(
        "TimeoutError",
        **not_as_agreed(quiz, server),
        no_timeout=lambda got: hung(got) and len(server.so_far) == 1,
        never_gives_up=hung,
        silence_returned=gave_something,
    )
    repeated = [datagram for datagram in server.received(2) if datagram.endswith(quiz.questions[0])]
    scene.expect(repeated, "received").equals(
        [first, first],
        **not_as_agreed(quiz, server),
        one_try_too_many=[first] * 3,
        lost_not_repeated=[first],
        retry_renumbered=lambda got: len(set(got)) > 1,
    )
    now(
        scene,
        f"The server never answers the question; every {NOISE} s it sends an answer with another number. tries is 1.",
        f"服务器一直不回答这个问题；每 {NOISE} 秒发来一个别的编号的回答。tries 是 1。",
    )
    server = udp(lambda datagram, times: [], ("server", numbered(7, quiz.answers[1])))
    student.within(2).ask_all(LOCAL, server.port, quiz.questions[:1], 0.25, 1).raises(
        "TimeoutError",
        number_not_checked=[quiz.answers[1]],
        noise_asked_again=lambda got: len(server.so_far) > 1,
        timer_starts_again=hung,
        silence_returned=gave_something,
    )
    scene.expect(server.received(1), "received").equals([first], noise_asked_again=lambda got: len(got) > 1)
