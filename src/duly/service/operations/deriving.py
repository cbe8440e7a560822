"""Every figure of a person's loans re-derived from schedule and payments, line by line.

The trace is that of `duly explain`, checked there against the kernel of every plan.
"""

from __future__ import annotations

import json
import tempfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
from django.db import connection

from duly.book import Lender, Snapshot, take_snapshot
from duly.care.promising import Promise, holding, last_day
from duly.core import money
from duly.core.errors import Refused
from duly.plan.explain_waits import lawful
from duly.plan.holds import REVIEW_DAYS
from duly.position import plan_broken_on
from duly.position.trace import LoanTrace, trace
from duly.service.facts.book_out import copy_out
from duly.service.facts.narrowing import newest_of

_KEPT_MAX = 256  #: persons whose figures a process keeps, for a few minutes
_KEPT_FOR = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class DerivedLoan:
    """One loan: what the book says of it, how its figures came about, what the law caps."""

    loan_id: str
    currency: str
    creditor: str | None
    principal: int
    disbursed_on: date
    trace: LoanTrace | None  #: None: its rows contradict each other, nobody knows its figures
    capped: dict[str, int] | None
    product: str = ""
    promises: tuple[Promise, ...] = ()

    @property
    def paid(self) -> tuple[tuple[date, int], ...]:
        """The payments that count, by day."""
        rows = self.trace.payments if self.trace else ()
        return tuple(
            (one.paid_on, one.amount) for one in rows if one.counts and one.kind == "payment"
        )

    @property
    def arrears_since(self) -> date | None:
        """Since when something of it has been late without a break."""
        found = self.trace.position["arrears_since"] if self.trace else None
        return found if isinstance(found, date) else None


@dataclass(frozen=True, kw_only=True)
class OpenSignal:
    """One fact about a person that is open at the instant of the look."""

    signal_id: str
    loan_id: str | None
    kind: str
    starts_at: datetime
    ends_at: datetime | None
    holds_until: date | None  #: the last day of one that lapses by itself (contract, section 3)


@dataclass(frozen=True, kw_only=True)
class AgreedRow:
    """One amount of an agreed plan, and how much of it has come."""

    number: int
    due_on: date
    amount: int
    paid: int

    @property
    def left(self) -> int:
        """What is still to come of it."""
        return self.amount - self.paid


@dataclass(frozen=True, kw_only=True)
class AgreedPlan:
    """What was agreed about one loan, whether it still holds or is over."""

    signal_id: str
    loan_id: str
    starts_at: datetime
    ends_at: datetime | None
    broken_on: date | None
    detail: Mapping[str, Any]
    rows: tuple[AgreedRow, ...]

    @property
    def next(self) -> AgreedRow | None:
        """The first amount that has not come whole."""
        return next((row for row in self.rows if row.paid < row.amount), None)

    def holds(self, at: datetime) -> bool:
        """Return whether it is open and was not broken."""
        over = self.ends_at is not None and self.ends_at <= at
        return self.starts_at <= at and not over and self.broken_on is None


@dataclass(frozen=True, kw_only=True)
class Derived:
    """What is known of a person at one instant."""

    as_of: date
    at: datetime
    known_at: datetime  #: up to when the newest book or event told
    loans: tuple[DerivedLoan, ...]
    signals: tuple[OpenSignal, ...]
    plans: tuple[AgreedPlan, ...] = ()
    facts: str = ""  #: changes with every word and book that this was made of


_kept: OrderedDict[tuple[str, str, date], tuple[datetime, Derived]] = OrderedDict()
_lock = Lock()


def derived(
    borrower_id: str, *, lender: Lender, at: datetime, clock: datetime, as_of: date | None = None
) -> Derived:
    """Return a person's loans with every figure derived anew; the same facts give the same.

    The figures are as of the day of `at`, or of another day by what is known at `at`. What was
    derived from the very same facts a few minutes ago is taken as it was.
    """
    as_of = as_of or lender.day_of(at)
    with connection.cursor() as cursor:
        newest = newest_of(cursor, borrower_id)
    key = (borrower_id, f"{newest} {at:%Y-%m-%dT%H} {lender.sha256}", as_of)
    with _lock:
        for one in [one for one, (made, _) in _kept.items() if clock - made > _KEPT_FOR]:
            del _kept[one]
        if key in _kept:
            return _kept[key][1]
    found = replace(_derive(borrower_id, lender, at, as_of), facts=newest)
    with _lock:
        _kept[key] = (clock, found)
        while len(_kept) > _KEPT_MAX:
            _kept.popitem(last=False)
    return found


def _derive(borrower_id: str, lender: Lender, at: datetime, as_of: date) -> Derived:
    with tempfile.TemporaryDirectory(prefix="duly-derived-") as work:
        book = Path(work) / "book"
        book.mkdir()
        out = copy_out(book, lender=lender.name, at=at, age_hours=lender.limits.book_age_hours,
                       borrower_ids=[borrower_id])  # fmt: skip
        snapshot = take_snapshot(
            book, Path(work) / "snapshot", lender=lender, needs="position", threads=1
        )
        rows = pq.read_table(snapshot.path / "loans.parquet").to_pylist()
        names = {row["loan"]: row["loan_id"] for row in rows}
        signals = pq.read_table(snapshot.path / "signals.parquet").to_pylist()
        loans = tuple(
            _loan(
                snapshot, row, lender, as_of, [one for one in signals if one["loan"] == row["loan"]]
            )
            for row in rows
        )
        agreed = pq.read_table(snapshot.path / "agreed.parquet").to_pylist()
        broken = plan_broken_on(snapshot, as_of=as_of, time_zone=lender.time_zone).to_pylist()
    over = {row["signal_id"]: row["broken_on"] for row in broken}
    held = {name for loan in loans for name in _held(loan, as_of)}
    plans = [row for row in signals if row["kind"] == "plan" and row["loan"] is not None]
    return Derived(
        as_of=as_of,
        at=at,
        known_at=out.cut_at,
        loans=loans,
        signals=tuple(
            _signal(row, names, lender)
            for row in signals
            if _is_open(row, at)
            and row["signal_id"] not in over
            and (row["kind"] != "promise" or row["loan"] is None or row["signal_id"] in held)
        ),
        plans=tuple(_plan(row, names, agreed, over, loans, lender) for row in plans),
    )


def _held(loan: DerivedLoan, as_of: date) -> Mapping[str, date]:
    """Return the promises about a loan that hold; a third in a row does not."""
    return holding(loan.promises, loan.paid, arrears_since=loan.arrears_since, as_of=as_of)


def _loan(
    snapshot: Snapshot, row: dict[str, Any], lender: Lender, as_of: date,
    signals: Sequence[dict[str, Any]],
) -> DerivedLoan:  # fmt: skip
    traced, capped = None, None
    try:
        traced = trace(snapshot, row["loan_id"], as_of=as_of, time_zone=lender.time_zone)
    except Refused:
        pass  # Quarantined: no figure of it is said.
    else:
        told = asdict(traced)
        capped = lawful(told, told["position"], told["installments"])
    return DerivedLoan(
        loan_id=row["loan_id"], currency=row["currency"], creditor=row["creditor"],
        principal=row["principal"], disbursed_on=row["disbursed_on"], trace=traced, capped=capped,
        product=row["product"],
        promises=tuple(_promise(one, row["currency"], lender) for one in signals
                       if one["kind"] == "promise"),
    )  # fmt: skip


def _promise(row: dict[str, Any], currency: str, lender: Lender) -> Promise:
    starts, detail = _instant(row["starts_at"]), json.loads(row["detail"] or "{}")
    assert starts is not None
    return Promise(
        name=row["signal_id"], since=lender.day_of(starts), on=date.fromisoformat(detail["on"]),
        amount=money.to_minor(detail["amount"], currency),
    )  # fmt: skip


def _plan(
    row: dict[str, Any],
    names: dict[int, str],
    agreed: Sequence[dict[str, Any]],
    over: Mapping[str, date],
    loans: Sequence[DerivedLoan],
    lender: Lender,
) -> AgreedPlan:
    """Return a plan with what has come of each amount: payments since it began fill them in order.

    So the plan itself is judged (contract, section 3).
    """
    starts = _instant(row["starts_at"])
    assert starts is not None
    loan_id, since = names[row["loan"]], lender.day_of(starts)
    traced = next((one.trace for one in loans if one.loan_id == loan_id), None)
    left = sum(
        one.amount
        for one in (traced.payments if traced else ())
        if one.counts and one.kind == "payment" and one.paid_on >= since
    )
    rows = []
    mine = [one for one in agreed if one["signal_id"] == row["signal_id"]]
    for one in sorted(mine, key=lambda one: (one["due_on"], one["number"])):
        paid = min(left, one["amount"])
        left -= paid
        rows.append(AgreedRow(number=one["number"], due_on=one["due_on"], amount=one["amount"],
                              paid=paid))  # fmt: skip
    return AgreedPlan(
        signal_id=row["signal_id"], loan_id=loan_id, starts_at=starts,
        ends_at=_instant(row["ends_at"]), broken_on=over.get(row["signal_id"]),
        detail=json.loads(row["detail"] or "{}"), rows=tuple(rows),
    )  # fmt: skip


def _instant(value: datetime | None) -> datetime | None:
    return None if value is None else value.replace(tzinfo=ZoneInfo("UTC"))


def _is_open(row: dict[str, Any], at: datetime) -> bool:
    starts, ends = _instant(row["starts_at"]), _instant(row["ends_at"])
    return starts is not None and starts <= at and (ends is None or at < ends)


def _signal(row: dict[str, Any], names: dict[int, str], lender: Lender) -> OpenSignal:
    starts = _instant(row["starts_at"])
    assert starts is not None
    return OpenSignal(
        signal_id=row["signal_id"], loan_id=names.get(row["loan"]), kind=row["kind"],
        starts_at=starts, ends_at=_instant(row["ends_at"]),
        holds_until=_holds_until(row, starts, lender),
    )  # fmt: skip


def _holds_until(row: dict[str, Any], starts: datetime, lender: Lender) -> date | None:
    """Return the last day of a promise, or of a payment that is looked for; None of others."""
    if row["kind"] == "promise":
        detail = json.loads(row["detail"] or "{}")
        return last_day(date.fromisoformat(detail["on"]), since=lender.day_of(starts))
    if row["kind"] == "payment_pending":
        return review_on(row["kind"], starts, lender=lender)
    return None


def review_on(kind: str, since: datetime, *, lender: Lender) -> date:
    """Return the day by which a person looks at a hold of a kind."""
    days = lender.limits.review_days.get(kind, REVIEW_DAYS[kind])
    return lender.day_of(since) + timedelta(days=days)
