"""Did we send this text? One answer for whoever does not know both its code and its number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection

from duly.messages.code import plain

DAYS = 90


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What anybody with the code and the number may hear: nothing about a debt."""

    sent_on: date
    channel: str


def verify(code: str, phone_last4: str, *, today: date) -> Sent | None:
    """Return when a message with this code went to a number that ends so, in the last 90 days."""
    found = message_of(code, phone_last4, today=today)
    return None if found is None else Sent(sent_on=found.sent_on, channel=found.channel)


@dataclass(frozen=True, kw_only=True)
class Found(Sent):
    """The message itself, for what its receiver says about it."""

    message_id: str
    borrower_id: str
    address: str


def message_of(code: str, phone_last4: str, *, today: date) -> Found | None:
    """Return the newest message with this code that went to a number that ends so.

    An unknown code and a wrong number are the same miss of one index over both: neither answer
    nor time tells them apart.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT business_date, channel, message_id, borrower_id, address FROM store_message"
            " WHERE code = %s AND right(address, 4) = %s AND business_date > %s"
            " AND state IN ('submitted', 'accepted', 'delivered', 'undelivered', 'unknown')"
            " ORDER BY business_date DESC, message_id LIMIT 1",
            [plain(code), phone_last4, today - timedelta(days=DAYS)],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    names = ("sent_on", "channel", "message_id", "borrower_id", "address")
    return Found(**dict(zip(names, row, strict=True)))
