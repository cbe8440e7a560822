"""What is owed on a day to come, if this were paid until then: the walk of `duly explain`, ahead.

Every figure of an offer comes from here, so that no other arithmetic can disagree with the page
that shows how a figure came about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from duly.care.schedules import Amount
from duly.position.trace import LoanTrace
from duly.position.walk import Applied, Installment, Payment, Terms, Walk

_WAIVED = "\uffff waived"  #: names that stand behind every payment of the same day
_PLANNED = "\uffff planned"


@dataclass(frozen=True, kw_only=True)
class Debt:
    """One loan as it stands on `as_of`; `stops` are days that bear no charge."""

    terms: Terms
    schedule: tuple[Installment, ...]
    payments: tuple[Payment, ...]
    stops: tuple[tuple[date, date], ...]
    as_of: date

    def owed(self, day: date, *, paid: Sequence[Amount] = ()) -> int:
        """Return all that is unpaid on a day, late charge included, if this is paid until then."""
        walk = self._walk(day, paid)
        return sum(self._unpaid(walk)) + self._charge(walk)

    def charge(self, day: date) -> int:
        """Return the late charge that is unpaid on a day if nothing is paid until then."""
        return self._charge(self._walk(day, ()))

    def unpaid(self) -> tuple[tuple[date, int], ...]:
        """Return the due day of each installment that is not paid, and what is missing of it."""
        missing = self._unpaid(self._walk(self.as_of, ()))
        return tuple(
            (row.due_on, left) for row, left in zip(self.schedule, missing, strict=True) if left
        )

    def paused(self) -> Debt:
        """Return the debt with no day charged from today on."""
        return replace(self, stops=(*self.stops, (self.as_of, date.max)))

    def waived(self) -> tuple[Debt, int]:
        """Return the debt without the late charge of today, and how much that was."""
        charge = self.charge(self.as_of)
        if not charge:
            return self, 0
        waiver = Payment(payment_id=_WAIVED, paid_on=self.as_of, amount=charge, kind="waiver",
                         component="late_charge", reversed_on=None)  # fmt: skip
        return replace(self, payments=(*self.payments, waiver)), charge

    def due(self) -> int:
        """Return what is due today or was before, late charge included."""
        ahead = sum(left for day, left in self.unpaid() if day > self.as_of)
        return self.owed(self.as_of) - ahead

    def applied(self, payment: Payment) -> tuple[tuple[Applied, ...], int]:
        """Return where a payment of this debt goes, and what of it nothing is owed for."""
        walk = self._walk(self.as_of, ())
        counted = [one for one in walk.payments if one.counts_on(self.as_of)]
        return walk.state.applied[counted.index(payment)]

    def daily_charge(self) -> int:
        """Return what tomorrow adds to the late charge, if nothing is paid."""
        return self.charge(self.as_of + timedelta(days=1)) - self.charge(self.as_of)

    def _walk(self, day: date, paid: Sequence[Amount]) -> Walk:
        return _walked(self, day, tuple(paid))

    def _unpaid(self, walk: Walk) -> list[int]:
        return [walk.unpaid(walk.state, i) for i in range(len(self.schedule))]

    def _charge(self, walk: Walk) -> int:
        return sum(
            walk.charge(i, walk.as_of) - walk.state.paid[i]["late_charge"]
            for i in range(len(self.schedule))
        )


@lru_cache(maxsize=64)
def _walked(debt: Debt, day: date, paid: tuple[Amount, ...]) -> Walk:
    """Return the walk to a day; one offer asks for the same day more than once."""
    planned = [
        Payment(payment_id=f"{_PLANNED}{one.number:04d}", paid_on=one.due_on, amount=one.amount,
                kind="payment", component="", reversed_on=None)
        for one in paid
    ]  # fmt: skip
    return Walk(
        terms=debt.terms, schedule=debt.schedule, payments=(*debt.payments, *planned),
        stops=debt.stops, stop=None, as_of=day,
    )  # fmt: skip


def debt_of(traced: LoanTrace) -> Debt:
    """Return the debt of an active loan whose figures were derived; what is not yet is not known.

    A reversal that lies ahead of the day has not happened.
    """
    assert traced.accrual_stops_on is None, "an ended loan has no schedule to change"
    return Debt(
        terms=Terms(late_rate_e8=traced.late_rate_e8, late_base=traced.late_base,
                    allocation=traced.allocation, tolerance=traced.tolerance),
        schedule=tuple(
            Installment(number=one.number, due_on=one.due_on, grace_ends_on=one.grace_ends_on,
                        principal=one.principal, interest=one.interest, fee=one.fee)
            for one in traced.installments
        ),
        payments=tuple(
            Payment(payment_id=one.payment_id, paid_on=one.paid_on, amount=one.amount,
                    kind=one.kind, component=one.component,
                    reversed_on=_known(one.reversed_on, traced.as_of))
            for one in traced.payments
        ),
        stops=traced.paused,
        as_of=traced.as_of,
    )  # fmt: skip


def _known(day: date | None, as_of: date) -> date | None:
    return day if day is not None and day <= as_of else None
