"""What the contract says, one loan, one day after the other, in Decimal: slow and plainly right.

Nothing here is shared with the package. Each day asks section 2 again from the first payment on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from position_books import Book, Row

ONE = timedelta(days=1)
ORDERS = {
    "oldest_installment": ["late_charge", "fee", "interest", "principal"],
    "principal_first": ["principal", "interest", "fee", "late_charge"],
}
FUTURE = ["fee", "interest", "principal"]


class State:
    """How the payments of one day's book were allocated."""

    def __init__(self, count: int) -> None:
        self.paid = [
            dict.fromkeys(["late_charge", "fee", "interest", "principal"], Decimal(0))
            for _ in range(count)
        ]
        self.settled_on: list[date | None] = [None] * count
        self.credit = Decimal(0)
        self.waiver_unused = Decimal(0)


class Oracle:
    """One loan of a book as of one day."""

    def __init__(self, book: Book, loan_id: str, as_of: date, zone: str) -> None:
        self.book, self.as_of, self.zone = book, as_of, ZoneInfo(zone)
        self.loan = next(row for row in book.loans if row["loan_id"] == loan_id)
        self.rate = Decimal(self.loan["late_rate_e8"]).scaleb(-8)
        mine = [row for row in book.installments if row["loan_id"] == loan_id]
        self.plan = sorted(mine, key=lambda row: (row["due_on"], row["number"]))
        self.payments = sorted(
            (row for row in book.payments if row["loan_id"] == loan_id),
            key=lambda row: (
                row["paid_on"], row["kind"] == "waiver", str(row["payment_id"]).encode(),
            ),
        )  # fmt: skip
        self.base_days: list[dict[date, Decimal]] = [{} for _ in self.plan]
        self.broken: dict[object, date | None] = {}
        self.states: dict[tuple[object, ...], State] = {}
        self.exempt = [False] * len(self.plan)
        self.late_days: list[date] = []
        self.stop = self.accrual_stops_on()
        self.live()

    # What was told

    def grace_end(self, i: int) -> date:
        row = self.plan[i]
        return row["grace_until"] or row["due_on"] + timedelta(days=self.loan["grace_days"])

    def counting_on(self, day: date) -> list[Row]:
        """Payments and waivers that count on `day`."""
        return [
            row
            for row in self.payments
            if row["paid_on"] <= day and (row["reversed_on"] is None or day < row["reversed_on"])
        ]

    def accrual_stops_on(self) -> date | None:
        if self.loan["status"] == "active":
            return None
        if self.loan["status_on"] is not None:
            return self.loan["status_on"]
        counted = self.counting_on(self.as_of)
        if counted:
            return counted[-1]["paid_on"]
        return self.plan[0]["due_on"] if self.plan else None

    def covered(self, day: date, kinds: Sequence[str], *, stopping: bool) -> bool:
        for row in self.book.signals:
            names = row["loan_id"] == self.loan["loan_id"] or (
                row["loan_id"] is None and row["borrower_id"] == self.loan["borrower_id"]
            )
            if not names or row["kind"] not in kinds:
                continue
            says = (row["detail"] or {}).get("accrual", "runs")
            if stopping and row["kind"] in ("plan", "dispute") and says != "stops":
                continue
            start = row["starts_at"].astimezone(self.zone).date()
            if start > self.as_of or day < start:
                continue
            if row["ends_at"] is not None and day >= row["ends_at"].astimezone(self.zone).date():
                continue
            broken_on = self.broken_on(row) if row["kind"] == "plan" else None
            if broken_on is not None and day >= broken_on:
                continue
            return True
        return False

    def broken_on(self, row: Row) -> date | None:
        """The first day on which the plan is broken; asked once a signal."""
        if row["signal_id"] not in self.broken:
            day = row["starts_at"].astimezone(self.zone).date()
            while day <= self.as_of and not self.plan_is_broken(row, day):
                day += ONE
            self.broken[row["signal_id"]] = day if day <= self.as_of else None
        return self.broken[row["signal_id"]]

    def plan_is_broken(self, row: Row, day: date) -> bool:
        """Whether less was paid by `day` than was agreed for the days up to three before it."""
        needed = sum(
            item["amount"]
            for item in self.book.agreed
            if item["signal_id"] == row["signal_id"] and item["due_on"] + 3 * ONE <= day
        )
        of = {
            loan["loan_id"]
            for loan in self.book.loans
            if row["loan_id"] in (None, loan["loan_id"])
            and (row["loan_id"] is not None or loan["borrower_id"] == row["borrower_id"])
        }
        start = row["starts_at"].astimezone(self.zone).date()
        paid = sum(
            item["amount"]
            for item in self.book.payments
            if item["loan_id"] in of
            and item["kind"] == "payment"
            and start <= item["paid_on"] <= day
            and (item["reversed_on"] is None or day < item["reversed_on"])
        )
        return paid < needed

    # What follows

    def live(self) -> None:
        """Let every day pass from the first date of the loan to as_of."""
        dates = [row["due_on"] for row in self.plan] + [row["paid_on"] for row in self.payments]
        dates += [self.grace_end(i) for i in range(len(self.plan))]
        day = min(dates, default=self.as_of)
        while day <= self.as_of:
            counted = self.counting_on(day)
            morning = self.allocate([row for row in counted if row["paid_on"] < day])
            stopped = self.stop is not None and day >= self.stop
            stopped = stopped or self.covered(
                day, ["moratorium", "disaster", "plan", "dispute"], stopping=True
            )
            for i, row in enumerate(self.plan):
                before = self.base_days[i].get(day - ONE, Decimal(0))
                charged = day > row["due_on"] and not stopped
                self.base_days[i][day] = before + (self.base(morning, i) if charged else 0)
            evening = self.allocate(counted)
            for i in range(len(self.plan)):
                if day == self.grace_end(i):
                    self.exempt[i] = not self.counts(evening, i)
            if any(
                row["due_on"] < day and self.counts(evening, i) for i, row in enumerate(self.plan)
            ):
                self.late_days.append(day)
            day += ONE
        self.state = self.allocate(self.counting_on(self.as_of))

    def rest(self, state: State, i: int, component: str) -> Decimal:
        return Decimal(self.plan[i][component]) - state.paid[i][component]

    def unpaid(self, state: State, i: int) -> Decimal:
        return sum((self.rest(state, i, component) for component in FUTURE), Decimal(0))

    def counts(self, state: State, i: int) -> bool:
        return self.unpaid(state, i) > self.loan["tolerance"]

    def base(self, state: State, i: int) -> Decimal:
        if not self.counts(state, i):
            return Decimal(0)
        if self.loan["late_base"] == "installment":
            return self.unpaid(state, i)
        return self.rest(state, i, "principal")

    def charge(self, i: int, day: date) -> Decimal:
        """The charge that stands on `day`, rounded once."""
        if day <= self.grace_end(i) or self.exempt[i]:
            return Decimal(0)
        return (self.base_days[i][day] * self.rate).quantize(Decimal(1), ROUND_HALF_UP)

    def allocate(self, payments: Sequence[Row]) -> State:
        """Replay these payments; what each meets is history, so the same ones give the same."""
        key = tuple(row["payment_id"] for row in payments)
        if key not in self.states:
            self.states[key] = self.replay(payments)
        return self.states[key]

    def replay(self, payments: Sequence[Row]) -> State:
        state = State(len(self.plan))
        for row in payments:
            day, left = row["paid_on"], Decimal(row["amount"])
            due = [i for i, item in enumerate(self.plan) if item["due_on"] <= day]
            future = [i for i, item in enumerate(self.plan) if item["due_on"] > day]
            order = self.order(due)
            if row["kind"] == "waiver":
                charges = [(i, "late_charge") for i in due]
                if row["component"]:
                    order = [(i, str(row["component"])) for i in due]
                else:
                    order = charges + order
            else:
                order = order + [(i, component) for i in future for component in FUTURE]
            for i, component in order:
                if component == "late_charge":
                    owed = self.charge(i, day) - state.paid[i]["late_charge"]
                else:
                    owed = self.rest(state, i, component)
                part = min(left, owed)
                state.paid[i][component] += part
                left -= part
            if row["kind"] == "waiver":
                state.waiver_unused += left
            else:
                state.credit += left
            for i in range(len(self.plan)):
                if state.settled_on[i] is None and not self.counts(state, i):
                    state.settled_on[i] = day
        return state

    def order(self, due: Sequence[int]) -> list[tuple[int, str]]:
        if self.loan["allocation"] == "component":
            return [(i, component) for component in ORDERS["oldest_installment"] for i in due]
        return [(i, component) for i in due for component in ORDERS[str(self.loan["allocation"])]]

    # The tables

    def settled_on(self, i: int) -> date | None:
        """The day a payment brought it to the tolerance; none where it never counted."""
        always = sum(Decimal(self.plan[i][component]) for component in FUTURE)
        return self.state.settled_on[i] if always > self.loan["tolerance"] else None

    def days_late(self, i: int) -> int:
        if self.counts(self.state, i):
            return max((self.as_of - self.plan[i]["due_on"]).days, 0)
        settled = self.settled_on(i)
        return 0 if settled is None else max((settled - self.plan[i]["due_on"]).days, 0)

    def installments(self) -> list[dict[str, object]]:
        return [
            {
                "loan_id": self.loan["loan_id"],
                "number": row["number"],
                "due_on": row["due_on"],
                "paid_principal": self.state.paid[i]["principal"],
                "paid_interest": self.state.paid[i]["interest"],
                "paid_fee": self.state.paid[i]["fee"],
                "late_charge_accrued": self.charge(i, self.as_of),
                "late_charge_paid": self.state.paid[i]["late_charge"],
                "unpaid_total": self.unpaid(self.state, i),
                "settled_on": self.settled_on(i),
                "days_late": self.days_late(i),
            }
            for i, row in enumerate(self.plan)
        ]

    def days_delinquent(self, oldest: int) -> int:
        due_on = self.plan[oldest]["due_on"]
        days = (self.as_of - self.grace_end(oldest)).days
        arrears = [due_on + n * ONE for n in range(1, (self.as_of - due_on).days + 1)]
        days -= sum(
            self.covered(day, ["moratorium", "disaster", "plan"], stopping=False) for day in arrears
        )
        return max(days, 0)

    def arrears_since(self) -> date | None:
        day, since = self.as_of, None
        while day in self.late_days:
            since, day = day, day - ONE
        return since

    def accruing(self, late: list[int]) -> int:
        """On how many installments a charge grows by the close of as_of."""
        day, rate = self.as_of, self.loan["late_rate_e8"]
        stopped = self.stop is not None and day >= self.stop
        kinds = ["moratorium", "disaster", "plan", "dispute"]
        if not rate or stopped or self.covered(day, kinds, stopping=True):
            return 0
        past = [i for i in late if day > self.grace_end(i) and not self.exempt[i]]
        return sum(self.base(self.state, i) > 0 for i in past)

    def position(self) -> dict[str, object]:
        state, as_of = self.state, self.as_of
        every = range(len(self.plan))
        past = [i for i in every if self.plan[i]["due_on"] < as_of]
        late = [i for i in past if self.counts(state, i)]
        dpd = (as_of - self.plan[late[0]]["due_on"]).days if late else 0
        overdue = {part: sum(self.rest(state, i, part) for i in past) for part in FUTURE}
        whole = {part: sum(self.rest(state, i, part) for i in every) for part in FUTURE}
        charge = sum(self.charge(i, as_of) - state.paid[i]["late_charge"] for i in every)
        coming = [i for i in every if self.plan[i]["due_on"] >= as_of and self.unpaid(state, i) > 0]
        next_due_on = self.plan[coming[0]]["due_on"] if coming else None
        counted = [row for row in self.counting_on(as_of) if row["kind"] == "payment"]
        year = [i for i in past if self.plan[i]["due_on"] >= as_of - 365 * ONE]
        were_late = [i for i in year if self.days_late(i) > 0]
        after_grace = [
            i
            for i in were_late
            if self.plan[i]["due_on"] + self.days_late(i) * ONE > self.grace_end(i)
        ]
        since = self.arrears_since()
        before = [
            i
            for i in after_grace
            if i not in late and (since is None or self.plan[i]["due_on"] + ONE < since)
        ]
        return {
            "loan_id": self.loan["loan_id"],
            "borrower_id": self.loan["borrower_id"],
            "currency": self.loan["currency"],
            "as_of": as_of,
            "days_past_due": dpd,
            "days_delinquent": self.days_delinquent(late[0]) if late else 0,
            "bucket": "M0" if dpd == 0 else "M7+" if dpd > 180 else f"M{-(-dpd // 30)}",
            "overdue_since": self.plan[late[0]]["due_on"] if late else None,
            "arrears_since": since,
            "installments_overdue": len(late),
            "overdue_principal": overdue["principal"],
            "overdue_interest": overdue["interest"],
            "overdue_fee": overdue["fee"],
            "late_charge": charge,
            "overdue_total": sum(overdue.values()) + charge,
            "outstanding_principal": whole["principal"],
            "outstanding_interest": whole["interest"],
            "outstanding_fee": whole["fee"],
            "outstanding_total": sum(whole.values()) + charge,
            "next_due_on": next_due_on,
            "next_due_amount": sum(
                self.unpaid(state, i) for i in coming if self.plan[i]["due_on"] == next_due_on
            ),
            "unallocated_credit": state.credit,
            "waiver_unused": state.waiver_unused,
            "paid_total": sum(row["amount"] for row in counted),
            "last_paid_on": counted[-1]["paid_on"] if counted else None,
            "late_count_12m": len(were_late),
            "late_count_12m_after_grace": len(after_grace),
            "days_past_due_max_12m": max((self.days_late(i) for i in were_late), default=0),
            "status": self.loan["status"],
            "grace_ends_on": self.grace_end(late[0]) if late else None,
            "oldest_number": self.plan[late[0]]["number"] if late else None,
            "late_count_before_arrears": len(before),
            "accruing": self.accruing(late),
        }
