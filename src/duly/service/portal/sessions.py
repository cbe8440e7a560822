"""Who is signed in: a random token in one cookie, its hash in the store, two clocks that end it.

Time is the database's: a machine whose clock is wrong keeps nobody signed in.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from django.db import connection, transaction

from duly.service.operations.recording import record

#: What ends it, in minutes: without a look, and in all. G-RPV-1: nothing of a debt is shown to who
#: was verified longer ago than half an hour.
IDLE_MINUTES, WHOLE_MINUTES = 15, 30
TOKEN_MINUTES = 5  #: that a token lives; then another follows
#: Seconds in which the token before the last still counts: two pages may load at once.
FORMER_SECONDS = 20
_TOKEN_BYTES = 32
_SWEPT_AT_ONCE = 50

_ALIVE = f"""
ended_at IS NULL AND seen_at > now() - interval '{IDLE_MINUTES} minutes'
    AND began_at > now() - interval '{WHOLE_MINUTES} minutes'
"""
_LOOK = f"""
UPDATE store_portalsession SET seen_at = now()
WHERE (token_sha256 = %(sha)s OR former_sha256 = %(sha)s
    AND changed_at > now() - interval '{FORMER_SECONDS} seconds') AND {_ALIVE}
RETURNING id, borrower_id, "by",
    token_sha256 = %(sha)s AND changed_at < now() - interval '{TOKEN_MINUTES} minutes'
"""
_CHANGE = """
UPDATE store_portalsession SET former_sha256 = token_sha256, token_sha256 = %(new)s,
    changed_at = now() WHERE id = %(id)s AND token_sha256 = %(sha)s
"""
_END = """
UPDATE store_portalsession SET ended_at = now() WHERE id = %s AND ended_at IS NULL
"""
_END_ALL = """
UPDATE store_portalsession SET ended_at = now()
WHERE borrower_id = ANY(%s) AND ended_at IS NULL RETURNING id, borrower_id
"""
_SWEEP = """
DELETE FROM store_portalsession WHERE id = ANY(ARRAY(SELECT id FROM store_portalsession
    WHERE seen_at < now() - interval '2 days' LIMIT %s FOR UPDATE SKIP LOCKED))
"""


@dataclass(frozen=True, kw_only=True)
class Session:
    """Somebody who is signed in; `token` is there where the cookie has to change."""

    number: int
    borrower_id: str
    by: str
    token: str | None = None


def begin(borrower_id: str, *, by: str) -> str:
    """Sign a borrower in and return the token of his cookie; recorded under his key."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO store_portalsession (token_sha256, borrower_id, "by")'
            " VALUES (%s, %s, %s) RETURNING id",
            [_sha(token), borrower_id, by],
        )
        number = str(cursor.fetchone()[0])
        cursor.execute(_SWEEP, [_SWEPT_AT_ONCE])
        record("session.begun", [(number, {"by": by})], about={number: borrower_id})
    return token


def look(token: str) -> Session | None:
    """Return whose token it is, None where it is nobody's any more; it counts as seen now."""
    sha = _sha(token)
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, {"sha": sha})
        row = cursor.fetchone()
        if row is None:
            return None
        number, borrower, by, is_old = row
        new = None
        if is_old:
            new = secrets.token_urlsafe(_TOKEN_BYTES)
            cursor.execute(_CHANGE, {"new": _sha(new), "id": number, "sha": sha})
            # Another request was quicker: its answer carries the new token.
            new = new if cursor.rowcount else None
    return Session(number=number, borrower_id=borrower, by=by, token=new)


def end(session: Session) -> None:
    """Sign somebody out."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_END, [session.number])
        if cursor.rowcount:
            name = str(session.number)
            record("session.ended", [(name, {"why": "out"})], about={name: session.borrower_id})


def end_all(people: list[str], *, why: str) -> None:
    """End every session of people, in the caller's transaction: it is not them any more."""
    with connection.cursor() as cursor:
        cursor.execute(_END_ALL, [people])
        ended = {str(number): who for number, who in cursor.fetchall()}
    record("session.ended", [(name, {"why": why}) for name in ended], about=ended)


def _sha(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
