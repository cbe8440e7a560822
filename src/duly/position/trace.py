"""One loan, step by step, in plain Python: every factor of every figure, for `duly explain`.

The days are walked one by one, which the kernel never does; both must come to the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.position import batch, csr
from duly.position.arrays import NEVER, Covered
from duly.position.coverage import read_covers
from duly.position.walk import Applied, Installment, Payment, Segment, Terms, Walk

if TYPE_CHECKING:
    from duly.book import Snapshot

_EPOCH = date(1970, 1, 1)
_KINDS = ("payment", "waiver")
_WAIVED = ("", "late_charge", "interest", "fee", "principal")


@dataclass(frozen=True, kw_only=True)
class InstallmentTrace:
    """One installment as of the day; money in minor units.

    late_charge_accrued = round half up(sum of days x base over `segments` x the daily rate).
    """

    number: int
    due_on: date
    grace_ends_on: date
    principal: int
    interest: int
    fee: int
    paid_principal: int
    paid_interest: int
    paid_fee: int
    late_charge_accrued: int
    late_charge_paid: int
    unpaid_total: int
    counts: bool
    settled_on: date | None
    grace: str  #: `open`: no charge yet; `kept`: never a charge; `missed`: charged since due_on
    segments: tuple[Segment, ...]


@dataclass(frozen=True, kw_only=True)
class PaymentTrace:
    """One payment or waiver dated by as_of, and where it went."""

    payment_id: str
    paid_on: date
    amount: int
    kind: str
    component: str
    reversed_on: date | None
    counts: bool  #: False where it was reversed by as_of
    applied: tuple[Applied, ...]
    left: int  #: credit of a payment, unused part of a waiver


@dataclass(frozen=True, kw_only=True)
class LoanTrace:
    """How one loan's position came about; `position` is its row of contract 2.4."""

    loan_id: str
    as_of: date
    late_rate_e8: int
    late_base: str
    allocation: str
    tolerance: int
    accrual_stops_on: date | None
    paused: tuple[tuple[date, date], ...]  #: half-open days that bear no charge
    installments: tuple[InstallmentTrace, ...]
    payments: tuple[PaymentTrace, ...]
    position: Mapping[str, object]


def trace(snapshot: Snapshot, loan_id: str, *, as_of: date, time_zone: str) -> LoanTrace:
    """Return how the position of one loan came about, checked against the kernel's figures.

    Refuses a loan that the book does not have, or that is quarantined.
    """
    loans = batch.read_loan_table(snapshot.path)
    loan = pc.index(loans["loan_id"], loan_id).as_py()
    if loan < 0 or loans["quarantined"][loan].as_py():
        code = "unknown_loan" if loan < 0 else "quarantined_loan"
        raise Refused(Diagnostic(area="position", code=code, values={"loan": loan_id}))
    borrower = np.array(csr.numbers(loans["borrower"], pa.int32(), -1), np.int32)
    covers = read_covers(snapshot.path, borrower, (as_of - _EPOCH).days, time_zone)
    row = loans.slice(loan, 1).to_pylist()[0]
    payments = _payments(snapshot, loan, as_of)
    schedule = _schedule(snapshot, loan)
    walk = Walk(
        terms=Terms(**{name: row[name] for name in Terms.__dataclass_fields__}),
        schedule=schedule,
        payments=payments,
        stops=_days(covers.stops, loan),
        stop=_accrual_stop(row, schedule, payments, as_of),
        as_of=as_of,
    )
    computed = batch.compute_loan(snapshot, loans, covers, loan, as_of)
    assert computed.installments is not None
    made = _traced(walk, row, _days(covers.stops, loan), computed.loans.to_pylist()[0])
    _agree(made, computed.installments.to_pylist())
    return made


def _schedule(snapshot: Snapshot, loan: int) -> list[Installment]:
    names = list(Installment.__dataclass_fields__)
    table = pq.read_table(
        snapshot.path / "installments.parquet", columns=names, filters=pc.field("loan") == loan
    )
    rows = [Installment(**row) for row in table.to_pylist()]
    return sorted(rows, key=lambda row: (row.due_on, row.number))


def _payments(snapshot: Snapshot, loan: int, as_of: date) -> list[Payment]:
    table = pq.read_table(
        snapshot.path / "payments.parquet",
        columns=list(Payment.__dataclass_fields__),
        filters=(pc.field("loan") == loan) & (pc.field("paid_on") <= as_of),
    )
    rows = [
        Payment(**{**row, "kind": _KINDS[row["kind"]], "component": _WAIVED[row["component"]]})
        for row in table.to_pylist()
    ]
    return sorted(
        rows, key=lambda row: (row.paid_on, row.kind == "waiver", row.payment_id.encode())
    )


def _days(covered: Covered, loan: int) -> tuple[tuple[date, date], ...]:
    """Return the covered days of one loan; open ones end at the last date there is."""
    return tuple(
        (
            _EPOCH + timedelta(days=int(covered.from_day[at])),
            date.max
            if covered.until_day[at] == NEVER
            else _EPOCH + timedelta(days=int(covered.until_day[at])),
        )
        for at in range(covered.offset[loan], covered.offset[loan + 1])
    )


def _accrual_stop(
    row: Mapping[str, object], schedule: list[Installment], payments: list[Payment], as_of: date
) -> date | None:
    """Return the day from which a loan that has ended bears no charge."""
    if row["status"] == "active":
        return None
    if isinstance(row["status_on"], date):
        return row["status_on"]
    counted = [payment.paid_on for payment in payments if payment.counts_on(as_of)]
    first = [item.due_on for item in schedule[:1]]
    return max(counted, default=None) or min(first, default=None)


def _traced(
    walk: Walk,
    row: Mapping[str, object],
    paused: tuple[tuple[date, date], ...],
    position: Mapping[str, object],
) -> LoanTrace:
    counted = iter(walk.state.applied)
    payments = []
    for payment in walk.payments:
        alive = payment.counts_on(walk.as_of)
        applied, left = next(counted) if alive else ((), 0)
        facts = {name: getattr(payment, name) for name in Payment.__dataclass_fields__}
        payments.append(PaymentTrace(**facts, counts=alive, applied=applied, left=left))
    return LoanTrace(
        loan_id=str(row["loan_id"]),
        as_of=walk.as_of,
        late_rate_e8=walk.terms.late_rate_e8,
        late_base=walk.terms.late_base,
        allocation=walk.terms.allocation,
        tolerance=walk.terms.tolerance,
        accrual_stops_on=walk.stop,
        paused=paused,
        installments=tuple(_installment(walk, i) for i in range(len(walk.schedule))),
        payments=tuple(payments),
        position=position,
    )


def _installment(walk: Walk, i: int) -> InstallmentTrace:
    row, paid = walk.schedule[i], walk.state.paid[i]
    grace = "kept" if walk.kept_grace[i] else "missed"
    if walk.as_of <= row.grace_ends_on:
        grace = "open"
    always = row.principal + row.interest + row.fee > walk.terms.tolerance
    return InstallmentTrace(
        **{name: getattr(row, name) for name in Installment.__dataclass_fields__},
        paid_principal=paid["principal"],
        paid_interest=paid["interest"],
        paid_fee=paid["fee"],
        late_charge_accrued=walk.charge(i, walk.as_of),
        late_charge_paid=paid["late_charge"],
        unpaid_total=walk.unpaid(walk.state, i),
        counts=walk.counts(walk.state, i),
        settled_on=walk.state.settled_on[i] if always else None,
        grace=grace,
        segments=tuple(walk.segments[i]) if grace == "missed" else (),
    )


_SHOWN_TWICE = (
    "number", "due_on", "paid_principal", "paid_interest", "paid_fee", "late_charge_accrued",
    "late_charge_paid", "unpaid_total", "settled_on",
)  # fmt: skip


def _agree(made: LoanTrace, kernel: list[dict[str, object]]) -> None:
    """Assert that the walk and the kernel came to the same figures."""
    mine = [{name: getattr(row, name) for name in _SHOWN_TWICE} for row in made.installments]
    theirs = [{name: row[name] for name in _SHOWN_TWICE} for row in kernel]
    assert mine == theirs, (made.loan_id, mine, theirs)
    left = {kind: sum(row.left for row in made.payments if row.kind == kind) for kind in _KINDS}
    assert left["payment"] == made.position["unallocated_credit"], made.loan_id
    assert left["waiver"] == made.position["waiver_unused"], made.loan_id
