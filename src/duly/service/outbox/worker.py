"""A worker: claim, commit, send, write down; any number of them on any number of machines."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import psycopg

from duly.audit.signing import SigningKey
from duly.book import Lender
from duly.core.errors import Refused
from duly.delivery import Answer, Gateway, Reply
from duly.rules import kept_rules
from duly.service import journal
from duly.service.outbox.claiming import Claim, Claimed, claim
from duly.service.outbox.connecting import connect
from duly.service.outbox.evidence import record_rules
from duly.service.outbox.gateways import gateways_of, sent_by_worker
from duly.service.outbox.identity import Identity
from duly.service.outbox.orphans import Orphans, settle_orphans
from duly.service.outbox.purse import Purse
from duly.service.outbox.refusing import Refusals
from duly.service.outbox.renewing import Renewal
from duly.service.outbox.reports import match_late_receipts, write_reports
from duly.service.outbox.route_terms import terms_of
from duly.service.outbox.submitting import give_back, submit, write_answers
from duly.service.outbox.throttling import share_paces
from duly.service.outbox.watching import waited_for
from duly.service.outbox.wording import TextDoor
from duly.service.resting import rest
from duly.service.sealing import BATCH, seal
from duly.service.tracing import span

_IDLE_SECONDS = 0.5
_UNPAID_SECONDS = 2.0
_ONCE_AWAY_SECONDS = 30.0  #: how long `--once` waits for a route that was cut off
_KEEP_UP_SECONDS = 1.0
_LAST_ANSWERS_SECONDS = 35.0  #: what is on the wire is answered by then, or is `unknown`

_RETRIES_SOON = """
SELECT 1 FROM store_message WHERE state = 'released' AND retry_at > now()
    AND retry_at <= now() + make_interval(secs => %s) LIMIT 1
"""
#: How often what a closing gateway still told is written down again where a connection breaks.
_LAST_TRIES = 3

_REPLY_WAITS = "SELECT 1 FROM store_reply WHERE state = 'new' LIMIT 1"

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
        batch: int = 200,
        signing: SigningKey | None = None,
        clock: Now | None = None,
        hear: Callable[[datetime], object] | None = None,
    ) -> None:
        self._url = url
        self._routes = tuple(route for route in lender.routes if sent_by_worker(route))
        self._now = now
        self._clock = clock or now  # What a wire dates and signs by: legal time may be moved.
        self._hear = hear  # Reads and acts upon the replies that wait.
        self._batch = batch
        self._concurrency = concurrency
        self._rules = kept_rules(lender)
        self._texts = TextDoor(self._rules, lender)
        self._asked = ""
        self._signing = signing
        self._renewal = Renewal(lender)
        self._purse = Purse(lender, self._routes, worker=0, batch=batch)  # Of no life yet.
        self._refusals = Refusals(routes=self._routes, terms={})
        self._stopping = asyncio.Event()
        self._ending = False  # This life's lanes claim nothing more.
        self._closing = False
        self._failing_since: float | None = None  # No round has come to its end since.
        self._settled_at = 0.0  # By the loop's clock.
        self._answered: list[tuple[str, Sequence[Answer]]] = []  # Not yet written down.
        self.tally = Tally()

    def stop(self) -> None:
        """Claim nothing more; what is claimed and not submitted is given back."""
        self._stopping.set()

    async def run(self, *, once: bool) -> Tally:
        """Work until stopped, or with `once` until nothing is due and no orphan is left.

        Where the database goes away the worker comes back as another one: its lock fell with its
        connection, so that the others hold it for dead. What was answered meanwhile it still knows.
        A database that refuses to write, its disk full, is one that is away: nothing is submitted,
        and with `once` its error is raised after a time.
        """
        identity = await asyncio.to_thread(Identity, self._url)
        try:
            gateways = gateways_of(self._routes, clock=self._clock, label=f"w{identity.number}")
            self._refusals = replace(self._refusals, terms=terms_of(self._routes))
            await _open(gateways.values())
            self._asked = await asyncio.to_thread(self._record_rules)
            journal.note("worker.began", worker=identity.number, routes=sorted(gateways))
            reading = [asyncio.create_task(self._read(gateway)) for gateway in gateways.values()]
            try:
                while not await self._live(identity, gateways, reading, once=once):
                    await asyncio.to_thread(identity.close)
                    await rest(self._stopping, _IDLE_SECONDS)
                    identity = await self._born_again(once=once)
            finally:
                self._closing = True
                for gateway in gateways.values():
                    await gateway.close()
                await asyncio.gather(*reading)
                await asyncio.to_thread(self._keep_up)
        finally:
            await asyncio.to_thread(identity.close)
            journal.note("worker.ended", worker=identity.number, **vars(self.tally))
        return self.tally

    async def _live(
        self,
        identity: Identity,
        gateways: dict[str, Gateway],
        reading: Sequence[asyncio.Task[None]],
        *,
        once: bool,
    ) -> bool:
        """Work under one number; return whether all is done, False where the database went away."""
        self._ending = False
        self._purse = self._purse.of_worker(identity.number)
        lanes = [
            asyncio.create_task(self._lane(identity.number, gateways, once=once))
            for _ in range(self._concurrency)
        ]
        keeping = asyncio.create_task(self._keep_up_each_second(identity))
        sharing = asyncio.create_task(share_paces(self._url, gateways.values(), identity.number))
        try:
            await _finished(lanes, beside=[*reading, keeping, sharing])
        except psycopg.OperationalError as error:
            full = isinstance(error, psycopg.errors.DiskFull)
            journal.broken("database.full" if full else "database.away", error)
            if self._stopping.is_set() or (once and self._fails_for_long()):
                raise
            # What is on the wire is waited for: its answers are written down in the next life.
            self._ending = True
            await asyncio.wait(lanes, timeout=_LAST_ANSWERS_SECONDS)
            return False
        finally:
            for task in (*lanes, keeping, sharing):
                task.cancel()
            await asyncio.wait([*lanes, keeping, sharing])
        return True

    def _fails_for_long(self) -> bool:
        """Return whether no round has come to its end for as long as `once` waits."""
        now = asyncio.get_running_loop().time()
        if self._failing_since is None:
            self._failing_since = now
        return now - self._failing_since > _ONCE_AWAY_SECONDS

    async def _born_again(self, *, once: bool) -> Identity:
        """Return a new number when the database is back; `once` waits for it a bounded time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _ONCE_AWAY_SECONDS
        while True:
            try:
                return await asyncio.to_thread(Identity, self._url)
            except psycopg.OperationalError:
                if self._stopping.is_set() or (once and loop.time() > until):
                    raise
                await rest(self._stopping, _IDLE_SECONDS)

    async def _keep_up_each_second(self, identity: Identity) -> None:
        while True:
            await asyncio.sleep(_KEEP_UP_SECONDS)
            await asyncio.to_thread(identity.check)
            await asyncio.to_thread(self._keep_up)

    def _record_rules(self) -> str:
        with connect(self._url) as connection:
            return record_rules(connection, self._rules)

    def _keep_up(self) -> None:
        """Match the receipts that the dead left, seal what is committed, beside the sending."""
        with connect(self._url) as connection:
            match_late_receipts(connection)
            self._purse.look_after(connection, at=self._now(), ends=self._closing)
            while seal(connection, key=self._signing) == BATCH:
                pass
            waiting = connection.execute(_REPLY_WAITS).fetchone() is not None
        # Hearing opens a connection of its own: not each second for nothing.
        if waiting:
            self._hear_waiting()

    def _hear_waiting(self) -> None:
        if self._hear is not None:
            self._hear(self._now())

    async def _read(self, gateway: Gateway) -> None:
        """Write down what one gateway reports, until it is closed; the database may go away."""
        connection: psycopg.Connection[Any] | None = None
        try:
            async for reports in gateway.incoming_batches():
                for tries in itertools.count(1):
                    try:
                        if connection is None or connection.closed:
                            connection = await asyncio.to_thread(connect, self._url)
                        await asyncio.to_thread(write_reports, connection, gateway.name, reports)
                        break
                    except psycopg.OperationalError:
                        # Not taken before it is written: the other side would not bring it again.
                        if self._closing and tries > _LAST_TRIES:
                            raise
                        await rest(self._stopping, _IDLE_SECONDS)
                if any(isinstance(one, Reply) for one in reports):
                    await asyncio.to_thread(self._hear_waiting)
        finally:
            if connection is not None:
                await asyncio.to_thread(connection.close)

    async def _lane(self, number: int, gateways: dict[str, Gateway], *, once: bool) -> None:
        connection = await asyncio.to_thread(connect, self._url)
        rests, busy = 0, False
        away = set[str]()
        try:
            await self._write_answered(connection)
            while not self._ends():
                orphans = await self._settled(connection, busy=busy)
                before, away = away, {n for n, gateway in gateways.items() if not gateway.ready}
                _tell_of_routes(before, away)
                found = await asyncio.to_thread(self._claim, connection, number, away)
                await self._send(connection, number, gateways, found.claimed)
                self._failing_since = None
                busy = found.found > 0
                if busy or orphans.released or orphans.unknown:
                    continue
                # What waits for a route that was cut off, or was put off by one, is given time.
                waits = away or (once and await asyncio.to_thread(_retries_soon, connection))
                rests = rests + 1 if waits else 0
                if once and (not waits or rests * _IDLE_SECONDS > _ONCE_AWAY_SECONDS):
                    return
                # Each look passes over all that waits for money: it is not repeated at once.
                await rest(self._stopping, _UNPAID_SECONDS if self._purse.short else _IDLE_SECONDS)
        finally:
            await asyncio.to_thread(connection.close)

    async def _settled(self, connection: psycopg.Connection[Any], *, busy: bool) -> Orphans:
        """Settle what the dead left: each second while there is enough to send, else each round."""
        now = asyncio.get_running_loop().time()
        if busy and now - self._settled_at < _KEEP_UP_SECONDS:
            return Orphans(released=0, unknown=0)
        self._settled_at = now
        found = await asyncio.to_thread(settle_orphans, connection)
        if found.released or found.unknown:
            journal.warn("orphans.settled", **vars(found))
        return found

    def _ends(self) -> bool:
        return self._stopping.is_set() or self._ending

    async def _write_answered(self, connection: psycopg.Connection[Any]) -> None:
        """Write down what gateways answered; where the database is away it is kept until then."""
        while self._answered:
            route, answers = one = self._answered.pop()
            try:
                await asyncio.to_thread(
                    write_answers, connection, route, answers, refusals=self._refusals,
                    at=self._now(),
                )  # fmt: skip
            except psycopg.OperationalError:
                self._answered.append(one)
                raise

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
        with span("claim") as told:
            found = claim(
                connection, worker=number, routes=self._routes, rules=self._rules, at=at,
                batch=self._batch, resting=stopped | set(away), asked=self._asked,
                waited_for=waited_for(connection, self._refusals.terms, away=away),
                figures=self._renewal, purse=self._purse, texts=self._texts,
            )  # fmt: skip
            told["count"] = found.found
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
                ids = [one.message_id for one in part]
                if self._ends() or not gateway.ready:
                    back = await asyncio.to_thread(give_back, connection, ids, worker=number)
                    self.tally.given_back += len(back)
                    self._purse.settle(ids)
                    continue
                with span("submit", route=name, count=len(part)):
                    going = await asyncio.to_thread(
                        submit, connection, part, worker=number, at=self._now(),
                        spending=self._purse,
                    )  # fmt: skip
                self._purse.settle(ids, spent={one.message_id for one in going})
                self.tally.given_back += len(part) - len(going)
                self.tally.submitted += len(going)
                if not going:
                    continue
                with span("send", route=name, count=len(going)):
                    answers = await gateway.submit(going)
                # Counted and kept also where they cannot be written down in this life.
                for answer in answers:
                    count = self.tally.outcomes.get(answer.outcome, 0)
                    self.tally.outcomes[answer.outcome] = count + 1
                self._answered.append((name, answers))
                with span("answers", route=name, count=len(answers)):
                    await self._write_answered(connection)


def _tell_of_routes(before: Collection[str], away: Collection[str]) -> None:
    for name in set(away) - set(before):
        journal.warn("route.away", route=name)
    for name in set(before) - set(away):
        journal.note("route.back", route=name)


async def _finished(
    tasks: Sequence[asyncio.Task[None]], *, beside: Sequence[asyncio.Task[None]]
) -> None:
    """Wait until these have ended; an error of them, or of what runs beside, is raised at once."""
    left = set(tasks)
    while left:
        done, _ = await asyncio.wait({*left, *beside}, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            await one
        left -= done


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


def _retries_soon(connection: psycopg.Connection[Any]) -> bool:
    """Return whether some message is tried again while `--once` still waits."""
    return connection.execute(_RETRIES_SOON, (_ONCE_AWAY_SECONDS,)).fetchone() is not None
