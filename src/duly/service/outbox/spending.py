"""The day's budget in rows: leased in blocks, spent within a lease, given back. One statement each.

Whoever changes what is granted locks the day's row before a lease's; who spends locks his lease
alone, so that workers meet once a block. Amounts are those of `duly.core.prices`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg

from duly.service.outbox.identity import ALIVE

#: The limit of whoever began last counts, whichever of them meets the day first.
_SAY = """
INSERT INTO store_budget AS b (day, "limit", ceiling, said_at)
VALUES (%(day)s, %(limit)s, %(limit)s, %(since)s)
ON CONFLICT (day) DO UPDATE SET "limit" = excluded."limit", said_at = excluded.said_at,
    ceiling = greatest(excluded."limit", b.granted),
    exhausted_at = CASE WHEN b."limit" = excluded."limit" THEN b.exhausted_at END
WHERE excluded.said_at > b.said_at
"""
_LEASE = """
INSERT INTO store_lease AS l (day, worker, granted)
SELECT b.day, %(worker)s, least(%(block)s, b."limit" - b.granted - coalesce(o.beyond, 0))
FROM store_budget AS b
CROSS JOIN (SELECT sum(beyond) AS beyond FROM store_lease WHERE day = %(day)s) AS o
WHERE b.day = %(day)s AND b."limit" > b.granted + coalesce(o.beyond, 0)
FOR UPDATE OF b
ON CONFLICT (day, worker) DO UPDATE SET granted = l.granted + excluded.granted
RETURNING granted
"""
#: What had to be sent may be the first that a worker spends: it has no lease then.
_SPEND = """
INSERT INTO store_lease AS l (day, worker, granted, beyond)
VALUES (%(day)s, %(worker)s, 0, %(beyond)s)
ON CONFLICT (day, worker) DO UPDATE SET spent = l.spent + %(within)s,
    beyond = l.beyond + excluded.beyond
RETURNING spent
"""
_RETURN = """
UPDATE store_lease AS l SET granted = l.spent + %(kept)s
FROM (SELECT day FROM store_budget WHERE day = %(day)s FOR UPDATE) AS b
WHERE l.day = b.day AND l.worker = %(worker)s AND l.granted > l.spent + %(kept)s
RETURNING l.granted
"""
_UNSPENT_OF_THE_DEAD = f"granted > spent AND worker NOT IN ({ALIVE})"
_SETTLE = f"""
UPDATE store_lease AS l SET granted = l.spent
FROM (SELECT day FROM store_budget
    WHERE day IN (SELECT day FROM store_lease WHERE {_UNSPENT_OF_THE_DEAD})
    ORDER BY day FOR UPDATE) AS b
WHERE l.day = b.day AND l.granted > l.spent AND l.worker NOT IN ({ALIVE})
"""
_STANDS = """
SELECT b.day, b."limit", b.granted, b.said_at, b.exhausted_at, coalesce(sum(l.spent), 0)::bigint,
    coalesce(sum(l.beyond), 0)::bigint
FROM store_budget AS b LEFT JOIN store_lease AS l ON l.day = b.day
WHERE b.day = coalesce(%(day)s, (SELECT max(day) FROM store_budget)) GROUP BY b.day
"""


class LeaseLost(Exception):
    """More would be spent than is leased: others hold this worker for dead and took it back."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How a day's budget stands; `granted` holds what is spent, and what workers may yet spend."""

    day: date
    limit: int
    granted: int
    said_at: datetime
    exhausted_at: datetime | None
    spent: int
    beyond: int  #: what the law has us send, sent when nothing was left

    @property
    def left(self) -> int:
        """What may still be spent by whoever holds or gets a lease; never below nothing."""
        return max(self.limit - self.spent - self.beyond, 0)


def say_limit(
    connection: psycopg.Connection[Any], day: date, *, limit: int, since: datetime
) -> None:
    """Set what a day may cost, as read by a worker that began at an instant of the database."""
    connection.execute(_SAY, {"day": day, "limit": limit, "since": since})


def lease(connection: psycopg.Connection[Any], day: date, *, worker: int, block: int) -> int | None:
    """Lease a block more, or what is left; return what is granted now, None where nothing is."""
    given = {"day": day, "worker": worker, "block": block}
    row = connection.execute(_LEASE, given).fetchone()
    return None if row is None else int(row[0])


def spend(
    connection: psycopg.Connection[Any], day: date, *, worker: int, within: int, beyond: int = 0
) -> None:
    """Note what is spent, in the transaction that commits the submission (LeaseLost: it must not).

    `within` is paid out of the lease, `beyond` had to be sent though nothing was left.
    """
    given = {"day": day, "worker": worker, "within": within, "beyond": beyond}
    try:
        row = connection.execute(_SPEND, given).fetchone()
    except psycopg.errors.CheckViolation as error:
        raise LeaseLost from error
    if row is None or row[0] < within:
        raise LeaseLost


def return_unspent(
    connection: psycopg.Connection[Any], day: date, *, worker: int, kept: int = 0
) -> int | None:
    """Give back what a worker has not spent, save what it keeps for what it has claimed.

    Return what is granted now, None where there was nothing to give back.
    """
    given = {"day": day, "worker": worker, "kept": kept}
    row = connection.execute(_RETURN, given).fetchone()
    return None if row is None else int(row[0])


def settle_leases(connection: psycopg.Connection[Any]) -> int:
    """Give back what dead workers had not spent; return of how many."""
    return connection.execute(_SETTLE).rowcount


def budget_of(connection: psycopg.Connection[Any], day: date | None = None) -> Budget | None:
    """Return how a day's budget stands, of the newest day where none is named."""
    row = connection.execute(_STANDS, {"day": day}).fetchone()
    if row is None:
        return None
    day, limit, granted, said_at, exhausted_at, spent, beyond = row
    return Budget(
        day=day, limit=limit, granted=granted, said_at=said_at, exhausted_at=exhausted_at,
        spent=spent, beyond=beyond,
    )  # fmt: skip
