"""The POP3 fake in large numbers: 500 cycles leave nothing behind, and 1,000 clients at once are served.

.venv/bin/python -m pytest -s tests/slow/test_pop3.py        # -s shows what a start and a stop cost
"""

from __future__ import annotations

import gc
import socket
import ssl
import statistics
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dojo.fakes.pop3 import FakePOP3
from dojo.fakes.tls import Authority
from dojo.wire import Wire
from tests.dojo.test_fake_pop3 import Talk

CYCLES = 500
CLIENTS = 1000
RESIDENT = 16 * 1024
"""KiB by which the memory in use may grow over all cycles: what the allocator keeps, not what each cycle leaves."""


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def resident() -> int:
    """The memory in use, in KiB."""
    status = Path("/proc/self/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def in_plain_text(authority: Authority) -> None:
    with FakePOP3(Wire()) as server:
        server.maildrop("ann", "secret", [b"Subject: hello\r\n\r\nhi\r\n"])
        with closing(Talk(server)) as talk:
            talk.hears()
            talk.asks("USER ann")
            assert talk.asks("PASS secret").startswith("+OK")
            assert talk.asks("QUIT") == "+OK goodbye"


def over_tls(authority: Authority) -> None:
    """The client neither quits nor closes before the server ends."""
    context = ssl.create_default_context(cafile=authority.ca_file)
    with FakePOP3(Wire(), tls=authority.good) as server:
        server.maildrop("ann", "secret")
        talk = Talk(server, context)
        talk.hears()
        talk.asks("USER ann")
        assert talk.asks("PASS secret").startswith("+OK")
    talk.close()


def by_stls(authority: Authority) -> None:
    context = ssl.create_default_context(cafile=authority.ca_file)
    with FakePOP3(Wire(), stls=authority.good) as server, closing(Talk(server)) as talk:
        talk.hears()
        assert talk.asks("STLS").startswith("+OK")
        with context.wrap_socket(talk.socket.dup(), server_hostname="127.0.0.1") as secure:
            secure.sendall(b"QUIT\r\n")
            assert secure.recv(100) == b"+OK goodbye\r\n"


def without_handshake(authority: Authority) -> None:
    with FakePOP3(Wire(), tls=authority.good) as server:
        plain = socket.create_connection((server.host, server.port), timeout=5)
        assert server.wait_connections(1)
    plain.close()


@pytest.mark.parametrize("cycle", [in_plain_text, over_tls, by_stls, without_handshake])
def test_five_hundred_cycles_leave_nothing(cycle: Callable[[Authority], None]) -> None:
    with Authority() as authority:
        for _ in range(20):
            cycle(authority)
        gc.collect()
        before, memory = (threading.active_count(), descriptors()), resident()
        for _ in range(CYCLES):
            cycle(authority)
        gc.collect()
        assert (threading.active_count(), descriptors()) == before
        assert resident() - memory < RESIDENT


def test_start_and_stop_are_measured() -> None:
    """Prints what they cost (-s shows it): a time is no verdict on a machine that does other things as well."""
    starts, stops = [], []
    with Authority() as authority:
        context = ssl.create_default_context(cafile=authority.ca_file)
        for _ in range(100):
            server = FakePOP3(Wire(), tls=authority.good)
            begin = time.perf_counter()
            server.start()
            starts.append(time.perf_counter() - begin)
            talk = Talk(server, context)
            talk.hears()
            begin = time.perf_counter()
            server.stop()  # with a client that never left
            stops.append(time.perf_counter() - begin)
            talk.close()
    for what, values in (("start", starts), ("stop", stops)):
        print(f"{what}: median {statistics.median(values) * 1000:.2f} ms, worst {max(values) * 1000:.2f} ms")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("tls", [False, True])
def test_a_thousand_clients_at_once(tls: bool) -> None:
    """Each with a maildrop of its own; none gives up its connection before all have been greeted."""
    troubles: list[str] = []
    everybody_is_in = threading.Barrier(CLIENTS + 1)
    with Authority() as authority, FakePOP3(Wire(), tls=authority.good if tls else None) as server:
        context = ssl.create_default_context(cafile=authority.ca_file) if tls else None
        drops = [server.maildrop(f"user{n}", f"secret{n}", [b"Subject: %d\r\n\r\nhi\r\n" % n]) for n in range(CLIENTS)]

        def visit(number: int) -> None:
            try:
                with closing(Talk(server, context, timeout=120)) as talk:
                    assert talk.hears().startswith("+OK")
                    everybody_is_in.wait(120)
                    assert talk.asks(f"USER user{number}") == "+OK"
                    assert talk.asks(f"PASS secret{number}").startswith("+OK")
                    assert talk.asks("RETR 1").startswith("+OK")
                    assert talk.rest()[0] == f"Subject: {number}"
                    assert talk.asks("DELE 1").startswith("+OK")
                    assert talk.asks("QUIT") == "+OK goodbye"
            except (OSError, AssertionError, threading.BrokenBarrierError) as error:
                troubles.append(f"{number}: {error!r}")

        threads = [threading.Thread(target=visit, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        everybody_is_in.wait(120)
        for thread in threads:
            thread.join(120)
        assert not troubles, f"{len(troubles)}: {troubles[:5]}"
        assert len(server.connections) == CLIENTS
        assert [drop for drop in drops if drop.messages] == []
