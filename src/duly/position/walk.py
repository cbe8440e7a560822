"""The days of one loan walked one by one, in plain Python and whole minor units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

COMPONENTS = ("late_charge", "fee", "interest", "principal")
_PRINCIPAL_FIRST = ("principal", "interest", "fee", "late_charge")
_PARTS = ("fee", "interest", "principal")
_DAY = timedelta(days=1)
_E8 = 100_000_000


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the walk needs of a loan; the rate is a daily one, times 10**8."""

    late_rate_e8: int
    late_base: str
    allocation: str
    tolerance: int


@dataclass(frozen=True, kw_only=True)
class Installment:
    """One row of the schedule, in minor units."""

    number: int
    due_on: date
    grace_ends_on: date
    principal: int
    interest: int
    fee: int

    def owed(self, component: str) -> int:
        """Return the scheduled amount of a component that is no late charge."""
        return {"principal": self.principal, "interest": self.interest, "fee": self.fee}[component]


@dataclass(frozen=True, kw_only=True)
class Payment:
    """One payment or waiver, in minor units; `component` empty means any."""

    payment_id: str
    paid_on: date
    amount: int
    kind: str
    component: str
    reversed_on: date | None

    def counts_on(self, day: date) -> bool:
        """Return whether it counts on `day`: from paid_on to the day before its reversal."""
        return self.paid_on <= day and (self.reversed_on is None or day < self.reversed_on)


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Days from_day <= d < until_day charged on one base, in minor units."""

    from_day: date
    until_day: date
    days: int
    base: int


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What a payment paid of one installment."""

    number: int
    component: str
    amount: int


class State:
    """How one day's payments were allocated."""

    def __init__(self, count: int) -> None:
        self.paid = [dict.fromkeys(COMPONENTS, 0) for _ in range(count)]
        self.settled_on: list[date | None] = [None] * count
        self.applied: list[tuple[tuple[Applied, ...], int]] = []


class Walk:
    """One loan from its first due date to as_of; `stops` are days that bear no charge."""

    def __init__(
        self,
        *,
        terms: Terms,
        schedule: Sequence[Installment],
        payments: Sequence[Payment],
        stops: Sequence[tuple[date, date]],
        stop: date | None,
        as_of: date,
    ) -> None:
        self.terms, self.schedule, self.as_of = terms, schedule, as_of
        self.payments, self.stop, self._stops = payments, stop, stops
        self.segments: list[list[Segment]] = [[] for _ in schedule]
        self.kept_grace = [False] * len(schedule)
        self._sums: list[dict[date, int]] = [{} for _ in schedule]
        self._states: dict[tuple[str, ...], State] = {}
        self._live()
        self.state = self._replay_on(as_of, as_of)

    def unpaid(self, state: State, i: int) -> int:
        """Return principal + interest + fee not yet paid."""
        row, paid = self.schedule[i], state.paid[i]
        return sum(row.owed(part) - paid[part] for part in _PARTS)

    def counts(self, state: State, i: int) -> bool:
        """Return whether more than the tolerance is unpaid."""
        return self.unpaid(state, i) > self.terms.tolerance

    def charge(self, i: int, day: date) -> int:
        """Return the late charge that stands on `day`, rounded half up once."""
        if day <= self.schedule[i].grace_ends_on or self.kept_grace[i]:
            return 0
        return (self._sums[i].get(day, 0) * self.terms.late_rate_e8 * 2 + _E8) // (2 * _E8)

    def _live(self) -> None:
        days = [row.due_on for row in self.schedule] + [row.paid_on for row in self.payments]
        day = min([*days, *(row.grace_ends_on for row in self.schedule)], default=self.as_of)
        while day <= self.as_of:
            morning = self._replay_on(day, day - _DAY)
            for i, row in enumerate(self.schedule):
                base = self._base(morning, i) if row.due_on < day and self._charged(day) else 0
                self._sums[i][day] = self._sums[i].get(day - _DAY, 0) + base
                if base:
                    self._extend(i, day, base)
            # A payment of today meets the charges of today: all of them stand before it is asked.
            for i, row in enumerate(self.schedule):
                if day == row.grace_ends_on:
                    self.kept_grace[i] = not self.counts(self._replay_on(day, day), i)
            day += _DAY

    def _charged(self, day: date) -> bool:
        if self.stop is not None and day >= self.stop:
            return False
        return not any(start <= day < end for start, end in self._stops)

    def _base(self, state: State, i: int) -> int:
        if not self.counts(state, i):
            return 0
        if self.terms.late_base == "installment":
            return self.unpaid(state, i)
        return self.schedule[i].principal - state.paid[i]["principal"]

    def _extend(self, i: int, day: date, base: int) -> None:
        """Add a charged day to the installment's segments."""
        segments = self.segments[i]
        if segments and segments[-1].until_day == day and segments[-1].base == base:
            last = segments.pop()
            segments.append(
                Segment(from_day=last.from_day, until_day=day + _DAY, days=last.days + 1, base=base)
            )
        else:
            segments.append(Segment(from_day=day, until_day=day + _DAY, days=1, base=base))

    def _replay_on(self, day: date, through: date) -> State:
        """Allocate the payments that count on `day` and are dated by `through`.

        Each meets the charges of its own date, which are history: the same rows in the same
        order always come to the same state.
        """
        rows = [row for row in self.payments if row.counts_on(day) and row.paid_on <= through]
        key = tuple(row.payment_id for row in rows)
        if key not in self._states:
            self._states[key] = self._replay(rows)
        return self._states[key]

    def _replay(self, rows: Sequence[Payment]) -> State:
        state = State(len(self.schedule))
        for payment in rows:
            left, applied = payment.amount, []
            for i, component in self._order(payment):
                row, paid = self.schedule[i], state.paid[i]
                owed = (
                    self.charge(i, payment.paid_on)
                    if component == "late_charge"
                    else row.owed(component)
                )
                part = min(left, owed - paid[component])
                if part > 0:
                    paid[component] += part
                    left -= part
                    applied.append(Applied(number=row.number, component=component, amount=part))
                if state.settled_on[i] is None and not self.counts(state, i):
                    state.settled_on[i] = payment.paid_on
            state.applied.append((tuple(applied), left))
        return state

    def _order(self, payment: Payment) -> list[tuple[int, str]]:
        """Return (installment, component) pairs in the order in which the payment meets them."""
        due = [i for i, row in enumerate(self.schedule) if row.due_on <= payment.paid_on]
        if self.terms.allocation == "component":
            order = [(i, component) for component in COMPONENTS for i in due]
        else:
            first = self.terms.allocation == "principal_first"
            inside = _PRINCIPAL_FIRST if first else COMPONENTS
            order = [(i, component) for i in due for component in inside]
        if payment.kind == "waiver":
            if payment.component:
                return [(i, payment.component) for i in due]
            return [(i, "late_charge") for i in due] + order
        future = range(len(due), len(self.schedule))
        return order + [(i, component) for i in future for component in _PARTS]
