"""Which relief a stated budget carries within the lender's limits, and what each costs.

Amounts are minor units. The rows of an offer add up to what is owed and the late charge that still
runs, exactly; no row is more than the budget has left; where none fits, it is said why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from duly.care.debts import Debt
from duly.care.schedules import Amount, first_on, later, months_between, rows, split

KINDS = ("extension", "installments", "pause")
#: Days before the first payment of a re-plan, and of one that is moved.
_REPLAN_DAYS, _MOVED_DAYS = 7, 14
_ROUNDS_MAX = 50  #: until equal payments carry the charge that runs meanwhile


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What somebody states of a month."""

    income: int
    essentials: int
    other_loans: int

    @property
    def left(self) -> int:
        """What a month leaves for this loan; below nought where it leaves nothing."""
        return self.income - self.essentials - self.other_loans


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the lender lets a page agree."""

    kinds: tuple[str, ...]
    extension_months: int
    installments: int
    pause_months: int
    least: int  #: of a payment of a re-plan; 0: none is stated
    accrual_stops: bool
    waives: bool


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asked for, and on which day of a month his money is there."""

    kind: str  #: one of KINDS, or `any`
    pay_day: int  #: 1 to 28


@dataclass(frozen=True, kw_only=True)
class Present:
    """What the contract asks if nothing is agreed."""

    due_now: int
    later: tuple[Amount, ...]
    daily_charge: int  #: what tomorrow adds

    @property
    def total(self) -> int:
        """What it costs in all if everything due is paid today and the rest in time."""
        return self.due_now + sum(one.amount for one in self.later)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One way that the budget carries; a pause has no rows."""

    kind: str
    months: int  #: by which the schedule's end moves, or for which payments pause
    amounts: tuple[Amount, ...]
    owed: int  #: once agreed, what is waived left out
    charge: int  #: late charge that still runs until the last row
    waived: int
    accrual_stops: bool
    starts_on: date
    until: date | None = None  #: of a pause: the first day after it
    due_then: int = 0  #: of a pause: what will have come due by then

    @property
    def total(self) -> int:
        """What it costs in all."""
        return self.owed + self.charge

    @property
    def monthly(self) -> int:
        """The largest payment; 0 in a pause."""
        return max((one.amount for one in self.amounts), default=0)

    @property
    def first_on(self) -> date:
        """The first day on which something is to be paid, or looked at again."""
        return self.amounts[0].due_on if self.amounts else self._until()

    @property
    def last_on(self) -> date:
        """The day of the last payment, or the first after a pause."""
        return self.amounts[-1].due_on if self.amounts else self._until()

    def _until(self) -> date:
        assert self.until is not None
        return self.until


@dataclass(frozen=True, kw_only=True)
class Relief:
    """The present plan, what fits beside it, and why the rest does not: kind → reason."""

    present: Present
    offers: tuple[Offer, ...]
    without: tuple[tuple[str, str], ...]


def relieve(debt: Debt, budget: Budget, limits: Limits, wish: Wish) -> Relief:
    """Return what can be agreed about a debt of which something is owed.

    The reasons why a kind is not offered: `person` (the lender decides it by a person), `budget`
    (a payment would be more than the budget has left), `longer` (it would take more months than
    the lender's limit), `least` (payments would be under the lender's least), `able` (a pause,
    where the budget carries payments).
    """
    present = _present(debt)
    assert present.total > 0, "nothing is owed"
    stopped = debt.paused() if limits.accrual_stops else debt
    agreed, waived = stopped.waived() if limits.waives else (stopped, 0)
    found: list[Offer] = []
    without: list[tuple[str, str]] = []
    for kind in KINDS:
        if kind not in limits.kinds:
            without.append((kind, "person"))
        elif kind == "extension":
            _gather(_extensions(agreed, budget, limits, wish, waived), kind, found, without)
        elif kind == "installments":
            _gather(_replan(agreed, budget, limits, wish, waived), kind, found, without)
        elif found:
            without.append((kind, "able"))
        else:
            found.append(_pause(agreed, limits, waived))
    for one in found:
        assert sum(row.amount for row in one.amounts) == (one.total if one.amounts else 0), one
    found.sort(key=lambda one: (one.kind != wish.kind, KINDS.index(one.kind), one.months))
    return Relief(present=present, offers=tuple(found), without=tuple(without))


def _gather(
    made: list[Offer] | str, kind: str, found: list[Offer], without: list[tuple[str, str]]
) -> None:
    if isinstance(made, str):
        without.append((kind, made))
    else:
        found.extend(made)


def _present(debt: Debt) -> Present:
    ahead = rows([(day, left) for day, left in debt.unpaid() if day > debt.as_of])
    return Present(
        due_now=debt.owed(debt.as_of) - sum(one.amount for one in ahead),
        later=ahead,
        daily_charge=debt.daily_charge(),
    )


def _extensions(
    debt: Debt, budget: Budget, limits: Limits, wish: Wish, waived: int
) -> list[Offer] | str:
    """Return the schedule as it is, some months later; the late charge comes with its first row."""
    unpaid = debt.unpaid()
    # Nothing but late charge is left: there is no schedule to move.
    if not unpaid:
        return "longer"
    months = 1
    while (later(unpaid[0][0], months) - debt.as_of).days < _MOVED_DAYS:
        months += 1
        if months > limits.extension_months:
            return "longer"
    made = []
    wanted = [months]
    if wish.kind == "extension" and limits.extension_months > months:
        wanted.append(limits.extension_months)
    for one in wanted:
        moved = [(later(day, one), left) for day, left in unpaid]
        due = [(moved[0][0], debt.charge(debt.as_of)), *moved]
        offer = _closed("extension", one, rows(due), debt, limits, waived)
        if offer is not None and offer.monthly <= budget.left:
            made.append(offer)
    return made or "budget"


def _replan(
    debt: Debt, budget: Budget, limits: Limits, wish: Wish, waived: int
) -> list[Offer] | str:
    """Return all that is owed in the fewest equal payments that the budget carries."""
    if budget.left <= 0:
        return "budget"
    owed = debt.owed(debt.as_of)
    fewest = max(2, -(-owed // budget.left))
    first = first_on(wish.pay_day, after=debt.as_of, days=_REPLAN_DAYS)
    ends = max(row.due_on for row in debt.schedule)
    for count in range(fewest, limits.installments + 1):
        if owed // count < max(limits.least, 1):
            return "least"
        parts = split(owed, count)
        dates = [later(first, n) for n in range(count)]
        for _ in range(_ROUNDS_MAX):
            due = tuple(
                Amount(number=n, due_on=day, amount=part)
                for n, (day, part) in enumerate(zip(dates, parts, strict=True), start=1)
            )
            moved = months_between(ends, dates[-1])
            offer = _closed("installments", moved, due, debt, limits, waived)
            if offer is None or offer.amounts[-1].amount <= parts[0]:
                break
            # The charge that runs makes the last one larger: all of them carry it.
            parts = split(sum(row.amount for row in offer.amounts), count)
        if offer is not None and offer.monthly <= budget.left:
            return [offer]
    return "longer"


def _closed(
    kind: str, months: int, due: Sequence[Amount], debt: Debt, limits: Limits, waived: int
) -> Offer | None:
    """Return the offer with its last row as much as is owed on that day; None where nothing is."""
    before, last = tuple(due[:-1]), due[-1]
    left = debt.owed(last.due_on, paid=before)
    if left <= 0:
        return None
    amounts = (*before, Amount(number=last.number, due_on=last.due_on, amount=left))
    owed = debt.owed(debt.as_of)
    return Offer(
        kind=kind, months=months, amounts=amounts, owed=owed,
        charge=sum(one.amount for one in amounts) - owed, waived=waived,
        accrual_stops=limits.accrual_stops, starts_on=debt.as_of,
    )  # fmt: skip


def _pause(debt: Debt, limits: Limits, waived: int) -> Offer:
    """Return months in which nothing is to be paid; the schedule then stands as it stood."""
    until = later(debt.as_of, limits.pause_months)
    owed, after = debt.owed(debt.as_of), debt.owed(until)
    ahead = sum(left for day, left in debt.unpaid() if day > until)
    return Offer(
        kind="pause", months=limits.pause_months, amounts=(), owed=owed,
        charge=after - owed, waived=waived, accrual_stops=limits.accrual_stops,
        starts_on=debt.as_of, until=until, due_then=after - ahead,
    )  # fmt: skip
