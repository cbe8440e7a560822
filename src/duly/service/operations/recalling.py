"""Take back what was wrong: cancel what has not left, say who has it, hold them, draft the word.

The scope is stopped first, in a transaction of its own: nothing of it is claimed or submitted any
more. What is then cancelled never waits for a lock, so that no worker waits for us either.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from duly.book import Lender
from duly.core.check_key import CheckKey
from duly.delivery.states import OPEN
from duly.service.operations import releasing
from duly.service.operations.correcting import draft
from duly.service.operations.locking import lock_people
from duly.service.operations.recording import record

REASON = "recalled"
HOLD = timedelta(days=3)
#: A message that left, or may have.
LEFT = ("submitted", "accepted", "delivered", "unknown")
_AT_ONCE = 5_000
_ROUNDS = 500  #: of 20 ms, for what somebody else has locked

_IN_SCOPE = (
    "(%(scope)s = 'run' AND run_id = %(name)s OR %(scope)s = 'template' AND template = %(name)s)"
)
#: Cancel the messages `mine`, and free what the door had reserved for them.
_TAKE_BACK = """gone AS (
    DELETE FROM store_reservation WHERE message_id IN (SELECT message_id FROM mine)
)
UPDATE store_message AS m SET state = 'cancelled', reason = 'recalled', state_at = now(),
    worker = NULL
FROM mine WHERE m.message_id = mine.message_id RETURNING m.message_id, mine.state"""
_CANCEL = f"""
WITH mine AS (
    SELECT message_id, state FROM store_message WHERE state = ANY(%(open)s) AND {_IN_SCOPE}
    ORDER BY message_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), {_TAKE_BACK}
"""
_OPEN = f"SELECT count(*) FROM store_message WHERE state = ANY(%(open)s) AND {_IN_SCOPE}"
_NEW = f"""
SELECT message_id, borrower_id FROM store_message AS m
WHERE state = ANY(%(left)s) AND {_IN_SCOPE}
    AND NOT EXISTS (SELECT 1 FROM store_recalled AS r WHERE r.message_id = m.message_id)
ORDER BY message_id
"""
_HOLD = """
INSERT INTO store_hold (recall_id, borrower_id, starts_at, ends_at)
SELECT %s, b.id, %s, %s FROM unnest(%s::text[]) AS b(id)
ON CONFLICT (recall_id, borrower_id) DO UPDATE SET ends_at = EXCLUDED.ends_at
"""
#: What else was claimed for them and would dun: the door has let it pass already.
_CANCEL_OTHERS = f"""
WITH mine AS (
    SELECT message_id, state FROM store_message WHERE borrower_id = ANY(%s) AND state = 'claimed'
        AND message_class = 'dunning' FOR UPDATE SKIP LOCKED
), {_TAKE_BACK}
"""
_RECIPIENTS = """
SELECT m.message_id, m.borrower_id, m.business_date, m.channel, m.address, m.template, m.state,
    r.correction_id, c.run_id
FROM store_recalled AS r JOIN store_message AS m ON m.message_id = r.message_id
LEFT JOIN store_message AS c ON c.message_id = r.correction_id
WHERE r.recall_id = %s ORDER BY m.message_id
"""


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Who has a recalled message, or may have it, and the correction drafted for it."""

    message_id: str
    borrower_id: str
    business_date: date
    channel: str
    address: str
    template: str
    state: str
    correction_id: str | None


@dataclass(frozen=True, kw_only=True)
class Recalled:
    """What a recall did this time, and everything that stands under it.

    `locked` messages could not be cancelled because somebody holds them; the stop holds them, and
    the same recall again takes them back. `corrections` are the runs that wait for approval.
    """

    scope: str
    name: str
    cancelled: int
    locked: int
    drafted: int
    held_until: datetime | None
    corrections: tuple[str, ...]
    recipients: tuple[Recipient, ...]


def recall(
    scope: str, name: str, *, by: str, lender: Lender, key: CheckKey, at: datetime
) -> Recalled:
    """Recall a run or a template in a person's name; the same again adds nothing.

    Its stop stays, and lifting it needs a second name. Who has a message of it is held for three
    days, and a correction is drafted for each: a run that another person has to approve. Refused:
    no name, an unknown run, words of the lender that no text may carry.
    """
    assert scope in ("run", "template")
    by = releasing.person(by)
    with transaction.atomic():
        name = releasing.named_run(name) if scope == "run" else name
        releasing.stop(scope, name, by=by)
        number = _begun(scope, name, by, at)
    cancelled, locked = _cancel(scope, name)
    with transaction.atomic():
        drafted = _hold_and_draft(number, scope, name, by=by, lender=lender, key=key, at=at)
    return _told(number, scope, name, cancelled=cancelled, locked=locked, drafted=drafted)


def _begun(scope: str, name: str, by: str, at: datetime) -> int:
    """Write a recall down, once, and return its number."""
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO store_recall (scope, name, "by", at) VALUES (%s, %s, %s, %s)'
            " ON CONFLICT (scope, name) DO NOTHING RETURNING id",
            [scope, name, by, at],
        )
        row = cursor.fetchone()
        if row is not None:
            record("recalled", [(f"{scope}:{name}", {"by": by, "at": at.isoformat()})])
            return int(row[0])
        cursor.execute("SELECT id FROM store_recall WHERE scope = %s AND name = %s", [scope, name])
        return int(cursor.fetchone()[0])


def _cancel(scope: str, name: str) -> tuple[int, int]:
    """Cancel what has not left, some thousands a transaction; return how many, and what is left."""
    given: dict[str, Any] = {
        "scope": scope, "name": name, "open": list(OPEN), "limit": _AT_ONCE,
    }  # fmt: skip
    cancelled = 0
    for _ in range(_ROUNDS):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_CANCEL, given)
            rows = cursor.fetchall()
            _record_cancelled(rows)
        cancelled += len(rows)
        with connection.cursor() as cursor:
            cursor.execute(_OPEN, given)
            left = int(cursor.fetchone()[0])
            if not left:
                break
            if not rows:
                cursor.execute("SELECT pg_sleep(0.02)")
    return cancelled, left


def _record_cancelled(rows: list[tuple[str, str]]) -> None:
    record("message.cancelled", [(name, {"reason": REASON, "was": was}) for name, was in rows])


def _hold_and_draft(
    number: int, scope: str, name: str, *, by: str, lender: Lender, key: CheckKey, at: datetime
) -> int:
    """Hold who has a message that is not in the recall yet, and draft; return how many drafts."""
    with connection.cursor() as cursor:
        # Two at once draft once; persons are locked as every writer does it.
        cursor.execute("SELECT 1 FROM store_recall WHERE id = %s FOR UPDATE", [number])
        cursor.execute(_NEW, {"scope": scope, "name": name, "left": list(LEFT)})
        rows = cursor.fetchall()
        if not rows:
            return 0
        people = lock_people(cursor, {borrower for _, borrower in rows})
        cursor.execute(_HOLD, [number, at, at + HOLD, people])
        cursor.execute(_CANCEL_OTHERS, [people])
        _record_cancelled(cursor.fetchall())
        names = [message for message, _ in rows]
        drafts = draft(names, by=by, lender=lender, key=key, at=at, until=at + HOLD)
        cursor.execute(
            "INSERT INTO store_recalled (message_id, recall_id, correction_id)"
            " SELECT t.message, %s, t.correction FROM unnest(%s::text[], %s::text[])"
            " AS t(message, correction)",
            [number, names, [drafts.of.get(message) for message in names]],
        )
        record("borrower.held", [(one, {"by": by, "until": (at + HOLD).isoformat()})
                                 for one in people])  # fmt: skip
        record("message.recalled", [(one, {"by": by, "correction": drafts.of.get(one)})
                                    for one in names])  # fmt: skip
    return drafts.added


def _told(
    number: int, scope: str, name: str, *, cancelled: int, locked: int, drafted: int
) -> Recalled:
    with connection.cursor() as cursor:
        cursor.execute(_RECIPIENTS, [number])
        rows = cursor.fetchall()
        cursor.execute("SELECT max(ends_at) FROM store_hold WHERE recall_id = %s", [number])
        until = cursor.fetchone()[0]
    return Recalled(
        scope=scope, name=name, cancelled=cancelled, locked=locked, drafted=drafted,
        held_until=until, corrections=tuple(sorted({row[8] for row in rows if row[8]})),
        recipients=tuple(
            Recipient(
                message_id=row[0], borrower_id=row[1], business_date=row[2], channel=row[3],
                address=row[4], template=row[5], state=row[6], correction_id=row[7],
            )
            for row in rows
        ),
    )  # fmt: skip
