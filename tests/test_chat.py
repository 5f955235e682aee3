"""The kata `chat`, in the order of the contract."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Callable
from typing import Any, NoReturn

from dojo.expect import Scene, Student, raises
from dojo.failure import Row
from dojo.fakes.connection import Connection
from dojo.fakes.raw import Action, Close, FakeTCP, Pieces, ReadLine, ReadUntilClose, Reset, Send
from dojo.fresh import Fresh
from dojo.outcome import Raised
from dojo.peers import Peer
from dojo.server import Program, Server
from dojo.wire import visible
from dojo.words import word

Mistakes = dict[str, Any]
FakeServer = Callable[..., FakeTCP]

PATIENCE = 2.0
"""Seconds that a peer waits for a line: it costs nothing while all is well, and a hang costs it once."""

PACE = 0.05
"""Seconds between messages to a connection whose other side is gone: the first send after a polite goodbye still
succeeds, and only the answer to it (a reset) makes the next one fail."""

IDLE = 0.1
"""Share of a processor above which a server that has nothing to do is busy: one that waits uses a hundredth."""

SEND_BUFFER = 48 * 1024
"""Bytes that the system is asked to keep for a client that does not read; it keeps up to twice as many. The batch of
lines that is on its way to one who reads must find room in it: a server need not have a buffer of its own."""

FLOOD = 2_000_000
"""Bytes that are said to a client that does not read, beside what the system keeps: twice what the server may keep."""

SMALL_RECEIVE_BUFFER = 4096
BATCH = 40
FULL = 5
"""Batches after which the system keeps no more for one that does not read."""

LONGEST_LINE = 1000
TOO_LONG = 100_000
"""Bytes: lines up to the first are passed on, from the second on the client is dropped; between, nothing is judged."""


# --- peers in a chat -------------------------------------------------------------------------------------------


def acknowledges_at_once(peer: Peer) -> None:
    """Acknowledge what comes next without a delay, where the system can: else a server that writes line by line waits
    40 ms, again and again (Nagle's algorithm)."""
    if hasattr(socket, "TCP_QUICKACK"):
        with contextlib.suppress(OSError):
            peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def next_line(peer: Peer, within: float = PATIENCE) -> str | None:
    """The next line, or None when none is complete after `within` seconds, or the connection has ended."""
    if b"\n" not in peer.unread:
        acknowledges_at_once(peer)
    peer._fill(lambda: b"\n" in peer.unread, within)
    end = peer.unread.find(b"\n")
    if end < 0:
        return None
    line = bytes(peer.unread[:end])
    del peer.unread[: end + 1]
    return line.removesuffix(b"\r").decode("utf-8", "replace")


def hears(peer: Peer, *expected: str, within: float = PATIENCE, **mistakes: Any) -> None:
    """The next lines are these: lines of one sender in this order, of several in any. A mistake's predicate gets the
    lines that were heard, up to the first wrong one; none for a silence."""
    wanted, heard = list(expected), list[str]()
    while wanted:
        line = next_line(peer, within)
        if line is not None:
            heard.append(line)
        if line is None or line not in wanted or _sender(line) in map(_sender, wanted[: wanted.index(line)]):
            _fail(peer, expected, heard, within, mistakes)
        wanted.remove(line)


def _sender(line: str) -> str:
    """Who said it; join and leave notices are those of the one they are about."""
    notice = re.fullmatch(r"\* (\S+) (joined|left)", line)
    return notice[1] if notice else line.partition(": ")[0]


def _fail(peer: Peer, expected: tuple[str, ...], heard: list[str], within: float, mistakes: Mistakes) -> NoReturn:
    unfinished = bytes(peer.unread).decode("utf-8", "replace")
    own = f"{peer.name}: "
    if "\n" not in unfinished and any(unfinished.startswith(line) for line in expected):
        mistakes = {"no_line_end": lambda _: True}
    elif heard and heard[-1].startswith(own) and heard[-1] not in expected:
        mistakes = {"sender_hears_itself": lambda _: True}
    elif heard and re.fullmatch(r"(\S+): \1", heard[-1]):
        mistakes = {"name_is_a_message": lambda _: True}
    got = heard or ([unfinished] if unfinished else [])
    peer.disappointed(" · ".join(map(visible, expected)), got, within, mistakes)


def join(server: Server, name: str, *present: Peer, receive_buffer: int = 0, **mistakes: Any) -> Peer:
    """A client that has connected and given its name; it and all who are present have heard of it."""
    peer = server.peer(name, receive_buffer=receive_buffer)
    peer.sends(f"{name}\n".encode())
    for each in (peer, *present):
        hears(each, f"* {name} joined", **(mistakes if each is peer else {}))
    return peer


def says(peer: Peer, *lines: str) -> None:
    """Send these lines in one go."""
    peer.sends("".join(f"{line}\n" for line in lines).encode())


def is_gone(peer: Peer, within: float = PATIENCE) -> bool:
    """Read until the server ends the connection; False when it has not after `within` seconds."""
    until = time.monotonic() + within
    while not peer.ended and time.monotonic() < until:
        peer.unread.clear()
        peer._fill(lambda: bool(peer.unread), until - time.monotonic())
    return peer.ended


def settles(true: Callable[[], bool], within: float = PATIENCE) -> bool:
    """Whether it becomes true, asked again and again."""
    until = time.monotonic() + within
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)  # between two questions
    return True


def silent(heard: list[str]) -> bool:
    """Nothing was heard."""
    return not heard


# --- the two helpers -------------------------------------------------------------------------------------------


def test_split_lines(student: Student, fresh: Fresh) -> None:
    r"""split_lines: complete lines are cut from the stream, the rest waits for more

    split_lines：从字节流里切出完整的行，剩下的等后续数据
    """
    one, two, three = (fresh.word().encode() for _ in range(3))
    student.split_lines(one + b"\n" + two + b"\n" + three).returns(
        ([one, two], three),
        lines_are_text=lambda got: isinstance((got[0] + [got[1]])[0], str),
        line_end_kept=lambda got: any(line.endswith(b"\n") for line in got[0]),
        rest_is_a_line=lambda got: three in got[0],
        rest_lost=lambda got: got[1] != three,
    )
    student.split_lines(one + b"\r\n" + two + b"\n").returns(
        ([one, two], b""),
        line_end_kept=lambda got: got[0] == [one + b"\r", two],
        rest_is_a_line=lambda got: b"" in got[0],
        rest_lost=lambda got: got == [[one], two],
    )
    student.split_lines(one).returns(
        ([], one), rest_is_a_line=lambda got: one in got[0], rest_lost=raises("ValueError")
    )
    student.split_lines(b"").returns(([], b""), rest_is_a_line=lambda got: b"" in got[0])
    student.split_lines(b"\n\r\n" + one + b"\n").returns(
        ([b"", b"", one], b""), empty_lines_lost=lambda got: got[0] == [one]
    )
    student.split_lines(one + b"\r\r\n" + two).returns(
        ([one + b"\r"], two),
        cr_of_the_line_lost=lambda got: got[0] == [one],
        other_line_ends=lambda got: len(got[0]) > 1,
    )
    odd = one + b"\r" + two + b"\x0b\x0c\x1c\x1e\xc2\x85\xe2\x80\xa8" + three
    student.split_lines(odd + b"\n").returns(
        ([odd], b""),
        other_line_ends=lambda got: len(got[0]) > 1,
    )
    cut = "你好".encode()
    student.split_lines(cut + b"\n\xff\n" + cut[:4]).returns(
        ([cut, b"\xff"], cut[:4]), lines_are_text=raises("UnicodeDecodeError")
    )


def test_clean(student: Student, fresh: Fresh) -> None:
    """clean: a line becomes text that others can be shown

    clean：把一行变成可以显示给别人的文本
    """
    name, word, last = fresh.name(), fresh.word(), fresh.word()
    student.clean(f"{name} {word}".encode()).returns(
        f"{name} {word}", letters_lost=lambda got: set(got) < set(f"{name} {word}")
    )
    student.clean(f"  {word} {last} \r".encode()).returns(
        f"{word} {last}", blanks_stay=lambda got: got.strip() == f"{word} {last}"
    )
    student.clean(f" \x00 {word}\x1b {last} \x07 ".encode()).returns(
        f"{word} {last}",
        controls_stay=lambda got: not got.isprintable(),
        blanks_stay=lambda got: got.strip() == f"{word} {last}",
    )
    for number in (27, 0, 9, 13, 31, 127, 128, 155, 159):
        student.clean(f"{word}{chr(number)}{last}".encode()).returns(
            word + last,
            controls_stay=lambda got: not got.isprintable(),
        )
    kept = f"{word}\u3000{last}\u00a0\U0001f468\u200d\U0001f469\u2028x"
    student.clean(kept.encode()).returns(kept, letters_lost=lambda got: set(got) < set(kept))
    student.clean(f"{word}".encode() + b"\xff\xe4\xbd" + last.encode()).returns(
        f"{word}\ufffd\ufffd{last}",
        bad_bytes_fail=raises("UnicodeDecodeError"),
        bad_bytes_vanish=word + last,
    )
    student.clean(b" \t\x00\r").returns("", controls_stay=bool)


# --- the server ------------------------------------------------------------------------------------------------


def test_one_client(scene: Scene, fresh: Fresh) -> None:
    """a client's first line is its name, and the server tells it that it is in

    客户端的第一行是名字，服务器告诉它已经加入
    """
    ada, bob = f"ada{fresh.word(3)}", f"bob{fresh.word(3)}"
    server = scene.serve("serve", "127.0.0.1", 0)
    if server.address[0] != "127.0.0.1":
        server.fail("other_address", (Row("expected", "127.0.0.1"), Row("got", server.where())))
    scene.tell(
        f"{ada} connects, gives its name, says something to nobody and closes its side; then {bob} comes.",
        f"{ada} 连接，报上名字，说一句没有人听的话，然后关闭自己这一边；接着 {bob} 来了。",
    )
    peer = server.peer(ada)
    peer.sends(f"{ada}\n".encode())
    hears(peer, f"* {ada} joined", joiner_not_told=silent, name_is_a_message=lambda heard: heard[0].startswith(ada))
    says(peer, fresh.word())
    peer.half_closes()
    computes = server.spins()
    peer.hears_end(
        within=PATIENCE,
        name_is_a_message=lambda got: f"{ada}: {ada}\n".encode() in got,
        sender_hears_itself=lambda got: f"{ada}: ".encode() in got,
        own_left_heard=lambda got: f"* {ada} left".encode() in got,
        spins=lambda got: not got and computes(got),
        goodbye_not_noticed=b"",
    )
    peer = server.peer(bob)
    peer.sends(f"{bob}\r\n".encode())
    hears(peer, f"* {bob} joined", next_not_served=silent)


def test_others_hear(scene: Scene, fresh: Fresh) -> None:
    """everybody else hears a message, its sender does not, and nobody waits for a silent client

    一条消息别人都听到，发送者自己听不到；谁也不用等一个不说话的客户端
    """
    one, two, three = fresh.word(), fresh.word(), fresh.word()
    server = scene.serve("serve", "127.0.0.1", 0)
    scene.tell(
        "alice joins, then bob; a client connects and never says a word; then carol joins. They talk in turn.",
        "alice 加入，然后是 bob；一个客户端连上以后一句话也不说；然后 carol 加入。他们轮流说话。",
    )
    alice = join(server, "alice", joiner_not_told=silent)
    bob = join(server, "bob", alice, one_after_the_other=silent)
    server.peer("silent")
    carol = join(server, "carol", alice, bob, waits_for_the_name=silent)
    says(carol, one)
    for peer in (alice, bob):
        hears(
            peer,
            f"carol: {one}",
            no_name_in_front=[one],
            name_is_a_message=lambda heard: heard[0] in ("bob: bob", "carol: carol"),
        )
    says(alice, two)
    for peer in (bob, carol):
        hears(peer, f"alice: {two}", sender_hears_itself=[f"carol: {one}"])
    says(bob, three)
    for peer in (carol, alice):
        hears(peer, f"bob: {three}", sender_hears_itself=[f"alice: {two}"])
    scene.tell(
        "Then caro joins, whose name is the begin of carol's, and carol says something that holds everybody's name.",
        "然后 caro 加入（这个名字正好是 carol 的开头），carol 说了一句话，里面有每个人的名字。",
    )
    caro = join(server, "caro", alice, bob, carol)
    says(carol, f"bob {one} alice")
    for peer in (caro, alice, bob):
        hears(peer, f"carol: bob {one} alice", name_in_the_text=silent)


def test_pieces(scene: Scene, fresh: Fresh) -> None:
    """a line is a line, however its bytes arrive

    不管字节怎样到达，一行就是一行
    """
    one, two, name = fresh.word(8), fresh.word(8), fresh.name()
    server = scene.serve("serve", "127.0.0.1", 0)
    alice = join(server, "alice")
    scene.tell("bob's name and first message arrive together.", "bob 的名字和第一条消息一起到达。")
    bob = server.peer("bob")
    bob.sends(f"bob\n{one}\n".encode())
    both: Mistakes = {
        "name_is_one_recv": lambda heard: heard == ["* bob joined"] or (heard[0] != "* bob joined" and one in heard[0]),
    }
    hears(alice, "* bob joined", f"bob: {one}", **both)
    hears(bob, "* bob joined", **both)

    scene.tell("Then come pieces of a line, and two lines in one piece.", "然后一行分几块到达，再是两行在一块里到达。")
    bob.sends_in_pieces(
        *(part.encode() for part in (one[:3], one[3:6], f"{one[6:]}\r", f"\n{two[:2]}", f"{two[2:]}\n"))
    )
    cut: Mistakes = {
        "rest_lost": lambda heard: not heard or heard[0] == f"bob: {one[6:]}",
        "recv_is_a_line": lambda heard: any(len(line) != len(f"bob: {one}") for line in heard),
    }
    hears(alice, f"bob: {one}", f"bob: {two}", **cut)
    says(bob, two, one, two)
    hears(alice, f"bob: {two}", f"bob: {one}", f"bob: {two}", **cut)

    scene.tell("carol's name comes in pieces.", "carol 的名字分几块到达。")
    carol = server.peer("carol")
    carol.sends_in_pieces(b"car", b"ol\r", b"\n")
    for peer in (carol, alice):
        hears(peer, "* carol joined", name_is_one_recv=lambda heard: heard != ["* carol joined"])

    scene.tell(
        "Then each byte of a text outside ASCII comes by itself.", "然后一段非 ASCII 文本一个字节一个字节地到达。"
    )
    encoded = f"{name} 你好é".encode()
    bob.sends_in_pieces(*(encoded[at : at + 1] for at in range(len(encoded))), b"\n")
    hears(alice, f"bob: {name} 你好é", decoded_in_pieces=lambda heard: not heard or "\ufffd" in heard[0])


def test_names(scene: Scene, fresh: Fresh) -> None:
    """a name that is empty, too long or taken is refused, and the client may try another

    名字为空、太长或已被占用时会被拒绝，客户端可以换一个再试
    """
    server = scene.serve("serve", "127.0.0.1", 0)
    alice = join(server, "alice")
    scene.tell("alice is in. A new client tries several names; another one tries hers, and goes.",
               "alice 已经加入。一个新客户端试了几个名字；另一个试了 alice 的名字，然后离开。")  # fmt: skip
    bob = server.peer("bob")

    def refused(name: bytes, answer: str, reason: str) -> None:
        faults: Mistakes = {
            "refusal_ends_all": lambda heard: not heard and bob.ended,
            reason: lambda heard: heard[0].endswith(" joined"),
        }
        bob.sends(name + b"\n")
        hears(bob, answer, **faults)

    refused(b"alice", "* the name is taken", "taken_name_let_in")
    stranger = server.peer("stranger")
    says(stranger, "alice")
    hears(stranger, "* the name is taken", waits_for_the_name=silent, taken_name_let_in=["* alice joined"])
    stranger.closes()  # it never had a name, and takes none along
    refused(b"  \r", "* the name is empty", "bad_name_let_in")
    refused(b"b" * 21, "* the name is too long", "bad_name_let_in")
    refused(b" al\x1bice\r", "* the name is taken", "taken_name_let_in")
    scene.tell("carol joins, and alice says something to her. Then the new client gives a good name.",
               "carol 加入，alice 对她说了一句话。然后新客户端报上一个合格的名字。")  # fmt: skip
    carol = join(server, "carol", alice, waits_for_the_name=silent)
    full: Mistakes = {"name_limit_too_low": ["* the name is too long"]}
    join(server, fresh.word(20), alice, carol, **full)
    said = fresh.word()
    says(alice, said)
    hears(carol, f"alice: {said}", no_name_in_front=[said])
    long = "你" * 14 + fresh.word()
    bob.sends(f"  {long}\x07 \n".encode())

    def bytes_are_counted(heard: list[str]) -> bool:
        bob.sends(f"{long}\n".encode())  # the same without what clean() takes off
        return heard == [next_line(bob)] == ["* the name is too long"]

    hears(
        bob,
        f"* {long} joined",
        stranger_overhears=lambda heard: heard[0] == f"alice: {said}" or heard[0].endswith(" joined"),
        bytes_counted=bytes_are_counted,
        counted_before_clean=["* the name is too long"],
    )
    hears(alice, f"* {long} joined")
    units: Mistakes = {"code_units_counted": ["* the name is too long"]}
    join(server, "🍎" * 14 + fresh.word(), alice, bob, **units)
    scene.tell("alice leaves; her name is free again.", "alice 离开，她的名字又可以用了。")
    alice.closes()
    hears(bob, "* alice left", no_leave_notice=silent)
    again = server.peer("alice2")
    says(again, "alice")
    hears(again, "* alice joined", name_stays_taken=["* the name is taken"])


def test_lines(scene: Scene, fresh: Fresh) -> None:
    """what others are shown is clean, and a line without an end does not fill the memory

    别人看到的内容是干净的；没有结尾的一行不会把内存占满
    """
    one, two = fresh.word(), fresh.word()
    server = scene.serve("serve", "127.0.0.1", 0)
    alice, bob = join(server, "alice"), server.peer("bob")
    says(bob, "bob")
    hears(alice, "* bob joined")
    scene.tell("bob sends empty lines, control characters, bytes that are not UTF-8, and long lines.",
               "bob 发来空行、控制字符、不是 UTF-8 的字节，还有很长的行。")  # fmt: skip
    bob.sends(f"\n\r\n  \n\x00\n{one}\n".encode())
    hears(
        alice,
        f"bob: {one}",
        empty_lines_passed_on=lambda heard: heard[0].rstrip(" ") in ("bob:", ""),
        controls_stay=["bob: \0"],
        empty_line_ends=lambda heard: not heard or heard == ["* bob left"],
    )
    bob.sends(f"{one}\x1b[31m\x9b2J\x07{two}\t\n".encode())
    hears(alice, f"bob: {one}[31m2J{two}", controls_stay=lambda heard: "\x1b" in heard[0] or "\x9b" in heard[0])
    bob.sends(one.encode() + b"\xff" + two.encode() + b"\n")
    hears(alice, f"bob: {one}\ufffd{two}",
          bad_bytes_fail=lambda heard: not heard or heard == ["* bob left"],
          bad_bytes_vanish=[f"bob: {one}{two}"])  # fmt: skip
    bob.sends(f"{one}\r\x0b\u2028{two}\n".encode())
    hears(alice, f"bob: {one}\u2028{two}", other_line_ends=[f"bob: {one}"], letters_lost=[f"bob: {one}{two}"],
          controls_stay=lambda heard: "\r" in heard[0] or "\x0b" in heard[0])  # fmt: skip
    says(bob, "exit", "/quit")
    hears(
        alice,
        "bob: exit",
        "bob: /quit",
        recv_is_a_line=["bob: exit/quit"],
        text_is_a_command=lambda heard: set(heard) <= {"bob: exit", "bob: /quit", "* bob left"},
    )
    whole, half = fresh.word(LONGEST_LINE), fresh.word(LONGEST_LINE * 2 // 3)
    bob.sends_in_pieces(whole[:400].encode(), whole[400:].encode() + b"\n")
    hears(alice, f"bob: {whole}", limit_too_low=lambda heard: True)
    bob.sends_in_pieces(whole.encode() + b"\r", b"\n")
    hears(alice, f"bob: {whole}", limit_counts_the_end=lambda heard: not heard or heard == ["* bob left"])
    says(bob, half, half)
    hears(alice, f"bob: {half}", f"bob: {half}", limit_for_a_piece=lambda heard: heard[-1:] != [f"bob: {half}"])
    carol, heir = server.peer("carol"), server.peer("heir")
    bob.sends(f"{one}\n".encode() + b"x" * TOO_LONG)
    hears(
        alice,
        f"bob: {one}",
        "* bob left",
        good_line_lost=["* bob left"],
        long_line_passed_on=lambda heard: "xxx" in heard[-1],
        no_limit=lambda heard: heard in ([], [f"bob: {one}"]) and not is_gone(bob, 0.5),
        no_leave_notice=lambda heard: heard in ([], [f"bob: {one}"]),
    )
    says(heir, "bob")
    hears(heir, "* bob joined", name_stays_taken=["* the name is taken"], waits_for_the_name=silent)
    hears(alice, "* bob joined")
    carol.sends(b"x" * TOO_LONG)
    if not is_gone(carol):
        carol.disappointed(word("the_end"), b"", PATIENCE, {"no_limit": b""})
    says(server.peer("dave"), "dave")
    hears(alice, "* dave joined", stranger_announced=lambda heard: heard[0].endswith(("left", "joined")))


def _leaves(scene: Scene, fresh: Fresh, leave: Callable[[Peer], None], unannounced: str) -> Server:
    """bob, who came first, leaves; alice says three things, at a pace, and carol hears them all."""
    words = [fresh.word() for _ in range(3)]
    server = scene.serve("serve", "127.0.0.1", 0)
    bob = join(server, "bob")
    alice = join(server, "alice", bob)
    carol = join(server, "carol", bob, alice)
    dave = server.peer("dave")
    leave(dave)
    leave(bob)
    # Time for the thread that reads from bob to meet the end first: a send to bob would take the reset's error away
    # from it, and it would then see a polite goodbye.
    time.sleep(2 * PACE)
    for text in words:
        says(alice, text)
        time.sleep(PACE)
    said = [f"alice: {text}" for text in words]
    faults: Mistakes = {
        "left_too_often": lambda heard: heard.count("* bob left") > 1,
        "stranger_announced": lambda heard: bool(re.search(r"\* (?!bob |alice |carol ).*left$", heard[-1])),
        "spins": lambda heard: server.processor_share(0.5) > IDLE / 2,
        "leaver_silences_others": lambda heard: (
            "* alice left" in heard
            or (set(heard) <= {*said, "* bob left"} and [line for line in heard if line in said] != said)
        ),
        unannounced: lambda heard: "* bob left" not in heard,
    }
    hears(carol, *said, "* bob left", **faults)
    said = [f"carol: {words[0]}"]
    says(carol, words[0])
    hears(alice, "* bob left", *said, **faults)
    said = [f"alice: {words[1]}"]
    says(alice, words[1])
    hears(carol, *said, **faults)
    heir = server.peer("heir")
    says(heir, "bob")
    hears(heir, "* bob joined", name_stays_taken=["* the name is taken"])
    return server


def test_leaves(scene: Scene, fresh: Fresh) -> None:
    """a client that says goodbye is announced once, and silences nobody

    客户端正常离开时通知一次，其他人照常说话
    """
    scene.tell(
        "bob, alice and carol are in, dave has given no name. dave and bob close; alice says three"
        " things, 50 ms apart.",
        "bob、alice、carol 都在，dave 没有报名字。dave 和 bob 关闭连接；alice 说了三句话，间隔 50 毫秒。",
    )
    server = _leaves(scene, fresh, lambda peer: peer.closes(), "no_leave_notice")
    share = server.processor_share(0.2)
    if share > IDLE:
        rows = (Row("seen", f"{share:.0%} CPU"),)
        server.fail("spins", rows)


def test_reset(scene: Scene, fresh: Fresh) -> None:
    """a client that breaks off is announced once too, and silences nobody

    客户端突然断开时同样通知一次，其他人照常说话
    """
    scene.tell(
        "bob, alice and carol are in, dave has given no name. dave and bob break off (a reset); alice says three"
        " things, 50 ms apart.",
        "bob、alice、carol 都在，dave 没有报名字。dave 和 bob 突然断开（reset）；alice 说了三句话，间隔 50 毫秒。",
    )
    _leaves(scene, fresh, lambda peer: peer.resets(), "reset_unnoticed")


def test_many(scene: Scene, fresh: Fresh) -> None:
    """many clients come and go, and nothing of them is left behind

    很多客户端来来去去，什么也不留下
    """
    server = scene.serve("serve", "127.0.0.1", 0)
    strangers = 24
    scene.tell(
        f"{strangers} clients connect and are silent. Six more join; the first three of them leave, one by one.",
        f"{strangers} 个客户端连上以后不说话；另外六个加入，其中前三个依次离开。",
    )
    peers: list[Peer] = []
    faults = ("joiner_not_told", "one_after_the_other", "waits_for_the_name", *3 * ["too_few_at_once"])
    for number, (silent_ones, fault) in enumerate(zip((0, 0, 1, strangers - 1, 0, 0), faults, strict=True)):
        for _ in range(silent_ones):
            server.peer("silent")
        mistakes: Mistakes = {fault: silent}
        peers.append(join(server, f"{fresh.word(4)}{number}", *peers, **mistakes))
    for gone in peers[:3]:
        gone.closes()
        peers.remove(gone)
        for peer in peers:
            twice: Mistakes = {"left_too_often": lambda heard: heard[-1].endswith(" left")}
            hears(peer, f"* {gone.name} left", no_leave_notice=silent, **twice)
    says(peers[0], "still here")
    for peer in peers[1:]:
        hears(peer, f"{peers[0].name}: still here")
    before = server.standing()
    number = 60
    scene.tell(f"Then {number} clients come, one at a time: each sends its name and a line and half-closes at once.",
               f"然后 {number} 个客户端一个接一个地来：各自发送名字和一句话，随即半关闭。")  # fmt: skip
    watcher = peers[0]
    for each in range(number):
        name = f"{fresh.word(4)}{each}"
        guest = server.peer(name)
        says(guest, name, "hello")
        guest.half_closes()
        hears(watcher, f"* {name} joined", f"{name}: hello", f"* {name} left", leaver_silences_others=silent,
              name_is_one_recv=lambda heard: "hello joined" in heard[0])  # fmt: skip
        hears(guest, f"* {name} joined", welcome_lost=silent)
        guest.hears_end(within=PATIENCE, goodbye_not_noticed=b"", own_left_heard=lambda got: b" left" in got)
        guest.socket.close()
    if before is None:
        return

    def left() -> tuple[int, int]:
        now = server.standing()
        return (now.open_files - before.open_files, len(now.threads) - len(before.threads)) if now else (0, 0)

    if not settles(lambda: max(left()) < number // 2):
        files, threads = left()
        server.fail("thread_outlives" if threads > files // 2 else "files_left",
                    (Row("seen", f"+{files} open files, +{threads} threads"),))  # fmt: skip


def test_slow_reader(scene: Scene, fresh: Fresh) -> None:
    """a client that never reads keeps nobody waiting, and does not fill the memory

    一个从不读取的客户端不会让别人等，也不会把内存占满
    """
    server = scene.serve("serve", "127.0.0.1", 0, send_buffer=SEND_BUFFER)
    slow = join(server, "slow", receive_buffer=SMALL_RECEIVE_BUFFER)
    # A server that gives a second to each of them, one after the other, is too late with five.
    others = [join(server, f"slow{each}", slow, receive_buffer=SMALL_RECEIVE_BUFFER) for each in range(2, 6)]
    alice = join(server, "alice", slow)
    bob = join(server, "bob", slow, alice)
    batches = (FLOOD + 2 * SEND_BUFFER) // (BATCH * LONGEST_LINE)
    scene.tell(
        f"slow and four others stop reading. alice says {batches * BATCH} lines of 1000 bytes, {BATCH} at a time, and"
        f" bob hears them. The four close after {FULL * BATCH} lines; slow reads on after the last.",
        f"slow 和另外四个不再读取。alice 每次说 {BATCH} 行，共 {batches * BATCH} 行、每行 1000 字节，bob 都听到。"
        f"那四个在 {FULL * BATCH} 行之后关闭连接；slow 在最后一行之后又开始读取。",
    )
    text = _long_text(fresh)
    slow_ones = (slow.name, *(other.name for other in others))
    left = _floods(alice, bob, text, slow_ones, FULL)
    for other in others:
        other.closes()
    left += _floods(alice, bob, text, slow_ones, batches - FULL)
    got, marked = b"", False
    until = time.monotonic() + 2 * PATIENCE
    while not slow.ended and not marked and time.monotonic() < until:
        says(alice, "marker")
        left += _hears_flood(bob, "alice: marker", 1, slow_ones)
        got += _reads_to_the_end(slow, 0.05)
        marked = b"alice: marker" in got
    if not slow.ended and not marked:
        slow.disappointed(word("the_end"), b"", 2 * PATIENCE, {"closed_under_a_reader": b""})
    _whole_lines(slow, got, f"alice: {text}")
    lines = got.replace(b"\r", b"").count(f"alice: {text}\n".encode())
    if lines >= batches * BATCH:
        server.fail("queue_without_end", (Row("seen", f"slow: {lines} / {batches * BATCH}"),))
    while slow.ended and "slow" not in left:
        line = next_line(bob)
        notice = re.fullmatch(r"\* (slow\d?) left", line or "")
        if not notice:
            bob.disappointed("* slow left", [line] if line else [], PATIENCE, {"dropped_unannounced": silent})
        left.append(notice[1])
    for name in left:
        if left.count(name) > 1:
            server.fail("left_too_often", (Row("heard", f"bob: {left.count(name)} × * {name} left"),))


def test_lagging(scene: Scene, fresh: Fresh) -> None:
    """a client that lags may leave, and one that asks and never listens keeps nobody waiting

    跟不上的客户端可以离开；只问不听的客户端不会让别人等
    """
    server = scene.serve("serve", "127.0.0.1", 0, send_buffer=SEND_BUFFER // 2)
    alice = join(server, "alice")
    bob = join(server, "bob", alice)
    lag = join(server, "lag", alice, bob, receive_buffer=SMALL_RECEIVE_BUFFER)
    scene.tell(
        "lag does not read, while alice says 100 lines of 1000 bytes. Then lag half-closes; as soon as bob hears"
        " `* lag left`, a new client asks for the name, and lag begins to read.",
        "alice 说了 100 行、每行 1000 字节，lag 一直没有读取。然后 lag 半关闭；bob 一听到 `* lag left`，"
        "就有新客户端要这个名字，lag 也开始读取。",
    )
    text = _long_text(fresh)
    notices = _floods(alice, bob, text, ("lag",), 5, 20)
    lag.half_closes()
    heard = b""
    if not notices:
        line = next_line(bob, PATIENCE / 4)
        if line is None:  # a server may say so when it has got rid of what it keeps for lag, so lag must read
            heard = _reads_to_the_end(lag)
            line = next_line(bob)
        if line != "* lag left":
            bob.disappointed("* lag left", [line] if line else [], PATIENCE, {"no_leave_notice": silent})
    heir = server.peer("heir")
    says(heir, "lag")
    hears(heir, "* lag joined", name_stays_taken=["* the name is taken"])
    hears(bob, "* lag joined", left_too_often=["* lag left"])
    heard += _reads_to_the_end(lag)
    if not lag.ended:
        lag.disappointed(word("the_end"), b"", PATIENCE, {"goodbye_not_noticed": b""})
    _whole_lines(lag, heard, f"alice: {text}")

    scene.tell("Then a client without a name asks for the name bob, 4000 times, and reads no answer.",
               "然后一个没有名字的客户端4000 次要求 bob 这个名字，却不读取回答。")  # fmt: skip
    deaf = server.peer("deaf", receive_buffer=SMALL_RECEIVE_BUFFER)
    server.wire.note("deaf sends bob⏎ 4000 times (not shown)", "deaf 把 bob⏎ 发了 4000 遍（不显示）")
    deaf.socket.settimeout(PATIENCE / 2)
    with contextlib.suppress(OSError):  # it may be dropped, or read no more: nothing is promised to it
        deaf.socket.sendall(b"bob\n" * 4000)
    deaf.is_read(PATIENCE / 2)
    for _ in range(2):
        last = fresh.word()
        says(alice, last)
        hears(bob, f"alice: {last}", within=2 * PATIENCE, slow_stalls_others=silent,
              taken_name_let_in=["* bob joined"], left_too_often=["* lag left"],
              stranger_announced=lambda heard: "left" in heard[-1])  # fmt: skip


def _long_text(fresh: Fresh) -> str:
    """A line of the greatest length."""
    return fresh.one_of("🍎🍏🍐🍊🍋🍌🍉🍇") * (LONGEST_LINE // 4)


def _floods(
    speaker: Peer, listener: Peer, text: str, slow: tuple[str, ...], times: int, batch: int = BATCH
) -> list[str]:
    """Say the text so many times, each time a batch of it in one go, and have it heard; which slow ones' leave was
    heard meanwhile."""
    speaker.server.wire.note(f"{speaker.name} says {text[:3]}… {times} × {batch} times (not shown)",
                             f"{speaker.name} 把 {text[:3]}… 说了 {times} × {batch} 遍（不显示）")  # fmt: skip
    left: list[str] = []
    for _ in range(times):
        speaker.socket.settimeout(2 * PATIENCE)
        with contextlib.suppress(OSError):  # seen by what the listener hears
            speaker.socket.sendall(f"{text}\n".encode() * batch)
        left += _hears_flood(listener, f"{speaker.name}: {text}", batch, slow)
    return left


def _hears_flood(peer: Peer, expected: str, number: int, slow: tuple[str, ...]) -> list[str]:
    """Hear this line so many times, without a word on the wire; returns which slow ones' leave came between."""
    left: list[str] = []
    until = time.monotonic() + PATIENCE
    speaker = _sender(expected)
    while number:
        while b"\n" not in peer.unread and not peer.ended and time.monotonic() < until:
            acknowledges_at_once(peer)
            peer.socket.settimeout(max(0.001, until - time.monotonic()))
            with contextlib.suppress(TimeoutError):
                data = _received(peer)
                peer.ended = not data
                peer.unread += data
        line = next_line(peer, 0)
        if line == expected:
            number -= 1
        elif line in [f"* {name} left" for name in slow]:
            left.append(line.split()[1])
        else:
            got = [] if line is None else [line[:80]]
            wanted = f"{number} × {expected[:12]}…"
            faults: Mistakes = {
                "reader_dropped": lambda heard: not heard and peer.ended,
                "speaker_dropped": [f"* {speaker} left"],
                "slow_stalls_others": silent,
            }
            peer.disappointed(wanted, got, PATIENCE, faults)
    return left


def _reads_to_the_end(peer: Peer, within: float = PATIENCE) -> bytes:
    """All that comes until the server ends the connection, or nothing more comes for so many seconds."""
    got = bytes(peer.unread)
    peer.unread.clear()
    peer.socket.settimeout(within)
    with contextlib.suppress(TimeoutError):
        while not peer.ended:
            data = _received(peer)
            peer.ended = not data
            got += data
    return got


def _whole_lines(peer: Peer, got: bytes, said: str) -> None:
    """However many lines were thrown away: what was heard are whole ones. What is behind the last line end may be cut
    by the end of the connection."""
    for line in got.decode("utf-8", "replace").replace("\r", "").split("\n")[:-1]:
        if line not in (said, "alice: marker") and not re.fullmatch(r"\* \S+ (joined|left)", line):
            cut = line if len(line) < 80 else f"{line[:20]}…{line[-40:]}"
            peer.disappointed(f"{said[:12]}…", [f"{len(line)}: {cut}"], PATIENCE, {"line_torn": lambda heard: True})


def _received(peer: Peer) -> bytes:
    """What has come; b"" for an end of any kind."""
    try:
        return peer.socket.recv(1 << 20)
    except ConnectionError:
        return b""


def test_same_moment(scene: Scene, fresh: Fresh) -> None:
    """what happens at the same moment does not mix: names, messages, goodbyes

    同一时刻发生的事不会混在一起：名字、消息、离开
    """
    server = scene.serve("serve", "127.0.0.1", 0, race=0.002)
    scene.tell(
        "Each line of your code takes 2 ms here, so that threads meet. Four clients ask for one name at the same"
        " moment, several times.",
        "这里你的每行代码都要花 2 毫秒，让线程碰到一起。四个客户端同时要同一个名字，重复几次。",
    )
    for _ in range(4):
        name = fresh.word(4)
        rivals = [server.peer(f"{name}{number}") for number in range(4)]
        time.sleep(PACE)  # by now all their threads, if there are any, wait for the name
        for rival in rivals:
            says(rival, name)
        answers = [next_line(rival, 2 * PATIENCE) for rival in rivals]
        if (answers.count(f"* {name} joined"), answers.count("* the name is taken")) != (1, 3):
            _name_went_wrong(server, name, rivals, answers)
        for rival in rivals:
            rival.closes()

    scene.tell(
        "Then three leave, one after the other, while a talker says six things, and then three talk at once.",
        "接着，一个人连说六句话，其间三个人先后离开；然后三个人同时说话。",
    )
    leavers, stayers = _enter(server, fresh, 3), _enter(server, fresh, 3)
    everybody = [*leavers, *stayers]
    for first in stayers[:2]:  # what everybody has heard of the joining is passed over
        settled = fresh.word()
        says(first, settled)
        for peer in everybody:
            if peer is not first:
                _skip_until(peer, [f"{first.name}: {settled}"])
    talker = stayers[0]
    words = [fresh.word() for _ in range(6)]
    says(talker, *words)
    for leaver in leavers:
        time.sleep(0.03)
        leaver.half_closes()  # no reset, although it has not read all
    left = [f"* {leaver.name} left" for leaver in leavers]
    for peer in stayers:
        said = [f"{talker.name}: {text}" for text in words] if peer is not talker else []
        hears(
            peer,
            *said,
            *left,
            within=2 * PATIENCE,
            left_too_often=lambda heard: heard[-1] in heard[:-1] and heard[-1] in left,
            lines_mixed=lambda heard: not _could_be_said(heard[-1]),
            no_leave_notice=lambda heard, said=said: set(said) == set(heard),
            missed_while_leaving=lambda heard, said=said: set(heard) <= {*said, *left, f"* {talker.name} left"},
        )
    lines = {peer: [f"{fresh.word()} {number}" for number in range(3)] for peer in stayers}
    for peer in stayers:
        says(peer, *lines[peer])
    for peer in stayers:
        others = [f"{other.name}: {text}" for other in stayers if other is not peer for text in lines[other]]
        hears(
            peer,
            *others,
            within=2 * PATIENCE,
            lines_mixed=lambda heard: not _could_be_said(heard[-1]),
        )


def _could_be_said(line: str) -> bool:
    """Whether it has the form of one whole line, with its name or (another mistake) without."""
    return bool(re.fullmatch(r"\* \w+ (joined|left)|(\w+: )?\w+( \d)?", line))


def _name_went_wrong(server: Server, name: str, rivals: list[Peer], answers: list[str | None]) -> NoReturn:
    """Several asked for one name, and not exactly one got it: say what has happened, by what else they hear."""
    joined, taken = f"* {name} joined", "* the name is taken"
    heard = [[answer] if answer else [] for answer in answers]
    for rival, lines in zip(rivals, heard, strict=True):
        while line := next_line(rival, 0.3):
            lines.append(line)
    rows = (Row("seen", " | ".join(" · ".join(map(visible, lines)) or "-" for lines in heard)),)
    if any(joined in lines and taken in lines for lines in heard):
        server.fail("stranger_overhears", rows)
    entries = sum(lines.count(joined) for lines in heard)
    server.fail("two_got_the_name" if entries > 1 else "same_moment", rows)


def _enter(server: Server, fresh: Fresh, number: int) -> list[Peer]:
    """So many clients that join at the same moment; each has heard that it is in."""
    peers = [server.peer(f"{fresh.word(4)}{each}") for each in range(number)]
    for peer in peers:
        says(peer, peer.name)
    for peer in peers:
        _skip_until(peer, [f"* {peer.name} joined"])
    return peers


def _skip_until(peer: Peer, wanted: list[str]) -> None:
    """Hear all these lines; others, which may come between, are passed over."""
    missing = set(wanted)
    while missing:
        line = next_line(peer, 2 * PATIENCE)
        if line is None:
            _fail(peer, tuple(wanted), [], 2 * PATIENCE, {})
        if not _could_be_said(line):
            _fail(peer, tuple(wanted), [line], 2 * PATIENCE, {"lines_mixed": lambda heard: True})
        missing.discard(line)


def test_server_ends(scene: Scene, fresh: Fresh) -> None:
    """Ctrl-C ends the server, and every client learns of it

    Ctrl-C 结束服务器，每个客户端都会知道
    """
    server = scene.serve("serve", "127.0.0.1", 0, send_buffer=SEND_BUFFER // 3)
    alice = join(server, "alice")
    bob = join(server, "bob", alice)
    lag = join(server, "lag", alice, bob, receive_buffer=SMALL_RECEIVE_BUFFER)
    scene.tell(
        "alice, bob and lag are in; alice says 60 lines of 1000 bytes, 10 at a time, and lag does not read.",
        "alice、bob、lag 都在；alice 每次说 10 行，共 60 行、每行 1000 字节，而 lag 不读取。",
    )
    _floods(alice, bob, _long_text(fresh), (lag.name,), 6, 10)
    stranger = server.peer("stranger")
    dave = join(server, "dave")  # who comes after the stranger: so the stranger has been met
    time.sleep(PACE)  # a user's time: a Ctrl-C in the very moment before a wait does not end that wait
    scene.tell("dave has joined, a stranger has given no name. Then comes Ctrl-C.",
               "dave 加入，还有一个没报名字的陌生人。然后按下 Ctrl-C。")  # fmt: skip
    server.interrupts()
    server.returns(ctrl_c_escapes=raises("KeyboardInterrupt"), never_stops=lambda got: got is None, **WAIT)
    for peer in (alice, bob, dave, stranger):
        if not is_gone(peer):
            peer.disappointed(word("the_end"), b"", PATIENCE, {"clients_not_told": b""})
    _alone(server, "thread_outlives")
    with socket.socket() as late:
        late.settimeout(PATIENCE)
        if late.connect_ex(server.address) == 0:
            server.fail("still_listens", (Row("seen", server.where()),))


WAIT: Mistakes = {"within": 2 * PATIENCE}


def _alone(running: Server | Program, reason: str) -> None:
    """No thread is left but the main one."""

    def others() -> list[str]:
        standing = running.standing()
        return [thread.name for thread in standing.threads if not thread.main] if standing else []

    if not settles(lambda: not others()):
        running.fail(reason, (Row("seen", ", ".join(others())),))


# --- the client ------------------------------------------------------------------------------------------------


def shows(program: Program, text: str, times: int = 1, **mistakes: Any) -> None:
    """The text comes to stand on the screen, so many times in all."""
    if not program.process.shows(lambda screen: screen.count(text) >= times, PATIENCE):
        program.fail_as(program.process.shown(), mistakes, (Row("on_screen", visible(text)),))


def never_showed(program: Program, text: str, reason: str) -> None:
    """The text is not on the screen so far."""
    if text in program.process.shown():
        program.fail(reason, (Row("not_on_screen", visible(text)),))


def comes_to_its_end(program: Program, server: FakeTCP, **mistakes: Any) -> None:
    """The program returns; nothing of it is left."""
    program.returns(**WAIT, **mistakes)
    if not settles(lambda: bool(server.connections)):  # a connection may wait in the backlog after its client has gone
        program.fail(program.scene.test_name, (Row("received", "-"),))
    broken = any(isinstance(action, Reset) for action in server.script)
    if not broken and not server.connections[0].wait_closed(PATIENCE):
        program.fail("closed_under_a_reader", (Row("expected", word("the_end")),))
    _alone(program, "thread_outlives")


class ReadName(Action):
    """Read up to the end of the first line that is not empty: an Enter of the scene before may come first."""

    def perform(self, connection: Connection) -> None:
        """Read it."""
        while not connection.read_line().strip():
            pass

    def __str__(self) -> str:
        return "read a name"


def _lines(server: FakeTCP) -> list[str]:
    """The lines that a fake server received, the empty ones left out."""
    lines = server.connections[0].received.decode("utf-8", "replace").split("\n")
    return [line.strip() for line in lines if line.strip()]


def test_client(scene: Scene, fresh: Fresh, raw: FakeServer) -> None:
    """the client: what is typed goes out, what comes in is shown, both at any time, until `exit`

    客户端：输入的发出去，收到的显示出来，两者互不等待，直到输入 `exit`
    """
    ada, one, two, three, four, five = fresh.word(), *(fresh.word(8) for _ in range(5))
    greeting = f"* this is {fresh.word(8)}"
    name = fresh.name()
    text = f"bob: 你好 {name}\n".encode()
    first = f"* {ada} joined\r\nbob: {one}\r\n".encode()
    parts = (f"bob: {two[:4]}".encode(), f"{two[4:]}\n".encode(), text[:6], text[6:9], text[9:])
    odd = (
        f"bob: {three}\u2028{five}\n".encode(),
        f"bob: {four}".encode() + b"\xff!\n",
        f"\nbob: {four}.\n".encode(),
    )
    script = [Send(f"{greeting}\n".encode()), ReadLine(), Send(first), Pieces(parts), Pieces(odd), ReadUntilClose()]
    server = raw(script)
    scene.tell(
        "The server speaks first. The user types a name and then nothing. The server answers with two lines in one"
        " piece, then with pieces of lines, then with odd lines: one with U+2028, one that is not UTF-8, an empty one.",
        "服务器先说话。用户输入名字，然后什么也不输入。服务器先用一块数据发来两行，"
        "再把一行分成几块发来，最后是特别的行：含有 U+2028 的、含有非 UTF-8 字节的、空的。",
    )
    program = scene.program("chat", "127.0.0.1", server.port)
    shows(program, greeting, listens_only_after_typing=lambda screen: True)
    program.types(ada)
    seen: Mistakes = {
        "no_line_end": lambda screen: b"\n" not in server.connections[0].received,
        "printed_bytes": lambda screen: "b'" in screen or 'b"' in screen,
        "rest_lost": lambda screen: two[4:] in screen and two[:4] not in screen,
        "recv_is_a_line": lambda screen: (
            f"bob: {two[:4]}" in screen and two[4:] in screen and f"bob: {two}" not in screen
        ),
        "decoded_in_pieces": lambda screen: "\ufffd" in screen.partition(three)[0] or "UnicodeDecodeError" in screen,
        "listens_only_after_typing": lambda screen: f"bob: {two}" not in screen,
    }
    for line in (f"* {ada} joined", f"bob: {one}", f"bob: {two}", f"bob: 你好 {name}"):
        shows(program, line, **seen)
    never_showed(program, "\r\n", "line_end_kept")
    shows(program, f"bob: {three}\u2028{five}", other_line_ends=lambda screen: three in screen)
    shows(
        program,
        f"bob: {four}\ufffd!",
        bad_bytes_fail=lambda screen: "UnicodeDecodeError" in screen or four not in screen,
        bad_bytes_vanish=lambda screen: f"bob: {four}!" in screen,
    )
    shows(program, f"bob: {four}.", empty_line_ends=lambda screen: True)
    last = fresh.name()
    scene.tell(
        "Then the user types a line, an empty one, one more, `EXIT`, `exit now`, a last one and `exit`.",
        "然后用户输入一行、一个空行、又一行、`EXIT`、`exit now`、最后一行和 `exit`。",
    )
    for line in (one, "", two, "EXIT", "exit now", f"{last}\nexit"):
        program.types(line)
    comes_to_its_end(program, server, exit_does_not_end=lambda got: got is None)
    typed = [ada, one, two, "EXIT", "exit now", last]
    reset = server.connections[0].reset_by_client
    scene.expect(_lines(server), "received").equals(
        typed,
        lost_by_a_reset=lambda got: reset and got == typed[: len(got)],
        exit_is_sent=[*typed, "exit"],
        empty_line_ends=typed[:2],
        exit_too_broad=lambda got: got in (typed[:3], typed[:4]),
        no_line_end=lambda got: "".join(got) in ("".join(typed), "".join(typed) + "exit"),
        last_line_lost=lambda got: got == typed[: len(got)],
    )
    program.never_showed("Traceback")


def test_client_ends(scene: Scene, fresh: Fresh, raw: FakeServer) -> None:
    """the client: it says so when the connection ends, and it ends when its input does

    客户端：连接结束时说出来；输入结束时自己也结束
    """
    scene.tell("Nobody listens there.", "那里没有程序在监听。")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # so that nobody else gets the port, and without listen()
        program = scene.program("chat", "127.0.0.1", bound.getsockname()[1])
        program.has_ended(PATIENCE)
    if not isinstance(program.end, Raised) or "OSError" not in program.end.bases:
        rows = (Row("expected", word("an_error", names="OSError")),)
        program.fail_as(program.end, {"refused_swallowed": lambda got: True}, rows)
    welcome = f"* {fresh.word()} joined"
    for times, ending in enumerate((Close(), Reset()), 1):
        scene.tell(f"The server answers and then does: {ending}. The user types nothing; then Enter.",
                   f"服务器回答之后断开（{ending}）。用户什么也没输入；最后按了一次回车。")  # fmt: skip
        server = raw([ReadName(), Send(f"{welcome}\n".encode()), ending])
        program = scene.program("chat", "127.0.0.1", server.port)
        program.types(fresh.word())
        shows(
            program,
            "* connection closed",
            times,
            reset_unnoticed=lambda screen: "ConnectionResetError" in screen,
            spins=lambda screen: "\n\n\n\n" in screen.replace(" ", "").replace(">", ""),
            no_line_end=lambda screen, server=server: server.connections[0].received.isalpha(),
            silent_about_the_end=lambda screen: True,
        )
        if not program.has_ended(2 * PACE):  # as long as it takes a user to read it
            program.types("")  # and not to a program that has ended, which leaves it to the next one
        comes_to_its_end(program, server, types_into_the_void=lambda got: got is None,
                         gone_server_escapes=lambda got: isinstance(got, Raised))  # fmt: skip
    scene.tell("The server stays. The very first line that the user types is `exit`.",
               "服务器没有断开。用户输入的第一行就是 `exit`。")  # fmt: skip
    special: Mistakes = {"first_line_is_special": lambda got: True}
    server = raw([ReadUntilClose()])
    unsent: Mistakes = {"exit_does_not_end": lambda got: got is None and not _lines(server)}
    program = scene.program("chat", "127.0.0.1", server.port)
    program.types("exit")
    comes_to_its_end(program, server, **unsent, **special)
    scene.expect(_lines(server), "received").equals([], exit_is_sent=["exit"])
    scene.tell("The server stays. The user types two lines, then the input ends (Ctrl-D).",
               "服务器没有断开。用户输入两行，然后输入结束（Ctrl-D）。")  # fmt: skip
    one, two, again = fresh.word(), fresh.word(), f"* {fresh.word()} joined"
    server = raw([ReadName(), Send(f"{again}\n".encode()), ReadUntilClose()])
    program = scene.program("chat", "127.0.0.1", server.port)
    program.types(one)
    shows(program, again, listens_only_after_typing=lambda screen: True)
    time.sleep(PACE)  # the reader waits again
    program.types(two)
    program.ends_input()
    leaves: Mistakes = {"end_of_input_escapes": raises("EOFError"), "exit_does_not_end": lambda got: got is None}
    comes_to_its_end(program, server, **leaves)
    reset = server.connections[0].reset_by_client
    scene.expect(_lines(server), "received").equals(
        [one, two],
        lost_by_a_reset=lambda got: reset and got in ([one], []),
        last_line_lost=lambda got: got in ([one], []),
    )
    scene.tell("Once more: the input has ended before a first line.", "再来一次：还没有第一行，输入就已经结束。")
    server = raw([ReadUntilClose()])
    program = scene.program("chat", "127.0.0.1", server.port)
    comes_to_its_end(program, server, **special)
    program.never_showed("Traceback")
