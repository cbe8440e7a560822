"""The terms and the schedule of one generated loan, in whole minor units."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction


@dataclass(frozen=True, kw_only=True)
class Due:
    """One installment."""

    number: int
    on: date
    principal: int
    interest: int
    fee: int

    @property
    def total(self) -> int:
        """Return what is due on the day."""
        return self.principal + self.interest + self.fee


@dataclass(frozen=True, kw_only=True)
class Loan:
    """One loan; `first_open` is the number of the installment its case turns on."""

    loan_id: str
    borrower_id: str
    creditor: str
    principal: int
    disbursed_on: date
    rate_bps: int
    late_rate_e8: int
    late_base: str
    grace_days: int
    allocation: str
    tolerance: int
    schedule: tuple[Due, ...]
    first_open: int

    def due(self, number: int) -> Due:
        """Return the installment with this number."""
        return self.schedule[number - 1]


@dataclass(frozen=True, kw_only=True)
class Owed:
    """What a loan owes on one day when every payment so far was exact."""

    overdue_total: int
    outstanding_total: int


def add_months(day: date, months: int) -> date:
    """Return the same day of another month, or that month's last day.

    >>> add_months(date(2026, 1, 31), 1)
    datetime.date(2026, 2, 28)
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def amortize(principal: int, rate_bps: int, months: int) -> list[tuple[int, int]]:
    """Return (principal, interest) of equal installments (等额本息); the last takes the rest.

    >>> amortize(100_000, 1200, 3)
    [(33002, 1000), (33332, 670), (33666, 337)]
    """
    rate = Fraction(rate_bps, 120_000)
    level = _rounded(principal * rate / (1 - (1 + rate) ** -months))
    rows: list[tuple[int, int]] = []
    left = principal
    for number in range(1, months + 1):
        interest = _rounded(left * rate)
        part = left if number == months else level - interest
        rows.append((part, interest))
        left -= part
    return rows


def schedule(
    principal: int, *, rate_bps: int, months: int, fee: int, anchor: date, anchor_number: int
) -> tuple[Due, ...]:
    """Return the schedule whose installment `anchor_number` is due on `anchor`."""
    parts = amortize(principal, rate_bps, months)
    return tuple(
        Due(
            number=number,
            on=add_months(anchor, number - anchor_number),
            principal=part,
            interest=interest,
            fee=fee,
        )
        for number, (part, interest) in enumerate(parts, start=1)
    )


def late_charge(loan: Loan, due: Due, days: int) -> int:
    """Return the charge on one wholly unpaid installment after `days` days, rounded half up."""
    if days <= loan.grace_days:
        return 0
    base = due.principal if loan.late_base == "principal" else due.total
    return (2 * base * days * loan.late_rate_e8 + 10**8) // (2 * 10**8)


def owed(loan: Loan, unpaid: Iterable[Due], as_of: date) -> Owed:
    """Return the figures of wholly unpaid installments as of a day."""
    rest = tuple(unpaid)
    late = [due for due in rest if due.on < as_of]
    charge = sum(late_charge(loan, due, (as_of - due.on).days) for due in late)
    return Owed(
        overdue_total=charge + sum(due.total for due in late),
        outstanding_total=charge + sum(due.total for due in rest),
    )


def _rounded(value: Fraction) -> int:
    return int(value + Fraction(1, 2))
