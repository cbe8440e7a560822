"""A gateway that speaks SMTP: one connection, one mail after the other.

Nothing of a mail is taken before the server has said 250 to its last line, and it may be taken
from the moment that line is sent: until DATA a lost connection is `not_sent`, after it `unknown`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeGuard

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException, SMTPServerDisconnected

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.delivery.pacing import Comeback, Pace
from duly.delivery.port import Answer, Incoming, Outcome, Outgoing, one_by_one, silent_until
from duly.delivery.smtp.letter import Letterhead, UnsendableError, compose, name_of
from duly.delivery.smtp.signing import DkimKey, check_key, sign

#: RFC 5321, 4.2.3, and RFC 4954: the server, not the message, is in the way.
_NOT_NOW = (421, 450, 451, 452, 454)
_CODE_MAX = 200


@dataclass(frozen=True, kw_only=True)
class SmtpSettings:
    """One route by SMTP; `tls` `offered` takes STARTTLS where the server has it."""

    host: str
    port: int
    letterhead: Letterhead
    envelope: str = ""  #: where bounces go; empty: to the sender
    user: str = ""
    password: str = field(default="", repr=False)
    tls: Literal["offered", "required", "implicit", "never"] = "offered"
    context: ssl.SSLContext | None = None
    dkim: DkimKey | None = None
    window: int = 10
    per_second: int = 0
    connect_seconds: float = 10.0
    response_seconds: float = 60.0
    close_seconds: float = 10.0
    throttled_seconds: float = 60.0
    retry_seconds: float = 1.0


class SmtpGateway:
    """One route by SMTP; `clock` dates the mails, None leaves the date to the server."""

    def __init__(
        self, name: str, settings: SmtpSettings, *, clock: Callable[[], datetime] | None
    ) -> None:
        self.name = name
        self.window = settings.window
        self._settings = settings
        self._clock = clock
        self._smtp: aiosmtplib.SMTP | None = None
        self._one_at_a_time = asyncio.Lock()
        self._away = False
        self._closing = False
        self._closed = asyncio.Event()
        self.pace = Pace(settings.per_second)
        self._comeback = Comeback(self._come_back, first_seconds=settings.retry_seconds)

    @property
    def ready(self) -> bool:
        """Whether the server was there when it was last looked for."""
        return not (self._away or self._closing)

    async def open(self) -> None:
        """Connect and sign in; refused (Refused) where the server does not let us in."""
        if self._settings.dkim is not None:
            check_key(self._settings.dkim, route=self.name)
        try:
            await self._connect()
        except (SMTPException, OSError) as error:
            values = {
                "route": self.name,
                "host": self._settings.host,
                "port": self._settings.port,
                "why": _code(error),
            }
            raise Refused(Diagnostic(area="service", code="smtp_refused", values=values)) from error

    async def submit(self, batch: Sequence[Outgoing]) -> Sequence[Answer]:
        """Send a batch and return one answer a message, in its order."""
        assert len(batch) <= self.window, "the outbox keeps to the window"
        return [await self._send(one) for one in batch]

    def incoming(self) -> AsyncIterator[Incoming]:
        """Give nothing: bounces come by mail (`read_bounce`); ends when closed."""
        return silent_until(self._closed)

    def incoming_batches(self) -> AsyncIterator[Sequence[Incoming]]:
        """Give the same, one at a time."""
        return one_by_one(self.incoming())

    async def close(self) -> None:
        """Let the mail on the wire end, sign out and disconnect; each a bounded time."""
        if self._closing:
            return
        self._closing = True
        await self._comeback.end()
        try:
            async with asyncio.timeout(self._settings.close_seconds), self._one_at_a_time:
                if self._smtp is not None and self._smtp.is_connected:
                    await self._smtp.quit()
        except (SMTPException, OSError, TimeoutError):
            pass  # It was to end, and it has ended.
        self._drop()
        self._closed.set()

    async def _send(self, one: Outgoing) -> Answer:
        head = self._settings.letterhead
        date = None if self._clock is None else self._clock()
        try:
            mail = compose(one, head, date=date)
        except UnsendableError as error:
            return Answer(message_id=one.message_id, outcome="refused", code=str(error))
        if self._settings.dkim is not None:
            mail = sign(mail, self._settings.dkim)
        async with self._one_at_a_time:
            # Within, or those that waited for a slow one would leave all at once after it.
            await self.pace.turn()
            outcome, code = await self._hand_over(one, mail)
        retry = round(self._settings.throttled_seconds) if outcome == "throttled" else None
        accepted = outcome == "accepted"
        return Answer(
            message_id=one.message_id,
            outcome=outcome,
            provider_ids=(name_of(one.message_id, head.sender),) if accepted else (),
            code=code,
            retry_after_seconds=retry,
        )

    async def _hand_over(self, one: Outgoing, mail: bytes) -> tuple[Outcome, str]:
        """Give one mail to the server and return how that ended."""
        if self._closing or self._away:
            return "not_sent", "DULY:not_connected"
        try:
            smtp = await self._connected()
        except (SMTPException, OSError) as error:
            self._went_away()
            return "not_sent", _code(error)
        try:
            await self._envelope(smtp, one)
        except (SMTPException, OSError) as error:
            if _is_answer(error):
                await self._reset()
                return _refusal(error), _code(error)
            self._drop()
            return "not_sent", _code(error)
        try:
            answer = await smtp.data(mail)
        except (SMTPException, OSError) as error:
            if _is_answer(error):
                await self._reset()
                return _refusal(error), _code(error)
            self._drop()  # The next mail finds out whether anybody is there.
            return "unknown", _code(error)
        return "accepted", f"{answer.code} {answer.message}"[:_CODE_MAX]

    async def _envelope(self, smtp: aiosmtplib.SMTP, one: Outgoing) -> None:
        """Say whom the mail is from and for; bounces are to name it where the server can."""
        dsn = smtp.supports_extension("dsn")
        name = name_of(one.message_id, self._settings.letterhead.sender)
        await smtp.mail(
            self._settings.envelope or self._settings.letterhead.sender,
            options=[f"ENVID={_xtext(name)}", "RET=HDRS"] if dsn else [],
        )
        await smtp.rcpt(one.address, options=["NOTIFY=FAILURE,DELAY"] if dsn else [])

    # Connecting.

    async def _connected(self) -> aiosmtplib.SMTP:
        """Return a connection; a server may end an idle one whenever it likes."""
        if self._smtp is None or not self._smtp.is_connected:
            await self._connect()
        assert self._smtp is not None
        return self._smtp

    async def _connect(self) -> None:
        settings = self._settings
        self._drop()
        starting = {"offered": None, "required": True, "implicit": False, "never": False}
        smtp = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.user or None,
            password=settings.password or None,
            use_tls=settings.tls == "implicit",
            start_tls=starting[settings.tls],
            tls_context=settings.context,
            timeout=settings.connect_seconds,
        )
        try:
            await smtp.connect()
            if smtp.is_ehlo_or_helo_needed:
                await smtp.ehlo()
        except BaseException:
            smtp.close()
            raise
        smtp.timeout = settings.response_seconds
        self._smtp = smtp

    async def _reset(self) -> None:
        """Begin anew after a refusal; a server that cannot even do that is left."""
        try:
            if self._smtp is not None:
                await self._smtp.rset()
        except (SMTPException, OSError):
            self._drop()

    def _went_away(self) -> None:
        self._drop()
        self._away = True
        if not self._closing:
            self._comeback.begin()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    async def _come_back(self) -> bool:
        async with self._one_at_a_time:
            try:
                await self._connect()
            except (SMTPException, OSError):
                return False
            self._away = False
        return True


def _is_answer(error: SMTPException | OSError) -> TypeGuard[SMTPResponseException]:
    """Return whether the server said no in words that are SMTP's."""
    return isinstance(error, SMTPResponseException) and error.code > 0


def _refusal(error: SMTPResponseException) -> Outcome:
    return "throttled" if error.code in _NOT_NOW else "refused"


def _code(error: SMTPException | OSError) -> str:
    """Return the server's own words, or ours where it said none."""
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {error.message}"[:_CODE_MAX]
    if isinstance(error, SMTPServerDisconnected):
        return "DULY:connection_lost"
    if isinstance(error, TimeoutError):
        return "DULY:no_answer"
    return f"DULY:{error}"[:_CODE_MAX]


def _xtext(text: str) -> str:
    """Return a text as RFC 3461 writes it."""
    return "".join(
        one if one not in "+=" and "!" <= one <= "~" else f"+{ord(one):02X}" for one in text
    )
