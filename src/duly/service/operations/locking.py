"""The locks of persons, which every writer takes first and in one order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def lock_people(cursor: Any, borrower_ids: Iterable[str]) -> list[str]:
    """Lock persons in the order of their ids for this transaction; return those who are known.

    No key of a person changes: who writes a row that names one need not wait for us.
    """
    cursor.execute(
        "SELECT borrower_id FROM store_borrower WHERE borrower_id = ANY(%s)"
        " ORDER BY borrower_id FOR NO KEY UPDATE",
        [sorted(borrower_ids)],
    )
    return [row[0] for row in cursor.fetchall()]
