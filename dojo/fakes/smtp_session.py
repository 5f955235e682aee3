"""aiosmtpd's side of one client's conversation, mended where a test needs it otherwise.

What aiosmtpd 1.4.6 leaves to do, and this module does:
- over implicit TLS it offers no AUTH, as it looks only at what STARTTLS has set (`_tls_protocol`);
- why a TLS handshake failed is told to nobody;
- it does not refuse a second STARTTLS, takes the names of AUTH mechanisms in upper case only, no AUTH after HELO, and
  all sessions share one table of how long a command may be;
- when it has closed a connection, it goes on to answer the commands that came before; and some bytes that a client may
  send raise in it: arguments that are not UTF-8, halves of addresses, very long answers to a challenge;
- it records nothing, and always behaves.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
import socket
from asyncio import sslproto
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, cast

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, LoginPassword, TLSSetupException

from dojo.fakes.connection import KEPT, why_no_tls
from dojo.wire import visible
from dojo.words import word

if TYPE_CHECKING:
    from email.message import EmailMessage

    from aiosmtpd.smtp import Envelope
    from aiosmtpd.smtp import Session as State

    from dojo.fakes.smtp import FakeSMTP

HOSTNAME = "mail.example.com"
"""The name by which the server introduces itself (RFC 2606)."""

LONGEST_AUTH = 12288
"""Octets that a line of an AUTH exchange may have (RFC 4954 §4)."""


@dataclass(frozen=True)
class Delivery:
    """A mail that the server has taken: the envelope (RFC 5321 §2.3.1), and what was sent between DATA and the dot.

    `content` is bytes with CRLF, the doubled dots undone. `secured` says whether it came over TLS, `user` who was
    logged in (None: nobody), `connection` which one it came by (from 1), `utf8` whether MAIL said SMTPUTF8.
    """

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    secured: bool
    user: str | None
    connection: int
    utf8: bool = False

    @property
    def message(self) -> EmailMessage:
        """The content, parsed (RFC 5322, with the email package's default policy)."""
        return message_from_bytes(self.content, policy=policy.default)


@dataclass
class Conversation:
    """What a test may read at any time of one client's connection.

    `number` counts from 1 in the order of coming. `secured` is None without TLS, False until the handshake is done.
    `commands` are (verb in upper case, argument as it was sent), of those that the server knows. `logins` are (user,
    password, whether they were right). `over` says that the connection has ended, by whomever.
    """

    number: int
    secured: bool | None = None
    user: str | None = None
    commands: list[tuple[str, str]] = field(default_factory=list)
    logins: list[tuple[str, str, bool]] = field(default_factory=list)
    closed_by_client: bool = False
    reset_by_client: bool = False
    over: bool = False
    kept: bytearray = field(default_factory=bytearray)

    @property
    def received(self) -> bytes:
        """All that the client has sent so far, up to 16 MiB; under TLS the plain text."""
        return bytes(self.kept)

    @property
    def verbs(self) -> list[str]:
        """The commands without their arguments."""
        return [verb for verb, _ in self.commands]

    @property
    def auth(self) -> bytes:
        """Every line that begins with AUTH, whether the server took it for a command or not; b"" if there is none."""
        return b"\n".join(re.findall(rb"(?im)^[ \t]*AUTH\b[^\r\n]*", self.received))


class Session(SMTP):
    """One client, from the greeting to the end. What happens goes to the wire and into `record`."""

    def __init__(self, fake: FakeSMTP, record: Conversation) -> None:
        # Its own table; aiosmtpd's belongs to the class, and each EHLO of anybody adds to it.
        self.command_size_limits = defaultdict(lambda: SMTP.command_size_limit)
        super().__init__(
            _Hooks(),
            data_size_limit=fake.largest,
            enable_SMTPUTF8=fake.smtputf8,
            hostname=HOSTNAME,  # else it would look its own name up, for each client
            ident="ESMTP",
            tls_context=fake.tls if fake.starttls else None,
            auth_require_tls=not fake.clear_auth,
            auth_exclude_mechanism={"PLAIN", "LOGIN", "CRAM-MD5"} - set(fake.mechanisms),
            authenticator=self._authenticate_by,
            loop=asyncio.get_running_loop(),
        )
        self.command_size_limits["AUTH"] = LONGEST_AUTH
        self.fake = fake
        self.record = record
        self._plain: asyncio.Transport | None = None
        self._greeted = False
        self._turned_away = False
        self._closing = False
        for verb, method in self._smtp_methods.items():
            self._smtp_methods[verb] = wraps(method)(partial(self._step, verb, method))

    # --- the connection ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected; over implicit TLS this comes again when the handshake is done."""
        if self._plain is None:
            self._plain = cast("asyncio.Transport", transport)
            # asyncio does it for listeners of its own alone; without it, a reply of many lines takes 40 ms.
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.fake.tls is not None:
                self.record.secured = False
                if not self.fake.starttls:
                    self._shake_hands(self.fake.tls)
                    return
        elif self._tls_protocol is not None:
            self.record.secured = True
        super().connection_made(transport)

    def _shake_hands(self, context: Any) -> None:
        """Do the TLS handshake before the greeting, by the same means as STARTTLS: so AUTH is offered, and why the
        handshake failed can be told."""
        assert self._plain is not None
        waiter: asyncio.Future[None] = self.loop.create_future()
        waiter.add_done_callback(self._shaken)
        self._tls_protocol = sslproto.SSLProtocol(self.loop, self, context, waiter, server_side=True)
        self._plain.set_protocol(self._tls_protocol)
        self._tls_protocol.connection_made(self._plain)

    def _shaken(self, waiter: asyncio.Future[None]) -> None:
        error = None if waiter.cancelled() else waiter.exception()
        if error is not None and not self._closing:
            self._no_tls(error)
        if not self.record.secured:
            self._over()

    def _no_tls(self, error: BaseException) -> None:
        self.record.closed_by_client = True
        reason = why_no_tls(error if isinstance(error, OSError) else OSError(str(error)))
        self.fake.wire.note(word("tls_failed", reason=reason))

    def data_received(self, data: bytes) -> None:
        """Bytes have come, decrypted if there is TLS."""
        self.fake.wire.sent("client", self.fake.name, data)
        self.record.kept += data[: max(KEPT - len(self.record.kept), 0)]
        super().data_received(data)

    def eof_received(self) -> bool | None:
        """The client has closed its side."""
        self._left(word("client_closed_side"))
        return super().eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is over."""
        if isinstance(error, ConnectionResetError):
            self.record.reset_by_client = True
            self._left(word("client_reset"))
        elif not self._closing:
            self._left(word("client_closed_side"))
        super().connection_lost(error)
        self._over()

    def end(self) -> None:
        """Break off, whatever the state: the fake is being stopped, or drops this client."""
        self._closing = True
        if self.transport is not None:
            cast("asyncio.Transport", self.transport).abort()
        if self._plain is not None:
            self._plain.abort()

    def _left(self, how: str) -> None:
        if not self._closing and not self.record.closed_by_client:
            self.record.closed_by_client = True
            self.fake.wire.note(how)
            self.fake.changed()

    def _over(self) -> None:
        self.record.over = True
        self.fake.changed()

    # --- the dialogue --------------------------------------------------------------------------------------

    async def push(self, status: str | bytes) -> None:
        """Send a reply, recorded; 421 closes the connection (RFC 5321 §3.8). Ends the session, as a lost connection
        does, when the server has closed it before: there is nobody to tell it to."""
        if not self._greeted:
            self._greeted = True
            scripted = await self.scripted("CONNECT")
            self._turned_away = scripted is not None
            status = scripted or status
        transport = cast("asyncio.Transport | None", self.transport)
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        line = status if isinstance(status, bytes) else status.encode("utf-8", "surrogateescape")
        self.fake.wire.sent(self.fake.name, "client", line + b"\r\n")
        if line.startswith((b"421", b"221")):
            self._closing = True
        await super().push(line)
        if line.startswith(b"421") and self.transport is not None:
            cast("asyncio.Transport", self.transport).close()

    async def challenge_auth(self, *arguments: Any, **named: Any) -> Any:
        """Ask for the next part of a login. The answer may be as long as a whole AUTH, which aiosmtpd's reader does
        not tell from an error."""
        try:
            return await super().challenge_auth(*arguments, **named)
        except ValueError:
            await self.push("500 5.5.6 Authentication exchange line is too long")
            return MISSING

    def _getaddr(self, argument: str) -> tuple[str | None, str | None]:
        """The address at the beginning of MAIL's or RCPT's argument, and the rest; (None, None) for a malformed one,
        over some of which the email package stumbles."""
        try:
            return super()._getaddr(argument)
        except (IndexError, ValueError):
            return None, None

    async def _step(self, verb: str, method: Callable[[str | None], Awaitable[None]], argument: str | None) -> None:
        """One command of the client's, before aiosmtpd does it."""
        self.record.commands.append((verb, argument or ""))
        self.fake.changed()
        if verb == "AUTH" and argument:
            mechanism, space, rest = argument.partition(" ")
            argument = mechanism.upper() + space + rest
            if self.session is not None and self.session.host_name:
                self.session.extended_smtp = True  # real servers take AUTH after HELO too
        reply = await self.scripted(verb, argument or "") or self._refusal(verb, argument or "")
        await (method(argument) if reply is None else self.push(reply))

    def _refusal(self, verb: str, argument: str) -> str | None:
        """What aiosmtpd would let through, raise for, or complain about with a warning."""
        if any("\udc80" <= character <= "\udcff" for character in argument):
            return "501 5.5.2 Not UTF-8"
        if self._turned_away and verb != "QUIT":
            return "503 5.5.1 No service here"  # RFC 5321 §3.1
        if verb == "STARTTLS" and self.record.secured:
            return "503 5.5.1 TLS is active already"
        if self.fake.accounts is None:
            return "502 5.5.1 AUTH is not available" if verb == "AUTH" else None
        if verb == "MAIL" and self.record.user is None:
            return "530 5.7.0 Authentication required"
        return None

    async def scripted(self, step: str, argument: str = "") -> str | None:
        """What the test wants at this step: a reply in place of ours, a wait, or the end; None for nothing."""
        fault = self.fake.fault(step, argument)
        if fault is None:
            return None
        if fault.delay:
            self.fake.wire.note(word("waits", name=self.fake.name, seconds=f"{fault.delay:g}"))
            await asyncio.sleep(fault.delay)
        if fault.drop:
            self.fake.wire.note(word("dropped", name=self.fake.name))
            self.end()
        if fault.drop or fault.silence:
            await asyncio.Event().wait()  # until the connection is over, which cancels this
        return fault.reply

    async def handle_exception(self, error: Exception) -> str:
        """An error in aiosmtpd or here is the judge's; a handshake that failed after STARTTLS is not."""
        if isinstance(error, TLSSetupException):
            self._no_tls(error.__cause__ or error)
        else:
            self.fake.errors.append(error)
        return "451 4.3.0 The fake server failed"

    def _authenticate_by(
        self, _server: SMTP, _session: State, _envelope: Envelope, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        user, password = (part.decode("utf-8", "replace") for part in (data.login, data.password))
        return self.log_in(user, password, (self.fake.accounts or {}).get(user) == password)

    def log_in(self, user: str, password: str, right: bool) -> AuthResult:
        """Record an attempt, and how it ends. Says on the wire what the Base64 before held."""
        self.record.logins.append((user, password, right))
        verdict = "login_right" if right else "login_wrong"
        self.fake.wire.note(word(verdict, user=visible(user), password=visible(password)))
        if right:
            self.record.user = user
        return AuthResult(success=right, handled=False)


class _Hooks:
    """What aiosmtpd asks for by the names of these methods, with the session in front."""

    async def handle_EHLO(  # noqa: N802
        self, server: Session, session: State, _envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        if server.fake.accounts is None:
            return [reply for reply in replies if not reply.startswith("250-AUTH")]
        return replies

    def handle_STARTTLS(self, _server: Session, _session: State, _envelope: Envelope) -> bool:  # noqa: N802
        return True

    async def handle_DATA(self, server: Session, _session: State, envelope: Envelope) -> str:  # noqa: N802
        reply = await server.scripted("CONTENT")
        if reply is not None:
            return reply
        assert isinstance(envelope.content, bytes)
        server.fake.take(
            Delivery(
                sender=envelope.mail_from or "",
                recipients=tuple(envelope.rcpt_tos),
                content=envelope.content,
                secured=bool(server.record.secured),
                user=server.record.user,
                connection=server.record.number,
                utf8=envelope.smtp_utf8,
            )
        )
        return "250 2.0.0 OK: taken"

    async def auth_CRAM__MD5(self, server: Session, _args: list[str]) -> AuthResult:  # noqa: N802
        """RFC 2195: the password itself is never sent."""
        challenge = f"<{secrets.token_hex(8)}@{HOSTNAME}>"
        answer = await server.challenge_auth(challenge)
        if not isinstance(answer, bytes):
            return AuthResult(success=False)
        user, _, digest = answer.decode("utf-8", "replace").rpartition(" ")
        password = (server.fake.accounts or {}).get(user)
        right = password is not None and hmac.compare_digest(
            hmac.new(password.encode(), challenge.encode(), "md5").hexdigest().encode(), digest.encode()
        )
        return server.log_in(user, "(not sent)", right)
