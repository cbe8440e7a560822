"""What follows from a reading: signals of the book at once, and tasks for a person.

Stopping is done at once; a promise holds; everything that a person has to weigh becomes a task.
The kinds of signals are the contract's (section 1), as words.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from duly.core import digest
from duly.replies.deciding import FOR_A_PERSON
from duly.replies.reading import CONFIDENCE_MIN, Reading
from duly.replies.rows import Sender

#: Columns of the book's table `signals`.
COLUMNS = ("signal_id", "borrower_id", "loan_id", "kind", "starts_at", "ends_at", "detail")
#: A promise holds no longer than this (contract, section 3).
PROMISE_DAYS_MAX = 30
#: Intent → kind of signal; what is not here raises none.
KINDS = {
    "opt_out": "opt_out",
    "dispute_identity": "identity_dispute",
    "paid_already": "payment_pending",
    "promise_to_pay": "promise",
    "hardship": "hardship",
    "dispute_amount": "dispute",
    "complaint": "complaint",
    "legal_representation": "legal_representation",
    "deceased_or_incapacity": "deceased",
}
#: Intent → what a person does; what is not here needs nobody by itself.
TASKS = {
    "deceased_or_incapacity": "care_for_family",
    "legal_representation": "write_to_representative",
    "dispute_identity": "find_right_person",
    "paid_already": "match_payment",
    "dispute_amount": "answer_dispute",
    "complaint": "answer_complaint",
    "hardship": "offer_relief",
    "instalment_request": "offer_plan",
    "extension_request": "offer_extension",
    "verify_authenticity": "show_who_we_are",
    "how_to_pay": "say_how_to_pay",
    "callback_request": "call_back",
    "abusive": "read_reply",
    "other": "read_reply",
}
#: Intent → the word for it in the responses of a policy. A death and a lawyer have none: of these
#: nothing is left to a policy.
HEARD = {
    "opt_out": "opt_out",
    "dispute_identity": "wrong_person",
    "paid_already": "paid_already",
    "promise_to_pay": "promise",
    "hardship": "hardship",
    "dispute_amount": "dispute",
    "complaint": "complaint",
    "instalment_request": "extension",
    "extension_request": "extension",
    "callback_request": "call_me",
    "verify_authenticity": "question",
    "how_to_pay": "question",
    "abusive": "other",
    "other": "other",
}
#: Kind of a signal → the same word, where somebody else heard it and tells us. That a loan was
#: taken by fraud is told by people and programs; no reply is read as that.
TOLD = {KINDS[intent]: word for intent, word in HEARD.items() if intent in KINDS} | {
    "fraud_claim": "fraud"
}
#: `deceased` is raised for the borrower's own death alone: it binds him for good.
_OF_FATES = {"deceased": "deceased", "incapacity": "incapacity", "bereaved": "hardship"}
_OF_THE_PERSON = (
    "opt_out", "identity_dispute", "deceased", "incapacity", "legal_representation",
)  # fmt: skip
#: What stops contact whether it comes first or second in a reply.
_AT_ONCE = ("opt_out", "dispute_identity")


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One row of the book's table `signals`; no end: it stays in force until somebody ends it."""

    signal_id: str
    borrower_id: str
    loan_id: str
    kind: str
    starts_at: datetime
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Followed:
    """What one reading leads to."""

    signals: tuple[Signal, ...]
    tasks: tuple[str, ...]


def signals_of(reading: Reading, sender: Sender, received_at: datetime) -> Followed:
    """Return the signals and tasks of a reading; the same reply gives the same signal ids."""
    intents = [reading.intent] if reading.confidence >= CONFIDENCE_MIN else []
    if reading.secondary_intent in _AT_ONCE:
        intents.append(reading.secondary_intent)
    made = [_signal(reading, intent, sender, received_at) for intent in intents]
    tasks = tasks_of(reading, received_at, owed=sender.owed)
    return Followed(signals=tuple(one for one in made if one), tasks=tasks)


def tasks_of(
    reading: Reading, received_at: datetime, *, owed: Decimal | None = None
) -> tuple[str, ...]:
    """Return what a person has to do about a reading, the first thing first."""
    tasks = ["care_now"] if reading.in_danger else []
    if reading.fate == "bereaved":
        tasks.append("care_for_bereaved")
    elif reading.intent in TASKS:
        tasks.append(TASKS[reading.intent])
    if reading.intent == "promise_to_pay":
        if reading.promise_date is None or reading.date_confidence != "firm":
            tasks.append("agree_date")
        elif reading.promise_date > received_at.date() + timedelta(days=PROMISE_DAYS_MAX):
            tasks.append("agree_earlier_date")
        elif reading.amount is None and owed is None:
            tasks.append("agree_amount")
    unsure = reading.intent in KINDS and reading.confidence < CONFIDENCE_MIN
    # A grave word beside an ordinary act: to agree on a day is not to read what else was said.
    beside = reading.needs_person and reading.intent not in FOR_A_PERSON and not reading.vulnerable
    if unsure or beside or (reading.needs_person and not tasks):
        tasks.append("read_reply")
    if reading.secondary_intent in TASKS:
        tasks.append(TASKS[reading.secondary_intent])
    return tuple(dict.fromkeys(tasks))


def heard_as(reading: Reading) -> tuple[str, ...]:
    """Return the words of a policy's responses for what a reply says; `other` where unsure."""
    if reading.fate is not None:
        return ("hardship",) if reading.fate == "bereaved" else ()
    words = ["other" if reading.confidence < CONFIDENCE_MIN else HEARD.get(reading.intent)]
    words.append(HEARD.get(reading.secondary_intent or ""))
    return tuple(dict.fromkeys(word for word in words if word))


def _signal(reading: Reading, intent: str, sender: Sender, received_at: datetime) -> Signal | None:
    kind = KINDS.get(intent)
    if kind is None:
        return None
    bereaved = intent == reading.intent and reading.fate == "bereaved"
    if intent == reading.intent and reading.fate is not None:
        kind = _OF_FATES[reading.fate]
    detail: dict[str, str] = {"reply": reading.id}
    if bereaved:
        detail["about"] = "family"
    if kind == "opt_out":
        detail["channel"] = sender.channel
    if kind == "promise":
        if reading.promise_date is None or reading.date_confidence != "firm":
            return None
        detail["on"] = reading.promise_date.isoformat()
        # A book takes no promise without a figure; who names none means all that is owed.
        if reading.amount is None and sender.owed is None:
            return None
    amount = reading.amount or (sender.owed if kind == "promise" else None)
    if kind in ("promise", "payment_pending", "dispute") and amount is not None:
        detail["amount"] = money(amount)
    # A stop binds the person, whatever loan was written about.
    loan = "" if kind in _OF_THE_PERSON or bereaved else sender.loan_id
    name = digest.of_value([reading.id, sender.borrower_id, loan, kind])[:16]
    return Signal(signal_id=f"reply-{name}", borrower_id=sender.borrower_id, loan_id=loan,
                  kind=kind, starts_at=received_at, detail=detail)  # fmt: skip


def money(amount: Decimal) -> str:
    """Return an amount in major units with two decimals, as books hold it."""
    return str(amount.quantize(Decimal("0.01")))


def to_csv(signals: Iterable[Signal]) -> str:
    """Return signals as the CSV of the book's table, sorted by id, each id once."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in sorted({signal.signal_id: signal for signal in signals}.values(),
                      key=lambda signal: signal.signal_id):  # fmt: skip
        detail = json.dumps(one.detail, sort_keys=True, ensure_ascii=False)
        writer.writerow([one.signal_id, one.borrower_id, one.loan_id, one.kind,
                         one.starts_at.isoformat(), "", detail])  # fmt: skip
    return text.getvalue()
