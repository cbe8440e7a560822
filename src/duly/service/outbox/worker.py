"""A worker: claim, commit, send, write down; any number of them on any number of machines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from duly.audit.signing import SigningKey
from duly.book import Lender
from duly.core.errors import Refused
from duly.delivery import Gateway
from duly.rules import lenders_rules
from duly.service.outbox.claiming import Claim, Claimed, claim
from duly.service.outbox.gateways import gateways_of, sent_by_worker
from duly.service.outbox.identity import Identity
from duly.service.outbox.orphans import settle_orphans
from duly.service.outbox.renewing import Renewal
from duly.service.outbox.reports import match_late_receipts, write_report
from duly.service.outbox.submitting import give_back, submit, write_answers
from duly.service.resting import rest
from duly.service.sealing import BATCH, seal

_IDLE_SECONDS = 0.5
_ONCE_AWAY_SECONDS = 30.0  #: how long `--once` waits for a route that was cut off
_KEEP_UP_SECONDS = 1.0

Now = Callable[[], datetime]  #: legal time; the caller owns the clock


@dataclass
class Tally:
    """What a worker did, counted as it goes."""

    claimed: int = 0
    submitted: int = 0
    delayed: int = 0
    blocked: int = 0
    expired: int = 0
    stale: int = 0
    given_back: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)


class Worker:
    """One worker process; `stop` lets it finish what is on the wire and leave."""

    def __init__(
        self,
        url: str,
        lender: Lender,
        *,
        now: Now,
        concurrency: int = 1,
        batch: int = 500,
        signing: SigningKey | None = None,
        clock: Now | None = None,
    ) -> None:
        self._url = url
        self._routes = tuple(route for route in lender.routes if sent_by_worker(route))
        self._now = now
        self._clock = clock or now  # What a wire dates and signs by: legal time may be moved.
        self._batch = batch
        self._concurrency = concurrency
        self._rules = lenders_rules(lender.packs, lender.switched_off)
        self._signing = signing
        self._renewal = Renewal(lender)
        self._stopping = asyncio.Event()
        self.tally = Tally()

    def stop(self) -> None:
        """Claim nothing more; what is claimed and not submitted is given back."""
        self._stopping.set()

    async def run(self, *, once: bool) -> Tally:
        """Work until stopped, or with `once` until nothing is due and no orphan is left."""
        identity = await asyncio.to_thread(Identity, self._url)
        try:
            gateways = gateways_of(self._routes, clock=self._clock, label=f"w{identity.number}")
            await _open(gateways.values())
            reading = [asyncio.create_task(self._read(gateway)) for gateway in gateways.values()]
            lanes = [
                asyncio.create_task(self._lane(identity.number, gateways, once=once))
                for _ in range(self._concurrency)
            ]
            keeping = asyncio.create_task(self._keep_up_each_second())
            try:
                await asyncio.gather(*lanes)
            finally:
                for lane in lanes:
                    lane.cancel()
                for gateway in gateways.values():
                    await gateway.close()
                await asyncio.gather(*reading)
                keeping.cancel()
                await asyncio.to_thread(self._keep_up)
        finally:
            await asyncio.to_thread(identity.close)
        return self.tally

    async def _keep_up_each_second(self) -> None:
        while True:
            await asyncio.sleep(_KEEP_UP_SECONDS)
            await asyncio.to_thread(self._keep_up)

    def _keep_up(self) -> None:
        """Match the receipts that the dead left, seal what is committed, beside the sending."""
        with _connect(self._url) as connection:
            match_late_receipts(connection)
            while seal(connection, key=self._signing) == BATCH:
                pass

    async def _read(self, gateway: Gateway) -> None:
        """Write down what one gateway reports, until it is closed."""
        connection = await asyncio.to_thread(_connect, self._url)
        try:
            async for report in gateway.incoming():
                await asyncio.to_thread(write_report, connection, gateway.name, report)
        finally:
            await asyncio.to_thread(connection.close)

    async def _lane(self, number: int, gateways: dict[str, Gateway], *, once: bool) -> None:
        connection = await asyncio.to_thread(_connect, self._url)
        rests = 0
        try:
            while not self._stopping.is_set():
                orphans = await asyncio.to_thread(settle_orphans, connection)
                away = {name for name, gateway in gateways.items() if not gateway.ready}
                found = await asyncio.to_thread(self._claim, connection, number, away)
                await self._send(connection, number, gateways, found.claimed)
                if found.found or orphans.released or orphans.unknown:
                    continue
                # What waits for a route that was cut off is due: it is given time to come back.
                rests = rests + 1 if away else 0
                if once and (not away or rests * _IDLE_SECONDS > _ONCE_AWAY_SECONDS):
                    return
                await rest(self._stopping, _IDLE_SECONDS)
        finally:
            await asyncio.to_thread(connection.close)

    def _claim(
        self, connection: psycopg.Connection[Any], number: int, away: Collection[str]
    ) -> Claim:
        at = self._now()
        stopped = {
            row[0]
            for row in connection.execute(
                "SELECT name FROM store_stopped WHERE scope = 'route' AND lifted_at IS NULL"
            )
        }
        # Each rule knows its dates, and they are days where the borrower is.
        found = claim(
            connection, worker=number, routes=self._routes, rules=self._rules, at=at,
            batch=self._batch, resting=stopped | set(away), figures=self._renewal,
        )  # fmt: skip
        self.tally.claimed += len(found.claimed)
        self.tally.delayed += found.delayed
        self.tally.blocked += found.blocked
        self.tally.expired += found.expired
        self.tally.stale += found.stale
        return found

    async def _send(
        self,
        connection: psycopg.Connection[Any],
        number: int,
        gateways: dict[str, Gateway],
        claimed: Sequence[Claimed],
    ) -> None:
        """Send what was claimed, route by route, in batches no larger than the route's window."""
        for name, gateway in gateways.items():
            mine = [one for one in claimed if one.route == name]
            for start in range(0, len(mine), gateway.window):
                part = mine[start : start + gateway.window]
                if self._stopping.is_set() or not gateway.ready:
                    ids = [one.message_id for one in part]
                    back = await asyncio.to_thread(give_back, connection, ids, worker=number)
                    self.tally.given_back += len(back)
                    continue
                going = await asyncio.to_thread(
                    submit, connection, part, worker=number, at=self._now()
                )
                self.tally.given_back += len(part) - len(going)
                if not going:
                    continue
                answers = await gateway.submit(going)
                await asyncio.to_thread(write_answers, connection, name, answers)
                self.tally.submitted += len(going)
                for answer in answers:
                    count = self.tally.outcomes.get(answer.outcome, 0)
                    self.tally.outcomes[answer.outcome] = count + 1


async def _open(gateways: Iterable[Gateway]) -> None:
    """Open every gateway; where one is refused, close those that were opened."""
    opened: list[Gateway] = []
    try:
        for gateway in gateways:
            await gateway.open()
            opened.append(gateway)
    except Refused:
        for gateway in opened:
            await gateway.close()
        raise


def _connect(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True, application_name="duly worker")
