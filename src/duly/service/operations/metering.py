"""How often something was asked lately, counted over all processes."""

from __future__ import annotations

from django.db import connection

_SWEPT_AT_ONCE = 50


def count(kind: str, subject: str, *, seconds: int) -> int:
    """Count one more in the present window of so many seconds; return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO store_counter (kind, subject, "window", count) VALUES (%s, %s,'
            " to_timestamp(floor(extract(epoch FROM clock_timestamp()) / %s) * %s), 1)"
            ' ON CONFLICT (kind, subject, "window") DO UPDATE SET count = store_counter.count + 1'
            " RETURNING count",
            [kind, subject, seconds, seconds],
        )
        found = int(cursor.fetchone()[0])
        if found == 1:
            cursor.execute(
                "DELETE FROM store_counter WHERE ctid = ANY(ARRAY(SELECT ctid FROM store_counter"
                " WHERE \"window\" < now() - interval '2 days' LIMIT %s FOR UPDATE SKIP LOCKED))",
                [_SWEPT_AT_ONCE],
            )
    return found
