"""Who is signed in: a random token in one cookie, its hash in the store, two clocks that end it.

Time is the database's: a machine whose clock is wrong keeps nobody signed in.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

TOKEN_MINUTES = 5  #: that a token lives; then another follows
#: Seconds in which the token before the last still counts: two pages may load at once.
FORMER_SECONDS = 20
_TOKEN_BYTES = 32
_SWEPT_AT_ONCE = 50


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A session that is alive; `token` is there where the cookie has to change."""

    number: int
    owner: str
    by: str
    token: str | None


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """Sessions of one kind of people, in a table of their own; names and minutes are ours."""

    table: str
    owner: str  #: the column that says whose
    idle_minutes: int
    whole_minutes: int

    @property
    def alive(self) -> str:
        """Return the condition under which a session counts."""
        return (
            f"ended_at IS NULL AND seen_at > now() - interval '{self.idle_minutes} minutes'"
            f" AND began_at > now() - interval '{self.whole_minutes} minutes'"
        )

    def begin(self, owner: str, *, by: str) -> tuple[int, str]:
        """Begin a session, in the caller's transaction; return its number and its first token."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with connection.cursor() as cursor:
            cursor.execute(
                f'INSERT INTO {self.table} (token_sha256, {self.owner}, "by")'
                " VALUES (%s, %s, %s) RETURNING id",
                [_sha(token), owner, by],
            )
            number = int(cursor.fetchone()[0])
            cursor.execute(
                f"DELETE FROM {self.table} WHERE id = ANY(ARRAY(SELECT id FROM {self.table}"
                " WHERE seen_at < now() - interval '2 days' LIMIT %s FOR UPDATE SKIP LOCKED))",
                [_SWEPT_AT_ONCE],
            )
        return number, token

    def look(self, token: str) -> Seen | None:
        """Return whose token it is, None where it is nobody's any more; it is seen now."""
        sha = _sha(token)
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {self.table} SET seen_at = now()"
                " WHERE (token_sha256 = %(sha)s OR former_sha256 = %(sha)s"
                f" AND changed_at > now() - interval '{FORMER_SECONDS} seconds') AND {self.alive}"
                f' RETURNING id, {self.owner}, "by", token_sha256 = %(sha)s'
                f" AND changed_at < now() - interval '{TOKEN_MINUTES} minutes'",
                {"sha": sha},
            )
            row = cursor.fetchone()
            if row is None:
                return None
            number, owner, by, is_old = row
            new = None
            if is_old:
                new = secrets.token_urlsafe(_TOKEN_BYTES)
                cursor.execute(
                    f"UPDATE {self.table} SET former_sha256 = token_sha256,"
                    " token_sha256 = %s, changed_at = now() WHERE id = %s AND token_sha256 = %s",
                    [_sha(new), number, sha],
                )
                # Another request was quicker: its answer carries the new token.
                new = new if cursor.rowcount else None
        return Seen(number=number, owner=owner, by=by, token=new)

    def end(self, number: int) -> bool:
        """End a session; return whether it was not over before."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {self.table} SET ended_at = now() WHERE id = %s AND ended_at IS NULL",
                [number],
            )
            return bool(cursor.rowcount)

    def end_all(self, owners: Sequence[str]) -> dict[str, str]:
        """End every session of people; return whose each was."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {self.table} SET ended_at = now() WHERE {self.owner} = ANY(%s)"
                f" AND ended_at IS NULL RETURNING id, {self.owner}",
                [list(owners)],
            )
            return {str(number): owner for number, owner in cursor.fetchall()}


def _sha(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
