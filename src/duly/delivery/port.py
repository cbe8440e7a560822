"""The port of a gateway: what the outbox asks of every way out, whatever the wire says.

A gateway is used by one worker at a time. It keeps no state that outlives it: what must survive is
in the outbox before `submit` is called.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

#: How a submission ended. `not_sent`: surely no byte of it was taken by the other side, it may be
#: tried again. `refused`: the other side said no to this message. `throttled`: it said not now.
#: `unknown`: it may have been sent; it is never sent again by itself.
Outcome: TypeAlias = Literal["accepted", "refused", "throttled", "not_sent", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One message on its way out; `address` is the borrower's own, `text` holds its code."""

    message_id: str
    channel: str
    address: str
    text: str
    message_class: str
    template: str
    locale: str
    subject: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    attempt: int = 1  #: which submission of it this is
    not_after: datetime | None = None  #: aware; a gateway that can says so to the other side


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a gateway answered to one message.

    `provider_ids` are the gateway's names for it, one a part; `code` is its own word, kept raw.
    """

    message_id: str
    outcome: Outcome
    provider_ids: tuple[str, ...] = ()
    code: str = ""
    retry_after_seconds: int | None = None


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a gateway reports later about one part; an unknown code stays `unknown`.

    An empty `provider_id` names no part: the report is a record of something that was survived
    (a malformed PDU, an answer that came too late), it is kept and moves nothing.
    """

    provider_id: str
    state: Literal["delivered", "undelivered", "unknown"]
    code: str
    raw: str
    at: datetime | None = None  #: aware; None where the report does not say, or says it wrongly


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a person answered; `part` and `parts` where a long text came in pieces."""

    address: str
    to: str
    text: str
    raw: str
    at: datetime | None = None


Incoming: TypeAlias = Receipt | Reply


class Gateway(Protocol):
    """One way out.

    `window` is the most messages that may be on the wire without an answer; a batch is no larger.
    """

    name: str
    window: int

    @property
    def ready(self) -> bool:
        """Whether it could send now; while not, it tries to come back and nothing is claimed."""
        ...

    async def open(self) -> None:
        """Connect and sign in; refused (Refused) where the other side does not let us in."""
        ...

    async def submit(self, batch: Sequence[Outgoing]) -> Sequence[Answer]:
        """Send a batch and return one answer a message, in its order; never raises for the wire."""
        ...

    def incoming(self) -> AsyncIterator[Incoming]:
        """Give receipts and replies as they come; ends when the gateway is closed."""
        ...

    def incoming_batches(self) -> AsyncIterator[Sequence[Incoming]]:
        """Give the same, as many at a time as have come: whoever writes them down does so once."""
        ...

    async def close(self) -> None:
        """Sign out and disconnect; what is on the wire is waited for, a bounded time."""
        ...


async def silent_until(closed: asyncio.Event) -> AsyncIterator[Incoming]:
    """Give nothing, and end when the gateway is closed: its reports come another way."""
    await closed.wait()
    nothing: tuple[Incoming, ...] = ()
    for report in nothing:
        yield report


async def one_by_one(reports: AsyncIterator[Incoming]) -> AsyncIterator[Sequence[Incoming]]:
    """Give each report as a batch of its own."""
    async for report in reports:
        yield (report,)
