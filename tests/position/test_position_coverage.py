"""Days that signals cover, and the day on which an agreed plan breaks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from position_books import (
    ZONE,
    Book,
    Row,
    day,
    installment,
    loan,
    payment,
    position_of,
    signal,
    write_snapshot,
)

from duly.position import plan_broken_on
from duly.position.coverage import local_days, union

ZONES = ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "UTC")
SECONDS = st.integers(631_152_000, 4_102_444_800)  # 1990 … 2100


@settings(deadline=None)
@given(seconds=st.lists(SECONDS, max_size=20), zone=st.sampled_from(ZONES))
def test_local_dates_are_those_of_the_zone(seconds: list[int], zone: str) -> None:
    expected = [
        (datetime.fromtimestamp(second, UTC).astimezone(ZoneInfo(zone)).date()
         - date(1970, 1, 1)).days
        for second in seconds
    ]  # fmt: skip
    assert local_days(np.array(seconds, np.int64), zone).tolist() == expected


@pytest.mark.parametrize("zone", ZONES[:4])
def test_local_dates_hold_around_every_change_of_the_clock(zone: str) -> None:
    start = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
    seconds = np.arange(start, start + 366 * 86_400, 1_800, dtype=np.int64)
    expected = [
        (datetime.fromtimestamp(int(second), UTC).astimezone(ZoneInfo(zone)).date()
         - date(1970, 1, 1)).days
        for second in seconds
    ]  # fmt: skip
    assert local_days(seconds, zone).tolist() == expected


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 2), st.integers(-5, 20), st.integers(-5, 20)), max_size=12
    )
)
def test_the_union_covers_the_same_days_once(rows: list[tuple[int, int, int]]) -> None:
    columns = [np.array([row[at] for row in rows], np.int64) for at in range(3)]
    made = union(*columns, 3)
    for loan_index in range(3):
        spans = [
            (int(made.from_day[at]), int(made.until_day[at]))
            for at in range(made.offset[loan_index], made.offset[loan_index + 1])
        ]
        expected = {on for of, low, high in rows if of == loan_index for on in range(low, high)}
        assert {on for low, high in spans for on in range(low, high)} == expected
        assert all(high < low for (_, high), (low, _) in pairwise(spans))


# 100.00 on 03-10 and 100.00 on 03-20, agreed on 03-05; judged on 03-13 and 03-23.
AGREED = (
    {"signal_id": "S1", "number": 2, "due_on": day("2026-03-20"), "amount": 10_000},
    {"signal_id": "S1", "number": 1, "due_on": day("2026-03-10"), "amount": 10_000},
)


def agreed_plan(*payments: Row, ends_on: date | None = None, **told: object) -> Book:
    return Book(
        loans=[loan(late_rate_e8=50_000)],
        installments=[installment(1, day("2026-03-01"), 100_000)],
        payments=payments,
        signals=[
            signal("S1", "plan", day("2026-03-05"), ends_on, detail={"accrual": "stops"}, **told)
        ],
        agreed=AGREED,
    )


def broken(book: Book, as_of: str, folder: Path) -> list[tuple[str, date]]:
    made = plan_broken_on(
        write_snapshot(book, folder / f"{as_of}-{len(book.loans)}"),  # type: ignore[arg-type]
        as_of=day(as_of),
        time_zone=ZONE,
    )
    return [(row["signal_id"], row["broken_on"]) for row in made.to_pylist()]


class TestAgreedPlan:
    def test_breaks_three_days_after_an_unpaid_date(self, tmp_path: Path) -> None:
        assert broken(agreed_plan(), "2026-03-12", tmp_path) == []
        assert broken(agreed_plan(), "2026-03-13", tmp_path) == [("S1", day("2026-03-13"))]
        assert broken(agreed_plan(), "2026-05-01", tmp_path) == [("S1", day("2026-03-13"))]

    def test_a_payment_on_the_third_day_keeps_it(self, tmp_path: Path) -> None:
        book = agreed_plan(payment("P1", day("2026-03-13"), 10_000))
        assert broken(book, "2026-03-22", tmp_path) == []
        assert broken(book, "2026-03-23", tmp_path) == [("S1", day("2026-03-23"))]

    def test_payments_fill_the_amounts_in_order(self, tmp_path: Path) -> None:
        book = agreed_plan(payment("P1", day("2026-03-06"), 19_999))
        assert broken(book, "2026-03-23", tmp_path) == [("S1", day("2026-03-23"))]
        book = agreed_plan(payment("P1", day("2026-03-06"), 20_000))
        assert broken(book, "2026-12-31", tmp_path) == []

    @pytest.mark.parametrize(
        "row",
        [
            payment("P1", day("2026-03-04"), 20_000),
            payment("W1", day("2026-03-06"), 20_000, kind="waiver"),
            payment("P1", day("2026-03-06"), 20_000, reversed_on=day("2026-03-10")),
        ],
        ids=["before the plan", "a waiver", "reversed before"],
    )
    def test_what_is_no_payment_under_the_plan_does_not_keep_it(
        self, row: Row, tmp_path: Path
    ) -> None:
        assert broken(agreed_plan(row), "2026-05-01", tmp_path) == [("S1", day("2026-03-13"))]

    def test_a_reversal_breaks_it_on_its_day(self, tmp_path: Path) -> None:
        book = agreed_plan(payment("P1", day("2026-03-06"), 20_000, reversed_on=day("2026-03-18")))
        assert broken(book, "2026-03-17", tmp_path) == []
        assert broken(book, "2026-03-18", tmp_path) == [("S1", day("2026-03-18"))]

    def test_a_plan_that_ended_before_is_not_broken(self, tmp_path: Path) -> None:
        book = agreed_plan(ends_on=day("2026-03-13"))
        assert broken(book, "2026-05-01", tmp_path) == []

    def test_its_coverage_ends_that_day(self) -> None:
        # Charged: 03-02 … 03-04 and 03-13 … 03-15: 1000.00 x 0.0005 x 6.
        row = position_of(agreed_plan(), "2026-03-15")
        assert (row["late_charge"], row["days_delinquent"]) == (300, 14 - 8)

    def test_a_plan_over_all_loans_is_paid_on_any_of_them(self, tmp_path: Path) -> None:
        book = agreed_plan(loan_id=None)
        both = Book(
            loans=[*book.loans, loan("L2")],
            installments=[*book.installments, installment(1, day("2026-04-01"), 5, loan_id="L2")],
            payments=[payment("P1", day("2026-03-06"), 20_000, loan_id="L2")],
            signals=book.signals,
            agreed=book.agreed,
        )
        assert broken(both, "2026-05-01", tmp_path) == []
        assert broken(book, "2026-05-01", tmp_path) == [("S1", day("2026-03-13"))]
