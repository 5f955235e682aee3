"""Certificates right and wrong, met by a client that verifies, and what the wire says of each refusal."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from dojo.fakes.raw import FakeTCP, ReadLine, Send
from dojo.fakes.tls import Authority
from dojo.wire import Note, Sent, Wire


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with Authority() as authority:
        yield authority


def talk(server: FakeTCP, context: ssl.SSLContext, host: str = "127.0.0.1") -> bytes:
    with (
        socket.create_connection((server.host, server.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=host) as secret,
    ):
        secret.sendall(b"secret\n")
        return secret.recv(100)


def notes(wire: Wire) -> list[str]:
    return [entry.text for entry in wire.entries if isinstance(entry, Note)]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_the_good_one_is_good_for_each_name(authority: Authority, host: str) -> None:
    wire = Wire()
    context = ssl.create_default_context(cafile=authority.ca_file)
    # What Python 3.13 does by itself.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with FakeTCP(wire, [ReadLine(), Send(b"hello\n")], tls=authority.good) as server:
        assert talk(server, context, host) == b"hello\n"
        assert server.wait_closed(0)
        assert server.connections[0].secured
    # The transcript is the plain text.
    sent = [(entry.source, entry.data) for entry in wire.entries if isinstance(entry, Sent)]
    assert sent == [("client", b"secret\n"), ("server", b"hello\n")]


@pytest.mark.parametrize(
    ("leaf", "error", "reason"),
    [
        ("wrong_host", "mismatch", "the client refused this certificate: it is not for this host name"),
        ("expired", "expired", "the client refused this certificate: it has expired"),
        ("unknown_ca", "unable to get local issuer", "the client does not trust this certificate"),
    ],
)
def test_a_wrong_one_is_refused_and_the_wire_says_why(authority: Authority, leaf: str, error: str, reason: str) -> None:
    wire = Wire()
    context = ssl.create_default_context(cafile=authority.ca_file)
    with FakeTCP(wire, [ReadLine()], tls=getattr(authority, leaf)) as server:
        with pytest.raises(ssl.SSLCertVerificationError, match=error):
            talk(server, context)
        assert server.wait_closed(0)
        assert not server.connections[0].secured
        assert server.connections[0].received == b""
    assert notes(wire) == ["client connected", f"the TLS handshake failed: {reason}"]


@pytest.mark.parametrize("leaf", ["good", "wrong_host", "expired", "unknown_ca"])
def test_who_verifies_nothing_is_let_in_by_all(authority: Authority, leaf: str) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with FakeTCP(Wire(), [ReadLine(), Send(b"hello\n")], tls=getattr(authority, leaf)) as server:
        assert talk(server, context) == b"hello\n"
        assert server.wait_closed(0)
        assert server.connections[0].received == b"secret\n"


def test_plain_text_to_a_tls_port(authority: Authority) -> None:
    wire = Wire()
    with FakeTCP(wire, [ReadLine()], tls=authority.good) as server:
        for number, words in enumerate((b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"hello, is anybody there?\r\n")):
            with socket.create_connection((server.host, server.port), timeout=5) as client:
                client.sendall(words)
                assert server.wait_closed(number)
        with socket.create_connection((server.host, server.port), timeout=5):
            pass
        assert server.wait_closed(2)
    assert [note for note in notes(wire) if "TLS" in note] == [
        "the TLS handshake failed: the client spoke plain HTTP to a TLS port",
        "the TLS handshake failed: the client did not speak TLS",
        "the TLS handshake failed: the client left in the middle of it",
    ]


def test_the_end_is_told_and_not_torn(authority: Authority) -> None:
    context = ssl.create_default_context(cafile=authority.ca_file)
    with (
        FakeTCP(Wire(), [Send(b"bye\n")], tls=authority.good) as server,
        socket.create_connection((server.host, server.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as client,
    ):
        assert client.recv(100) == b"bye\n"
        assert client.recv(100) == b""


def test_another_process_trusts_it_by_the_environment(authority: Authority) -> None:
    code = (
        "import socket, ssl, sys\n"
        "plain = socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=5)\n"
        "with ssl.create_default_context().wrap_socket(plain, server_hostname='localhost') as s:\n"
        "    print(s.recv(100))\n"
    )
    with FakeTCP(Wire(), [Send(b"hello\n")], tls=authority.good) as server:
        environment = {"SSL_CERT_FILE": authority.ca_file}
        command = [sys.executable, "-I", "-c", code, str(server.port)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.stderr) == ("b'hello\\n'\n", "")


def test_the_file_is_removed_in_the_end() -> None:
    with Authority() as authority:
        path = Path(authority.ca_file)
        assert path.read_text().startswith("-----BEGIN CERTIFICATE-----")
        assert authority.ca_file == str(path)
    assert not path.parent.exists()
    authority.close()
    forgotten = Authority()
    path = Path(forgotten.ca_file)
    del forgotten
    assert not path.parent.exists()


def test_nothing_is_made_before_it_is_asked_for() -> None:
    code = "import sys, dojo.fakes.tls; dojo.fakes.tls.Authority().close(); print('trustme' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_urllib_over_tls(authority: Authority) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    context = ssl.create_default_context(cafile=authority.ca_file)
    with (
        FakeTCP(Wire(), [Send(answer)], tls=authority.good) as server,
        urllib.request.urlopen(server.url("/x"), context=context, timeout=5) as response,
    ):
        assert server.url("/x").startswith("https://127.0.0.1:")
        assert response.read() == b"ok"
