"""Whose number is it, and which text did it answer? Asked of books, events and what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.db import connection

from duly.plan.addresses import spellings
from duly.service.operations.own_texts import SIGN_IN_SQL
from duly.service.rows import as_dicts, unpacked

#: Texts that a reply may answer left within so many days.
_ANSWERED_DAYS = 30
_SENT = f"""
SELECT m.message_id, m.borrower_id, m.loan_ids, m.text, m.address
FROM store_message AS m JOIN store_attempt AS a ON a.message_id = m.message_id
WHERE m.address = ANY(%(addresses)s) AND a.at > now() - make_interval(days => %(days)s)
    AND m.state IN ('submitted', 'accepted', 'delivered', 'undelivered', 'unknown')
    AND m.template <> {SIGN_IN_SQL}
ORDER BY a.at DESC, m.message_id LIMIT 20
"""
_POINTS = """
SELECT borrower_id, channel, address, "use", verified_on::text AS verified_on
FROM store_book_contact_points WHERE address_key = %(key)s
UNION ALL
SELECT borrower_id, data->>'channel', data->>'address', data->>'use', data->>'verified_on'
FROM store_word WHERE kind = 'contact_point' AND address_key = %(key)s
"""
_ZONE = "SELECT time_zone, locale FROM store_borrower WHERE borrower_id = %s"


@dataclass(frozen=True, kw_only=True)
class Point:
    """A contact point with the number, as a book or an event has it."""

    borrower_id: str
    channel: str
    address: str
    use: str | None
    verified_on: str | None


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Who may have said it.

    `one`: the only person of this number, or the only one of several to whom we wrote lately.
    """

    whose: Literal["one", "several", "nobody"]
    people: tuple[str, ...] = ()  #: everybody who has the number
    borrower_id: str | None = None
    loan_id: str | None = None
    message: Mapping[str, Any] | None = None  #: what was answered
    points: tuple[Point, ...] = ()
    time_zone: str | None = None
    locale: str | None = None
    named: Mapping[str, str] = field(default_factory=dict)  #: person → the address as we wrote it


def whose(address_key: str) -> Whose:
    """Return who has a number and which of our texts it answers."""
    with connection.cursor() as cursor:
        cursor.execute(_SENT, {"addresses": list(spellings(address_key)), "days": _ANSWERED_DAYS})
        sent = as_dicts(cursor)
        cursor.execute(_POINTS, {"key": address_key})
        points = tuple({Point(**row): None for row in as_dicts(cursor)})
    written_to = list(dict.fromkeys(row["borrower_id"] for row in sent))
    people = sorted({*written_to, *(one.borrower_id for one in points)})
    if not people:
        return Whose(whose="nobody")
    candidates = written_to or people
    if len(candidates) > 1:
        return Whose(whose="several", people=tuple(people), points=points, named=_named(sent))
    mine = candidates[0]
    message = sent[0] if sent else None
    loans = [] if message is None else unpacked(message["loan_ids"])
    with connection.cursor() as cursor:
        cursor.execute(_ZONE, [mine])
        zone = cursor.fetchone() or (None, None)
    return Whose(
        whose="one", people=tuple(people), borrower_id=mine, loan_id=loans[0] if loans else None,
        message=message, points=points, time_zone=zone[0], locale=zone[1], named=_named(sent),
    )  # fmt: skip


def _named(sent: list[dict[str, Any]]) -> dict[str, str]:
    return {row["borrower_id"]: row["address"] for row in reversed(sent)}


def local(instant: datetime, time_zone: str | None, fallback: str) -> datetime:
    """Return an instant on the person's own clock."""
    return instant.astimezone(ZoneInfo(time_zone or fallback))
