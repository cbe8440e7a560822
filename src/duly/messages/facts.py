"""What a message may say: typed facts in, finished text out; prose never travels in a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from duly.core.errors import DulyError


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The figures of one conversation, money in minor units of `currency`.

    Several loans: the amounts are their sums, `days_past_due` the largest, the due dates the
    earliest, the first id that of the leading loan.
    """

    name: str  #: as the book has it; every text shows the masked form only
    loan_ids: tuple[str, ...]
    currency: str = "CNY"
    overdue_total: int  #: 0 says that nothing of these loans is late
    overdue_principal: int = 0
    overdue_interest: int = 0
    overdue_fee: int = 0
    late_charge: int = 0
    days_past_due: int = 0
    overdue_since: date | None = None
    next_due_on: date | None = None
    next_due_amount: int = 0
    debit_time: str | None = None  #: HH:MM of the due day at which that amount is to be debited
    as_of: date
    as_of_time: str = "00:00"  #: HH:MM in the lender's zone: up to when the book knew
    accrues: bool = False  #: a late charge keeps growing under the contract
    several_due: bool = False  #: more than one installment is late
    report_on: date | None = None  #: the day of the report to the credit bureau
    paid_on: date | None = None  #: receipt, returned payment
    paid_amount: int = 0
    #: Of the whole schedule, as the kernel counts it at `as_of` with this payment in it; None where
    #: that cannot be shown: a payment not yet booked to a loan, credit left over, another day.
    outstanding_principal: int | None = None
    corrects_on: date | None = None  #: the day of the message that was wrong
    # What comes with a case or an event, and no plan knows; texts are held to `variables.py`.
    principal: int = 0  #: as it was lent
    disbursed_on: date | None = None
    case_approved: bool = False  #: people approved this step for this very case
    document_sha256: str | None = None  #: of the document whose court and number are named
    court: str | None = None
    case_no: str | None = None
    filed_on: date | None = None
    answer_by: date | None = None
    agency: str | None = None  #: a name of the lender's published list
    agency_from: date | None = None
    visit_on: date | None = None
    staff_one: str | None = None  #: a name and a staff number, such as 李明 1001
    staff_two: str | None = None
    reference: str | None = None
    accrual_stops: bool = False  #: no late charge grows while the matter is open
    plan_total: int = 0
    plan_count: int = 0
    plan_amount: int = 0  #: the first payment of the plan
    plan_first_on: date | None = None
    plan_cost: int | None = None  #: what the plan costs beyond the debt; 0 is a fact
    promise_amount: int = 0
    promise_on: date | None = None
    stopped: str | None = None  #: the channel that was refused: sms, email or voice


@dataclass(frozen=True, kw_only=True)
class Order:
    """One message to write."""

    message_id: str
    template: str
    tone: str
    channel: str
    locale: str
    params: Facts


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """One message as written; `{code}` still stands in the text, `segments` counts it filled."""

    message_id: str
    text: str
    subject: str | None
    segments: int
    encoding: str
    message_class: str
    params: Mapping[str, str]


class CannotSay(DulyError):
    """A message was ordered that its facts do not carry, so no message was written."""

    def __init__(self, message_id: str, template: str, *problems: str) -> None:
        self.message_id = message_id
        self.template = template
        self.problems = problems
        super().__init__(f"{message_id} ({template}): {', '.join(problems)}")


class TemplateBroken(DulyError):
    """A template lacks what its stage requires, or holds what none may hold."""

    def __init__(self, template: str, *problems: str) -> None:
        self.template = template
        self.problems = problems
        super().__init__(f"{template}: {'; '.join(problems)}")
