"""postfix, dovecot and nginx on 127.0.0.1, in a folder of their own, for the length of a run.

They run without an init system, as root (each changes to its own users by itself), on ports that were free a moment
ago. All that they write is in the folder; `close` ends every process and removes it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from tests.real.certificates import LEAVES, Certificates
from tests.real.programs import WITHIN, missing, path_of

NOBODY, NOGROUP = 65534, 65534
"""Who owns the mailboxes. Debian's nobody has the group nogroup."""

ADDRESSES = dict(zip(LEAVES, ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"), strict=True))
"""By the address a client came to, dovecot chooses its certificate."""

READERS = ("ann@example.org", "ben@example.org", "eve@example.org")
"""Recipients with a mailbox of their own."""

GUARDIAN = """
import os, shutil, signal, sys
things = [line.split(maxsplit=1) for line in sys.stdin]
for kind, what in things:
    if kind == "process":
        try:
            os.killpg(int(what), signal.SIGKILL)
        except ProcessLookupError:
            pass
for kind, what in things:
    if kind == "folder":
        shutil.rmtree(what.rstrip(), ignore_errors=True)
"""
"""Reads what must not outlive us, until we are gone, however we went."""


class Guardian:
    """A process that ends the servers and removes their folder when this process is gone."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", GUARDIAN], stdin=subprocess.PIPE, start_new_session=True, text=True
        )

    def watch(self, kind: str, what: object) -> None:
        """Put a `process` group or a `folder` on its list."""
        assert self._process.stdin is not None
        print(kind, what, file=self._process.stdin, flush=True)

    def close(self) -> None:
        """Let it do its work now."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(WITHIN)


class Daemon:
    """A server's process and all that it starts; what they print is kept in a file, as a pipe would never end."""

    def __init__(self, guardian: Guardian, log: Path, *command: str) -> None:
        self._log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [path_of(command[0]), *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        guardian.watch("process", self._process.pid)

    def wait_for(self, happened: Callable[[], bool]) -> bool:
        """True once it happened, False if the process ended before. Raises TimeoutError after WITHIN."""
        deadline = time.monotonic() + WITHIN
        while not happened():
            if self._process.poll() is not None:
                return False
            if time.monotonic() > deadline:
                raise TimeoutError(self.said())
            time.sleep(0.01)
        return self._process.poll() is None  # else it was somebody else who did it

    def said(self) -> str:
        """What it has printed."""
        return self._log.read_text("utf-8", "replace")

    def close(self) -> None:
        """End it and everything that it has started, at once: what it keeps is thrown away anyway."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def free_ports(count: int, address: str = "") -> list[int]:
    """Ports that were free a moment ago on every address: these programs want to be told one."""
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server((address, 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in taken]


def listens(port: int) -> bool:
    """Whether somebody listens there, told by the kernel: a connection would wake a process up."""
    table = Path("/proc/net/tcp").read_text("ascii")
    return re.search(rf": [0-9A-F]{{8}}:{port:04X} [0-9A-F:]+ 0A ", table) is not None


class Dovecot:
    """dovecot: POP3, and for postfix the one who knows the passwords. Mailboxes are Maildirs, `mail/user`.

    POP3 in the clear with STLS on `pop3`, over TLS at once on `pop3s`; ADDRESSES says which certificate is where.
    """

    def __init__(self, guardian: Guardian, folder: Path, certificates: Certificates) -> None:
        self.folder = folder
        self.mail = folder / "mail"
        self.auth = folder / "run" / "auth-for-postfix"
        self._users = folder / "users"
        for each in (self.mail, self._users):
            each.mkdir(parents=True)
        os.chown(self.mail, NOBODY, NOGROUP)
        for _ in range(5):  # between our look and its bind a port may be taken
            self.pop3, self.pop3s = free_ports(2)
            conf = folder / "dovecot.conf"
            conf.write_text(self._configuration(certificates), "utf-8")
            self._daemon = Daemon(guardian, folder / "dovecot.out", "dovecot", "-F", "-c", str(conf))
            if self._daemon.wait_for(lambda: listens(self.pop3) and listens(self.pop3s) and self.auth.exists()):
                return
        raise RuntimeError(self.log() + self._daemon.said())

    def _configuration(self, certificates: Certificates) -> str:
        def pair(leaf: str) -> str:
            return f"ssl_cert = <{certificates.file(leaf)}\nssl_key = <{certificates.file(leaf)}\n"

        others = "".join(f"local {ADDRESSES[leaf]} {{\n{pair(leaf)}}}\n" for leaf in LEAVES[1:])
        return f"""
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.folder}/dovecot.log
protocols = pop3
listen = {", ".join(ADDRESSES.values())}
ssl = yes
{pair("good")}{others}
# A password in the clear is a test's own choice, as with our fake.
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 apop
auth_username_chars =
auth_failure_delay = 0
pop3_lock_session = yes
mail_location = maildir:{self.mail}/%u
passdb {{
  driver = passwd-file
  args = username_format=%u {self._users}/%u
}}
userdb {{
  driver = static
  args = uid={NOBODY} gid={NOGROUP} home={self.mail}/%u
}}
service pop3-login {{
  service_count = 0
  inet_listener pop3 {{
    port = {self.pop3}
  }}
  inet_listener pop3s {{
    port = {self.pop3s}
    ssl = yes
  }}
}}
service anvil {{
  # It would slow down who has just been refused, which here is everybody.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {self.auth.name} {{
    mode = 0666
  }}
}}
"""

    def account(self, user: str, password: str) -> None:
        """Let this user in, over POP3 and over SMTP."""
        path = self._users / user
        fresh = path.with_name(f".{user}.new")
        fresh.write_text(f"{user}:{{PLAIN}}{password}\n", "utf-8")
        fresh.replace(path)  # it notices another file, also within a second

    def log(self) -> str:
        """What it has logged."""
        path = self.folder / "dovecot.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def close(self) -> None:
        """End it."""
        self._daemon.close()


class Helper:
    """Somebody whom postfix asks over a Unix socket; `talk` is called with each connection, in a thread."""

    def __init__(self, path: Path, talk: Callable[[socket.socket], None]) -> None:
        self._talk = talk
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        path.chmod(0o666)
        self._listener.listen(128)
        threading.Thread(target=self._listen, name=path.name, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                asked, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(asked,), daemon=True).start()

    def _serve(self, asked: socket.socket) -> None:
        with asked, contextlib.suppress(OSError):
            self._talk(asked)

    def close(self) -> None:
        """Be asked no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


Decide = Callable[[dict[str, str]], str]
"""From the attributes of a request (postfix's SMTPD_POLICY_README) to an action: "DUNNO", "550 5.1.1 Nobody"."""


class Policy:
    """Whom postfix asks before it takes a step: so a test decides, and postfix answers."""

    def __init__(self, path: Path) -> None:
        self.decide: Decide = lambda request: "DUNNO"
        self._helper = Helper(path, self._talk)

    def _talk(self, asked: socket.socket) -> None:
        with asked.makefile("rb") as file:
            request: dict[str, str] = {}
            for line in file:
                name, equals, value = line.decode("utf-8", "replace").rstrip("\n").partition("=")
                if equals:
                    request[name] = value
                    continue
                asked.sendall(f"action={self.decide(request)}\n\n".encode())
                request = {}

    def close(self) -> None:
        """Be asked no more."""
        self._helper.close()


def hang_up(asked: socket.socket) -> None:
    """Begin like dovecot's authentication service, and go away when there is somebody to authenticate."""
    asked.sendall(b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t1\nCUID\t1\nDONE\n")
    with asked.makefile("rb") as file:
        for line in file:
            if line.startswith(b"AUTH"):
                return


class Postfix:
    """postfix, with a port for each way in. It delivers every mail into a Maildir of dovecot's: that of the reader, if
    the recipient is one of READERS, else `all`.

    The ways: `tls` speaks TLS at once, `starttls` and `starttls_clear` begin in the clear and offer it, the latter
    with AUTH before it too; `clear` knows no TLS; `no_tls` offers STARTTLS and cannot do it; to `no_auth`, TLS at
    once, who knows the passwords hangs up. `tls_expired` and its like have the other certificates. Who wants to send
    must log in; dovecot knows the passwords.
    """

    def __init__(self, guardian: Guardian, folder: Path, certificates: Certificates, dovecot: Dovecot) -> None:
        self.folder = folder
        self.policy = Policy(folder / "policy")
        self._no_auth = Helper(folder / "no-auth", hang_up)
        tls = {"smtpd_tls_security_level": "may", "smtpd_tls_auth_only": "yes"}
        at_once = {**tls, "smtpd_tls_wrappermode": "yes"}
        ways: dict[str, dict[str, str]] = {
            "tls": at_once,
            "starttls": tls,
            "starttls_clear": {**tls, "smtpd_tls_auth_only": "no"},
            "clear": {"smtpd_tls_security_level": "none"},
            "no_tls": {**tls, "smtpd_tls_auth_only": "no", "smtpd_tls_CAfile": f"{folder}/missing.pem"},
        }
        ways["no_auth"] = {**at_once, "smtpd_sasl_path": f"{folder}/no-auth"}
        for leaf in LEAVES[1:]:
            other = {"smtpd_tls_chain_files": certificates.file(leaf)}
            ways |= {f"tls_{leaf}": {**at_once, **other}, f"starttls_{leaf}": {**tls, **other}}
        self._lay_out()
        own = [f"/^{re.escape(reader)}$/ {reader}/\n" for reader in READERS]
        self._settle("mailboxes", "".join(own) + "/./ all/\n")
        self._settle("main.cf", self._main(certificates, dovecot))
        for _ in range(5):  # between our look and its bind a port may be taken
            self.ports = dict(zip(ways, free_ports(len(ways)), strict=True))
            self._settle("master.cf", self._master(ways))
            master = "/usr/lib/postfix/sbin/master", "-d", "-c", str(folder)
            self._daemon = Daemon(guardian, folder / "postfix.out", *master)
            if self._daemon.wait_for(lambda: all(map(listens, self.ports.values()))):
                return
        raise RuntimeError(self.log() + self._daemon.said())

    def _lay_out(self) -> None:
        """The folders that `postfix start` would make."""
        queue = self.folder / "queue"
        (queue / "pid").mkdir(parents=True)
        (self.folder / "data").mkdir()
        shutil.chown(self.folder / "data", "postfix")
        names = "active bounce corrupt defer deferred flush hold incoming saved trace private public maildrop"
        for name in names.split():
            (queue / name).mkdir()
            shutil.chown(queue / name, "postfix", "postdrop" if name in ("public", "maildrop") else None)
            (queue / name).chmod({"public": 0o710, "maildrop": 0o730}.get(name, 0o700))

    def _settle(self, name: str, text: str) -> None:
        """Write a file of an hour ago: of a new one postfix waits two seconds for somebody to go on writing it."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        old = path.stat().st_mtime - 3600
        os.utime(path, (old, old))

    def _main(self, certificates: Certificates, dovecot: Dovecot) -> str:
        asked = f"check_policy_service unix:{self.folder}/policy"
        return f"""
compatibility_level = 3.6
queue_directory = {self.folder}/queue
data_directory = {self.folder}/data
maillog_file = {self.folder}/mail.log
maillog_file_prefixes = {self.folder}
myhostname = mail.example.com
mynetworks =
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
disable_dns_lookups = yes
smtpd_peername_lookup = no
enable_long_queue_ids = yes
# Whatever the address, the mail ends here.
default_transport = virtual
virtual_mailbox_domains =
virtual_mailbox_base = {dovecot.mail}
virtual_mailbox_maps = regexp:{self.folder}/mailboxes
virtual_uid_maps = static:{NOBODY}
virtual_gid_maps = static:{NOGROUP}
virtual_minimum_uid = 1
# A mail stays as it came: no header is added to it, none taken away.
local_header_rewrite_clients =
message_drop_headers =
# No patience with clients is wanted, and no revenge on them.
notify_classes =
in_flow_delay = 0
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
smtpd_client_connection_count_limit = 0
smtpd_tls_chain_files = {certificates.file("good")}
smtpd_tls_loglevel = 1
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {dovecot.auth}
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_delay_reject = no
smtpd_client_restrictions = {asked}
smtpd_helo_restrictions = {asked}
smtpd_sender_restrictions = {asked}
smtpd_recipient_restrictions = {asked}
smtpd_data_restrictions = {asked}
smtpd_end_of_data_restrictions = {asked}
"""

    def _master(self, ways: dict[str, dict[str, str]]) -> str:
        lines = [
            "cleanup unix n - n - 0 cleanup",
            "qmgr unix n - n 300 1 qmgr",
            "rewrite unix - - n - - trivial-rewrite",
            "bounce unix - - n - 0 bounce",
            "defer unix - - n - 0 bounce",
            "trace unix - - n - 0 bounce",
            "proxymap unix - - n - - proxymap",
            "tlsmgr unix - - n 1000 1 tlsmgr",
            "virtual unix - n n - - virtual",
            "error unix - - n - - error",
            "retry unix - - n - - error",
            "anvil unix - - n - 1 anvil",
            "postlog unix-dgram n - n - 1 postlogd",
        ]
        for way, settings in ways.items():
            options = " ".join(f"-o {name}={value}" for name, value in settings.items())
            lines.append(f"127.0.0.1:{self.ports[way]} inet n - n - - smtpd {options}")
        return "\n".join(lines) + "\n"

    def log(self) -> str:
        """What it has logged."""
        path = self.folder / "mail.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def close(self) -> None:
        """End it."""
        self._daemon.close()
        self.policy.close()
        self._no_auth.close()


class Nginx:
    """nginx with what stands in `http` of its configuration, in one process."""

    def __init__(self, guardian: Guardian, folder: Path, http: str, ready: Callable[[], bool]) -> None:
        conf = folder / "nginx.conf"
        temporary = " ".join(f"{each}_temp_path {folder}/{each};" for each in TEMPORARY)
        conf.write_text(
            f"daemon off; master_process off; user root; pid {folder}/pid; error_log {folder}/error.log;\n"
            f"events {{ worker_connections 256; }}\n"
            f"http {{\naccess_log {folder}/access.log;\n{temporary}\n{http}\n}}\n",
            "utf-8",
        )
        options = "-p", str(folder), "-c", str(conf), "-e", f"{folder}/error.log"
        self._daemon = Daemon(guardian, folder / "nginx.out", "nginx", *options)
        self.listening = self._daemon.wait_for(ready)

    def said(self) -> str:
        """What it has printed."""
        return self._daemon.said()

    def close(self) -> None:
        """End it."""
        self._daemon.close()


TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
"""Where nginx would else write outside its folder."""


class Servers:
    """All three, started when they are first asked for."""

    def __init__(self) -> None:
        sentence = missing()
        if sentence:
            raise RuntimeError(sentence)
        self.guardian = Guardian()
        self.folder = Path(tempfile.mkdtemp(prefix="dojo-real-"))
        self.guardian.watch("folder", self.folder)
        self.folder.chmod(0o755)  # postfix and dovecot come here as users of their own
        self.certificates = Certificates(self._room("tls"))
        self._stack = contextlib.ExitStack()
        self._dovecot: Dovecot | None = None
        self._postfix: Postfix | None = None

    def room(self) -> Path:
        """A folder for somebody's files."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def _room(self, name: str) -> Path:
        room = self.folder / name
        room.mkdir()
        return room

    @property
    def dovecot(self) -> Dovecot:
        """dovecot, running."""
        if self._dovecot is None:
            self._dovecot = Dovecot(self.guardian, self._room("dovecot"), self.certificates)
            self._stack.callback(self._dovecot.close)
        return self._dovecot

    @property
    def postfix(self) -> Postfix:
        """postfix, running; dovecot too."""
        if self._postfix is None:
            self._postfix = Postfix(self.guardian, self._room("postfix"), self.certificates, self.dovecot)
            self._stack.callback(self._postfix.close)
        return self._postfix

    def nginx(self, http: Callable[[int], str]) -> tuple[Nginx, int]:
        """An nginx of its own, and the port it listens on, for which `http` writes the configuration."""
        for _ in range(5):
            (port,) = free_ports(1)
            made = Nginx(self.guardian, self.room(), http(port), lambda port=port: listens(port))  # type: ignore[misc]
            self._stack.callback(made.close)
            if made.listening:
                return made, port
        raise RuntimeError(made.said())

    def close(self) -> None:
        """End everything, remove the folder."""
        try:
            self._stack.close()
        finally:
            self.guardian.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def running() -> Iterator[Servers]:
    """The servers, for a with statement or a fixture."""
    with Servers() as servers:
        yield servers
