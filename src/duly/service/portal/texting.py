"""The text with a one-time code: a message of its own through the outbox, no contact about a debt.

It is of the class `answer`: somebody asked for it a moment ago. The door asks every rule: at night,
after a stop and to a stranger's number no code leaves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from django.db import connection

from duly.book import Lender
from duly.core.words import say
from duly.messages import check_code
from duly.messages.parts import segments
from duly.service.borrower_keys import masters
from duly.service.operations import own_texts
from duly.service.operations.locking import lock_people
from duly.service.operations.own_texts import SIGN_IN
from duly.service.operations.recording import record
from duly.service.portal.holders import Holder

_CHANNEL = "sms"
_ID_DIGITS = 26


def can_text(lender: Lender) -> bool:
    """Return whether some route takes such a text."""
    return any(one.channel == _CHANNEL and "answer" in one.accepts for one in lender.routes)


def write(
    holder: Holder, code: str, *, name: str, locale: str, lender: Lender, at: datetime, minutes: int
) -> bool:
    """Write the text, released, in the caller's transaction; False where nobody may get one."""
    text = say("portal", "text.code", locale, signature=signature_of(lender, locale), code=code,
               minutes=minutes)  # fmt: skip
    return keep(holder, text, name=name, locale=locale, lender=lender, at=at,
                until=at + timedelta(minutes=minutes))  # fmt: skip


def signature_of(lender: Lender, locale: str) -> str:
    """Return how a text in a language is signed."""
    return (locale == "en" and lender.signature_en) or lender.signature


def keep(
    holder: Holder, text: str, *, name: str, locale: str, lender: Lender, at: datetime,
    until: datetime, params: Mapping[str, str] = MappingProxyType({}),
) -> bool:  # fmt: skip
    """Write a text of these pages, released, in the caller's transaction; False: nobody may."""
    who = holder.borrower_id
    with connection.cursor() as cursor:
        if not can_text(lender) or not lock_people(cursor, [who]):
            return False
        day = lender.day_of(at)
        run = hashlib.sha256(f"codes\n{day}".encode()).hexdigest()
        message = "c" + hashlib.sha256(f"code\n{name}".encode()).hexdigest()[:_ID_DIGITS]
        key = masters()[0]
        facts = own_texts.facts_of(cursor, who, message_class="answer", template=SIGN_IN)
        own_texts.keep(
            cursor, run=run, day=day, lender=lender,
            message={
                "id": message, "who": who, "channel": _CHANNEL, "address": holder.address,
                "locale": locale, "template": SIGN_IN, "text": text, "segments": segments(text)[1],
                "code": check_code(key.secret, message), "key": key.key_id, "from": at,
                "until": until, "params": json.dumps(dict(params)),
                "facts": json.dumps(facts, default=list)},
        )  # fmt: skip
    # The record never holds the code.
    record("message.written", [(message, {"template": SIGN_IN, "until": until})])
    return True
