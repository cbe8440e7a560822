"""Payments at a provider's page: begun once, told of in any order, posted once, never lost.

A verified callback is written down whatever comes of it. Money that fits its intent becomes
`payment.posted` in the same transaction; money that does not fit is a person's to match.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction

from duly.book import Lender
from duly.care.checkout import OPEN, CallbackRefused, Intent, Outcome, after
from duly.core.money import major, to_minor
from duly.service.operations import confirming, events, intake
from duly.service.operations.locking import lock_people
from duly.service.operations.providers import Way
from duly.service.operations.recording import record
from duly.service.operations.tasks import open_tasks
from duly.service.rows import Row, as_dicts

SOURCE = "duly:payments"
_REFERENCE_BYTES = 16
_SWEPT_AT_ONCE = 50
_COLUMNS = (
    "reference, provider, borrower_id, loan_id, amount, currency, state, doubt, payment_id,"
    " paid_on, created_at, expires_at"
)
#: Intents that nobody told an end of in their time; money that comes later still counts. Those of
#: the person at hand all, so that he can begin anew; of others a few at a time.
_SWEEP_OWN = """
UPDATE store_paymentintent SET state = 'expired', state_at = now()
WHERE borrower_id = %s AND state = ANY(%s) AND expires_at < now()
"""
_SWEEP = """
UPDATE store_paymentintent SET state = 'expired', state_at = now()
WHERE reference = ANY(ARRAY(SELECT reference FROM store_paymentintent
    WHERE state = ANY(%s) AND expires_at < now() ORDER BY reference LIMIT %s
    FOR UPDATE SKIP LOCKED))
"""
_SAME = f"""
SELECT {_COLUMNS} FROM store_paymentintent WHERE borrower_id = %s AND loan_id = %s
    AND provider = %s AND amount = %s AND currency = %s AND state = ANY(%s) AND expires_at >= now()
FOR UPDATE
"""
_BEGIN = """
INSERT INTO store_paymentintent (reference, provider, borrower_id, loan_id, amount, currency,
    expires_at)
VALUES (%s, %s, %s, %s, %s, %s, now() + make_interval(mins => %s))
"""
_KEEP = """
INSERT INTO store_paymentcallback (provider, name, body_sha256, reference, status, amount, currency,
    payment_id, came)
VALUES (%(provider)s, %(name)s, %(body)s, %(reference)s, %(status)s, %(amount)s, %(currency)s,
    %(payment_id)s, %(came)s)
ON CONFLICT (provider, name) DO NOTHING
"""
#: What a book or an event says of this payment already.
_KNOWN = """
SELECT loan_id, data->>'amount' AS major, NULL AS minor FROM store_word
WHERE kind = 'payment' AND key = %(name)s
UNION ALL SELECT loan_id, NULL, amount FROM store_book_payments WHERE payment_id = %(name)s
"""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A payment that was begun, and the address of the provider's page."""

    reference: str
    url: str


class RepeatedCallback(Exception):
    """Another body came under the name of a callback that was taken."""


def begin(
    way: Way, amount: int, *, borrower_id: str, loan_id: str, currency: str, lender: Lender,
    return_to: str, clock: datetime,
) -> Begun:  # fmt: skip
    """Begin a payment, or go on with the same one that is open: a second tap is no second payment.

    `return_to` has `{reference}` where the reference goes.
    """
    assert amount > 0
    assert currency in way.currencies
    with transaction.atomic(), connection.cursor() as cursor:
        lock_people(cursor, [borrower_id])
        cursor.execute(_SWEEP_OWN, [borrower_id, list(OPEN)])
        cursor.execute(_SWEEP, [list(OPEN), _SWEPT_AT_ONCE])
        cursor.execute(_SAME, [borrower_id, loan_id, way.name, amount, currency, list(OPEN)])
        rows = as_dicts(cursor)
        reference = rows[0]["reference"] if rows else secrets.token_hex(_REFERENCE_BYTES)
        if not rows:
            cursor.execute(_BEGIN, [reference, way.name, borrower_id, loan_id, amount, currency,
                                    lender.payments.lasts_minutes])  # fmt: skip
        intent = Intent(reference=reference, amount=amount, currency=currency,
                        return_to=return_to.replace("{reference}", reference))  # fmt: skip
        url = way.provider.checkout(intent, at=clock)
        cursor.execute(
            "UPDATE store_paymentintent SET state = 'redirected', state_at = now()"
            " WHERE reference = %s AND state = 'created'", [reference],
        )  # fmt: skip
        if not rows:
            told = {"provider": way.name, "loan_id": loan_id, "amount": amount,
                    "currency": currency}  # fmt: skip
            record("payment.begun", [(reference, told)], about={reference: borrower_id})
    return Begun(reference=reference, url=url)


def intent_of(reference: str) -> Row | None:
    """Return a payment as it stands; one whose time is up is `expired`, told or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS}, expires_at < now() AS over FROM store_paymentintent"
            " WHERE reference = %s", [reference],
        )  # fmt: skip
        rows = as_dicts(cursor)
    return None if not rows else _as_it_stands(rows[0])


def begun_by(borrower_id: str, loan_id: str) -> list[Row]:
    """Return the payments about a loan of which nobody told an end, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS}, expires_at < now() AS over FROM store_paymentintent"
            " WHERE borrower_id = %s AND loan_id = %s AND state = ANY(%s) AND expires_at >= now()"
            " ORDER BY created_at DESC, reference", [borrower_id, loan_id, list(OPEN)],
        )  # fmt: skip
        return [_as_it_stands(row) for row in as_dicts(cursor)]


def _as_it_stands(row: Row) -> Row:
    over = row.pop("over")
    return row | {"state": "expired"} if over and row["state"] in OPEN else row


def hear(
    way: Way, *, headers: Mapping[str, str], body: bytes, lender: Lender, at: datetime,
    clock: datetime,
) -> intake.Why | None:  # fmt: skip
    """Take a provider's callback and confirm money that came; return why it was refused, or None.

    `at` is the instant of the law, `clock` the machine's. A refusal is recorded.
    """
    why: intake.Why
    try:
        told = way.provider.read_callback(headers, body, at=clock)
        came = take(way, told, body=body, lender=lender, at=at, clock=clock)
    except CallbackRefused as refused:
        why = refused.why
    except RepeatedCallback:
        why = "repeated"
    else:
        if came == "taken" and told.status == "paid":
            confirming.confirm_beside(told.reference, lender=lender, at=at, clock=clock)
        return None
    intake.refuse(f"payments/{way.name}", why, size=len(body), body=body)
    return why


def take(
    way: Way, told: Outcome, *, body: bytes, lender: Lender, at: datetime, clock: datetime
) -> str:
    """Keep what a verified callback told and return what came of it, or `repeated`.

    What can come is `payment_models.CAME`. Refused (RepeatedCallback): another body under a name
    that was taken.
    """
    sha = hashlib.sha256(body).hexdigest()
    with transaction.atomic(), connection.cursor() as cursor:
        intent = _locked(cursor, way, told)
        if _seen(cursor, way, told, sha):
            return "repeated"
        came = _came(cursor, way, intent, told)
        cursor.execute(_KEEP, {
            "provider": way.name, "name": told.name, "body": sha, "reference": told.reference,
            "status": told.status, "amount": told.amount, "currency": told.currency,
            "payment_id": told.payment_id, "came": came,
        })  # fmt: skip
        if not cursor.rowcount:  # Another has written it meanwhile: no intent held us apart.
            return "repeated"
        _follow(cursor, way, intent, told, came, lender=lender, at=at, clock=clock)
    return came


def _locked(cursor: Any, way: Way, told: Outcome) -> Row | None:
    """Return the intent that is told of, its person and then itself locked; None: not known."""
    question = f"SELECT {_COLUMNS} FROM store_paymentintent WHERE reference = %s AND provider = %s"
    cursor.execute(question, [told.reference, way.name])
    rows = as_dicts(cursor)
    if not rows:
        return None
    lock_people(cursor, [rows[0]["borrower_id"]])
    cursor.execute(f"{question} FOR UPDATE", [told.reference, way.name])
    found = as_dicts(cursor)
    return found[0] if found else None


def _seen(cursor: Any, way: Way, told: Outcome, sha: str) -> bool:
    cursor.execute(
        "SELECT body_sha256 FROM store_paymentcallback WHERE provider = %s AND name = %s",
        [way.name, told.name],
    )
    row = cursor.fetchone()
    if row is not None and row[0] != sha:
        raise RepeatedCallback
    return row is not None


def _came(cursor: Any, way: Way, intent: Row | None, told: Outcome) -> str:
    """Return what comes of a callback."""
    if intent is None:
        return "unknown_intent"
    if told.status == "pending":
        return "pending"
    if told.currency != intent["currency"]:
        return "currency"
    if told.amount != intent["amount"]:
        return "amount"
    if told.status == "paid" and intent["state"] == "paid":
        return "no_news" if intent["payment_id"] == way.prefix + told.payment_id else "again"
    if told.status == "paid" and _is_another(cursor, way, intent, told):
        return "payment_id"
    return "taken" if after(intent["state"], told.status) != intent["state"] else "no_news"


def _is_another(cursor: Any, way: Way, intent: Row, told: Outcome) -> bool:
    """Return whether the provider's name stands for other money with us already."""
    name = way.prefix + told.payment_id
    cursor.execute(_KNOWN, {"name": name})
    for loan, written, minor in cursor.fetchall():
        amount = to_minor(written, told.currency) if minor is None else minor
        if (loan, amount) != (intent["loan_id"], told.amount):
            return True
    cursor.execute("SELECT 1 FROM store_paymentintent WHERE payment_id = %s", [name])
    return cursor.fetchone() is not None


def _follow(
    cursor: Any, way: Way, intent: Row | None, told: Outcome, came: str, *, lender: Lender,
    at: datetime, clock: datetime,
) -> None:  # fmt: skip
    """Do what a callback asks for, in the caller's transaction."""
    who = None if intent is None else intent["borrower_id"]
    said = {"provider": way.name, "status": told.status, "amount": told.amount,
            "currency": told.currency, "payment_id": told.payment_id, "came": came}  # fmt: skip
    record("payment.told", [(told.reference, said)], about={told.reference: who})
    if came not in ("taken", "no_news", "pending") and told.status == "paid":
        loan = None if intent is None else intent["loan_id"]
        open_tasks(["match_payment"], borrower_id=who, loan_id=loan)
        if intent is not None:
            cursor.execute("UPDATE store_paymentintent SET doubt = %s WHERE reference = %s",
                           [came, told.reference])  # fmt: skip
    if came != "taken" or intent is None:
        return
    state = after(intent["state"], told.status)
    paid = state == "paid"
    name = way.prefix + told.payment_id if paid else None
    day = _day(told, intent["created_at"], lender=lender, at=at, clock=clock) if paid else None
    cursor.execute(
        "UPDATE store_paymentintent SET state = %s, state_at = now(), payment_id = %s, paid_on = %s"
        " WHERE reference = %s", [state, name, day, told.reference],
    )  # fmt: skip
    if name is not None and day is not None:
        events.accept([_posted(intent, name, day, at)], at=at)


def _day(
    told: Outcome, begun: datetime, *, lender: Lender, at: datetime, clock: datetime
) -> date:  # fmt: skip
    """Return the day on which it was paid: the provider's word, never before it was begun.

    Whoever paid before midnight has paid on that day, whenever we hear of it.
    """
    if told.paid_at is None or told.paid_at > clock:
        return lender.day_of(at)
    ago = clock - max(told.paid_at, min(begun, clock))
    return lender.day_of(at - ago)


def _posted(intent: Row, name: str, day: date, at: datetime) -> dict[str, Any]:
    data = {"payment_id": name, "loan_id": intent["loan_id"], "paid_on": day.isoformat(),
            "amount": major(intent["amount"], intent["currency"])}  # fmt: skip
    return {"specversion": "1.0", "id": intent["reference"], "source": SOURCE,
            "type": "payment.posted", "time": at.isoformat(), "data": data}  # fmt: skip
