"""Submit: committed before the first byte. Then the answers, whatever they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import psycopg
from psycopg.rows import dict_row

from duly.delivery import Answer, Outgoing
from duly.service.outbox.auditing import audit
from duly.service.outbox.claiming import Claimed
from duly.service.outbox.evidence import what_is_said
from duly.service.outbox.refusing import Refusals, write_decided
from duly.service.outbox.reports import match_receipts
from duly.service.outbox.spending import LeaseLost

#: In the order of their ids, as whoever cancels them locks them: neither waits for the other twice.
_LOCK = """
SELECT message_id, borrower_id FROM store_message WHERE message_id = ANY(%s)
ORDER BY message_id FOR UPDATE
"""
#: Each submission is a contact of its own: one that no route took counts in no cap.
_SUBMIT = """
WITH going AS (
    UPDATE store_message AS m SET state = 'submitted', attempts = attempts + 1, state_at = now()
    WHERE m.message_id = ANY(%(ids)s) AND m.state = 'claimed' AND m.worker = %(worker)s
        AND NOT EXISTS (SELECT 1 FROM store_stopped AS s WHERE s.lifted_at IS NULL AND (
            s.scope = 'all' OR s.scope = 'run' AND s.name = m.run_id
            OR s.scope = 'template' AND s.name = m.template
            OR s.scope = 'route' AND s.name = m.route))
    RETURNING m.message_id, m.borrower_id, m.route, m.attempts, m.channel, m.address,
        m.message_class),
attempted AS (
    INSERT INTO store_attempt (message_id, route, number)
    SELECT message_id, route, attempts FROM going),
counted AS (
    INSERT INTO store_contact (contact_id, borrower_id, channel, address, at, direction, outcome,
        contact_class)
    SELECT 'duly:' || message_id || CASE WHEN attempts > 1 THEN ':' || attempts ELSE '' END,
        borrower_id, channel, address, %(at)s, 'out', 'sent', message_class FROM going)
SELECT message_id, borrower_id, route, attempts FROM going
"""
_GIVE_BACK = """
UPDATE store_message SET state = 'released', worker = NULL, state_at = now()
WHERE message_id = ANY(%s) AND state = 'claimed' AND worker = %s RETURNING message_id
"""
#: What was answered, the gateway's names of the parts, and where each message stands by that. Each
#: row is looked for by its key: of a table that fills, a server that has not counted it lately
#: would read all submissions there ever were, or all messages whose end nobody knows.
_ANSWERED = """
WITH told AS (
    UPDATE store_attempt AS a SET outcome = n.outcome, code = n.code
    FROM unnest(%(ids)s::text[], %(outcomes)s::text[], %(codes)s::text[])
        AS n(message_id, outcome, code)
    CROSS JOIN LATERAL (SELECT b.id FROM store_attempt AS b WHERE b.message_id = n.message_id
        ORDER BY b.number DESC LIMIT 1) AS newest
    WHERE a.id = newest.id),
named AS (
    INSERT INTO store_part (route, provider_id, message_id, state, code)
    SELECT %(route)s, n.provider_id, n.message_id, 'accepted', ''
    FROM unnest(%(parts)s::text[], %(of)s::text[]) AS n(provider_id, message_id)
    ORDER BY n.provider_id ON CONFLICT (route, provider_id) DO NOTHING)
UPDATE store_message AS m SET state = n.state, worker = NULL, state_at = now()
FROM unnest(%(ended)s::text[], %(states)s::text[]) AS n(message_id, state)
WHERE m.message_id = n.message_id
    AND CASE WHEN m.state IN ('submitted', 'unknown') THEN m.state <> n.state END
"""
#: Which state an answer leads to. What was certainly not taken may come back: `refusing` says so.
_STATE_AFTER = {
    "accepted": "accepted",
    "refused": "undelivered",
    "throttled": "undelivered",
    "not_sent": "undelivered",
    "unknown": "unknown",
}


class Spending(Protocol):
    """Who notes what submissions cost, in their transaction (LeaseLost: they must not be made)."""

    def spend(self, connection: psycopg.Connection[Any], ids: Collection[str]) -> None:
        """Note what these messages cost."""
        ...


def submit(
    connection: psycopg.Connection[Any],
    claimed: Sequence[Claimed],
    *,
    worker: int,
    at: datetime,
    spending: Spending | None = None,
) -> tuple[Outgoing, ...]:
    """Commit that these messages are being sent now, and return those that still may be.

    Left out is what was cancelled since the claim, what a stop holds, what the door lets go no
    longer at this instant, and what others will not let us pay for: that is given back. Each one
    returned is a contact from here on, whatever the wire does.
    """
    by_id = {one.message_id: one for one in claimed}
    try:
        with connection.transaction():
            going = _committed(connection, by_id, worker=worker, at=at)
            if spending is not None and going:
                # Last, since all of a worker's lanes write this one row.
                spending.spend(connection, [one.message_id for one in going])
    except LeaseLost:
        give_back(connection, list(by_id), worker=worker)
        return ()
    return going


def _committed(
    connection: psycopg.Connection[Any],
    by_id: Mapping[str, Claimed],
    *,
    worker: int,
    at: datetime,
) -> tuple[Outgoing, ...]:
    """Write down what is submitted, within the caller's transaction, and return it."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_LOCK, (list(by_id),))
        lawful = [name for name, one in by_id.items() if one.may_leave(at)]
        rows = cursor.execute(_SUBMIT, {"ids": lawful, "worker": worker, "at": at}).fetchall()
        going = {row["message_id"] for row in rows}
        held = [name for name in by_id if name not in going]
        if held:
            give_back(connection, held, worker=worker)
        audit(
            connection, "message.submitted",
            [(row["message_id"], what_is_said(by_id[row["message_id"]].row, route=row["route"],
                                              attempt=row["attempts"], at=at)) for row in rows],
            about={row["message_id"]: row["borrower_id"] for row in rows},
        )  # fmt: skip
    return tuple(_outgoing(by_id[row["message_id"]], row["attempts"]) for row in rows)


def give_back(
    connection: psycopg.Connection[Any], ids: Sequence[str], *, worker: int
) -> tuple[str, ...]:
    """Give claims back, their reservations with them, at once; what is not ours stays as it is."""
    with connection.transaction():
        rows = connection.execute(_GIVE_BACK, (list(ids), worker)).fetchall()
        back = [row[0] for row in rows]
        connection.execute("DELETE FROM store_reservation WHERE message_id = ANY(%s)", (back,))
        audit(connection, "message.given_back", [(name, {}) for name in back])
    return tuple(back)


def _outgoing(one: Claimed, attempt: int) -> Outgoing:
    row = one.row
    return Outgoing(
        message_id=one.message_id,
        channel=row["channel"],
        address=row["address"],
        text=row["text"],
        message_class=row["message_class"],
        template=row["template"],
        locale=row["locale"],
        not_after=row["not_after"],
        params={str(name): str(value) for name, value in row["params"].items()},
        attempt=attempt,
    )


def write_answers(
    connection: psycopg.Connection[Any],
    route: str,
    answers: Sequence[Answer],
    *,
    refusals: Refusals | None = None,
    at: datetime | None = None,
) -> None:
    """Write down what a gateway answered; an answer after its worker was given up still counts.

    `refusals` says at a legal instant what follows where the message was certainly not taken;
    without, that is its end.
    """
    ids = [one.message_id for one in answers]
    outcomes, codes = [one.outcome for one in answers], [one.code[:200] for one in answers]
    parts = [(one.message_id, part) for one in answers for part in one.provider_ids]
    with connection.transaction():
        people = dict(connection.execute(_LOCK, (ids,)).fetchall())
        decided = {}
        if refusals is not None and at is not None:
            decided = refusals.decide(connection, route, answers, at=at)
        back = {name for name, one in decided.items() if one.step.what != "dead"}
        ends = [one for one in answers if one.message_id not in back]
        connection.execute(
            _ANSWERED,
            {
                "ids": ids, "outcomes": outcomes, "codes": codes, "route": route,
                "parts": [one[1] for one in parts], "of": [one[0] for one in parts],
                "ended": [one.message_id for one in ends],
                "states": [_STATE_AFTER[one.outcome] for one in ends],
            },
        )  # fmt: skip
        told = [(one.message_id, {"outcome": one.outcome, "code": one.code}) for one in answers]
        audit(connection, "message.answered", told, about=people)
        write_decided(connection, route, decided)
    match_receipts(connection, route, [part for _, part in parts], waits=False)
