"""Every contact with a person, whoever made it and whoever told us: the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from duly.book import Lender
from duly.core.words import catalogue
from duly.messages.values import tail_text
from duly.rules.model import TEXT_CHANNELS
from duly.service.operations.own_texts import SIGN_IN
from duly.service.rows import Row, as_dicts
from duly.service.untaken import CAME_BACK, MESSAGE

SHOWN, DAYS = 300, 365
_CONTACTS = f"""
SELECT x.channel, x.address, x.at, x.direction,
    CASE WHEN m.state IN ('delivered', 'undelivered', 'unknown') THEN m.state ELSE x.outcome
        END AS outcome,
    x.contact_class AS message_class, x.agency, m.template, m.code,
    m.params->>'about' AS about
FROM store_contact AS x LEFT JOIN store_message AS m ON m.message_id = {MESSAGE}
WHERE x.borrower_id = %(who)s AND x.at > %(since)s AND x.at <= %(until)s
    AND (m.message_id IS NULL OR NOT {CAME_BACK})
    AND (m.message_id IS NOT NULL OR x.agency IS NOT NULL
        OR NOT EXISTS (SELECT 1 FROM store_book_contacts AS k WHERE k.contact_id = x.contact_id))
UNION ALL
SELECT c.channel, c.address, c.at, c.direction, c.outcome, c.class, nullif(c.by, 'lender'),
    c.step, NULL, NULL
FROM store_book_contacts AS c
WHERE c.borrower_id = %(who)s AND c.at > %(since)s AND c.at <= %(until)s
    AND NOT EXISTS (SELECT 1 FROM store_contact AS x WHERE x.contact_id = c.contact_id
        AND (x.agency IS NOT NULL OR starts_with(x.contact_id, 'duly:')))
UNION ALL
SELECT 'sms', r.address, coalesce(r.said_at, r.heard_at), 'in', 'replied', 'answer', NULL, NULL,
    NULL, NULL
FROM store_reply AS r
WHERE r.borrower_id = %(who)s AND r.heard_at > %(since)s AND r.address <> ''
ORDER BY at DESC, direction LIMIT %(limit)s
"""
_WHERE = "SELECT time_zone, region FROM store_borrower WHERE borrower_id = %s"


@dataclass(frozen=True, kw_only=True)
class Contact:
    """One contact: when by the lender's clock, how, what for, and what became of it."""

    at: datetime
    clock: str  #: HH:MM where the lender is
    channel: str
    incoming: bool
    end: str  #: the end of the number; empty for what is none
    purpose: str  #: an entry of `why_of`; empty for what the person wrote
    reminder: bool  #: whether it counts in the limits
    outcome: str
    code: str
    agency: str


@dataclass(frozen=True, kw_only=True)
class Burden:
    """The contacts of a year, and how many of them count in today's limits."""

    contacts: tuple[Contact, ...]
    texts_today: int
    texts_this_week: int
    reached_today: int


def burden_of(borrower_id: str, *, lender: Lender, at: datetime) -> Burden:
    """Return a person's contacts of a year up to an instant, one question whatever happened."""
    zone = ZoneInfo(lender.time_zone)
    given: dict[str, Any] = {"who": borrower_id, "since": at - timedelta(days=DAYS),
                             "limit": SHOWN, "until": at + timedelta(hours=1)}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_CONTACTS, given)
        contacts = tuple(_contact(row, zone) for row in as_dicts(cursor))
    counts = [one for one in contacts if one.reminder and not one.incoming]
    today = [one for one in counts if lender.day_of(one.at) == lender.day_of(at)]
    week = [one for one in counts if one.at > at - timedelta(days=7)]
    return Burden(
        contacts=contacts,
        texts_today=sum(one.channel in TEXT_CHANNELS for one in today),
        texts_this_week=sum(one.channel in TEXT_CHANNELS for one in week),
        reached_today=sum(one.outcome == "connected" for one in today),
    )


def place_of(borrower_id: str, *, lender: Lender) -> tuple[str, str | None]:
    """Return in which zone and region a person is, as the rules are asked."""
    with connection.cursor() as cursor:
        cursor.execute(_WHERE, [borrower_id])
        row = cursor.fetchone()
    return (row[0] or lender.time_zone, row[1]) if row else (lender.time_zone, None)


def _contact(row: Row, zone: ZoneInfo) -> Contact:
    incoming = row["direction"] == "in"
    at: datetime = row["at"]
    return Contact(
        at=at, clock=f"{at.astimezone(zone):%H:%M}", channel=row["channel"], incoming=incoming,
        end=_end(row["address"]), purpose="" if incoming else purpose_of(row),
        reminder=row["message_class"] == "dunning", outcome=row["outcome"],
        code="" if row["template"] == SIGN_IN else row["code"] or "", agency=row["agency"] or "",
    )  # fmt: skip


def _end(address: str | None) -> str:
    """Return the last digits of a number; of an e-mail address nothing."""
    return tail_text(address) if address and "@" not in address else ""


def purpose_of(row: Row) -> str:
    """Return which sentence of `why_of` says what a message or a call was for."""
    said = catalogue("portal", "en")
    for code in (row["about"], row["template"], row.get("reason"), row["message_class"]):
        if code and f"why_of.{code}" in said:
            return str(code)
    return "other"
