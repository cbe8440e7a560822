"""Texts of our own beside any plan: answers to replies, codes to sign in with, receipts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from duly.book import Lender
from duly.messages import segments
from duly.messages.lawful import signed
from duly.rules import NEUTRAL

SIGN_IN = "sign_in_code"
#: The same as SQL has it. Such a text is asked for each time and counted by itself: it keeps no
#: other text of its class back, and says nothing that somebody could answer.
SIGN_IN_SQL = f"'{SIGN_IN}'"

_RUN = """
INSERT INTO store_run (plan_sha256, business_date, state, approvals_needed, kind, messages_count,
    summary) VALUES (%s, %s, 'released', 0, 'answer', 1, '{}'::jsonb)
ON CONFLICT (plan_sha256) DO UPDATE SET messages_count = store_run.messages_count + 1
"""
_KEEP = """
INSERT INTO store_message (message_id, run_id, borrower_id, business_date, loan_ids, channel,
    address, locale, message_class, template, tone, text, params, segments, code, key_id,
    not_before, not_after, facts, state, attempts)
VALUES (%(id)s, %(run)s, %(who)s, %(day)s, %(loans)s::jsonb, %(channel)s, %(address)s, %(locale)s,
    %(class)s, %(template)s, %(tone)s, %(text)s, %(params)s::jsonb, %(segments)s, %(code)s, %(key)s,
    %(from)s, %(until)s, %(facts)s::jsonb, 'released', 0)
ON CONFLICT (message_id) DO NOTHING
"""
_DECISION = """
SELECT d.facts::text, d.by_channel::text FROM store_decision AS d
JOIN store_run AS r ON r.plan_sha256 = d.run_id
WHERE d.borrower_id = %s AND d.facts IS NOT NULL AND r.state NOT IN ('superseded', 'missed')
ORDER BY d.business_date DESC, d.loan_id LIMIT 1
"""
_WITHDRAWN = """
SELECT 1 FROM store_book_consents WHERE borrower_id = %s AND purpose = 'servicing'
    AND withdrawn_at IS NOT NULL AND coalesce(channel, 'sms') = 'sms' LIMIT 1
"""


def facts_of(cursor: Any, who: str, *, message_class: str, template: str) -> dict[str, object]:
    """Return what the rules are asked about a text message, as the latest plan knew the person.

    Where no plan did, nothing is said. What was told since, of books and events, the door adds; a
    withdrawn consent is looked for here.
    """
    facts = {name: one for name, one in NEUTRAL.items() if name not in ("at", "contacts")}
    cursor.execute(_DECISION, [who])
    row = cursor.fetchone()
    if row is not None:
        facts |= json.loads(row[0]) | (json.loads(row[1] or "{}").get("sms") or {})
    cursor.execute(_WITHDRAWN, [who])
    if cursor.fetchone() is not None:
        facts["servicing_withdrawn"] = True
    return facts | {"class": message_class, "template": template, "channel": "sms",
                    "purpose": "servicing", "address_use": "personal",
                    "address_status": "active"}  # fmt: skip


def keep(
    cursor: Any, *, run: str, day: date, message: Mapping[str, object], lender: Lender
) -> None:
    """Write a released text into the run of its day; once, whoever writes it again.

    A text message is signed as the packs of its lender want it.
    """
    if message["channel"] == "sms":
        text = signed(str(message["text"]), lender, day)
        message = {**message, "text": text, "segments": segments(text)[1]}
    cursor.execute(_RUN, [run, day])
    usual = {"loans": "[]", "tone": None, "params": "{}", "class": "answer"}
    cursor.execute(_KEEP, {**usual, **message, "run": run, "day": day})
