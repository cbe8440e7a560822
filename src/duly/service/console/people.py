"""A borrower as a page shows him: masked, with each look in the record under his key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.http import HttpRequest

from duly.messages.values import mask_name
from duly.service.console.signing_in import who_of
from duly.service.operations.recording import record
from duly.service.portal.holders import name_of
from duly.service.rows import as_dicts

_POINTS = """
SELECT channel, address, status, "use", cut_at AS since, 0 AS place
FROM store_book_contact_points WHERE borrower_id = %(who)s
UNION ALL
SELECT data->>'channel', data->>'address', data->>'status', data->>'use', time, 1
FROM store_word WHERE kind = 'contact_point' AND borrower_id = %(who)s
ORDER BY since, place, channel, address
"""
_KNOWN = """
SELECT EXISTS (SELECT 1 FROM store_book_borrowers WHERE borrower_id = %(who)s)
    OR EXISTS (SELECT 1 FROM store_borrower WHERE borrower_id = %(who)s)
    OR EXISTS (SELECT 1 FROM store_word WHERE kind = 'borrower' AND key = %(who)s)
"""
_HEAD, _TAIL = 3, 4  #: digits of a number that stay readable
_CALLED = ("voice", "sms")


@dataclass(frozen=True, kw_only=True)
class Point:
    """One way to reach somebody; `address` is what the page may show."""

    channel: str
    address: str
    status: str
    place: int  #: among the person's ways, for a form


@dataclass(frozen=True, kw_only=True)
class Person:
    """A borrower's name and ways, masked or not."""

    borrower_id: str
    name: str
    points: tuple[Point, ...]
    numbers: tuple[Point, ...]  #: those that may be rung, each once, the first choice first
    masked: bool


def person_of(borrower_id: str, *, locale: str, masked: bool = True) -> Person:
    """Return a borrower as a page shows him."""
    name = name_of(borrower_id)
    if masked:
        name = (mask_name(name, locale) or "***") if name else ""
    rows = _points(borrower_id)
    points = tuple(
        Point(channel=row["channel"], status=row["status"] or "active", place=place,
              address=masked_address(row["address"]) if masked else row["address"])
        for place, row in enumerate(rows)
    )  # fmt: skip
    return Person(
        borrower_id=borrower_id, name=name, points=points, masked=masked,
        numbers=tuple(points[place] for place in _rung(rows)),
    )  # fmt: skip


def address_at(borrower_id: str, place: int) -> str | None:
    """Return the number that a form names by its place."""
    rows = _points(borrower_id)
    found = rows[place] if 0 <= place < len(rows) else None
    if found is None or found["channel"] not in _CALLED:
        return None
    return str(found["address"]) if (found["status"] or "active") == "active" else None


def first_number(borrower_id: str) -> str | None:
    """Return the number that is rung first: of the ways to call him, else of those to text him."""
    rows = _points(borrower_id)
    first = next(iter(_rung(rows)), None)
    return None if first is None else str(rows[first]["address"])


def _rung(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the places of the numbers that may be rung: no stranger's, none that is dead."""
    active = [
        place
        for place, row in enumerate(rows)
        if row["channel"] in _CALLED and (row["status"] or "active") == "active"
    ]
    active.sort(key=lambda place: _CALLED.index(rows[place]["channel"]))
    first: dict[str, int] = {}
    for place in active:
        first.setdefault(rows[place]["address"], place)
    return list(first.values())


def is_known(borrower_id: str) -> bool:
    """Return whether anybody told us of a borrower."""
    if not borrower_id.isprintable():
        return False
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, {"who": borrower_id})
        return bool(cursor.fetchone()[0])


def _points(borrower_id: str) -> list[dict[str, Any]]:
    """Return the newest word about each way, in the order of way and address."""
    with connection.cursor() as cursor:
        cursor.execute(_POINTS, {"who": borrower_id})
        rows = as_dicts(cursor)
    newest = {(row["channel"], row["address"]): row for row in rows}
    return [newest[key] for key in sorted(newest)]


def masked_address(address: str) -> str:
    """Return an address of which the middle cannot be read.

    >>> masked_address("+8613800000001"), masked_address("ann@example.com")
    ('138****0001', 'a***@example.com')
    >>> masked_address("12345")
    '*****'
    """
    name, at, domain = address.rpartition("@")
    if at:
        return f"{name[:1]}***@{domain}"
    digits = address.removeprefix("+86").removeprefix("+")
    if len(digits) < _HEAD + _TAIL + 2:
        return "*" * len(digits)
    return f"{digits[:_HEAD]}****{digits[-_TAIL:]}"


def viewed(request: HttpRequest, borrower_id: str, page: str, **more: object) -> None:
    """Record that somebody of the staff saw a borrower's data; he may ask who did."""
    staff = who_of(request)
    told = {"by": staff.name, "role": staff.role, "page": page, **more}
    record("record.viewed", [(borrower_id, told)], about={borrower_id: borrower_id})


def revealed(request: HttpRequest, borrower_id: str, *, reason: str) -> None:
    """Record that somebody saw what a mask hides, and why he had to."""
    staff = who_of(request)
    told = {"by": staff.name, "role": staff.role, "reason": reason}
    record("record.revealed", [(borrower_id, told)], about={borrower_id: borrower_id})
