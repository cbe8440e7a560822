"""What comes back: receipts find their message by the gateway's own name for it; raw is kept."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

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
#: A receipt and its part: number, part, message, state, code, when it came, raw, whom it is about.
_Told: TypeAlias = tuple[Any, ...]
_CODE_MAX = 200
_MATCHED_AT_ONCE = 500
_KEEP = """
INSERT INTO store_report (route, kind, raw, raw_sha256, provider_id, state, code, message_id)
SELECT %s, n.kind, n.raw, n.hash, n.provider_id, n.state, n.code, nullif(n.message_id, '')
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    WITH ORDINALITY AS n(kind, raw, hash, provider_id, state, code, message_id, place)
ORDER BY n.place ON CONFLICT (route, raw_sha256) DO NOTHING RETURNING id, raw_sha256, received_at
"""
#: Receipts that wait, one part after another: what waits is always little and its index mostly full
#: of what has ceased to, so nothing may look through all of it.
_WAITING = """
SELECT r.id, r.state, r.code, r.received_at, r.raw FROM store_report AS r
WHERE r.route = p.route AND r.provider_id = p.provider_id
    AND r.message_id IS NULL AND r.kind = 'receipt'
"""
_WAITS = f"(SELECT w.id FROM ({_WAITING}) AS w LIMIT 1) IS NOT NULL"
#: Everywhere in the order of their messages, each part and then its message: of two that match,
#: neither waits twice. What a receipt needs to know of its part is asked where it is locked.
_LOCK_NAMED = f"""
SELECT p.provider_id, p.id, p.message_id, m.borrower_id, {_WAITS}
FROM store_part AS p JOIN store_message AS m ON m.message_id = p.message_id
WHERE p.route = %s AND p.provider_id = ANY(%s)
ORDER BY p.message_id, p.id FOR UPDATE OF p FOR NO KEY UPDATE OF m
"""
#: A part for which no receipt waits is nobody's to lock: who brings one looks for its part himself.
_LOCK_PARTS = f"""
SELECT p.id FROM store_part AS p JOIN store_message AS m ON m.message_id = p.message_id
WHERE p.route = %s AND p.provider_id = ANY(%s) AND {_WAITS}
ORDER BY p.message_id, p.id FOR UPDATE OF p {{skipping}} FOR NO KEY UPDATE OF m
"""
_UNMATCHED = f"""
SELECT w.id, p.id, p.message_id, w.state, w.code, w.received_at, w.raw, m.borrower_id
FROM store_part AS p JOIN store_message AS m ON m.message_id = p.message_id
CROSS JOIN LATERAL ({_WAITING} OFFSET 0) AS w
WHERE p.id = ANY(%s)
ORDER BY w.id
"""
_MATCHED = """
UPDATE store_report AS r SET message_id = n.message_id
FROM unnest(%s::bigint[], %s::text[]) AS n(id, message_id) WHERE r.id = n.id
"""
#: Delivered when all parts are, undelivered when one is; where one says nothing yet, it waits. What
#: this statement itself tells the parts it does not see in their table.
_MOVE = """
WITH told AS (
    UPDATE store_part AS p SET state = n.state, code = n.code
    FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS n(id, state, code)
    WHERE p.id = n.id AND p.state <> 'delivered' RETURNING p.id, p.state)
UPDATE store_message AS m SET state = n.state, state_at = now()
FROM (
    SELECT message_id, CASE WHEN bool_or(state = 'undelivered') THEN 'undelivered'
        WHEN bool_or(state = 'accepted') THEN NULL
        WHEN bool_or(state = 'unknown') THEN 'unknown' ELSE 'delivered' END AS state
    FROM (SELECT p.message_id, coalesce(t.state, p.state) AS state
        FROM store_part AS p LEFT JOIN told AS t ON t.id = p.id
        WHERE p.message_id = ANY(%s)) AS now_so
    GROUP BY message_id) AS n
WHERE m.message_id = n.message_id AND (
    n.state = 'undelivered' AND m.state IN ('submitted', 'accepted', 'unknown')
    OR n.state = 'unknown' AND m.state IN ('submitted', 'accepted')
    OR n.state = 'delivered' AND m.state IN ('accepted', 'unknown', 'undelivered'))
"""


@dataclass(frozen=True, kw_only=True)
class _Named:
    """The part that receipts of one name are about, locked; `waits`: one came before it did."""

    part: int
    message_id: str
    borrower_id: str
    waits: bool


def write_report(connection: psycopg.Connection[Any], route: str, report: Incoming) -> None:
    """Keep one report raw, and let a receipt move its message; see `write_reports`."""
    write_reports(connection, route, [report])


def write_reports(
    connection: psycopg.Connection[Any], route: str, reports: Sequence[Incoming]
) -> None:
    """Keep reports raw, and let receipts move their messages, in the order in which they came.

    The same report twice is one, and so is a reply that a gateway dates and tells again in other
    words. A reply is only written down here: what reads it comes after the commit. A receipt whose
    part is known is kept and moves its message in one transaction. One that comes before the answer
    waits for it; one that finds no message for good is kept, and moves none.
    """
    names = [one.provider_id for one in reports if isinstance(one, Receipt)]
    with connection.transaction():
        named = _named(connection, route, names)
        rows, new = _kept(connection, route, reports, named)
        for one, digest in new:
            if isinstance(one, Reply):
                _keep_reply(connection, rows[digest][0], route, one, digest)
        found = [
            (rows[digest][0], part.part, part.message_id, one.state, one.code[:_CODE_MAX],
             rows[digest][1], one.raw, part.borrower_id)
            for one, digest in new
            if isinstance(one, Receipt) and (part := named.get(one.provider_id)) is not None
        ]  # fmt: skip
        before = [part.part for part in named.values() if part.waits]
        earlier = _unmatched(connection, before) if before else []
        _tell(connection, [*earlier, *found])
    # Whoever brought a part meanwhile could not see the receipt: it is looked for once more.
    left = [name for name in names if name not in named]
    if left:
        with connection.transaction():
            name_told(connection, route, left)
        match_receipts(connection, route, left)


def _named(
    connection: psycopg.Connection[Any], route: str, names: Sequence[str]
) -> dict[str, _Named]:
    """Lock the parts of these names, with their messages, and return them."""
    if not names:
        return {}
    return {
        name: _Named(part=part, message_id=message, borrower_id=who, waits=waits)
        for name, part, message, who, waits in connection.execute(_LOCK_NAMED, (route, list(names)))
    }


def _kept(
    connection: psycopg.Connection[Any],
    route: str,
    reports: Sequence[Incoming],
    named: Mapping[str, _Named],
) -> tuple[dict[str, tuple[int, datetime]], list[tuple[Incoming, str]]]:
    """Write down what is new: its number and instant by its digest; and each such report, once."""
    receipts = [one if isinstance(one, Receipt) else None for one in reports]
    digests = [hashlib.sha256(one.raw.encode()).hexdigest() for one in reports]
    parts = [None if one is None else named.get(one.provider_id) for one in receipts]
    rows = {
        digest: (number, at)
        for number, digest, at in connection.execute(
            _KEEP,
            (
                route,
                ["reply" if one is None else "receipt" for one in receipts],
                [one.raw for one in reports],
                digests,
                [None if one is None else one.provider_id for one in receipts],
                [None if one is None else one.state for one in receipts],
                ["" if one is None else one.code[:_CODE_MAX] for one in receipts],
                ["" if part is None else part.message_id for part in parts],
            ),
        )
    }
    once: dict[str, Incoming] = {}
    for digest, one in zip(digests, reports, strict=True):
        once.setdefault(digest, one)
    return rows, [(one, digest) for digest, one in once.items() if digest in rows]


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
    lock = _LOCK_PARTS.format(skipping="" if waits else "SKIP LOCKED")
    parts = [row[0] for row in connection.execute(lock, (route, list(provider_ids)))]
    if parts:
        _tell(connection, _unmatched(connection, parts))


def _unmatched(connection: psycopg.Connection[Any], parts: Sequence[int]) -> list[_Told]:
    """Bring together with their parts, which are locked, what waits; return it as it came."""
    rows = connection.execute(_UNMATCHED, (list(parts),)).fetchall()
    if rows:
        connection.execute(_MATCHED, ([row[0] for row in rows], [row[2] for row in rows]))
    return rows


def _tell(connection: psycopg.Connection[Any], rows: Sequence[_Told]) -> None:
    """Let receipts tell their parts and move their messages, and record each."""
    if not rows:
        return
    for turn in _turns(rows):
        _, told, messages, states, codes = (
            list(one) for one in zip(*(row[:5] for row in turn), strict=True)
        )  # fmt: skip
        connection.execute(_MOVE, (told, states, codes, messages))
    audit(
        connection,
        "message.receipt",
        [(message, {"state": state, "code": code, "received_at": at, "raw": raw})
         for _, _, message, state, code, at, raw, _ in rows],
        about={row[2]: row[7] for row in rows},
    )  # fmt: skip


def _turns(rows: Sequence[_Told]) -> list[list[_Told]]:
    """Return the rows in turns, each with one report of a message: they come one after another."""
    turns: list[list[_Told]] = []
    heard: Counter[str] = Counter()
    for row in rows:
        if heard[row[2]] == len(turns):
            turns.append([])
        turns[heard[row[2]]].append(row)
        heard[row[2]] += 1
    return turns
