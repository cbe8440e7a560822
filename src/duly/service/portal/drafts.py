"""What somebody has filled in of a request for relief: kept until it is done, sealed, a month."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.db import connection, transaction

from duly.service.borrower_keys import keys_of
from duly.service.portal.sealed import opened, seal

KEPT_DAYS = 30
_SWEPT_AT_ONCE = 50
_SAVE = """
INSERT INTO store_portaldraft (borrower_id, loan_id, key_id, ciphertext)
VALUES (%(who)s, %(loan)s, %(key)s, %(sealed)s)
ON CONFLICT (borrower_id, loan_id) DO UPDATE SET key_id = EXCLUDED.key_id,
    ciphertext = EXCLUDED.ciphertext, at = now()
"""
_SWEEP = f"""
DELETE FROM store_portaldraft WHERE id = ANY(ARRAY(SELECT id FROM store_portaldraft
    WHERE at < now() - interval '{KEPT_DAYS} days' LIMIT %s FOR UPDATE SKIP LOCKED))
"""


def load(borrower_id: str, loan_id: str) -> dict[str, str]:
    """Return what was filled in about a loan; nothing where there is no draft, or it is too old."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ciphertext FROM store_portaldraft WHERE borrower_id = %s AND loan_id = %s"
            f" AND at > now() - interval '{KEPT_DAYS} days'",
            [borrower_id, loan_id],
        )
        row = cursor.fetchone()
    if row is None:
        return {}
    assert connection.connection is not None
    key = keys_of(connection.connection, [borrower_id])[borrower_id]
    said: dict[str, str] = json.loads(opened(key.secret, bytes(row[0]), _about(loan_id)))
    return said


def save(borrower_id: str, loan_id: str, said: Mapping[str, str]) -> None:
    """Keep what is filled in; the one before it is gone, and so are those that are too old."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SWEEP, [_SWEPT_AT_ONCE])
        assert connection.connection is not None
        key = keys_of(connection.connection, [borrower_id])[borrower_id]
        data = json.dumps(dict(said), ensure_ascii=False).encode()
        sealed = seal(key.secret, data, _about(loan_id))
        cursor.execute(
            _SAVE, {"who": borrower_id, "loan": loan_id, "key": key.number, "sealed": sealed}
        )


def drop(borrower_id: str, loan_id: str) -> None:
    """Forget what was filled in about a loan."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM store_portaldraft WHERE borrower_id = %s AND loan_id = %s",
            [borrower_id, loan_id],
        )


def _about(loan_id: str) -> bytes:
    return f"draft\n{loan_id}".encode()
