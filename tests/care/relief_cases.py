"""Loans that are late and what people can pay of them, by hand and generated."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

from hypothesis import strategies as st
from position_books import ZONE, Book, day, installment, loan, payment, write_snapshot
from position_cases import loans as any_loan
from position_cases import payments as any_payments
from position_cases import schedules

from duly.care import Budget, Limits, Wish, debt_of
from duly.position import trace

AS_OF = day("2026-03-11")
LIMITS = Limits(kinds=("extension", "installments", "pause"), extension_months=3, installments=12,
                pause_months=2, least=12_000, accrual_stops=True, waives=False)  # fmt: skip
ANY = Wish(kind="any", pay_day=20)


def budget(left: int) -> Budget:
    return Budget(income=500_000, essentials=500_000 - left, other_loans=0)


def debt(book: Book, as_of: date = AS_OF):
    with tempfile.TemporaryDirectory() as folder:
        snapshot = write_snapshot(book, Path(folder) / "snapshot")
        return debt_of(trace(snapshot, "L1", as_of=as_of, time_zone=ZONE))  # type: ignore[arg-type]


def usual(**told: object) -> Book:
    """Three installments of 600.00 and interest; 3 of the first and all of the others are open."""
    return Book(
        loans=[loan(late_rate_e8=50_000, grace_days=3, **told)],
        installments=[
            installment(1, day("2026-01-15"), 60_000, interest=2_700),
            installment(2, day("2026-02-15"), 60_000, interest=1_800, fee=200),
            installment(3, day("2026-03-15"), 60_000, interest=900),
        ],
        payments=[payment("P1", day("2026-01-15"), 62_700)],
    )


@st.composite
def cases(draw: st.DrawFn):
    told = dict(draw(any_loan("L1", "B1")), status="active", status_on=None)
    due = draw(schedules("L1", told["grace_days"]))
    book = Book(loans=[told], installments=due, payments=draw(any_payments("L1")))
    limits = Limits(
        kinds=tuple(one for one in LIMITS.kinds if draw(st.booleans())) or ("installments",),
        extension_months=draw(st.integers(1, 6)), installments=draw(st.integers(2, 8)),
        pause_months=draw(st.integers(1, 3)), least=draw(st.sampled_from([0, 10, 3_000])),
        accrual_stops=draw(st.booleans()), waives=draw(st.booleans()),
    )  # fmt: skip
    as_of = day("2025-01-10") + timedelta(days=draw(st.integers(0, 90)))
    wish = Wish(
        kind=draw(st.sampled_from([*LIMITS.kinds, "any"])), pay_day=draw(st.integers(1, 28))
    )
    return book, as_of, budget(draw(st.one_of(st.integers(-5, 300), st.integers(1, 90_000)))), \
        limits, wish  # fmt: skip
