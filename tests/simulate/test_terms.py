"""Schedules add up, months end where they must, and the late charge is rounded once."""

from __future__ import annotations

from datetime import date

import pytest

from duly.simulate import terms
from duly.simulate.terms import Due, Loan, Owed


def _loan(**changes: object) -> Loan:
    given: dict[str, object] = {
        "loan_id": "L1",
        "borrower_id": "B1",
        "creditor": "",
        "principal": 136_000,
        "disbursed_on": date(2026, 1, 3),
        "rate_bps": 1200,
        "late_rate_e8": 50_000,
        "late_base": "installment",
        "grace_days": 3,
        "allocation": "oldest_installment",
        "tolerance": 0,
        "schedule": (
            Due(number=1, on=date(2026, 2, 3), principal=68_000, interest=5_410, fee=0),
            Due(number=2, on=date(2026, 3, 3), principal=68_000, interest=5_410, fee=500),
        ),
        "first_open": 1,
    }
    return Loan(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("principal", [100_000, 5_950_000, 300_001])
@pytest.mark.parametrize("months", [1, 12, 24])
def test_principal_parts_add_up_to_the_principal(principal, months):
    rows = terms.amortize(principal, 1500, months)
    assert len(rows) == months
    assert sum(part for part, _ in rows) == principal
    assert all(part > 0 and interest >= 0 for part, interest in rows)


def test_installments_are_equal_to_the_minor_unit_but_the_last():
    totals = {part + interest for part, interest in terms.amortize(1_200_000, 1560, 12)[:-1]}
    assert totals == {108_650}


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 3, 31), -13, date(2025, 2, 28)),
        (date(2025, 12, 1), 12, date(2026, 12, 1)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_of_the_month(day, months, expected):
    assert terms.add_months(day, months) == expected


def test_a_schedule_is_anchored_on_one_of_its_installments():
    rows = terms.schedule(
        1_200_000,
        rate_bps=1200,
        months=3,
        fee=500,
        anchor=date(2026, 2, 28),
        anchor_number=2,
    )
    assert [(row.number, row.on, row.fee) for row in rows] == [
        (1, date(2026, 1, 28), 500),
        (2, date(2026, 2, 28), 500),
        (3, date(2026, 3, 28), 500),
    ]


def test_a_late_charge_is_rounded_half_up_on_the_whole_installment():
    # 734.10 × 0.0005 × 7 = 2.56935
    loan = _loan()
    assert terms.late_charge(loan, loan.due(1), 7) == 257


def test_a_late_charge_starts_after_the_grace_with_the_days_since_the_due_date():
    loan = _loan(late_base="principal")
    assert terms.late_charge(loan, loan.due(1), 3) == 0
    assert terms.late_charge(loan, loan.due(1), 4) == 136


def test_owed_counts_only_installments_due_before_the_day():
    loan = _loan()
    assert terms.owed(loan, loan.schedule, date(2026, 3, 3)) == Owed(
        overdue_total=73_410 + 1_028, outstanding_total=147_320 + 1_028
    )
