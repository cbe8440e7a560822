"""What one worker may spend today: paid from a lease in memory, written down with each submission.

A message is paid for when it is claimed and counted when its submission commits. What the law has
us send goes whatever is left, and is counted. A worker without a priced route asks nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from duly.book import Lender, Route
from duly.core import prices
from duly.service import journal
from duly.service.outbox import spending
from duly.service.outbox.auditing import audit
from duly.service.rows import Row

#: A notice that law prescribes, and the correction of a text that was wrong: never left unsent to
#: save money.
LAWFUL = frozenset({"statutory", "correction"})

_SEGMENTS_MAX = 255  #: of one text: what the header of a joined text can count
#: What is due and cannot be paid for, by channel and class, with its shortest.
_WAITING = """
SELECT m.channel, m.message_class, min(m.segments), count(*)
FROM store_message AS m
WHERE m.state = 'released' AND m.not_before <= %(at)s AND m.not_after >= %(at)s
    AND (m.due_at IS NULL OR m.due_at <= %(at)s)
    AND m.segments > (%(payable)s::jsonb ->> (m.channel || ' ' || m.message_class))::int
GROUP BY 1, 2
"""
_EXHAUSTED = """
UPDATE store_budget SET exhausted_at = now() WHERE day = %s AND exhausted_at IS NULL
"""


@dataclass(frozen=True, kw_only=True)
class _Held:
    """What is set aside for one claimed message."""

    day: date
    within: int
    beyond: int


@dataclass
class _Lease:
    """A day's lease as this worker knows it: nobody else spends of it."""

    granted: int = 0
    spent: int = 0
    held: int = 0

    @property
    def left(self) -> int:
        return self.granted - self.spent - self.held


class Purse:
    """The leases of one worker in one of its lives; its lanes share them."""

    def __init__(
        self, lender: Lender, routes: Sequence[Route], *, worker: int, batch: int,
        since: datetime | None = None,
    ) -> None:  # fmt: skip
        self._lender = lender
        self._routes = routes
        self._worker = worker
        self._batch = batch
        self._since = (
            since  # When this process began, by the database: the last one's limit counts.
        )
        self._limit = prices.of_hundredths(lender.limits.cost_per_day_minor)
        self._zone = ZoneInfo(lender.time_zone)
        dearest = max((route.price for route in routes), default=0)
        #: Two of the longest texts at least, so that half a block pays for any one.
        self._block = dearest * max(batch, 2 * _SEGMENTS_MAX)
        self._dealing = Lock()  # One question about leases at a time.
        self._figures = Lock()
        self._leases: dict[date, _Lease] = {}
        self._held: dict[str, _Held] = {}
        self._said_of: set[date] = set()  # The days of which our limit was told.
        self._used = False  # Since it was last looked after.
        self._payable: Mapping[str, int] = {}

    @property
    def short(self) -> bool:
        """Whether something could not be paid for when it was last filled."""
        return bool(self._payable)

    def of_worker(self, worker: int) -> Purse:
        """Return an empty purse of the same process under another number."""
        return Purse(
            self._lender, self._routes, worker=worker, batch=self._batch, since=self._since
        )

    def fill(
        self, connection: psycopg.Connection[Any], routes: Iterable[Route], *, at: datetime
    ) -> Mapping[str, int]:
        """Lease what a claim at a legal instant may need, and return what can be paid for.

        That is the most segments by channel and class as the claim writes them (-1: none), of those
        that not every message of theirs can be paid for.
        """
        if not self._block:
            return {}
        day, kept = self._day(at), tuple(routes)
        with self._dealing:
            lease = self._lease(day)
            if lease.left < self._block // 2:
                self._say(connection, day)
                granted = spending.lease(connection, day, worker=self._worker, block=self._block)
                with self._figures:
                    lease.granted = granted or lease.granted
            self._payable = _payable(kept, lease.left)
            return self._payable

    def pays(self, row: Row, route: Route, *, at: datetime) -> bool:
        """Set aside what a message costs; return whether it may go: paid for, or all the same."""
        cost = _cost(row, route)
        if not cost:
            return True
        day = self._day(at)
        with self._figures:
            lease = self._lease(day)
            within = cost if lease.left >= cost else 0
            if not within and row["message_class"] not in LAWFUL:
                return False
            lease.held += within
            self._held[row["message_id"]] = _Held(day=day, within=within, beyond=cost - within)
            self._used = True
        return True

    def spend(self, connection: psycopg.Connection[Any], ids: Collection[str]) -> None:
        """Write down what messages cost, in the transaction that commits their submission."""
        for day, (within, beyond) in self._sums(ids).items():
            spending.spend(connection, day, worker=self._worker, within=within, beyond=beyond)

    def settle(self, ids: Iterable[str], *, spent: Collection[str] = ()) -> None:
        """Set nothing aside for messages any more: they were submitted (`spent`), or given back."""
        with self._figures:
            for name in ids:
                held = self._held.pop(name, None)
                if held is not None:
                    lease = self._lease(held.day)
                    lease.held -= held.within
                    lease.spent += held.within if name in spent else 0

    def look_after(
        self, connection: psycopg.Connection[Any], *, at: datetime, ends: bool = False
    ) -> None:
        """Give back what nobody uses, also the dead's; say once that a budget is exhausted."""
        if not self._block:
            return
        today = self._day(at)
        with self._dealing:
            self._say(connection, today)
            spending.settle_leases(connection)
            budget = spending.budget_of(connection, today)
            lowered = budget is not None and budget.limit < budget.granted
            idle, self._used = not self._used, False
            for day, lease in list(self._leases.items()):
                if ends or idle or lowered or day != today:
                    self._give_back(connection, day, lease, ends=ends)
            if budget is not None and budget.exhausted_at is None and self._payable:
                self._tell(connection, budget, at=at)

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()

    def _lease(self, day: date) -> _Lease:
        return self._leases.setdefault(day, _Lease())

    def _sums(self, ids: Collection[str]) -> dict[date, tuple[int, int]]:
        found: dict[date, tuple[int, int]] = {}
        with self._figures:
            for name in ids:
                if (held := self._held.get(name)) is not None:
                    within, beyond = found.get(held.day, (0, 0))
                    found[held.day] = (within + held.within, beyond + held.beyond)
        return found

    def _say(self, connection: psycopg.Connection[Any], day: date) -> None:
        if day in self._said_of:
            return
        if self._since is None:
            row = connection.execute("SELECT clock_timestamp()").fetchone()
            assert row is not None, "a clock always answers"
            self._since = row[0]
        spending.say_limit(connection, day, limit=self._limit, since=self._since)
        self._said_of.add(day)

    def _give_back(
        self, connection: psycopg.Connection[Any], day: date, lease: _Lease, *, ends: bool
    ) -> None:
        with self._figures:
            # What is spent meanwhile is still among what is held: too little never comes of it.
            kept = 0 if ends else lease.held
            if lease.granted - lease.spent <= kept:
                return
        granted = spending.return_unspent(connection, day, worker=self._worker, kept=kept)
        if granted is not None:
            with self._figures:
                lease.granted = granted

    def _tell(
        self, connection: psycopg.Connection[Any], budget: spending.Budget, *, at: datetime
    ) -> None:
        """Say that messages wait for money, where not even the cheapest of them can be paid for."""
        given = {"at": at, "payable": json.dumps(dict(self._payable))}
        rows = connection.execute(_WAITING, given).fetchall()
        costs = [
            _cost_of(channel, least, route)
            for channel, kind, least, _ in rows
            if (route := _taking(self._routes, channel, kind)) is not None
        ]
        if not costs or min(costs) <= budget.left:
            return
        waiting = sum(count for *_, count in rows)
        with connection.transaction():
            if not connection.execute(_EXHAUSTED, (budget.day,)).rowcount:
                return
            told = {"limit": prices.shown(budget.limit), "spent": prices.shown(budget.spent),
                    "beyond": prices.shown(budget.beyond), "waiting": waiting}  # fmt: skip
            audit(connection, "budget.exhausted", [(budget.day.isoformat(), told)])
        journal.warn("budget.exhausted", business_date=budget.day.isoformat(), count=waiting)


def _payable(routes: Sequence[Route], left: int) -> dict[str, int]:
    """Return the most segments that what is left pays for, where that may be too few."""
    found: dict[str, int] = {}
    for route in routes:
        for kind in route.accepts:
            pair = f"{route.channel} {kind}"
            first = _taking(routes, route.channel, kind)
            if kind in LAWFUL or first is not route or left >= route.price * _SEGMENTS_MAX:
                continue
            by_segment = left // route.price if route.channel == "sms" else _SEGMENTS_MAX
            found[pair] = by_segment if left >= route.price else -1
    return found


def _taking(routes: Iterable[Route], channel: str, kind: str) -> Route | None:
    return next((one for one in routes if one.channel == channel and kind in one.accepts), None)


def _cost(row: Row, route: Route) -> int:
    return _cost_of(row["channel"], row["segments"], route)


def _cost_of(channel: str, segments: int, route: Route) -> int:
    return route.price * (max(segments, 1) if channel == "sms" else 1)
