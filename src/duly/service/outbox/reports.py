"""What comes back: receipts find their message by the gateway's own name for it; raw is kept."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import psycopg

from duly.delivery import Incoming, Receipt, Reply
from duly.plan.addresses import key_of
from duly.service.outbox.auditing import audit
from duly.service.outbox.naming import name_told, name_waiting

_REPLY = """
INSERT INTO store_reply
    (report_id, route, address, address_key, sent_to, text, said_at, fingerprint)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (fingerprint) DO NOTHING
"""
_CODE_MAX = 200
_MATCHED_AT_ONCE = 500
_KEEP = """
INSERT INTO store_report (route, kind, raw, raw_sha256, provider_id, state, code)
SELECT %s, n.kind, n.raw, n.hash, n.provider_id, n.state, n.code
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    WITH ORDINALITY AS n(kind, raw, hash, provider_id, state, code, place)
ORDER BY n.place ON CONFLICT (route, raw_sha256) DO NOTHING RETURNING id, raw_sha256
"""
#: Receipts that wait, one part after another: what waits is always little and its index mostly full
#: of what has ceased to, so nothing may look through all of it.
_WAITING = """
SELECT r.id, r.state, r.code, r.received_at, r.raw FROM store_report AS r
WHERE r.route = p.route AND r.provider_id = p.provider_id
    AND r.message_id IS NULL AND r.kind = 'receipt'
"""
#: Locked in the order of their numbers, then asked for: of two that match, neither waits twice.
#: A part for which no receipt waits is nobody's to lock: who brings one looks for its part himself.
_LOCK_PARTS = f"""
SELECT p.id FROM store_part AS p WHERE p.route = %s AND p.provider_id = ANY(%s)
    AND (SELECT w.id FROM ({_WAITING}) AS w LIMIT 1) IS NOT NULL
ORDER BY p.id FOR UPDATE OF p
"""
_UNMATCHED = f"""
SELECT w.id, p.id, p.message_id, w.state, w.code, w.received_at, w.raw, m.borrower_id
FROM store_part AS p JOIN store_message AS m ON m.message_id = p.message_id
CROSS JOIN LATERAL ({_WAITING} OFFSET 0) AS w
WHERE p.id = ANY(%s)
ORDER BY w.id
"""
_TELL_PARTS = """
UPDATE store_part AS p SET state = n.state, code = n.code
FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS n(id, state, code)
WHERE p.id = n.id AND p.state <> 'delivered'
"""
_MATCHED = """
UPDATE store_report AS r SET message_id = n.message_id
FROM unnest(%s::bigint[], %s::text[]) AS n(id, message_id) WHERE r.id = n.id
"""
_LOCK_MESSAGES = """
SELECT 1 FROM store_message WHERE message_id = ANY(%s) ORDER BY message_id FOR NO KEY UPDATE
"""
#: Delivered when all parts are, undelivered when one is; where one says nothing yet, it waits.
_MOVE = """
UPDATE store_message AS m SET state = n.state, state_at = now()
FROM (
    SELECT message_id, CASE WHEN bool_or(state = 'undelivered') THEN 'undelivered'
        WHEN bool_or(state = 'accepted') THEN NULL
        WHEN bool_or(state = 'unknown') THEN 'unknown' ELSE 'delivered' END AS state
    FROM store_part WHERE message_id = ANY(%s) GROUP BY message_id) AS n
WHERE m.message_id = n.message_id AND (
    n.state = 'undelivered' AND m.state IN ('submitted', 'accepted', 'unknown')
    OR n.state = 'unknown' AND m.state IN ('submitted', 'accepted')
    OR n.state = 'delivered' AND m.state IN ('accepted', 'unknown', 'undelivered'))
"""


def write_report(connection: psycopg.Connection[Any], route: str, report: Incoming) -> None:
    """Keep one report raw, and let a receipt move its message; see `write_reports`."""
    write_reports(connection, route, [report])


def write_reports(
    connection: psycopg.Connection[Any], route: str, reports: Sequence[Incoming]
) -> None:
    """Keep reports raw, and let receipts move their messages, in the order in which they came.

    The same report twice is one, and so is a reply that a gateway dates and tells again in other
    words. A reply is only written down here: what reads it comes after the commit. A receipt that
    comes before the answer waits for it; one that finds no message for good is kept, and moves
    none.
    """
    receipts = [one if isinstance(one, Receipt) else None for one in reports]
    digests = [hashlib.sha256(one.raw.encode()).hexdigest() for one in reports]
    with connection.transaction():
        rows = connection.execute(
            _KEEP,
            (
                route,
                ["reply" if one is None else "receipt" for one in receipts],
                [one.raw for one in reports],
                digests,
                [None if one is None else one.provider_id for one in receipts],
                [None if one is None else one.state for one in receipts],
                ["" if one is None else one.code[:_CODE_MAX] for one in receipts],
            ),
        ).fetchall()
        new = {digest: number for number, digest in rows}
        for one, digest in zip(reports, digests, strict=True):
            if isinstance(one, Reply) and digest in new:
                _keep_reply(connection, new.pop(digest), route, one, digest)
    named = [one.provider_id for one in receipts if one is not None]
    if named:
        with connection.transaction():
            name_told(connection, route, named)
        match_receipts(connection, route, named)


def _keep_reply(
    connection: psycopg.Connection[Any], report: int, route: str, said: Reply, digest: str
) -> None:
    key = key_of(said.address)[:200]
    text = said.text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    name = digest
    if said.at is not None:
        told = "\n".join((route, key, said.to, text, said.at.isoformat()))
        name = hashlib.sha256(told.encode()).hexdigest()
    connection.execute(
        _REPLY,
        (report, route, said.address[:320], key, said.to[:200], text, said.at, name),
    )


def match_late_receipts(connection: psycopg.Connection[Any]) -> None:
    """Match what a process that died between its two steps left unmatched, three days back."""
    name_waiting(connection)
    rows = connection.execute(
        "SELECT DISTINCT r.route, r.provider_id FROM store_report AS r"
        " JOIN store_part AS p ON p.route = r.route AND p.provider_id = r.provider_id"
        " WHERE r.message_id IS NULL AND r.kind = 'receipt'"
        " AND r.received_at > now() - interval '3 days'"
    ).fetchall()
    named: dict[str, list[str]] = {}
    for route, provider_id in rows:
        named.setdefault(route, []).append(provider_id)
    for route, names in named.items():
        for start in range(0, len(names), _MATCHED_AT_ONCE):
            match_receipts(connection, route, names[start : start + _MATCHED_AT_ONCE])


def match_receipts(
    connection: psycopg.Connection[Any],
    route: str,
    provider_ids: Sequence[str],
    *,
    waits: bool = True,
) -> None:
    """Bring receipts and the parts that they name together, in the order in which they came.

    Called after the commit of either: whichever comes second sees both. A message of several
    parts is delivered when all of them are, undelivered when one of them is. Who has brought the
    parts need not wait: who holds one has looked for its receipts after they were there.
    """
    with connection.transaction():
        _match(connection, route, provider_ids, waits=waits)


def _match(
    connection: psycopg.Connection[Any], route: str, provider_ids: Sequence[str], *, waits: bool
) -> None:
    # A part that comes after the look is not ours to move: whoever brings it matches after us.
    lock = _LOCK_PARTS if waits else _LOCK_PARTS + " SKIP LOCKED"
    parts = [row[0] for row in connection.execute(lock, (route, list(provider_ids)))]
    if not parts:
        return
    rows = connection.execute(_UNMATCHED, (parts,)).fetchall()
    if not rows:
        return
    connection.execute(_LOCK_MESSAGES, (sorted({row[2] for row in rows}),))
    for turn in _turns(rows):
        reports, told, messages, states, codes = (
            list(one) for one in zip(*(row[:5] for row in turn), strict=True)
        )  # fmt: skip
        connection.execute(_TELL_PARTS, (told, states, codes))
        connection.execute(_MATCHED, (reports, messages))
        connection.execute(_MOVE, (messages,))
    audit(
        connection,
        "message.receipt",
        [(message, {"state": state, "code": code, "received_at": at, "raw": raw})
         for _, _, message, state, code, at, raw, _ in rows],
        about={row[2]: row[7] for row in rows},
    )  # fmt: skip


def _turns(rows: Sequence[tuple[Any, ...]]) -> list[list[tuple[Any, ...]]]:
    """Return the rows in turns, each with one report of a message: they come one after another."""
    turns: list[list[tuple[Any, ...]]] = []
    heard: Counter[str] = Counter()
    for row in rows:
        if heard[row[2]] == len(turns):
            turns.append([])
        turns[heard[row[2]]].append(row)
        heard[row[2]] += 1
    return turns
