"""What was paid on a generated loan, by how its borrower pays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from duly.simulate.stories import Case
from duly.simulate.terms import Due, Loan, late_charge

_OVERPAID = 5_000
_LATE_DAYS_MAX = 12


@dataclass(frozen=True, kw_only=True)
class Paid:
    """One row of payments."""

    on: date
    amount: int
    kind: str = "payment"
    component: str = ""
    reversed_on: date | None = None


def paid(loan: Loan, case: Case, today: date, rng: Random) -> list[Paid]:
    """Return the payments and waivers of a loan up to the day before `today`, oldest first."""
    # The last installment before the open one is in time: its lateness could reach past today.
    late = range(loan.first_open - 1 - case.late_times, loan.first_open - 1)
    rows = [
        _one(loan, due, rng, late=due.number in late)
        for due in loan.schedule
        if due.number < loan.first_open
    ]
    rows.extend(_last(loan, case, today, rng, rows))
    if case.story is not None:
        rows.extend(
            Paid(on=today + timedelta(days=day), amount=amount) for day, amount in case.story.paid
        )
    return rows


def _one(loan: Loan, due: Due, rng: Random, *, late: bool) -> Paid:
    """Return the payment of one installment: up to two days early, or late with its charge."""
    if not late:
        return Paid(on=due.on - timedelta(days=rng.randrange(3)), amount=due.total)
    days = loan.grace_days + 1 + rng.randrange(_LATE_DAYS_MAX)
    return Paid(on=due.on + timedelta(days=days), amount=due.total + late_charge(loan, due, days))


def _last(loan: Loan, case: Case, today: date, rng: Random, before: list[Paid]) -> list[Paid]:
    """Return what the case adds; crumbs and overpayments replace the last payment in `before`."""
    due = loan.due(min(loan.first_open, len(loan.schedule)))
    ago = max(1, case.days)
    match case.paying:
        case "part":
            on = today - timedelta(days=1 + rng.randrange(ago))
            return [Paid(on=on, amount=due.total * 2 // 500 * 100)]
        case "reversed":
            undone = today - timedelta(days=1 + rng.randrange(ago - 1))
            return [Paid(on=due.on, amount=due.total, reversed_on=undone)]
        case "waived":
            amount = max(1, late_charge(loan, due, case.days - 2) // 2)
            on = today - timedelta(days=2)
            return [Paid(on=on, amount=amount, kind="waiver", component="late_charge")]
        case "crumb" | "tolerated":
            # The right amount, days after the grace: the charge that is paid first leaves a crumb.
            last = before.pop()
            days = loan.grace_days + 1 + rng.randrange(3)
            on = loan.due(loan.first_open - 1).on + timedelta(days=days)
            return [Paid(on=on, amount=loan.due(loan.first_open - 1).total, kind=last.kind)]
        case "ahead":
            on = today - timedelta(days=3)
            return [Paid(on=on, amount=row.total) for row in _next(loan, 2)]
        case "settled_early":
            on = today - timedelta(days=10 + ago)
            return [Paid(on=on, amount=sum(row.total for row in _next(loan, len(loan.schedule))))]
        case "overpaid":
            last = before.pop()
            return [Paid(on=last.on, amount=last.amount + _OVERPAID)]
        case _:
            return []


def _next(loan: Loan, count: int) -> tuple[Due, ...]:
    return loan.schedule[loan.first_open - 1 :][:count]
