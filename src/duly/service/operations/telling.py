"""What a person told us: a signal, and what it cancels, in one transaction under his lock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction

from duly.delivery.door import Told, binds
from duly.delivery.states import OPEN
from duly.service.operations.locking import lock_people
from duly.service.operations.recording import record
from duly.service.rows import unpacked


def raise_signal(
    *,
    signal_id: str,
    borrower_id: str,
    kind: str,
    starts_at: datetime,
    loan_id: str | None = None,
    detail: Mapping[str, object] | None = None,
) -> int:
    """Write a signal down and cancel what it binds and is not submitted; return how many.

    The same signal twice is one. A person whom we do not know is nobody's message: 0.
    """
    given = dict(detail or {})
    channel = given.get("channel") if kind == "opt_out" else None
    one = Told(
        kind=kind,
        loan_id=loan_id,
        starts_at=starts_at,
        ends_at=None,
        channel=None if channel is None else str(channel),
    )
    with transaction.atomic(), connection.cursor() as cursor:
        if not lock_people(cursor, [borrower_id]):
            return 0
        cursor.execute(
            "INSERT INTO store_signal (signal_id, borrower_id, loan_id, kind, starts_at, detail,"
            " source) VALUES (%s, %s, %s, %s, %s, %s::jsonb, 'event')"
            " ON CONFLICT (signal_id) DO NOTHING RETURNING signal_id",
            [signal_id, borrower_id, loan_id, kind, starts_at, json.dumps(given)],
        )
        if cursor.fetchone() is None:
            return 0
        cursor.execute(
            "SELECT message_id, loan_ids, channel FROM store_message"
            " WHERE borrower_id = %s AND state = ANY(%s) ORDER BY message_id FOR UPDATE",
            [borrower_id, list(OPEN)],
        )
        bound = []
        for name, loans, way in cursor.fetchall():
            if binds(one, frozenset(unpacked(loans)), way):
                bound.append(name)
        cursor.execute(
            "UPDATE store_message SET state = 'cancelled', reason = %s, state_at = now(),"
            " worker = NULL WHERE message_id = ANY(%s)",
            [kind, bound],
        )
        told = {"kind": kind, "loan_id": loan_id, "starts_at": starts_at, "cancelled": bound}
        record("signal.raised", [(signal_id, told)], about={signal_id: borrower_id})
    return len(bound)
