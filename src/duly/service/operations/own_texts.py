"""Texts of our own beside any plan: the answer to a reply, the code to sign in with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

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
    'answer', %(template)s, %(tone)s, %(text)s, %(params)s::jsonb, %(segments)s, %(code)s, %(key)s,
    %(from)s, %(until)s, %(facts)s::jsonb, 'released', 0)
ON CONFLICT (message_id) DO NOTHING
"""


def keep(cursor: Any, *, run: str, day: date, message: Mapping[str, object]) -> None:
    """Write a released text into the run of its day; once, whoever writes it again."""
    cursor.execute(_RUN, [run, day])
    cursor.execute(_KEEP, {"loans": "[]", "tone": None, "params": "{}", **message,
                           "run": run, "day": day})  # fmt: skip
