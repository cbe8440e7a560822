"""A loan as its receipt: each line with what made it, in the words of `duly explain`'s trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from duly.messages.values import tail_text
from duly.position.trace import InstallmentTrace, LoanTrace, PaymentTrace
from duly.service.operations.deriving import AgreedPlan, Derived, DerivedLoan, OpenSignal

_E6 = 10**6  #: a rate in 1/10^8 as a percentage
#: Open facts that pause reminders and that a page may name; others are never named.
PAUSES = frozenset(
    "plan dispute payment_pending complaint hardship promise moratorium disaster".split()
)


@dataclass(frozen=True, kw_only=True)
class ChargeTerm:
    """So many days on one base."""

    base: int
    days: int
    from_day: date
    last_day: date


@dataclass(frozen=True, kw_only=True)
class InstallmentLine:
    """One installment: what was due, what came in, how its late charge was counted."""

    number: int
    due_on: date
    state: str  #: settled | late | grace | open | later
    amounts: tuple[tuple[str, int, int], ...]  #: component, scheduled, paid
    settled_on: date | None
    grace_ends_on: date
    charge: int
    charge_paid: int
    terms: tuple[ChargeTerm, ...]
    left: int  #: unpaid, late charge included

    @property
    def scheduled(self) -> int:
        """What was due without any late charge."""
        return sum(amount for _, amount, _ in self.amounts)


@dataclass(frozen=True, kw_only=True)
class PaymentLine:
    """One payment or waiver and where it went."""

    payment_id: str
    paid_on: date
    amount: int
    kind: str
    reversed_on: date | None
    counts: bool
    applied: tuple[tuple[str, int, int], ...]  #: component, number, amount
    left: int


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Everything of one loan that its page shows."""

    place: int  #: among the person's loans, from 1
    loan_id: str
    tail: str
    currency: str
    creditor: str | None
    principal: int
    disbursed_on: date
    known: bool
    position: Mapping[str, Any]
    overdue: tuple[tuple[str, int], ...]  #: component, unpaid of what is overdue
    installments: tuple[InstallmentLine, ...]
    later: tuple[InstallmentLine, ...]
    payments: tuple[PaymentLine, ...]
    rate: str  #: of a day, as a percentage
    late_base: str
    allocation: str
    paused: tuple[tuple[date, date | None], ...]
    capped: Mapping[str, int] | None
    pauses: tuple[OpenSignal, ...]
    plan: AgreedPlan | None  #: the one that holds

    @property
    def charge_stopped(self) -> bool:
        """Whether today bears no late charge."""
        today = self.position.get("as_of")
        return any(
            start <= today and (end is None or today < end) for start, end in self.paused if today
        )

    def has(self, line: str) -> bool:
        """Return whether a line of this receipt has a name."""
        kind, _, name = line.partition(":")
        if kind in ("due", "charge"):
            return name in {str(one.number) for one in (*self.installments, *self.later)}
        if kind == "payment":
            return name in {one.payment_id for one in self.payments}
        return line in ("total", "terms")


def receipts_of(found: Derived) -> tuple[Receipt, ...]:
    """Return the receipts of a person's loans, in the order of their ids."""
    return tuple(
        _receipt(place, loan, found) for place, loan in enumerate(found.loans, start=1)
    )  # fmt: skip


def _receipt(place: int, loan: DerivedLoan, found: Derived) -> Receipt:
    traced = loan.trace
    lines = _lines(traced, found.as_of) if traced else ()
    return Receipt(
        place=place, loan_id=loan.loan_id, tail=tail_text(loan.loan_id), currency=loan.currency,
        creditor=loan.creditor, principal=loan.principal, disbursed_on=loan.disbursed_on,
        known=traced is not None,
        position=dict(traced.position) if traced else {},
        overdue=_overdue(traced) if traced else (),
        installments=tuple(one for one in lines if one.state != "later"),
        later=tuple(one for one in lines if one.state == "later"),
        payments=tuple(_payment(one) for one in traced.payments) if traced else (),
        rate=_percent(traced.late_rate_e8) if traced else "",
        late_base=traced.late_base if traced else "",
        allocation=traced.allocation if traced else "",
        paused=tuple((start, None if end == date.max else end) for start, end in traced.paused)
        if traced else (),
        capped=loan.capped,
        plan=next((one for one in found.plans
                   if one.loan_id == loan.loan_id and one.holds(found.at)), None),
        pauses=tuple(one for one in found.signals if one.kind in PAUSES
                     and one.loan_id in (None, loan.loan_id)
                     and (one.holds_until is None or found.as_of <= one.holds_until)),
    )  # fmt: skip


def _overdue(traced: LoanTrace) -> tuple[tuple[str, int], ...]:
    at = traced.position
    parts = {"principal": at["overdue_principal"], "interest": at["overdue_interest"],
             "fee": at["overdue_fee"], "late_charge": at["late_charge"]}  # fmt: skip
    return tuple((name, int(str(amount))) for name, amount in parts.items() if amount)


def _lines(traced: LoanTrace, as_of: date) -> tuple[InstallmentLine, ...]:
    return tuple(_installment(one, as_of) for one in traced.installments)


def _installment(one: InstallmentTrace, as_of: date) -> InstallmentLine:
    amounts = tuple(
        (name, getattr(one, name), getattr(one, f"paid_{name}"))
        for name in ("principal", "interest", "fee")
        if getattr(one, name)
    )
    left = one.unpaid_total + one.late_charge_accrued - one.late_charge_paid
    return InstallmentLine(
        number=one.number, due_on=one.due_on, state=_state(one, as_of, left), amounts=amounts,
        settled_on=one.settled_on, grace_ends_on=one.grace_ends_on,
        charge=one.late_charge_accrued, charge_paid=one.late_charge_paid, left=left,
        terms=tuple(
            ChargeTerm(base=part.base, days=part.days, from_day=part.from_day,
                       last_day=part.until_day - timedelta(days=1))
            for part in one.segments
        ),
    )  # fmt: skip


def _state(one: InstallmentTrace, as_of: date, left: int) -> str:
    if left == 0:
        return "settled" if one.settled_on else "later" if one.due_on > as_of else "settled"
    if one.due_on > as_of:
        return "later"
    if one.due_on == as_of:
        return "open"
    return "grace" if one.grace == "open" else "late"


def _payment(one: PaymentTrace) -> PaymentLine:
    return PaymentLine(
        payment_id=one.payment_id, paid_on=one.paid_on, amount=one.amount, kind=one.kind,
        reversed_on=one.reversed_on, counts=one.counts, left=one.left,
        applied=tuple((part.component, part.number, part.amount) for part in one.applied),
    )  # fmt: skip


def _percent(rate_e8: int) -> str:
    """Return a daily rate as a percentage.

    >>> _percent(50000), _percent(65753)
    ('0.05', '0.065753')
    """
    whole, rest = divmod(rate_e8, _E6)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
