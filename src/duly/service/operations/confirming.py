"""Confirm money that came through a provider: one text, once, through the common door.

It is the `receipt` of the templates, of the class of that name: it says what came and when, and
asks for nothing. It goes to a verified number that is the person's alone.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection, transaction

from duly.book import Lender
from duly.core.errors import DulyError
from duly.messages import Facts, Order, check_code, fill_code, load_templates, render
from duly.plan.addresses import key_of
from duly.service import journal
from duly.service.borrower_keys import masters
from duly.service.facts.narrowing import newest_of
from duly.service.operations import own_texts
from duly.service.operations.deriving import DerivedLoan, derived
from duly.service.operations.locking import lock_people
from duly.service.operations.recording import record
from duly.service.operations.whose import whose
from duly.service.rows import Row, as_dicts

TEMPLATE, _CLASS, _CHANNEL, _TONE = "receipt", "receipt", "sms", "plain"
#: What the night holds goes out the next morning, or not at all.
LASTS = timedelta(hours=24)
_ID_DIGITS = 26
_CHANGED, _TRIES = "facts_changed", 3
_PAID = """
SELECT p.borrower_id, p.loan_id, p.amount, p.currency, p.paid_on, b.locale
FROM store_paymentintent AS p JOIN store_borrower AS b USING (borrower_id)
WHERE p.reference = %s AND p.state = 'paid'
"""
_POINTS = """
SELECT address, status, "use", verified_on::text AS verified_on, changed_on::text AS changed_on
FROM (
    SELECT address, status, "use", verified_on, changed_on, cut_at AS since, 0 AS place
    FROM store_book_contact_points WHERE borrower_id = %(who)s AND channel = 'sms'
    UNION ALL SELECT data->>'address', data->>'status', data->>'use',
        (data->>'verified_on')::date, (data->>'changed_on')::date, time, 1
    FROM store_word WHERE kind = 'contact_point' AND borrower_id = %(who)s
        AND data->>'channel' = 'sms'
) AS p ORDER BY since DESC, place DESC, address
"""
_NAME = """
SELECT name FROM (
    SELECT name, cut_at AS since, 0 AS place FROM store_book_borrowers WHERE borrower_id = %(who)s
    UNION ALL SELECT data->>'name', time, 1 FROM store_word
    WHERE kind = 'borrower' AND key = %(who)s
) AS n ORDER BY since DESC, place DESC LIMIT 1
"""
#: What had gone back before it was written is no news to it.
_COUNT = """
INSERT INTO store_counted (run_id, kind, payment_id)
SELECT %(run)s, 'reversal', w.key FROM store_word AS w WHERE w.kind = 'reversal' AND (
    EXISTS (SELECT 1 FROM store_word AS p WHERE p.kind = 'payment' AND p.key = w.key
        AND p.loan_id = %(loan)s)
    OR EXISTS (SELECT 1 FROM store_book_payments AS b WHERE b.payment_id = w.key
        AND b.loan_id = %(loan)s))
ON CONFLICT DO NOTHING
"""


def confirm_beside(reference: str, *, lender: Lender, at: datetime, clock: datetime) -> str:
    """Confirm a payment after it was posted; whatever is wrong with the text, the money is booked.

    Return why there is no text; empty where there is one.
    """
    if not lender.payments.confirm:
        return "off"
    if not any(one.channel == _CHANNEL and _CLASS in one.accepts for one in lender.routes):
        return "no_route"
    try:
        for _ in range(_TRIES):
            why = _confirm(reference, lender, at, clock)
            if why != _CHANGED:
                break
    except (DulyError, DatabaseError) as error:
        journal.broken("payment.unconfirmed", error)
        return "broken"
    return why


def _confirm(reference: str, lender: Lender, at: datetime, clock: datetime) -> str:
    """Derive the figures, then write the text under the person's lock if they are still those."""
    with connection.cursor() as cursor:
        cursor.execute(_PAID, [reference])
        rows = as_dicts(cursor)
    if not rows:
        return "nobody"
    paid = rows[0]
    who = paid["borrower_id"]
    found = derived(who, lender=lender, at=at, clock=clock)
    loan = next((one for one in found.loans if one.loan_id == paid["loan_id"]), None)
    if loan is None or loan.trace is None:
        return "figures_unsure"
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, [who])
        if newest_of(cursor, who) != found.facts:
            return _CHANGED
        address = _address(cursor, who)
        if address is None:
            return "number_unsure"
        cursor.execute(_NAME, {"who": who})
        name = cursor.fetchone()
        local = at.astimezone(ZoneInfo(lender.time_zone))
        _write(reference, paid, address, _facts(paid, loan, name and name[0], local), lender, at)
    return ""


def _address(cursor: Any, who: str) -> str | None:
    """Return the person's own verified number; None: none is, or somebody else has it too."""
    cursor.execute(_POINTS, {"who": who})
    newest: dict[str, Row] = {}
    for row in as_dicts(cursor):
        newest.setdefault(row["address"], row)
    for address, row in newest.items():
        mine = (row["status"] or "active") == "active" and (row["use"] or "personal") == "personal"
        verified = row["verified_on"] and (row["changed_on"] or "") <= row["verified_on"]
        if mine and verified and whose(key_of(address)).people == (who,):
            return address
    return None


def _facts(paid: Row, loan: DerivedLoan, name: str | None, local: datetime) -> Facts:
    """Return what the text may name: what came, and whether the loan is late with it in it."""
    assert loan.trace is not None
    position = {key: one for key, one in loan.trace.position.items() if isinstance(one, int)}
    left = position["outstanding_principal"] if not position["unallocated_credit"] else None
    return Facts(
        name=name or "", loan_ids=(paid["loan_id"],), currency=paid["currency"],
        overdue_total=position["overdue_total"], as_of=local.date(), as_of_time=f"{local:%H:%M}",
        paid_on=paid["paid_on"], paid_amount=paid["amount"], outstanding_principal=left,
    )  # fmt: skip


def _write(
    reference: str, paid: Row, address: str, facts: Facts, lender: Lender, at: datetime
) -> None:
    who, day, key = paid["borrower_id"], lender.day_of(at), masters()[0]
    digest = hashlib.sha256(f"receipt\n{reference}".encode()).hexdigest()
    order = Order(message_id="r" + digest[:_ID_DIGITS], template=TEMPLATE, tone=_TONE, params=facts,
                  channel=_CHANNEL, locale=paid["locale"])  # fmt: skip
    (text,) = render([order], lender, load_templates(lender.templates))
    code = check_code(key.secret, text.message_id)
    run = hashlib.sha256(f"receipts\n{day}".encode()).hexdigest()
    until = at + LASTS
    with connection.cursor() as cursor:
        asked = own_texts.facts_of(cursor, who, message_class=_CLASS, template=TEMPLATE)
        own_texts.keep(
            cursor, run=run, day=day, lender=lender,
            message={
                "id": text.message_id, "who": who, "loans": json.dumps(list(facts.loan_ids)),
                "channel": _CHANNEL, "address": address, "locale": paid["locale"],
                "class": _CLASS, "template": TEMPLATE, "tone": _TONE,
                "text": fill_code(text.text, code),
                "params": json.dumps(dict(text.params), ensure_ascii=False),
                "segments": text.segments, "code": code, "key": key.key_id, "from": at,
                "until": until, "facts": json.dumps(asked, default=list)},
        )  # fmt: skip
        cursor.execute(_COUNT, {"run": run, "loan": paid["loan_id"]})
    told = {"payment": reference, "template": TEMPLATE, "params": dict(text.params), "until": until}
    record("message.written", [(text.message_id, told)])
