"""What a dead worker left: claims go back; what may have been sent is `unknown` for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from duly.service.outbox.auditing import audit
from duly.service.outbox.identity import ALIVE


@dataclass(frozen=True, kw_only=True)
class Orphans:
    """How many messages were given back, and how many became unknown."""

    released: int
    unknown: int


def settle_orphans(connection: psycopg.Connection[Any]) -> Orphans:
    """Settle the messages of workers that no longer live, in one transaction."""
    with connection.transaction():
        back = connection.execute(
            "UPDATE store_message SET state = 'released', worker = NULL, state_at = now()"
            " WHERE message_id IN (SELECT message_id FROM store_message WHERE state = 'claimed'"
            f" AND worker NOT IN ({ALIVE}) FOR UPDATE SKIP LOCKED) RETURNING message_id"
        ).fetchall()
        ids = [row[0] for row in back]
        connection.execute("DELETE FROM store_reservation WHERE message_id = ANY(%s)", (ids,))
        lost = connection.execute(
            "UPDATE store_message SET state = 'unknown', reason = 'worker_died', worker = NULL,"
            " state_at = now()"
            " WHERE message_id IN (SELECT message_id FROM store_message WHERE state = 'submitted'"
            f" AND worker NOT IN ({ALIVE}) FOR UPDATE SKIP LOCKED) RETURNING message_id"
        ).fetchall()
        connection.execute(
            "UPDATE store_attempt SET outcome = 'unknown', code = 'worker_died'"
            " WHERE message_id = ANY(%s) AND outcome IS NULL",
            ([row[0] for row in lost],),
        )
        audit(connection, "message.given_back", [(name, {}) for name in ids])
        audit(connection, "message.unknown", [(row[0], {"why": "worker_died"}) for row in lost])
    return Orphans(released=len(back), unknown=len(lost))
