"""Whose verified number is it, and what is the person called? The newest word about each counts."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from django.db import connection

from duly.service.rows import as_dicts

_POINTS = """
SELECT borrower_id, channel, address, status, "use", verified_on::text AS verified_on,
    changed_on::text AS changed_on, cut_at AS since, false AS told
FROM store_book_contact_points WHERE address_key = %(key)s
UNION ALL
SELECT borrower_id, data->>'channel', data->>'address', data->>'status', data->>'use',
    data->>'verified_on', data->>'changed_on', time, true
FROM store_word WHERE kind = 'contact_point' AND address_key = %(key)s
"""
_NAME = """
SELECT name FROM (
    SELECT name, cut_at AS since, 0 AS place FROM store_book_borrowers
    WHERE borrower_id = %(who)s
    UNION ALL SELECT data->>'name', time, 1 FROM store_word
    WHERE kind = 'borrower' AND key = %(who)s
) AS n ORDER BY since DESC, place DESC LIMIT 1
"""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """The one person of a number that was verified, and the number as he gave it."""

    borrower_id: str
    address: str


def holder_of(number_key: str) -> Holder | None:
    """Return whose verified mobile number it is; None: nobody's, several people's, or doubtful."""
    with connection.cursor() as cursor:
        cursor.execute(_POINTS, {"key": number_key})
        rows = as_dicts(cursor)
    newest: dict[tuple[str, str, str], Any] = {}
    for row in sorted(rows, key=lambda one: (one["since"], one["told"])):
        newest[row["borrower_id"], row["channel"], row["address"]] = row
    if any(row["status"] == "wrong_person" for row in newest.values()):
        return None
    active = [row for row in newest.values() if (row["status"] or "active") == "active"]
    if len({row["borrower_id"] for row in active}) != 1:
        return None
    for row in active:
        if row["channel"] == "sms" and (row["use"] or "personal") == "personal" and _verified(row):
            return Holder(borrower_id=row["borrower_id"], address=row["address"])
    return None


def _verified(row: dict[str, Any]) -> bool:
    """Return whether a number was verified, and not changed since."""
    return bool(row["verified_on"]) and (row["changed_on"] or "") <= row["verified_on"]


def name_of(borrower_id: str) -> str:
    """Return how a person is called in the book; empty where nobody told."""
    with connection.cursor() as cursor:
        cursor.execute(_NAME, {"who": borrower_id})
        row = cursor.fetchone()
    return "" if row is None or row[0] is None else str(row[0])


def plain_name(name: str) -> str:
    """Return a name as it is compared: width, capitals, spaces and marks between do not count.

    >>> plain_name("Zhang  WEI") == plain_name("zhang wei"), plain_name("阿依古丽·买买提")
    (True, '阿依古丽买买提')
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(one for one in folded if one.isalpha() or unicodedata.category(one)[0] == "M")
