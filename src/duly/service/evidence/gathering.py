"""Which rows of the record are about a loan's borrower, or touched what was done to him?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from duly.audit import consistency_proof
from duly.service.facts.narrowing import owner_of
from duly.service.operations.proving import ROWS, Row, nodes_of, proven

_OF_DECISION = """
SELECT borrower_id FROM store_decision WHERE loan_id = %s
ORDER BY business_date DESC, run_id DESC LIMIT 1
"""
_OF_MESSAGE = """
SELECT m.borrower_id FROM store_messageloan AS l JOIN store_message AS m USING (message_id)
WHERE l.loan_id = %s ORDER BY m.business_date DESC, m.message_id LIMIT 1
"""
_SCOPES = """
SELECT run_id, template, route FROM store_message WHERE borrower_id = %(who)s
UNION SELECT run_id, NULL, NULL FROM store_decision
WHERE borrower_id = %(who)s AND decision <> 'none'
"""
#: His own rows, by his keys; rows written before there were keys, by his messages.
_OWN = """
SELECT a.id FROM store_audit AS a JOIN store_borrowerkey AS k ON k.id = a.key_id
WHERE k.borrower_id = %(who)s
UNION SELECT a.id FROM store_message AS m JOIN store_audit AS a ON a.subject = m.message_id
WHERE m.borrower_id = %(who)s AND a.key_id IS NULL
"""
_OTHERS = """
SELECT id FROM store_audit WHERE key_id IS NULL AND (
    subject = ANY(%(runs)s) AND starts_with(kind, 'run.')
    OR subject = ANY(%(scopes)s) AND kind IN ('stopped', 'lifted', 'recalled')
    OR subject = %(who)s AND starts_with(kind, 'person.')
    OR subject = ANY(%(rules)s) AND kind = 'rules.asked'
    OR subject = %(loan)s AND kind = 'evidence.exported')
"""
_OF_NUMBERS = ROWS + "WHERE a.id = ANY(%s) ORDER BY a.id"
#: The last signed root of each day, by UTC, from the day of the first row on.
_DAYS = """
SELECT (d.day AT TIME ZONE 'UTC')::date, r.size, r.root, r.at, r.signature
FROM generate_series(date_trunc('day', %(since)s::timestamptz, 'UTC'), now(), '1 day') AS d(day)
CROSS JOIN LATERAL (
    SELECT size, root, at, signature FROM store_root
    WHERE at >= d.day AND at < d.day + interval '1 day' AND key_id = %(key)s AND size <= %(size)s
    ORDER BY at DESC, size DESC LIMIT 1
) AS r ORDER BY d.day
"""


@dataclass(frozen=True, kw_only=True)
class Day:
    """The last root of one day, with the proof that the newest log begins with its log."""

    day: str
    size: int
    root: bytes
    at: datetime
    signature: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """Rows with their proofs to a signed root, and the roots of the days before it."""

    rows: tuple[Row, ...]
    size: int
    root: bytes
    at: datetime
    signature: bytes
    days: tuple[Day, ...]


def borrower_of(loan_id: str) -> str | None:
    """Return whose loan it is, also after a deletion; None where nothing was ever done about it."""
    with connection.cursor() as cursor:
        owner = owner_of(cursor, loan_id)
        if owner is not None:
            return owner
        for question in (_OF_DECISION, _OF_MESSAGE):
            cursor.execute(question, [loan_id])
            row = cursor.fetchone()
            if row is not None:
                return str(row[0])
    return None


def numbers_of(loan_id: str, borrower_id: str) -> list[int]:
    """Return the numbers of the rows that a bundle about the loan holds, in their order."""
    given: dict[str, Any] = {"who": borrower_id, "loan": loan_id}
    with connection.cursor() as cursor:
        cursor.execute(_SCOPES, given)
        places = cursor.fetchall()
        cursor.execute(_OWN, given)
        own = [row[0] for row in cursor.fetchall()]
    runs = sorted({row[0] for row in places})
    scopes = {"all:", *(f"run:{run}" for run in runs)}
    scopes |= {f"template:{row[1]}" for row in places if row[1]}
    scopes |= {f"route:{row[2]}" for row in places if row[2]}
    given |= {"runs": runs, "scopes": sorted(scopes), "rules": _rules_asked(own)}
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS, given)
        return sorted({*own, *(row[0] for row in cursor.fetchall())})


def _rules_asked(numbers: Sequence[int]) -> list[str]:
    """Return under which names the rules were asked, as the rows say that can be read."""
    found = set()
    for row in rows_of(numbers, 0):
        if row.payload is not None:
            found.add(json.loads(row.payload.text).get("rules_asked"))
    return sorted(one for one in found if one)


def rows_of(numbers: Sequence[int], size: int) -> tuple[Row, ...]:
    """Return rows by their numbers, those sealed with proofs to the log's root at a size."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_NUMBERS, [list(numbers)])
        return proven(cursor.fetchall(), size)


def gather(numbers: Sequence[int], *, key_id: str) -> Gathered | None:
    """Return rows with proofs to the newest root that a key signed; None where one is not sealed.

    Asked within one transaction that sees one state.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT size, root, at, signature FROM store_root WHERE key_id = %s"
            " ORDER BY size DESC LIMIT 1",
            [key_id],
        )
        newest = cursor.fetchone()
    if newest is None:
        return None
    size = int(newest[0])
    rows = rows_of(numbers, size)
    if any(row.index is None for row in rows):
        return None
    return Gathered(
        rows=rows, size=size, root=bytes(newest[1]), at=newest[2], signature=bytes(newest[3]),
        days=_days(key_id, size, rows[0].at),
    )  # fmt: skip


def _days(key_id: str, size: int, since: datetime) -> tuple[Day, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, {"key": key_id, "size": size, "since": since})
        found = cursor.fetchall()
    nodes = nodes_of([], size, earlier=[row[1] for row in found])
    return tuple(
        Day(
            day=day.isoformat(), size=before, root=bytes(root), at=at, signature=bytes(signature),
            proof=consistency_proof(before, size, lambda *place: nodes[place]),
        )
        for day, before, root, at, signature in found
    )  # fmt: skip
