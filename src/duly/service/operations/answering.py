"""Confirm a reply: one text at most, in the transaction that hears it, through the common door.

It is written only to the number that answered a text of ours and is one person's alone, and never
so often that two machines could talk to each other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from duly.book import Lender
from duly.core.errors import DulyError
from duly.core.money import NotMoney
from duly.messages import Order, Rendered, check_code, fill_code, load_templates, render
from duly.plan.addresses import spellings
from duly.replies import PROMISE, STOPPED, STRANGER, Reading, Signal, answer_to, rank
from duly.service.borrower_keys import masters
from duly.service.operations import own_texts
from duly.service.operations.answer_facts import facts_of
from duly.service.operations.locking import lock_people
from duly.service.operations.own_texts import SIGN_IN_SQL
from duly.service.operations.recording import record
from duly.service.operations.whose import Whose
from duly.service.rows import Row, as_dicts, unpacked

#: An answer that the night holds goes out the next morning, or not at all.
LASTS = timedelta(hours=24)
#: US-TCPA-1, 47 CFR 64.1200(a)(12): the one text after a stop leaves within five minutes.
_STOP_LASTS = timedelta(minutes=5)
#: The pack whose law allows a text after a stop; where none says so, nothing follows a stop
#: (DEC-STOP-1; CN-PRIV-1-CHANNEL, Civil Code of China 1033).
_CONFIRMS_STOPS = "us"
_TONE = "plain"
_ID_DIGITS = 26
_SAME_DAYS = 7
#: So many promises in three months, this one among them, are noted; the next a person agrees on.
_PROMISES_MAX = 2
_PROMISES_SINCE = timedelta(days=90)
_ENDED = ("cancelled", "expired", "blocked")

_MESSAGE = """
SELECT message_id, loan_ids, channel, address, locale, code, facts, params->>'name' AS name
FROM store_message WHERE message_id = %s
"""
_UNUSABLE = """
SELECT 1 FROM store_book_contact_points WHERE address_key = %(number)s
    AND (status <> 'active' OR "use" <> 'personal')
UNION ALL SELECT 1 FROM store_word WHERE kind = 'contact_point' AND address_key = %(number)s
    AND (coalesce(data->>'status', 'active') <> 'active'
        OR coalesce(data->>'use', 'personal') <> 'personal')
LIMIT 1
"""
_SAID_BEFORE = """
SELECT 1 FROM store_reply WHERE address_key = %(number)s AND report_id < %(reply)s
    AND text = %(text)s AND heard_at > now() - make_interval(days => %(days)s) LIMIT 1
"""
#: What this number was answered, and what this person was.
_ANSWERS = f"""
SELECT m.message_id, m.borrower_id, m.business_date, m.state, m.template, r.kind AS of_run
FROM store_message AS m JOIN store_run AS r ON r.plan_sha256 = m.run_id
WHERE (m.address = ANY(%(addresses)s) OR m.borrower_id = %(who)s) AND m.message_class = 'answer'
    AND m.template <> {SIGN_IN_SQL} AND m.state <> ALL(%(ended)s)
ORDER BY m.message_id FOR UPDATE OF m
"""
_PROMISES = """
SELECT 1 FROM (
    SELECT key FROM store_word WHERE kind = 'signal' AND data->>'kind' = 'promise'
        AND borrower_id = %(who)s AND time > %(since)s
    UNION SELECT signal_id FROM store_book_signals WHERE kind = 'promise'
        AND borrower_id = %(who)s AND starts_at > %(since)s
) AS promises HAVING count(*) > %(most)s
"""
_SUPERSEDE = """
UPDATE store_message SET state = 'cancelled', reason = 'superseded', state_at = now()
WHERE message_id = ANY(%s)
"""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A reply that was acted upon, as its answer needs it."""

    reply: int  #: its number
    fingerprint: str
    address_key: str
    text: str
    said: datetime
    reading: Reading
    found: Whose
    signals: tuple[Signal, ...]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The message that confirms a reply, or None and why there is none."""

    message_id: str | None = None
    template: str | None = None
    why: str = ""

    def as_json(self) -> Mapping[str, str]:
        """Return what the record holds of it."""
        if self.message_id is None:
            return {"why": self.why}
        return {"message_id": self.message_id, "template": str(self.template)}


def answer(heard: Heard, *, lender: Lender, at: datetime) -> Answered:
    """Write the answer of a reply, released, in the caller's transaction; or say why there is none.

    The same reply has one answer. A text that waits gives way to a graver one of its person.
    """
    if not lender.answers.send:
        return Answered(why="off")
    found = heard.found
    if found.whose != "one" or len(found.people) != 1 or found.message is None:
        return Answered(why="number_unsure")
    chosen = answer_to(heard.reading, heard.text, {one.kind for one in heard.signals})
    if chosen.template is None:
        return Answered(why=chosen.why)
    assert found.borrower_id is not None
    with connection.cursor() as cursor:
        if not lock_people(cursor, [found.borrower_id]):
            return Answered(why="number_unsure")
        cursor.execute(_MESSAGE, [found.message["message_id"]])
        (message,) = as_dicts(cursor)
    message |= {name: unpacked(message[name]) for name in ("loan_ids", "facts")}
    why = _why_not(heard, message, chosen.template, lender) or _too_often(
        heard, chosen.template, lender, at
    )
    if why:
        return Answered(why=why)
    return _write(heard, message, chosen.template, lender, at)


def _why_not(heard: Heard, message: Row, template: str, lender: Lender) -> str:
    """Return why a text may not be said to this number; the door asks the rules again."""
    stops = _CONFIRMS_STOPS in lender.packs and message["facts"]["jurisdiction"] == _CONFIRMS_STOPS
    if template == STOPPED and not stops:
        return "no_rule_allows"
    accepted = {route.channel for route in lender.routes if "answer" in route.accepts}
    if message["channel"] not in accepted:
        return "no_route"
    # Our own text, sent back by a machine or forwarded.
    if message["code"] in heard.text:
        return "echo"
    if template not in (STRANGER, STOPPED) and _is_there(_UNUSABLE, heard):
        return "number_unsure"
    if _is_there(_SAID_BEFORE, heard):
        return "said_before"
    # A third promise in a row holds nobody back: a person agrees on it.
    return "person_writes" if template == PROMISE and _is_there(_PROMISES, heard) else ""


def _is_there(question: str, heard: Heard) -> bool:
    given: dict[str, Any] = {
        "number": heard.address_key, "reply": heard.reply, "text": heard.text, "days": _SAME_DAYS,
        "who": heard.found.borrower_id, "since": heard.said - _PROMISES_SINCE,
        "most": _PROMISES_MAX,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(question, given)
        return cursor.fetchone() is not None


def _too_often(heard: Heard, template: str, lender: Lender, at: datetime) -> str:
    """Return why a number or a person gets no further answer; else take back what gives way."""
    day, who = lender.day_of(at), heard.found.borrower_id
    ways = spellings(heard.address_key)
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS, {"addresses": list(ways), "who": who, "ended": list(_ENDED)})
        rows = as_dicts(cursor)
        # What a plan says in this class gives way to nothing of ours.
        waits = [row for row in rows if row["state"] in ("planned", "released")
                 and row["borrower_id"] == who and row["of_run"] == "answer"]  # fmt: skip
        kept = [row for row in rows if row not in waits]
        if template in (STRANGER, STOPPED) and template in {row["template"] for row in rows}:
            return "answered_before"
        if any(row["business_date"] == day for row in kept):
            return "answered_today"
        week = day - timedelta(days=_SAME_DAYS)
        if sum(row["business_date"] > week for row in kept) >= lender.answers.per_7_days:
            return "answered_often"
        if any(rank(row["template"]) < rank(template) for row in waits):
            return "graver_waits"
        gone = [row["message_id"] for row in waits]
        cursor.execute(_SUPERSEDE, [gone])
    record("message.cancelled", [(name, {"reason": "superseded"}) for name in gone])
    return ""


def _write(heard: Heard, message: Row, template: str, lender: Lender, at: datetime) -> Answered:
    digest = hashlib.sha256(f"answer\n{heard.fingerprint}".encode()).hexdigest()
    name = "a" + digest[:_ID_DIGITS]
    try:
        facts = facts_of(template, message, lender=lender, reply=heard.reply, said=heard.said,
                         zone=heard.found.time_zone, signals=heard.signals)  # fmt: skip
        order = Order(message_id=name, template=template, tone=_TONE, params=facts,
                      channel=message["channel"], locale=message["locale"])  # fmt: skip
        (text,) = render([order], lender, load_templates(lender.templates))
    except (DulyError, NotMoney):
        # Its facts do not carry the text, or no text is there in his language: a person answers.
        return Answered(why="cannot_say")
    _keep(heard, message, text, template, lender, at)
    return Answered(message_id=name, template=template)


def _keep(
    heard: Heard, message: Row, text: Rendered, template: str, lender: Lender, at: datetime
) -> None:
    day, key = lender.day_of(at), masters()[0]
    run = hashlib.sha256(f"answers\n{day}".encode()).hexdigest()
    code = check_code(key.secret, text.message_id)
    facts = {**message["facts"], "class": "answer", "template": template, "purpose": "servicing"}
    until = at + LASTS
    if template == STOPPED:
        minutes = max(0, -int((heard.said - at).total_seconds() // 60))
        facts |= {"opted_out_minutes": minutes, "stop_confirmations": 0}
        until = max(at, min(until, heard.said + _STOP_LASTS))
    with connection.cursor() as cursor:
        own_texts.keep(
            cursor, run=run, day=day, lender=lender,
            message={
                "id": text.message_id, "who": heard.found.borrower_id,
                "loans": json.dumps(message["loan_ids"]), "channel": message["channel"],
                "address": message["address"], "locale": message["locale"], "template": template,
                "tone": _TONE, "text": fill_code(text.text, code),
                "params": json.dumps(dict(text.params), ensure_ascii=False),
                "segments": text.segments, "code": code, "key": key.key_id, "from": at,
                "until": until, "facts": json.dumps(facts)},
        )  # fmt: skip
    told = {"reply": heard.reply, "template": template, "params": dict(text.params), "until": until}
    record("message.written", [(text.message_id, told)])
