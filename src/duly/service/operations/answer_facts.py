"""What an answer names: days, a number to ask by, what was promised. Never a balance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection

from duly.book import Lender
from duly.core import money
from duly.messages import Facts
from duly.replies import PROMISE, Signal
from duly.service.operations.naming import unmasked
from duly.service.rows import Row

#: A number of a reply that is longer is told in two parts.
_PART = 10**6
_WHOLE = 10**8


def facts_of(
    template: str,
    message: Row,
    *,
    lender: Lender,
    reply: int,
    said: datetime,
    zone: str | None,
    signals: Sequence[Signal],
) -> Facts:
    """Return what the answer of a reply may name; days are counted on the person's own clock."""
    local = said.astimezone(ZoneInfo(zone or lender.time_zone))
    loans = tuple(message["loan_ids"])
    promised, amount = None, 0
    currency = _currency(loans[0], lender)
    if template == PROMISE:
        one = next(one for one in signals if one.kind == "promise")
        loans = (one.loan_id,) if one.loan_id else loans
        promised = date.fromisoformat(one.detail["on"])
        amount = money.to_minor(one.detail["amount"], currency)
    return Facts(
        name=unmasked(message["name"]),
        loan_ids=loans,
        currency=currency,
        overdue_total=0,
        as_of=local.date(),
        as_of_time=f"{local:%H:%M}",
        reference=reference(reply),
        answer_by=local.date() + timedelta(days=_days(template, lender)),
        promise_on=promised,
        promise_amount=amount,
        stopped=message["channel"],
    )


def reference(reply: int) -> str:
    """Return the number under which a person asks about his reply.

    >>> reference(17), reference(123_456_789)
    ('R000017', 'R123-456789')
    """
    if reply < _WHOLE:
        return f"R{reply:06d}"
    return f"R{reply // _PART}-{reply % _PART:06d}"


def _days(template: str, lender: Lender) -> int:
    """Return within how many days a person answers: not after the hold that the text promises."""
    answers, review = lender.answers, lender.limits.review_days
    days, kind = {
        "payment_checking": (answers.payment_days, "payment_pending"),
        "dispute_opened": (answers.dispute_days, "dispute"),
        "complaint_received": (answers.complaint_days, "complaint"),
        "hardship_received": (answers.hardship_days, "hardship"),
    }.get(template, (answers.request_days, ""))
    return max(1, min(days, review.get(kind, days)))


def _currency(loan: str, lender: Lender) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT currency FROM store_book_loans WHERE loan_id = %s", [loan])
        row = cursor.fetchone()
    return str(row[0]) if row is not None and row[0] else lender.currency
