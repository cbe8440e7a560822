"""Everything that happened between a borrower and us, as one line of time: the newest first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.http import HttpRequest

from duly.service.api.serving import present
from duly.service.borrower_keys import COLUMNS, payload_of
from duly.service.console.signing_in import who_of
from duly.service.operations import working
from duly.service.operations.deriving import Derived
from duly.service.rows import as_dicts, unpacked

SHOWN = 300
_EACH = 100  #: of each kind, the newest
#: Facts that are named only to who may know of an investigation.
RESTRICTED = ("abnormal_transaction", "fraud_claim")
LOOKS = ("record.viewed", "record.revealed", "task.papers_seen")
_MESSAGES = """
SELECT m.message_id, m.channel, m.message_class, m.template, m.state, m.code,
    coalesce(t.at, m.state_at) AS at, m.reason, m.not_before
FROM store_message AS m
LEFT JOIN LATERAL (SELECT max(a.at) AS at FROM store_attempt AS a
    WHERE a.message_id = m.message_id) AS t ON true
WHERE m.borrower_id = %(who)s ORDER BY m.business_date DESC, m.message_id LIMIT %(limit)s
"""
_REPLIES = """
SELECT heard_at AS at, text, reading::text AS reading FROM store_reply
WHERE borrower_id = %(who)s ORDER BY heard_at DESC LIMIT %(limit)s
"""
_SIGNALS = """
SELECT kind, min(starts_at) AS at, max(ends_at) AS ends_at, key FROM (
    SELECT kind, starts_at, ends_at, signal_id AS key FROM store_book_signals
    WHERE borrower_id = %(who)s
    UNION ALL
    SELECT w.data->>'kind', (w.data->>'starts_at')::timestamptz,
        coalesce((c.data->>'ends_at')::timestamptz, (w.data->>'ends_at')::timestamptz), w.key
    FROM store_word AS w LEFT JOIN store_word AS c ON c.kind = 'clearing' AND c.key = w.key
    WHERE w.kind = 'signal' AND w.borrower_id = %(who)s
) AS s WHERE %(all)s OR NOT kind = ANY(%(restricted)s)
GROUP BY kind, key ORDER BY at DESC, key LIMIT %(limit)s
"""
_CONTACTS = """
SELECT contact_id, channel, at, direction, outcome, 'lender' AS agency FROM store_book_contacts
WHERE borrower_id = %(who)s
UNION ALL
SELECT contact_id, channel, at, direction, outcome, agency FROM store_contact AS x
WHERE borrower_id = %(who)s AND agency IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM store_book_contacts AS k WHERE k.contact_id = x.contact_id)
ORDER BY at DESC, contact_id LIMIT %(limit)s
"""
_TASKS = """
SELECT id, kind, opened_at AS at, closed_at, closed_by, outcome FROM store_task
WHERE borrower_id = %(who)s ORDER BY opened_at DESC, id DESC LIMIT %(limit)s
"""
_LOOKED = f"""
SELECT a.at, {COLUMNS} FROM store_audit AS a JOIN store_borrowerkey AS k ON k.id = a.key_id
WHERE k.borrower_id = %(who)s AND a.kind = ANY(%(kinds)s) ORDER BY a.id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One thing that happened; `code` and `values` are said by the page."""

    at: datetime
    kind: str  #: money | message | reply | signal | contact | task | note | look
    code: str
    values: dict[str, Any]


def timeline_of(request: HttpRequest, borrower_id: str, found: Derived) -> list[Moment]:
    """Return a person's timeline, in a fixed number of questions whatever happened."""
    given = {
        "who": borrower_id, "limit": _EACH, "kinds": list(LOOKS),
        "all": who_of(request).may("investigation.know"), "restricted": list(RESTRICTED),
    }  # fmt: skip
    moments = [
        *_money(found), *_messages(given), *_replies(given), *_signals(given), *_contacts(given),
        *_tasks(given), *_notes(borrower_id), *_looks(given),
    ]  # fmt: skip
    return sorted(moments, key=lambda one: one.at, reverse=True)[:SHOWN]


def _asked(question: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(question, given)
        return as_dicts(cursor)


def _noon(day: date) -> datetime:
    """Return where a fact stands of which only the day is known."""
    return datetime.combine(day, time(12), ZoneInfo(present().lender.time_zone))


def _money(found: Derived) -> list[Moment]:
    return [
        Moment(at=_noon(pay.paid_on), kind="money", code=pay.kind if pay.counts else "reversed",
               values={"amount": pay.amount, "currency": loan.currency, "loan": loan.loan_id,
                       "day": True})
        for loan in found.loans if loan.trace for pay in loan.trace.payments
    ]  # fmt: skip


def _messages(given: dict[str, Any]) -> list[Moment]:
    return [
        Moment(at=row["at"], kind="message", code=row["state"], values=row)
        for row in _asked(_MESSAGES, given)
    ]


def _replies(given: dict[str, Any]) -> list[Moment]:
    return [
        Moment(at=row["at"], kind="reply", code=(unpacked(row["reading"]) or {}).get("intent", ""),
               values={"text": row["text"]})
        for row in _asked(_REPLIES, given)
    ]  # fmt: skip


def _signals(given: dict[str, Any]) -> list[Moment]:
    return [
        Moment(at=row["at"], kind="signal", code=row["kind"], values={"ends_at": row["ends_at"]})
        for row in _asked(_SIGNALS, given)
    ]


def _contacts(given: dict[str, Any]) -> list[Moment]:
    return [
        Moment(at=row["at"], kind="contact", code=row["outcome"], values=row)
        for row in _asked(_CONTACTS, given)
    ]


def _tasks(given: dict[str, Any]) -> list[Moment]:
    return [
        Moment(at=row["at"], kind="task", code=row["kind"], values=row)
        for row in _asked(_TASKS, given)
    ]


def _notes(borrower_id: str) -> list[Moment]:
    return [
        Moment(at=row["at"], kind="note", code=row["kind"], values=row)
        for row in working.notes_of(borrower_id, limit=_EACH)
    ]


def _looks(given: dict[str, Any]) -> list[Moment]:
    found = []
    for row in _asked_rows(_LOOKED, given):
        payload = payload_of(row[1:])
        if payload is not None:
            told = json.loads(payload.text)
            found.append(Moment(at=row[0], kind="look", code=row[1].partition(".")[2], values=told))
    return found


def _asked_rows(question: str, given: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, given)
        return list(cursor.fetchall())
