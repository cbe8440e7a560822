"""Draft a correction for each who has a wrong text: a run of its own that waits for approval."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from duly.book import Lender
from duly.core.check_key import CheckKey
from duly.messages import Facts, Order, check_code, fill_code, load_templates, render, segments
from duly.messages.lawful import signed
from duly.service.operations.loading import APPROVALS
from duly.service.operations.naming import unmasked
from duly.service.operations.recording import record

TEMPLATE = "correction"
_TONE = "plain"
_ID_DIGITS = 26
#: Channels for which the catalogue has the text.
_WRITTEN = ("sms", "email")

#: One a person, about the newest of his wrong texts; what was a correction itself is not corrected.
_WRONG = """
SELECT DISTINCT ON (borrower_id) message_id, borrower_id, business_date, loan_ids::text, channel,
    address, locale, params->>'name', facts::text
FROM store_message WHERE message_id = ANY(%s) AND message_class <> 'correction'
    AND channel = ANY(%s)
ORDER BY borrower_id, business_date DESC, message_id
"""
_STANDING = """
SELECT borrower_id, message_id FROM store_message
WHERE borrower_id = ANY(%s) AND business_date = %s AND message_class = 'correction'
    AND state NOT IN ('cancelled', 'expired', 'blocked')
"""
_KEEP = """
INSERT INTO store_message (message_id, run_id, borrower_id, business_date, loan_ids, channel,
    address, locale, message_class, template, tone, text, params, segments, code, key_id,
    not_before, not_after, facts, state, attempts)
VALUES (%(id)s, %(run)s, %(borrower)s, %(day)s, %(loans)s::jsonb, %(channel)s, %(address)s,
    %(locale)s, 'correction', %(template)s, %(tone)s, %(text)s, %(params)s::jsonb, %(segments)s,
    %(code)s, %(key)s, %(from)s, %(until)s, %(facts)s::jsonb, 'planned', 0)
"""


@dataclass(frozen=True, kw_only=True)
class Drafts:
    """Wrong message → the correction that its reader gets; `added` are new."""

    of: Mapping[str, str]
    added: int


def draft(
    names: Sequence[str], *, by: str, lender: Lender, key: CheckKey, at: datetime, until: datetime
) -> Drafts:
    """Draft corrections of messages within the caller's transaction, lawful from `at` to `until`.

    Whoever has a correction of the day already gets no second one. The run waits for a name at
    least, and for as many as the lender file asks; `by`, who recalled, cannot approve it.
    """
    day = lender.day_of(at)
    with connection.cursor() as cursor:
        cursor.execute(_WRONG, [list(names), list(_WRITTEN)])
        wrong = cursor.fetchall()
        cursor.execute(_STANDING, [[row[1] for row in wrong], day])
        of_person = dict(cursor.fetchall())
        new = [row for row in wrong if row[1] not in of_person]
        if new:
            of_person |= _write(new, by=by, lender=lender, key=key, at=at, until=until, day=day)
        cursor.execute(
            "SELECT message_id, borrower_id FROM store_message WHERE message_id = ANY(%s)"
            " AND message_class <> 'correction' AND channel = ANY(%s)",
            [list(names), list(_WRITTEN)],
        )
        of = {message: of_person[borrower] for message, borrower in cursor.fetchall()}
    return Drafts(of=of, added=len(new))


def _write(
    rows: Sequence[Any], *, by: str, lender: Lender, key: CheckKey, at: datetime, until: datetime,
    day: date,
) -> dict[str, str]:  # fmt: skip
    """Write the run and its messages; return person → message."""
    run = hashlib.sha256("\n".join(["correction", *(row[0] for row in rows)]).encode()).hexdigest()
    clock = f"{at.astimezone(ZoneInfo(lender.time_zone)):%H:%M}"
    orders = [_order(row, day, clock) for row in rows]
    written = render(orders, lender, load_templates(lender.templates))
    made = []
    for row, text in zip(rows, written, strict=True):
        code = check_code(key.secret, text.message_id)
        said, parts = fill_code(text.text, code), text.segments
        if row[4] == "sms":
            said = signed(said, lender, day)
            parts = segments(said)[1]
        # It follows a message that left, so it is nobody's first.
        facts = {**json.loads(row[8]), "class": "correction", "template": TEMPLATE,
                 "purpose": "servicing", "first_contact": False}  # fmt: skip
        made.append(
            {"id": text.message_id, "run": run, "borrower": row[1], "day": day, "loans": row[3],
             "channel": row[4], "address": row[5], "locale": row[6], "template": TEMPLATE,
             "tone": _TONE, "text": said, "params": json.dumps(
                 dict(text.params), ensure_ascii=False), "segments": parts, "code": code,
             "key": key.key_id, "from": at, "until": until, "facts": json.dumps(facts)}
        )  # fmt: skip
    needed = max(1, APPROVALS[lender.approval])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_run (plan_sha256, business_date, state, approvals_needed, kind,"
            " messages_count, summary) VALUES (%s, %s, 'planned', %s, 'correction', %s, %s::jsonb)",
            [run, day, needed, len(made), json.dumps({"recalled_by": by}, ensure_ascii=False)],
        )
        cursor.executemany(_KEEP, made)
    record("run.drafted", [(run, {"by": by, "messages": len(made), "needed": needed})])
    return {one["borrower"]: one["id"] for one in made}


def _order(row: Any, day: date, clock: str) -> Order:
    digest = hashlib.sha256(f"correction\n{row[0]}".encode()).hexdigest()
    return Order(
        message_id="c" + digest[:_ID_DIGITS],
        template=TEMPLATE,
        tone=_TONE,
        channel=row[4],
        locale=row[6],
        params=Facts(
            name=unmasked(row[7]), loan_ids=tuple(json.loads(row[3])), overdue_total=0, as_of=day,
            as_of_time=clock, corrects_on=row[2],
        ),
    )  # fmt: skip
