"""The mail server over and over, and with a thousand clients: what takes too long for every day.

.venv/bin/python -m pytest -s tests/slow/test_smtp.py        # -s shows how long it took
"""

from __future__ import annotations

import gc
import smtplib
import socket
import ssl
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from dojo.fakes.smtp import FakeSMTP
from dojo.fakes.tls import Authority
from dojo.wire import Wire

CYCLES = 500
CLIENTS = 1000
ADA = ("ada@example.com", "lovelace")
KINDS = ["plain", "implicit TLS", "STARTTLS", "no handshake"]


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with Authority() as authority:
        yield authority


@pytest.fixture(scope="module")
def trust(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.ca_file)


def mail() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "ada@example.com"
    message["To"] = "bob@example.com"
    message.set_content("Hello.\n")
    return message


def fake(kind: str, authority: Authority) -> FakeSMTP:
    tls = None if kind == "plain" else authority.good
    accounts = None if kind == "plain" else dict([ADA])
    return FakeSMTP(Wire(), tls=tls, starttls=kind == "STARTTLS", accounts=accounts)


def sent(kind: str, server: FakeSMTP, trust: ssl.SSLContext, timeout: float = 60) -> smtplib.SMTP:
    """A client that has sent a mail and is still connected."""
    if kind == "implicit TLS":
        client: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=trust)
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=timeout)
    if kind == "STARTTLS":
        client.starttls(context=trust)
    if kind != "plain":
        client.login(*ADA)
    client.send_message(mail())
    return client


def left() -> tuple[int, int]:
    """Threads and descriptors of this process."""
    gc.collect()
    return threading.active_count(), len(list(Path("/dev/fd").iterdir()))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_after_many_with_a_client_that_never_leaves(
    kind: str, authority: Authority, trust: ssl.SSLContext
) -> None:
    def cycle() -> tuple[float, float]:
        server = fake(kind, authority)
        begin = time.perf_counter()
        server.start()
        started = time.perf_counter() - begin
        if kind == "no handshake":
            stranger = socket.create_connection((server.host, server.port), timeout=5)
            assert server.wait_connections(1)
            leave: Callable[[], None] = stranger.close
        else:
            leave = sent(kind, server, trust).close
            assert len(server.deliveries) == 1
        begin = time.perf_counter()
        server.stop()
        stopped = time.perf_counter() - begin
        server.check()
        leave()
        return started, stopped

    cycle()
    before = left()
    times = [cycle() for _ in range(CYCLES)]
    assert left() == before
    for what, values in zip(("start", "stop"), zip(*times, strict=True), strict=True):
        print(f"{kind}, {what}: median {statistics.median(values) * 1000:.2f} ms, worst {max(values) * 1000:.2f} ms")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS[:3])
def test_a_thousand_at_once(kind: str, authority: Authority, trust: ssl.SSLContext) -> None:
    errors: list[BaseException] = []
    everybody = threading.Barrier(CLIENTS + 1)

    def send() -> None:
        try:
            everybody.wait()
            sent(kind, server, trust, timeout=300).quit()
        except BaseException as error:
            errors.append(error)

    with fake(kind, authority) as server:
        before = threading.stack_size(256 * 1024)
        threads = [threading.Thread(target=send) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        threading.stack_size(before)
        begin = time.perf_counter()
        everybody.wait()
        for thread in threads:
            thread.join()
        print(f"{kind}: {CLIENTS} clients in {time.perf_counter() - begin:.1f} s")
        assert errors == []
        assert len(server.deliveries) == CLIENTS
        assert len(server.connections) == CLIENTS
