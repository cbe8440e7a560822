"""What a claim writes down about its messages: a statement a kind, not one a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import psycopg

from duly.service import journal
from duly.service.outbox.auditing import audit
from duly.service.outbox.dead_letters import bury_lapsed

_DELAY = """
UPDATE store_message AS m SET due_at = n.until
FROM unnest(%s::text[], %s::timestamptz[]) AS n(message_id, until)
WHERE m.message_id = n.message_id
"""
_END = """
UPDATE store_message AS m SET state = n.state, reason = n.reason, state_at = now()
FROM unnest(%s::text[], %s::text[], %s::text[]) AS n(message_id, state, reason)
WHERE m.message_id = n.message_id
"""
#: The next slots of each person's local day; the persons' rows are locked meanwhile. A released
#: message has no reservation: whoever held it before is gone, whatever he left behind.
_RESERVE = """
INSERT INTO store_reservation (message_id, borrower_id, local_day, slot, at)
SELECT n.message_id, n.borrower_id, n.local_day, coalesce(t.slot, 0)
    + row_number() OVER (PARTITION BY n.borrower_id, n.local_day ORDER BY n.place), %(at)s
FROM unnest(%(ids)s::varchar[], %(people)s::varchar[], %(days)s::date[])
    WITH ORDINALITY AS n(message_id, borrower_id, local_day, place)
LEFT JOIN LATERAL (SELECT max(r.slot) AS slot FROM store_reservation AS r
    WHERE r.borrower_id = n.borrower_id AND r.local_day = n.local_day) AS t ON true
ON CONFLICT (message_id) DO UPDATE SET local_day = excluded.local_day, slot = excluded.slot,
    at = excluded.at
"""
_CLAIM = """
UPDATE store_message AS m SET state = 'claimed', worker = %s, route = n.route, state_at = now()
FROM unnest(%s::text[], %s::text[]) AS n(message_id, route)
WHERE m.message_id = n.message_id
"""
_REASON_MAX = 100


@dataclass
class Written:
    """How each message of a claim went, gathered in the order in which they were asked about."""

    delayed: list[tuple[str, datetime | None]] = field(default_factory=list)
    ended: list[tuple[str, str, str]] = field(default_factory=list)
    claimed: list[tuple[str, str, date, str]] = field(default_factory=list)
    disagreed: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    said: dict[str, list[tuple[str, Mapping[str, object]]]] = field(default_factory=dict)

    def say(self, state: str, message_id: str, told: Mapping[str, object]) -> None:
        """Note what the record is told of one message."""
        self.said.setdefault(f"message.{state}", []).append((message_id, told))

    def down(
        self,
        connection: psycopg.Connection[Any],
        *,
        worker: int,
        at: datetime,
        about: Mapping[str, str | None],
    ) -> None:
        """Write all of it, in the transaction of the claim; `about` is message → person."""
        if self.delayed:
            connection.execute(_DELAY, [list(column) for column in zip(*self.delayed, strict=True)])
        if self.ended:
            ids, states, reasons = zip(*self.ended, strict=True)
            short = [reason[:_REASON_MAX] for reason in reasons]
            connection.execute(_END, (list(ids), list(states), short))
            bury_lapsed(connection, ids)
        if self.claimed:
            names, people, days, routes = (list(one) for one in zip(*self.claimed, strict=True))
            given = {"ids": names, "people": people, "days": days, "at": at}
            connection.execute(_RESERVE, given)
            connection.execute(_CLAIM, (worker, names, routes))
        if self.disagreed:
            audit(connection, "door.disagreed", self.disagreed, about=about)
            journal.warn("door.disagreed", count=len(self.disagreed))
        for kind, rows in self.said.items():
            audit(connection, kind, rows, about=about)
