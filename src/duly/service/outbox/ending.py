"""End a message that was not submitted: why, and its row of the record."""

from __future__ import annotations

from typing import Any

import psycopg

from duly.service.outbox.auditing import audit

_REASON_MAX = 100


def end(
    connection: psycopg.Connection[Any], message_id: str, state: str, reason: str, **told: object
) -> None:
    """Let a message be `blocked`, `expired` or `cancelled` for a reason, within a transaction."""
    connection.execute(
        "UPDATE store_message SET state = %s, reason = %s, worker = NULL, state_at = now()"
        " WHERE message_id = %s",
        (state, reason[:_REASON_MAX], message_id),
    )
    audit(connection, f"message.{state}", [(message_id, {"reason": reason, **told})])
