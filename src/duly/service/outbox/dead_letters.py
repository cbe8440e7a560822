"""Dead letters: messages that were certainly not sent and that are not tried again by themselves.

Each is written in the transaction that ends its message, with a reason of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from duly.service.outbox.auditing import audit

_REASON = """
UPDATE store_message AS m SET reason = n.reason
FROM unnest(%s::text[], %s::text[]) AS n(message_id, reason)
WHERE m.message_id = n.message_id AND m.state = 'undelivered'
"""
_BURY = """
INSERT INTO store_deadletter (message_id, reason, route, code, attempts)
SELECT m.message_id, n.reason, n.route, n.code, m.attempts
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
    AS n(message_id, reason, route, code)
JOIN store_message AS m ON m.message_id = n.message_id AND m.state = 'undelivered'
ORDER BY m.message_id ON CONFLICT (message_id) WHERE ended IS NULL DO NOTHING
RETURNING message_id, reason, route, code, attempts
"""
#: What the door ends for its window or for want of a route, after some route had refused it.
_LAPSED = """
INSERT INTO store_deadletter (message_id, reason, route, code, attempts)
SELECT m.message_id, CASE m.state WHEN 'expired' THEN 'window_over' ELSE 'no_route_left' END,
    a.route, a.code, m.attempts
FROM store_message AS m
JOIN store_attempt AS a ON a.message_id = m.message_id AND a.number = m.attempts
WHERE m.message_id = ANY(%s) AND m.attempts > 0
    AND (m.state = 'expired' OR m.state = 'blocked' AND m.reason = 'no_route')
ORDER BY m.message_id ON CONFLICT (message_id) WHERE ended IS NULL DO NOTHING
RETURNING message_id, reason, route, code, attempts
"""


@dataclass(frozen=True, kw_only=True)
class Dead:
    """One message that came to its end unsent, and the route that had the last word."""

    message_id: str
    reason: str
    route: str
    code: str


def bury(connection: psycopg.Connection[Any], dead: Sequence[Dead]) -> None:
    """Write down dead letters, in the caller's transaction."""
    if not dead:
        return
    ids, reasons = [one.message_id for one in dead], [one.reason for one in dead]
    connection.execute(_REASON, (ids, reasons))
    rows = connection.execute(
        _BURY, (ids, reasons, [one.route for one in dead], [one.code for one in dead])
    ).fetchall()
    _record(connection, rows)


def bury_lapsed(connection: psycopg.Connection[Any], ids: Sequence[str]) -> None:
    """Write down as dead letters what the door has just ended and some route had refused."""
    if ids:
        _record(connection, connection.execute(_LAPSED, (list(ids),)).fetchall())


def _record(connection: psycopg.Connection[Any], rows: Sequence[tuple[Any, ...]]) -> None:
    audit(
        connection,
        "message.dead",
        [
            (name, {"reason": reason, "route": route, "code": code, "attempts": attempts})
            for name, reason, route, code, attempts in rows
        ],
    )
