"""A student's server: found when it listens, met by peers, told about when it stands still or ends."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dojo import hints
from dojo.expect import Scene, raises
from dojo.failure import Failed
from dojo.result import Result
from dojo.server import Server
from tests.dojo.students import Bench

THREADS = """
import socket, threading
def serve(host, port):
    with socket.create_server((host, port)) as listener:
        while True:
            threading.Thread(target=echo, args=listener.accept(), daemon=True).start()
def echo(conn, addr):
    with conn:
        while data := conn.recv(1000):
            conn.sendall(data)
"""
SOCKETSERVER = """
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(1000):
            self.request.sendall(data)
def serve(host, port):
    socketserver.ThreadingTCPServer((host, port), Echo).serve_forever()
"""
FORKING = SOCKETSERVER.replace("Threading", "Forking")
ASYNCIO = """
import asyncio
async def echo(reader, writer):
    while data := await reader.read(1000):
        writer.write(data)
        await writer.drain()
    writer.close()
async def main(host, port):
    await (await asyncio.start_server(echo, host, port)).serve_forever()
def serve(host, port):
    asyncio.run(main(host, port))
"""
SELECTORS = """
import selectors, socket
def serve(host, port):
    chosen = selectors.DefaultSelector()
    listener = socket.create_server((host, port))
    chosen.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in chosen.select():
            if key.fileobj is listener:
                chosen.register(listener.accept()[0], selectors.EVENT_READ)
            elif data := key.fileobj.recv(1000):
                key.fileobj.sendall(data)
            else:
                chosen.unregister(key.fileobj)
                key.fileobj.close()
"""
DESIGNS = {
    "threads": THREADS,
    "socketserver": SOCKETSERVER,
    "forking": FORKING,
    "asyncio": ASYNCIO,
    "selectors": SELECTORS,
}


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("race", [0.0, 0.002])
def test_every_design_is_found_and_met(each_bench: Bench, design: str, race: float) -> None:
    with each_bench.scene(DESIGNS[design]) as scene:
        server = scene.serve("serve", "127.0.0.1", 0, race=race)
        alice, bob = server.peer("alice"), server.peer("bob")
        bob.sends_in_pieces(b"wor", b"ld\n")
        alice.sends(b"hello")
        alice.hears(b"hello")
        bob.hears_line("world")
        assert server.processor_share(0.1) < 0.5
        alice.half_closes()
        alice.hears_end()
        bob.resets()
        server.peer("carol").sends(b"x")
        standing = server.standing()
        assert standing is not None
        assert standing.open_files > 3
        assert "alice → server   hello" in "\n".join(server.wire.lines())


def fails(scene: Scene, act: object) -> Result:
    """The result of a scene that must fail."""
    result = Result("kata", "own", 1, {"en": "own", "zh": "own"})
    with pytest.raises(Failed) as failed:
        act()  # type: ignore[operator]
    result.failed(failed.value.failure, scene)
    return result


def told(result: Result) -> str:
    return hints.reasons(hints.GENERAL)[result.reason].sentence(result.values)


@pytest.mark.parametrize(
    ("lines", "reason", "says"),
    [
        ("    while True: pass", "never_listened", ":3"),
        ("    import threading; threading.Event().wait()", "never_listened", "signal from another thread"),
        ("    input()", "asked_keyboard", ":3"),
        ("    return", "returned_before_listening", "serve('127.0.0.1', 0)"),
        ("    raise OSError(98, 'in use')", "raised", ":3"),
        ("    import os; os._exit(3)", "ended_process", "exit code 3"),
        ("    raise NotImplementedError", "not_written", ":3"),
    ],
)
def test_a_server_that_never_listens(bench: Bench, lines: str, reason: str, says: str) -> None:
    with bench.scene(f"\ndef serve(host, port):\n{lines}\n") as scene:
        result = fails(scene, lambda: scene.serve("serve", "127.0.0.1", 0, deadline=0.5))
    assert result.reason == reason
    assert says in told(result)


def test_a_server_that_ends_is_told_with_its_exception(bench: Bench) -> None:
    begin = "target=echo, args=listener.accept(), daemon=True).start()"
    source = THREADS.replace(begin, "args=listener.accept())\n            1 / 0")
    with bench.scene(source) as scene:
        server = scene.serve("serve", "127.0.0.1", 0)
        alice = server.peer("alice")
        result = fails(scene, lambda: alice.hears(b"x", dies_of_it=raises("ZeroDivisionError")))
    assert result.reason == "dies_of_it"
    assert any("ZeroDivisionError" in text and ":7" in text for _, text in result.rows)


def test_a_thread_that_died_is_told(bench: Bench) -> None:
    with bench.scene(THREADS.replace("conn.sendall(data)", "raise ValueError('oh')")) as scene:
        server = scene.serve("serve", "127.0.0.1", 0)
        alice = server.peer("alice")
        alice.sends(b"x")
        result = fails(scene, lambda: alice.hears(b"x"))
    assert [(error, "echo" in name) for name, error in result.died] == [(f"ValueError: oh, {scene.subject}:10", True)]


def test_a_deadlock_is_told_with_who_holds_the_lock(bench: Bench) -> None:
    source = """
import socket, threading
lock = threading.Lock()
def serve(host, port):
    threading.Thread(target=hold, name="holder", daemon=True).start()
    with socket.create_server((host, port)) as listener:
        while True:
            conn, addr = listener.accept()
            with lock:
                conn.sendall(b"never")
def hold():
    with lock:
        threading.Event().wait()
"""
    with bench.scene(source) as scene:
        server = scene.serve("serve", "127.0.0.1", 0)
        alice = server.peer("alice")
        result = fails(scene, lambda: alice.hears(b"never", within=0.5))
    file = scene.subject
    sentence = f"MainThread stands at {file}:9, waiting for the lock that holder has held since {file}:12."
    assert sentence in result.threads


def test_a_spinning_server_is_seen(bench: Bench) -> None:
    source = THREADS.replace("while data := conn.recv(1000):", "while True:\n            data = conn.recv(1000)")
    with bench.scene(source) as scene:
        server = scene.serve("serve", "127.0.0.1", 0)
        alice = server.peer("alice")
        alice.half_closes()
        assert server.processor_share() > 0.1


def test_a_missing_lock_shows_when_threads_are_raced(bench: Bench) -> None:
    source = """
import socket, threading
taken = []
LOCK
def serve(host, port):
    with socket.create_server((host, port)) as listener:
        while True:
            threading.Thread(target=enter, args=listener.accept(), daemon=True).start()
def enter(conn, addr):
    name = conn.recv(100)
    with lock:
        if name in taken:
            conn.sendall(b"no")
        else:
            taken.append(name)
            conn.sendall(b"ok")
    conn.recv(1)
"""
    none = "import contextlib; lock = contextlib.nullcontext()"
    for lock, safe in ((none, False), ("lock = threading.Lock()", True)):
        with bench.scene(source.replace("LOCK", lock)) as scene:
            server = scene.serve("serve", "127.0.0.1", 0, race=0.002)
            assert all(_one_is_first(server, name) for name in (b"ada", b"bob", b"eve", b"joe", b"kim")) is safe


def _one_is_first(server: Server, name: bytes) -> bool:
    peers = [server.peer(f"peer{number}") for number in range(6)]
    for peer in peers:
        peer.sends(name)
    return [peer.socket.recv(2) for peer in peers].count(b"ok") == 1


def test_a_program_with_a_keyboard(each_bench: Bench) -> None:
    source = "def chat():\n    while (line := input('> ')) != 'exit':\n        print(line.upper())\n"
    with each_bench.scene(source) as scene:
        program = scene.program("chat")
        program.types("hello")
        program.shows("HELLO")
        program.never_showed("Traceback")
        program.types("exit")
        program.returns()
    with each_bench.scene(source) as scene:
        program = scene.program("chat")
        program.ends_input()
        result = fails(scene, lambda: program.returns(crashed_at_the_end=raises("EOFError")))
    assert result.reason == "crashed_at_the_end"
    with each_bench.scene(source) as scene:
        program = scene.program("chat")
        result = fails(scene, lambda: program.returns(within=0.3))
    assert result.reason == "own"
    assert any("keyboard" in sentence for sentence in result.threads)


def test_ctrl_c_reaches_the_student_alone(bench: Bench) -> None:
    source = THREADS.replace("    with socket", "  try:\n    with socket").replace(
        "def echo", "  except KeyboardInterrupt:\n    return\ndef echo"
    )
    with bench.scene(source) as scene:
        server = scene.serve("serve", "127.0.0.1", 0)
        server.interrupts()
        server.returns()
    with bench.scene(THREADS) as scene:
        server = scene.serve("serve", "127.0.0.1", 0)
        server.interrupts()
        result = fails(scene, lambda: server.returns(not_caught=raises("KeyboardInterrupt")))
    assert result.reason == "not_caught"


def test_datagrams(bench: Bench) -> None:
    source = """
import socket
def serve(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, port))
        while True:
            data, sender = sock.recvfrom(2000)
            sock.sendto(data, sender)
"""
    with bench.scene(source) as scene:
        server = scene.serve("serve", "127.0.0.1", 0)
        alice = server.datagram_peer("alice")
        alice.sends(b"")
        alice.hears(b"")
        alice.sends(b"x")
        result = fails(scene, lambda: alice.hears(b"y"))
    assert result.reason == "own"


def test_each_socket_that_is_bound(bench: Bench) -> None:
    source = """
import socket, time
def serve(host, port):
    for _ in range(3):
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind((host, port))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, port))
        sock.recvfrom(2000)
def stands():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).recvfrom(2000)
def fails():
    raise OSError("in use")
"""
    with bench.scene(source) as scene:
        server = scene.serve("serve", "127.0.0.1", 0)
        assert server.listens(lambda place: len(server.listenings) == 4)
        assert len({place.address for place in server.listenings}) >= 2
        assert not server.listens(lambda place: place.type == socket.SOCK_STREAM, 0.05)
        assert not server.has_ended()
    with bench.scene(source) as scene:
        result = fails(scene, lambda: scene.serve("stands", deadline=0.2, never="own"))
    assert result.reason == "own"
    with bench.scene(source) as scene:
        result = fails(scene, lambda: scene.serve("fails", own=raises("OSError")))
    assert result.reason == "own"


def test_a_program_that_is_slowed_down(bench: Bench) -> None:
    source = """
import time
LOADED = time.monotonic()
def lines():
    begun = time.monotonic()
    for _ in range(5):
        pass
    return time.monotonic() - begun
"""
    with bench.scene(source) as scene:
        scene.slow = 0.01
        scene.load()
        assert scene.student.lines().value() > 5 * 0.01


def test_a_unix_socket(bench: Bench, tmp_path: Path) -> None:
    source = THREADS.replace("socket.create_server((host, port))", "socket.socket(socket.AF_UNIX)").replace(
        "as listener:\n", "as listener:\n        listener.bind(host); listener.listen()\n"
    )
    if not hasattr(socket, "AF_UNIX"):
        return
    with bench.scene(source) as scene:
        server = scene.serve("serve", str(tmp_path / "door"), 0)
        alice = server.peer("alice")
        alice.sends(b"hello")
        alice.hears(b"hello")


SMALL_READS = """
import socket
def serve(host, port):
    with socket.create_server((host, port)) as listener:
        conn, _ = listener.accept()
        while data := conn.recv(1000):
            conn.sendall(b"%d." % len(data))
        conn.sendall(b"%d" % conn.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF))
"""


def test_pieces_are_read_one_by_one(bench: Bench) -> None:
    """However loaded the machine: a piece goes when the one before has been read."""
    with bench.scene(SMALL_READS) as scene:
        alice = scene.serve("serve", "127.0.0.1", 0).peer("alice")
        alice.sends_in_pieces(*(b"x" * size for size in range(1, 40)))
        alice.hears(b"".join(b"%d." % size for size in range(1, 40)))
        assert alice.is_read(1.0)


def test_the_system_keeps_less_where_a_test_asks_for_it(bench: Bench) -> None:
    """SO_SNDBUF of the listening socket goes on to the accepted one; Linux gives twice as much as is asked for."""
    with bench.scene(SMALL_READS) as scene:
        alice = scene.serve("serve", "127.0.0.1", 0, send_buffer=20_000).peer("alice")
        alice.half_closes()
        alice._fill(lambda: False, 4.0)
        assert int(alice.unread) <= 40_000
