"""The text with a one-time code: a message of its own through the outbox, no contact about a debt.

It is of the class `answer`: somebody asked for it a moment ago. The door asks every rule: at night,
after a stop and to a stranger's number no code leaves.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from duly.book import Lender
from duly.core.words import say
from duly.messages import check_code
from duly.messages.parts import segments
from duly.rules import NEUTRAL
from duly.service.borrower_keys import masters
from duly.service.operations import own_texts
from duly.service.operations.locking import lock_people
from duly.service.operations.own_texts import SIGN_IN
from duly.service.operations.recording import record
from duly.service.portal.holders import Holder

_CHANNEL = "sms"
_ID_DIGITS = 26
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


def can_text(lender: Lender) -> bool:
    """Return whether some route takes such a text."""
    return any(one.channel == _CHANNEL and "answer" in one.accepts for one in lender.routes)


def write(
    holder: Holder, code: str, *, name: str, locale: str, lender: Lender, at: datetime, minutes: int
) -> bool:
    """Write the text, released, in the caller's transaction; False where nobody may get one."""
    who = holder.borrower_id
    with connection.cursor() as cursor:
        if not can_text(lender) or not lock_people(cursor, [who]):
            return False
        day = lender.day_of(at)
        run = hashlib.sha256(f"codes\n{day}".encode()).hexdigest()
        message = "c" + hashlib.sha256(f"code\n{name}".encode()).hexdigest()[:_ID_DIGITS]
        signature = (locale == "en" and lender.signature_en) or lender.signature
        text = say("portal", "text.code", locale, signature=signature, code=code, minutes=minutes)
        key = masters()[0]
        until = at + timedelta(minutes=minutes)
        own_texts.keep(
            cursor, run=run, day=day,
            message={
                "id": message, "who": who, "channel": _CHANNEL, "address": holder.address,
                "locale": locale, "template": SIGN_IN, "text": text, "segments": segments(text)[1],
                "code": check_code(key.secret, message), "key": key.key_id, "from": at,
                "until": until, "facts": json.dumps(_facts(cursor, who), default=list)},
        )  # fmt: skip
    # The record never holds the code.
    record("message.written", [(message, {"template": SIGN_IN, "until": until})])
    return True


def _facts(cursor: Any, who: str) -> dict[str, object]:
    """Return what the rules are asked with: as the latest plan knew the person, else nothing said.

    What was told since, of books and events, the door adds; a withdrawn consent is looked for here.
    """
    facts = {name: one for name, one in NEUTRAL.items() if name not in ("at", "contacts")}
    cursor.execute(_DECISION, [who])
    row = cursor.fetchone()
    if row is not None:
        facts |= json.loads(row[0]) | (json.loads(row[1] or "{}").get(_CHANNEL) or {})
    cursor.execute(_WITHDRAWN, [who])
    if cursor.fetchone() is not None:
        facts["servicing_withdrawn"] = True
    return facts | {"class": "answer", "template": SIGN_IN, "channel": _CHANNEL,
                    "purpose": "servicing", "address_use": "personal",
                    "address_status": "active"}  # fmt: skip
