"""Programs that others have written, against our fakes and against the real servers: what they are let do, what they
are refused, and that every byte arrives. Each test runs twice, with the same expectations."""

from __future__ import annotations

import smtplib
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from dojo.fakes.maildrop import travelling
from tests.real.programs import missing, run
from tests.real.servers import Servers
from tests.real.sides import Place, Side

USER, PASSWORD = "ada@example.com", "love lace"
SENDER, RECIPIENT = "ada@example.com", "bob@example.net"
WRONG = ("unknown_ca", "wrong_host", "expired")

Run = subprocess.CompletedProcess[bytes]

HEADER = b"From: <ada@example.com>\r\nTo: <bob@example.net>\r\nSubject: dots\r\nX-Byte: \xe4\r\n\r\n"
MAILS = {
    "dots": HEADER + b".\r\n..\r\n.one\r\n..two\r\n.\r\nend.\r\n",
    "a dot at the end": HEADER + b"the last line\r\n.\r\n",
    "no line end": HEADER + b"the last line has no end",
    "empty lines": HEADER + b"\r\n\r\nthe end\r\n\r\n\r\n",
    "8 bits": HEADER + "你好\r\n".encode() + b"\xff\xfe\xa0\r\n",
    "a long line": HEADER + b"x" * 900 + b"\r\n.\r\n",
}


def test_the_programs_are_there() -> None:
    """No test here is skipped where a program is missing; this one says which to install."""
    assert not missing()


def failed(done: Run) -> None:
    """A program must not end as if all were well."""
    assert done.returncode != 0, done.stdout + done.stderr


def well(done: Run) -> bytes:
    """A program must end well; what it printed."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# --- programs that send mail ------------------------------------------------------------------------------


class Sender:
    """A way to send a mail by some program. `password` None: without a login."""

    def __init__(self, servers: Servers, folder: Path, place: Place, *, starttls: bool) -> None:
        self.ca = servers.certificates.ca_file
        self.folder = folder
        self.host, self.port = place
        self.starttls = starttls

    def send(self, content: bytes, password: str | None, *recipients: str) -> Run:
        raise NotImplementedError


class Curl(Sender):
    def send(self, content: bytes, password: str | None, *recipients: str) -> Run:
        scheme = "smtp" if self.starttls else "smtps"
        words = ["-sS", "--ssl-reqd", "--cacert", self.ca, "--mail-from", SENDER, "--upload-file", "-"]
        words += [word for each in recipients for word in ("--mail-rcpt", each)]
        words += [] if password is None else ["--user", f"{USER}:{password}"]
        return run("curl", *words, f"{scheme}://{self.host}:{self.port}/client.example.com", given=content)


class Msmtp(Sender):
    def send(self, content: bytes, password: str | None, *recipients: str) -> Run:
        lines = [
            "account default",
            f"host {self.host}",
            f"port {self.port}",
            f"from {SENDER}",
            "tls on",
            f"tls_starttls {'on' if self.starttls else 'off'}",
            f"tls_trust_file {self.ca}",
            "timeout 10",
            "set_date_header off",
            "set_msgid_header off",
        ]
        lines += ["auth off"] if password is None else ["auth on", f"user {USER}", f'password "{password}"']
        file = self.folder / "msmtprc"
        file.write_text("\n".join(lines) + "\n", "utf-8")
        file.chmod(0o600)
        return run("msmtp", "-C", str(file), "--", *recipients, given=content.replace(b"\r\n", b"\n"))


class Swaks(Sender):
    def send(self, content: bytes, password: str | None, *recipients: str, mechanism: str = "PLAIN") -> Run:
        words = ["--server", self.host, "--port", str(self.port), "--from", SENDER, "--to", ",".join(recipients)]
        words += ["--tls" if self.starttls else "--tls-on-connect", "--tls-verify", "--tls-ca-path", self.ca]
        words += ["--helo", "client.example.com", "--timeout", "10", "--data", "-"]
        if password is not None:
            words += ["--auth", mechanism, "--auth-user", USER, "--auth-password", password]
        return run("swaks", *words, given=travelling(content) + b".\r\n")  # it would take a last dot for the end


SENDERS = [Curl, Msmtp, Swaks]
Make = Callable[..., Sender]


@pytest.fixture(params=SENDERS, ids=lambda sender: sender.__name__)
def sender(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Make:
    """Makes senders of each kind in turn."""
    return partial(request.param, servers, tmp_path)


@pytest.fixture(params=[False, True], ids=["tls", "starttls"])
def starttls(request: pytest.FixtureRequest) -> bool:
    """TLS at once, then STARTTLS."""
    return bool(request.param)


def test_a_mail_arrives_byte_for_byte(side: Side, sender: Make, starttls: bool) -> None:
    side.account(USER, PASSWORD)
    program = sender(side.smtp(starttls=starttls), starttls=starttls)
    for content in MAILS.values():
        well(program.send(content, PASSWORD, RECIPIENT))
    expected = [travelling(content) for content in MAILS.values()]
    assert sorted(side.delivered(len(MAILS))) == sorted(expected)


def test_several_recipients(side: Side, sender: Make, starttls: bool) -> None:
    side.account(USER, PASSWORD)
    program = sender(side.smtp(starttls=starttls), starttls=starttls)
    well(program.send(MAILS["dots"], PASSWORD, RECIPIENT, "carol@example.net", "dave@example.org"))
    assert side.delivered(3) == [MAILS["dots"]] * 3


def test_who_may_not_send(side: Side, servers: Servers, sender: Make, starttls: bool) -> None:
    side.account(USER, PASSWORD)
    place = side.smtp(starttls=starttls)
    program = sender(place, starttls=starttls)
    for password in ("wrong", "", None):
        failed(program.send(MAILS["dots"], password, RECIPIENT))
    for leaf in WRONG:
        if leaf == "wrong_host" and isinstance(program, Swaks):
            continue  # swaks does not look at the name
        failed(sender(side.smtp(starttls=starttls, leaf=leaf), starttls=starttls).send(b"", PASSWORD, RECIPIENT))
    if starttls:  # the other way round, both sides would wait for the other to speak first
        failed(sender(place, starttls=False).send(b"", PASSWORD, RECIPIENT))
    # What comes after all the others, and alone, shows that of them nothing came.
    well(program.send(MAILS["a dot at the end"], PASSWORD, RECIPIENT))
    assert side.delivered(1) == [MAILS["a dot at the end"]]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_swaks_logs_in(side: Side, servers: Servers, tmp_path: Path, mechanism: str, starttls: bool) -> None:
    side.account(USER, PASSWORD)
    swaks = Swaks(servers, tmp_path, side.smtp(starttls=starttls), starttls=starttls)
    assert swaks.send(MAILS["dots"], "wrong", RECIPIENT, mechanism=mechanism).returncode == 28
    well(swaks.send(MAILS["a dot at the end"], PASSWORD, RECIPIENT, mechanism=mechanism))
    assert side.delivered(1) == [MAILS["a dot at the end"]]


def test_no_login_before_tls(side: Side, servers: Servers) -> None:
    side.account(USER, PASSWORD)
    with smtplib.SMTP(*side.smtp(starttls=True), timeout=10) as client:
        client.ehlo("client.example.com")
        assert client.has_extn("starttls")
        assert not client.has_extn("auth")
        assert client.docmd("AUTH", "PLAIN AGEAYg==")[0] // 100 == 5
        client.starttls(context=servers.certificates.trust())
        client.ehlo("client.example.com")
        assert not client.has_extn("starttls")
        client.login(USER, PASSWORD)


# --- programs that fetch mail -----------------------------------------------------------------------------


def curl_pop3(servers: Servers, place: Place, password: str, *words: str, stls: bool, path: str = "/") -> Run:
    host, port = place
    login = "--ssl-reqd", "--cacert", servers.certificates.ca_file, "--user", f"ann:{password}"
    return run("curl", "-sS", *login, *words, f"{'pop3' if stls else 'pop3s'}://{host}:{port}{path}")


@pytest.fixture(params=[False, True], ids=["tls", "stls"])
def stls(request: pytest.FixtureRequest) -> bool:
    """TLS at once, then STLS."""
    return bool(request.param)


@pytest.mark.parametrize("way", ["", "AUTH=+APOP"])
def test_curl_fetches_byte_for_byte(side: Side, servers: Servers, stls: bool, way: str) -> None:
    side.maildrop("ann", PASSWORD, MAILS.values())
    curl = partial(curl_pop3, servers, side.pop3(stls=stls), PASSWORD, *(("--login-options", way) if way else ()))
    contents = [travelling(content) for content in MAILS.values()]
    for number, content in enumerate(contents, 1):
        assert well(curl(path=f"/{number}", stls=stls)) == content
    listed = well(curl(stls=stls)).split()
    assert listed == b" ".join(b"%d %d" % (n, len(content)) for n, content in enumerate(contents, 1)).split()
    failed(curl(path="/99", stls=stls))
    assert side.left("ann", len(contents)) == contents


def test_curl_deletes(side: Side, servers: Servers, stls: bool) -> None:
    side.maildrop("ann", PASSWORD, MAILS.values())
    curl = partial(curl_pop3, servers, side.pop3(stls=stls), PASSWORD)
    well(curl("--request", "DELE", "--head", path="/2", stls=stls))
    contents = [travelling(content) for content in MAILS.values()]
    assert side.left("ann", len(contents) - 1) == [contents[0], *contents[2:]]


def test_curl_is_refused(side: Side, servers: Servers, stls: bool) -> None:
    side.maildrop("ann", PASSWORD, [MAILS["dots"]])
    for password in ("wrong", f"{PASSWORD}x"):
        assert curl_pop3(servers, side.pop3(stls=stls), password, stls=stls, path="/1").returncode == 67
    for leaf in WRONG:
        done = curl_pop3(servers, side.pop3(stls=stls, leaf=leaf), PASSWORD, stls=stls, path="/1")
        assert (done.returncode, done.stdout) == (60, b"")


def mpop(servers: Servers, folder: Path, place: Place, password: str, *, stls: bool) -> Run:
    maildir = folder / "maildir"
    for name in ("tmp", "new", "cur"):
        (maildir / name).mkdir(parents=True, exist_ok=True)
    lines = [
        "account default",
        f"host {place[0]}",
        f"port {place[1]}",
        "user ann",
        f'password "{password}"',
        "tls on",
        f"tls_starttls {'on' if stls else 'off'}",
        f"tls_trust_file {servers.certificates.ca_file}",
        f"uidls_file {folder}/uidls",
        f"delivery maildir {maildir}",
        "received_header off",
        "keep off",
        "timeout 10",
    ]
    file = folder / "mpoprc"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    file.chmod(0o600)
    return run("mpop", "-C", str(file), "--auth=user")


def test_mpop_moves_all_mail_home(side: Side, servers: Servers, tmp_path: Path, stls: bool) -> None:
    side.maildrop("ann", PASSWORD, MAILS.values())
    place = side.pop3(stls=stls)
    failed(mpop(servers, tmp_path, place, "wrong", stls=stls))
    for leaf in WRONG:
        failed(mpop(servers, tmp_path, side.pop3(stls=stls, leaf=leaf), PASSWORD, stls=stls))
    assert not list(tmp_path.glob("maildir/*/*"))
    well(mpop(servers, tmp_path, place, PASSWORD, stls=stls))
    assert side.left("ann", 0) == []
    came = [travelling(path.read_bytes()) for path in tmp_path.glob("maildir/*/*")]
    assert sorted(came) == sorted(travelling(content) for content in MAILS.values())


# --- the web ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leaf", [None, "good"], ids=["http", "https"])
def test_curl_reads_pages(side: Side, servers: Servers, leaf: str | None) -> None:
    pages = {"/page": b"a page\r\n\x00\xff", "/empty": b"", "/large": bytes(range(256)) * 4000}
    host, port = side.site(pages, ("ann", "secret"), leaf=leaf)
    curl = partial(run, "curl", "-sS", "--fail", "--cacert", servers.certificates.ca_file)
    url = f"{'https' if leaf else 'http'}://{host}:{port}"
    for path, content in pages.items():
        assert well(curl(f"{url}{path}")) == content
    assert b"\r\n\r\n" in well(curl("--head", f"{url}/large"))
    assert well(curl("--location", f"{url}/moved")) == pages["/page"]
    assert curl(f"{url}/nothing").returncode == 22
    assert well(curl("--user", "ann:secret", f"{url}/secret")) == b"welcome"
    assert well(curl("--anyauth", "--user", "ann:secret", f"{url}/secret")) == b"welcome"
    for words in ((), ("--user", "ann:wrong"), ("--user", "eve:secret")):
        assert curl(*words, f"{url}/secret").returncode == 22
    if leaf:
        failed(curl(f"http://{host}:{port}/page"))
    else:
        failed(curl(f"https://{host}:{port}/page"))


@pytest.mark.parametrize("leaf", WRONG)
def test_curl_refuses_a_certificate(side: Side, servers: Servers, leaf: str) -> None:
    host, port = side.site({"/page": b"a page"}, ("ann", "secret"), leaf=leaf)
    done = run("curl", "-sS", "--cacert", servers.certificates.ca_file, f"https://{host}:{port}/page")
    assert (done.returncode, done.stdout) == (60, b"")


# --- TLS --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leaf", ["good", *WRONG])
@pytest.mark.parametrize("way", ["smtps", "smtp", "pop3s", "pop3", "https"])
def test_openssl_verifies(side: Side, servers: Servers, way: str, leaf: str) -> None:
    if way == "https":
        host, port = side.site({}, ("ann", "secret"), leaf=leaf)
    elif way.startswith("smtp"):
        host, port = side.smtp(starttls=way == "smtp", leaf=leaf)
    else:
        host, port = side.pop3(stls=way == "pop3", leaf=leaf)
    words = ["-connect", f"{host}:{port}", "-CAfile", servers.certificates.ca_file, "-no-CApath", "-verify_ip", host]
    words += [] if way.endswith("s") else ["-starttls", way]
    done = run("openssl", "s_client", "-verify_return_error", "-brief", *words)
    assert (done.returncode == 0) == (leaf == "good"), done.stderr
    assert (b"Verification: OK" in done.stderr) == (leaf == "good"), done.stderr
