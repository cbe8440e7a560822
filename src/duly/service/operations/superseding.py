"""What gives way to a newer plan: an earlier one of its day, what is left of earlier days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from django.db import connection

from duly.delivery.states import OPEN
from duly.service.operations.own_texts import SIGN_IN_SQL
from duly.service.operations.recording import record

_GIVE_WAY = f"""
UPDATE store_message AS m SET state = 'cancelled', reason = 'superseded', state_at = now(),
    worker = NULL
FROM store_run AS r
WHERE r.plan_sha256 = m.run_id AND r.kind = 'answer' AND m.business_date = %s
    AND m.borrower_id = ANY(%s) AND m.message_class = 'answer' AND m.state = ANY(%s)
    AND m.template <> {SIGN_IN_SQL}
RETURNING m.message_id
"""


def supersede(day: date) -> int:
    """Cancel what an earlier plan of the day has not submitted; return how many messages."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT plan_sha256 FROM store_run WHERE business_date = %s AND kind = 'plan'"
            " AND state <> 'superseded' FOR UPDATE",
            [day],
        )
        earlier = [row[0] for row in cursor.fetchall()]
        if not earlier:
            return 0
        cursor.execute(
            "UPDATE store_message SET state = 'cancelled', reason = 'superseded', state_at = now(),"
            " worker = NULL WHERE run_id = ANY(%s) AND state IN ('planned', 'released', 'claimed')",
            [earlier],
        )
        count = int(cursor.rowcount)
        cursor.execute(
            "UPDATE store_run SET state = 'superseded' WHERE plan_sha256 = ANY(%s)", [earlier]
        )
    record("run.superseded", [(sha, {"by_another_of": day.isoformat()}) for sha in earlier])
    return count


def give_way(people: Sequence[str], day: date) -> None:
    """Cancel confirmations of replies that wait where a plan has a text of their class to send.

    A person gets one text of a class a day. What a plan says in this class is that an account
    looks wrong: a courtesy that has not left must not keep it back. The caller holds the people.
    """
    if not people:
        return
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_WAY, [day, list(people), list(OPEN)])
        gone = sorted(row[0] for row in cursor.fetchall())
    record("message.cancelled", [(name, {"reason": "superseded"}) for name in gone])


def overtake(day: date, *, by: str) -> int:
    """Cancel what plans of days before one have not submitted; return how many messages.

    Where a borrower's day ends after the lender's, yesterday's text could still leave beside
    today's: today's plan decides about that person. A run that nobody let go waits no more.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_message AS m SET state = 'cancelled', reason = 'superseded',"
            " state_at = now(), worker = NULL FROM store_run AS r WHERE r.plan_sha256 = m.run_id"
            " AND r.kind = 'plan' AND r.business_date < %s"
            " AND m.state IN ('planned', 'released', 'claimed') RETURNING m.run_id",
            [day],
        )
        cancelled = Counter(row[0] for row in cursor.fetchall())
        cursor.execute(
            "UPDATE store_run SET state = 'superseded' WHERE kind = 'plan' AND state = 'planned'"
            " AND business_date < %s RETURNING plan_sha256",
            [day],
        )
        given_up = {row[0] for row in cursor.fetchall()}
    record(
        "run.overtaken",
        [(sha, {"by": by, "cancelled": cancelled[sha]}) for sha in sorted(given_up | {*cancelled})],
    )
    return cancelled.total()
