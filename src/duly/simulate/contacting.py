"""What was said to a late borrower before today, and what came back."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from duly.simulate.people import Person
from duly.simulate.stories import Case
from duly.simulate.tables import Row, instant
from duly.simulate.terms import Loan

#: Days after the due date → the step of `cn-installment` done then, and its channel.
_LADDER = (
    *((4, "first-late", "sms"), (9, "overdue", "sms"), (16, "overdue", "sms")),
    *((24, "no-answer", "voice"), (38, "plan-offer", "sms"), (52, "long-arrears", "sms")),
    *((66, "no-answer", "voice"), (78, "plan-offer", "sms"), (92, "serious", "sms")),
)
_TEXT_OUTCOMES = (*("delivered",) * 16, *("undelivered",) * 2, "sent", "unknown")
_CALL_OUTCOMES = ("connected", "unanswered", "unanswered")
_LEFT_ALONE_DAYS = 13
_OPENS, _OPEN_MINUTES = 9 * 60, 10 * 60


def contacts(loan: Loan, case: Case, person: Person, today: date, rng: Random) -> list[Row]:
    """Return the rows of contacts of one late loan; every second loan was left alone lately."""
    lately = today - timedelta(days=_LEFT_ALONE_DAYS if person.seat % 2 else 2)
    if case.days <= 0 or not person.contact_points("", "") or case.paying == "written_off":
        return []
    due_on = loan.due(loan.first_open).on
    rows: list[Row] = []
    for after, step, channel in _LADDER:
        on = due_on + timedelta(days=after)
        if on <= lately:
            rows.extend(_act(loan, person, on, step, channel, rng))
    if case.story is not None and case.story.kind == "legal_case":
        on = today + timedelta(days=case.story.starts - 10)
        notice = _row(loan, person, instant(on, _OPENS), "sms")
        rows.append(notice | {"step": "validation_notice", "class": "statutory"})
    return rows


def receipts(loan: Loan, person: Person, on: date) -> Row:
    """Return the text that thanked for a payment."""
    return _row(loan, person, instant(on, 11 * 60), "sms") | {"step": "receipt", "class": "receipt"}


def _act(loan: Loan, person: Person, on: date, step: str, channel: str, rng: Random) -> list[Row]:
    minute = _OPENS + rng.randrange(_OPEN_MINUTES)
    if channel == "sms" and person.points in {"email", "invalid_sms"}:
        channel = "email"
    outcomes = _CALL_OUTCOMES if channel == "voice" else _TEXT_OUTCOMES
    sent = _row(loan, person, instant(on, minute), channel) | {
        "outcome": outcomes[rng.randrange(len(outcomes))],
        "step": step,
        "actor": "agent-07" if channel == "voice" else "",
    }
    if sent["outcome"] != "delivered" or rng.randrange(6):
        return [sent]
    reply = {"direction": "in", "outcome": "replied", "step": "", "class": "answer", "by": ""}
    return [sent, sent | {"at": instant(on, minute + 5)} | reply]


def _row(loan: Loan, person: Person, at: str, channel: str) -> Row:
    return {
        "borrower_id": person.borrower_id,
        "loan_id": loan.loan_id,
        "channel": channel,
        "address": person.email if channel == "email" else person.phone,
        "at": at,
        "direction": "out",
        "outcome": "delivered",
        "step": "",
        "by": "lender",
        "actor": "",
        "class": "dunning",
    }
