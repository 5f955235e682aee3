"""An SMTP server for a test, around aiosmtpd: it takes mail, keeps it, and misbehaves where a test says so.

    with FakeSMTP(wire, tls=authority.good, accounts={user: password}) as server:
        server.on("RCPT", "bob@example.com", reply="550 5.1.1 Nobody here by that name")
        ...                                      # the student's code sends to server.host, server.port
        delivery = server.deliveries[0]
        delivery.recipients, delivery.message["Subject"]
        assert server.auth == b""                # not one byte of AUTH came
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from dojo.fakes.smtp_session import Conversation, Delivery, Session
from dojo.words import word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from dojo.wire import Wire

__all__ = ["Conversation", "Delivery", "FakeSMTP", "Fault"]

STEPS = ("CONNECT", "EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "CONTENT", "RSET", "NOOP", "QUIT")
"""Where a server can misbehave: CONNECT is its greeting, CONTENT what it says after the dot that ends the content."""

BACKLOG = 2048
"""Clients that the kernel may hold for us: asyncio's own 100 is too few for a thousand at once."""

# aiosmtpd tells each step, and a certificate that a client refused, to these; the wire tells it all.
for _name in ("mail.log", "mail.debug"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


@dataclass
class Fault:
    """What happens at a step instead of the ordinary, for the arguments that hold `about` (in any case)."""

    step: str
    about: str = ""
    reply: str | None = None
    delay: float = 0.0
    drop: bool = False
    silence: bool = False
    once: bool = False


class FakeSMTP:
    """An SMTP server (RFC 5321) on 127.0.0.1, port 0, everything on the wire in plain text.

    With `tls` the handshake comes first (implicit TLS, RFC 8314 §3.3); with `starttls` too, the conversation begins
    in the clear and STARTTLS is offered (RFC 3207). `accounts` are user → password: who wants to send must log in
    (RFC 4954, by the `mechanisms` PLAIN, LOGIN and, if it is named, CRAM-MD5), and AUTH is offered over TLS only,
    unless `clear_auth`. Without accounts there is no AUTH and everybody may send. `largest` is the size in bytes
    beyond which a mail is refused (552).
    """

    def __init__(
        self,
        wire: Wire,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: bool = False,
        accounts: Mapping[str, str] | None = None,
        clear_auth: bool = False,
        mechanisms: Sequence[str] = ("PLAIN", "LOGIN"),
        smtputf8: bool = True,
        largest: int = 2**25,
        name: str = "server",
        host: str = "127.0.0.1",
    ) -> None:
        if starttls and tls is None:
            raise ValueError("STARTTLS needs a certificate: tls")
        self.wire = wire
        self.tls = tls
        self.starttls = starttls
        self.accounts = accounts
        self.clear_auth = clear_auth
        self.mechanisms = mechanisms
        self.smtputf8 = smtputf8
        self.largest = largest
        self.name = name
        self.host = host
        self.port = 0
        self.errors: list[BaseException] = []
        self._faults: list[Fault] = []
        self._deliveries: list[Delivery] = []
        self._sessions: list[Session] = []
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

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
        """Misbehave at this step (one of STEPS), at any time before the client comes to it.

        Wait `delay` seconds; then, if it is said: give `reply` ("451 4.3.0 Try again later") instead of doing what
        was asked, drop the connection, or say nothing for ever. With `about` only for arguments that hold it: a
        recipient's address. With `once` the first time only. A later rule goes before an earlier one.
        """
        if step not in STEPS:
            raise ValueError(f"{step} is no step: {', '.join(STEPS)}")
        self._faults.insert(0, Fault(step, about, reply, delay, drop, silence, once))

    @property
    def deliveries(self) -> list[Delivery]:
        """The mails that were taken, in their order."""
        return list(self._deliveries)

    @property
    def connections(self) -> list[Conversation]:
        """The conversations, in the order of their coming."""
        return [session.record for session in list(self._sessions)]

    @property
    def auth(self) -> bytes:
        """Every line of any client that begins with AUTH, one below the other; b"" if not one byte of it came."""
        return b"\n".join(each.auth for each in self.connections if each.auth)

    def wait_connections(self, count: int, deadline: float = 2.0) -> bool:
        """True once `count` clients have connected in all; False if they have not in `deadline` seconds."""
        return self.wait(lambda: len(self._sessions) >= count, deadline)

    def wait_closed(self, number: int | None = None, deadline: float = 2.0) -> bool:
        """True once `connections[number]` (None: each that has come) is over, whoever closed it; False if it is not,
        or never came, after `deadline` seconds."""

        def closed() -> bool:
            wanted = self.connections if number is None else self.connections[number : number + 1]
            return bool(wanted) and all(each.over or each.closed_by_client for each in wanted)

        return self.wait(closed, deadline)

    def wait(self, happened: Callable[[], bool], deadline: float) -> bool:
        """Wait until `happened()` is true, at most `deadline` seconds. Returns what it said last."""
        with self._condition:
            return self._condition.wait_for(happened, deadline)

    # --- for a session, in the loop's thread ----------------------------------------------------------------

    def fault(self, step: str, argument: str) -> Fault | None:
        """The rule for this step, if there is one; used up if it was for once."""
        for fault in list(self._faults):
            if fault.step == step and fault.about.lower() in argument.lower():
                if fault.once:
                    self._faults.remove(fault)
                return fault
        return None

    def take(self, delivery: Delivery) -> None:
        """Keep a mail."""
        self._deliveries.append(delivery)
        self.changed()

    def changed(self) -> None:
        """Tell those who wait that something happened."""
        with self._condition:
            self._condition.notify_all()

    # --- start and stop --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen on a free port; a client may connect as soon as this returns. A fake is started once."""
        if self._thread is not None or self.port:
            raise RuntimeError("a fake is started once")
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.create_server((self.host, 0), family=family, backlog=BACKLOG)
        self.port = listener.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listener, ready), name=self.name, daemon=True)
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """End every conversation and the thread; no socket is left. May be called twice, or unstarted."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._loop is not None and thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        thread.join(5)
        if thread.is_alive():
            raise RuntimeError(f"{self.name} is still busy after 5 s")
        self.changed()

    def check(self) -> None:
        """Raise the first error that happened inside the fake, if one did: it is the judge's, not the student's."""
        if self.errors:
            raise self.errors.pop(0)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is None:
            self.check()

    def _run(self, listener: socket.socket, ready: threading.Event) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._serve(listener, ready))
        except BaseException as error:
            self.errors.append(error)
        finally:
            ready.set()

    async def _serve(self, listener: socket.socket, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._noticed)
        server = await self._loop.create_server(self._session, sock=listener, backlog=BACKLOG)
        ready.set()
        await self._stopping.wait()
        # Not server.wait_closed(): from Python 3.12 on it waits for each client to leave.
        server.close()
        for session in self._sessions:
            session.end()
        await asyncio.sleep(0)  # the loop closes the sockets now; the runner ends the tasks

    def _session(self) -> Session:
        record = Conversation(len(self._sessions) + 1)
        again = "client_connected_again" if self._sessions else "client_connected"
        self.wire.note(word(again, number=str(record.number)))
        session = Session(self, record)
        self._sessions.append(session)
        self.changed()
        return session

    def _noticed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Something went wrong in the loop. That a client is gone is no error."""
        error = context.get("exception")
        if not isinstance(error, (OSError, asyncio.CancelledError)):
            self.errors.append(error or RuntimeError(context["message"]))
