"""Which payments that events told had a plan counted? The others stop its messages at the door."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
from django.db import connection

from duly.book import Snapshot
from duly.book.engine import connect
from duly.service.facts.told import IN_FORCE

_TOLD = """
SELECT kind, key FROM store_word WHERE kind IN ('payment', 'reversal') AND time > %s
"""
#: A reversal is counted where the book has the payment as reversed.
_COUNTED = """
select t.kind, t.key from told as t join read_parquet($file) as p on p.payment_id = t.key
where t.kind = 'payment' or p.reversed_on is not null
"""


def count_payments(run: str, snapshot: Snapshot, *, at: datetime) -> None:
    """Note, in the caller's transaction, which payments of events the book of a plan had."""
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, [at - IN_FORCE])
        told = cursor.fetchall()
        if not told:
            return
        with connect() as asked:
            asked.register(
                "told",
                pa.table({"kind": [one[0] for one in told], "key": [one[1] for one in told]}),
            )
            file = str(snapshot.path / "payments.parquet")
            counted = asked.execute(_COUNTED, {"file": file}).fetchall()
        cursor.execute(
            "INSERT INTO store_counted (run_id, kind, payment_id)"
            " SELECT %s, k.kind, k.key FROM unnest(%s::text[], %s::text[]) AS k(kind, key)",
            [run, [one[0] for one in counted], [one[1] for one in counted]],
        )
