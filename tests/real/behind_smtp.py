"""postfix behind the face of FakeSMTP.

A reply that a test scripts is given by postfix itself: at a recipient and the like because its policy service says so,
454 at AUTH because who knows the passwords has hung up, 454 at STARTTLS because postfix lacks a file.
"""

from __future__ import annotations

import re
import ssl
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from dojo.fakes.connection import ClientClosed, Connection
from dojo.fakes.fake import Fake
from dojo.fakes.smtp import STEPS, Fault
from dojo.fakes.smtp_session import Conversation, Delivery
from dojo.wire import Wire
from tests.real.behind import PATIENCE, Far, Unplayable, servers
from tests.real.sides import as_sent

BY_POLICY = ("CONNECT", "EHLO", "HELO", "MAIL", "RCPT", "DATA", "CONTENT")
"""Steps at which postfix asks its policy service."""


@dataclass
class Taken:
    """A mail that postfix has taken: its queue id, and the envelope as the relay saw it."""

    queue_id: str
    recipients: set[str]
    connection: int
    secured: bool


class RealSMTP(Fake):
    """What FakeSMTP is for a test, with postfix doing the work."""

    replies: ClassVar[dict[int, str]] = {}
    """What the policy service answers, by the port that the relay comes from: the reply that is scripted next."""

    def __init__(
        self,
        wire: Wire,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: bool = False,
        accounts: Mapping[str, str] | None = None,
        clear_auth: bool = False,
        name: str = "server",
        host: str = "127.0.0.1",
    ) -> None:
        super().__init__(wire, tls=None if starttls else tls, name=name, host=host)
        if accounts is None:
            raise Unplayable("this postfix wants a login")
        self.tls = tls
        self.starttls = starttls
        self.clear_auth = clear_auth
        self.accounts = accounts
        self.real = servers()
        self._faults: list[Fault] = []
        self._taken: list[Taken] = []
        self._records: dict[int, Conversation] = {}
        self.real.postfix.policy.decide = lambda request: self.replies.get(int(request["client_port"]), "DUNNO")
        for user, password in accounts.items():
            self.real.dovecot.account(user, password)

    # --- for a test ----------------------------------------------------------------------------------------

    def on(
        self,
        step: str,
        about: str = "",
        *,
        reply: str | None = None,
        delay: float = 0.0,
        drop: bool = False,
        silence: bool = False,
        once: bool = False,
    ) -> None:
        """As FakeSMTP.on."""
        assert step in STEPS
        if (
            reply is not None
            and step not in BY_POLICY
            and (step, reply[:3]) not in (("AUTH", "454"), ("STARTTLS", "454"))
        ):
            raise Unplayable(f"postfix does not answer {reply} to {step} on demand")
        self._faults.insert(0, Fault(step, about, reply, delay, drop, silence, once))

    def fault(self, step: str, argument: str) -> Fault | None:
        """The rule for this step, if there is one; used up if it was for once."""
        for fault in list(self._faults):
            if fault.step == step and fault.about.lower() in argument.lower():
                if fault.once:
                    self._faults.remove(fault)
                return fault
        return None

    @property
    def way(self) -> str:
        """Which of postfix's ways in the relay takes."""
        if self.tls is None:
            return "clear"
        scripted = {fault.step for fault in self._faults if fault.reply}
        if not self.starttls:
            return "no_auth" if "AUTH" in scripted else "tls"
        if "STARTTLS" in scripted:
            return "no_tls"
        return "starttls_clear" if self.clear_auth else "starttls"

    @property
    def connections(self) -> list[Conversation]:  # type: ignore[override]
        """The conversations, in the order of their coming."""
        return [self.record(connection) for connection in list(self.door.connections)]

    def record(self, connection: Connection) -> Conversation:
        """What a test may read of this connection."""
        record = self._records.setdefault(connection.number, Conversation(connection.number))
        record.kept[:] = connection.received
        record.secured = False if self.starttls and connection.secured is None else connection.secured
        record.closed_by_client = connection.closed_by_client
        record.reset_by_client = connection.reset_by_client
        return record

    @property
    def auth(self) -> bytes:
        """As FakeSMTP.auth."""
        return b"\n".join(each.auth for each in self.connections if each.auth)

    def wait(self, happened: object, deadline: float) -> bool:
        """As FakeSMTP.wait."""
        return self.door.wait(happened, deadline)  # type: ignore[arg-type]

    def wait_closed(self, number: int | None = None, deadline: float = 2.0) -> bool:
        """As FakeSMTP.wait_closed."""

        def closed() -> bool:
            wanted = self.connections if number is None else self.connections[number : number + 1]
            return bool(wanted) and all(each.over or each.closed_by_client for each in wanted)

        return self.door.wait(closed, deadline)

    @property
    def deliveries(self) -> list[Delivery]:
        """The mails that were taken, once they lie in the Maildir: sender and recipients as postfix noted them."""
        made = []
        deadline = time.monotonic() + PATIENCE
        for taken in list(self._taken):
            while len(files := self._files()[taken.queue_id]) < len(taken.recipients):
                assert time.monotonic() < deadline, self.real.postfix.log()
                time.sleep(0.005)
            (content,) = {as_sent(file) for file in files}
            (sender,) = {_header(file, b"Return-Path").strip("<>") for file in files}
            recipients = tuple(sorted(_header(file, b"X-Original-To") for file in files))
            made.append(Delivery(sender, recipients, content, taken.secured, None, taken.connection))
        return made

    def _files(self) -> dict[str, list[bytes]]:
        """What lies in the Maildir, by the queue id in its Received header."""
        found = defaultdict(list)
        folder = self.real.dovecot.mail / "all" / "new"
        for path in folder.iterdir() if folder.exists() else ():
            stored = path.read_bytes()
            (queue_id,) = re.findall(rb"^\s+by mail\.example\.com .* id (\w+)", stored, re.MULTILINE)[:1]
            found[queue_id.decode()].append(stored)
        return found

    # --- the relay -----------------------------------------------------------------------------------------

    def serve(self, connection: Connection) -> None:
        """Pass on what one client and postfix say to each other."""
        with Far(self.real.postfix.ports[self.way], self.real.certificates.trust()) as far:
            talk = _Talk(self, connection, far)
            try:
                talk.run()
            except (ClientClosed, TimeoutError):
                pass
            finally:
                self.replies.pop(far.own_port, None)
                self.record(connection).over = True
                self.door.changed()

    def taken(self, taken: Taken) -> None:
        """Keep what postfix has taken."""
        self._taken.append(taken)
        self.door.changed()


class _Talk:
    """One conversation, a line from the client and a reply from postfix in turn."""

    def __init__(self, server: RealSMTP, near: Connection, far: Far) -> None:
        self._server = server
        self._near = near
        self._far = far
        self._record = server.record(near)
        self._recipients: set[str] = set()
        self._scripted = ""

    def run(self) -> None:
        self._at("CONNECT", "")
        self._far.connect()
        if self._near.secured:
            self._far.secure()
        self._pass_on()
        while True:
            line = self._near.read_line()
            verb, _, argument = line.decode("utf-8", "replace").strip().partition(" ")
            verb = verb.upper()
            if verb in STEPS:
                self._record.commands.append((verb, argument))
                self._server.door.changed()
            if self._at(verb, argument):
                continue
            self._far.send(line)
            code, text = self._pass_on()
            if self._after(verb, argument, code, text):
                return

    def _after(self, verb: str, argument: str, code: int, text: str) -> bool:
        """What follows a reply; true if the conversation is over."""
        if verb == "STARTTLS" and code == 220:
            assert self._server.tls is not None
            self._near.secure(self._server.tls)
            self._far.secure()
        while verb == "AUTH" and code == 334:
            self._far.send(self._near.read_line())
            code, text = self._pass_on()
        if verb == "RCPT" and code == 250:
            self._recipients.add(argument.partition("<")[2].partition(">")[0].lower())
        if verb == "DATA" and code == 354:
            content = self._near.read_until(b"\r\n.\r\n")
            self._at("CONTENT", "")
            self._far.send(content)
            code, text = self._pass_on()
            if code == 250:
                queue_id = text.rpartition(" ")[2].strip()
                secured = bool(self._near.secured)
                self._server.taken(Taken(queue_id, self._recipients, self._near.number, secured))
        if verb in ("EHLO", "HELO", "RSET", "DATA"):
            self._recipients = set()
        return verb == "QUIT" or code == 421

    def _at(self, step: str, argument: str) -> bool:
        """Do what the test scripted for this step, or let postfix do it. Whether the reply has been given here: postfix
        takes no reply of several lines from its policy service, nor one that says yes."""
        fault = self._server.fault(step, argument)
        self._scripted = ""
        self._server.replies.pop(self._far.own_port, None)
        if fault is None:
            return False
        if fault.delay:
            self._near.pause(fault.delay)
        if fault.drop:
            self._near.reset()
            raise ClientClosed("dropped, as the test wants it")
        if fault.silence:
            self._near.hold()
        if fault.reply and (fault.reply[0] == "2" or "\n" in fault.reply):
            self._near.send(fault.reply.encode() + b"\r\n")
            return True
        if fault.reply:
            self._scripted = fault.reply[:3]
            self._server.replies[self._far.own_port] = fault.reply
        return False

    def _pass_on(self) -> tuple[int, str]:
        """Bring postfix's reply to the client: its code, its last line."""
        lines = [self._far.read_line()]
        while lines[-1][3:4] == b"-":
            lines.append(self._far.read_line())
        self._near.send(b"".join(lines))
        code = lines[-1][:3].decode()
        if self._scripted not in ("", code) and code != "334":
            raise Unplayable(f"{self._scripted} was wanted, and postfix says {lines[-1]!r}")
        return int(code or 0), lines[-1].decode("utf-8", "replace")


def _header(stored: bytes, name: bytes) -> str:
    found = re.search(rb"^%b: (.*)$" % name, stored, re.MULTILINE)
    assert found is not None
    return found[1].decode()
