"""What must hold whatever the book: the six properties of the position."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from position_books import Book, positions_of
from position_cases import AS_OF, books

SLOW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
PAID = ("paid_principal", "paid_interest", "paid_fee", "late_charge_paid")


def one_loan() -> st.SearchStrategy[Book]:
    """Books of one loan."""
    return books().filter(lambda book: len(book.loans) == 1)


def figures(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "status"} for row in rows]


@SLOW
@given(book=books(), as_of=AS_OF)
def test_every_minor_unit_is_accounted_for(book: Book, as_of: date) -> None:
    loans, installments = positions_of(book, as_of)
    for row in loans:
        mine = [item for item in installments if item["loan_id"] == row["loan_id"]]
        counted = sum(
            item["amount"]
            for item in book.payments
            if item["loan_id"] == row["loan_id"]
            and item["paid_on"] <= as_of
            and not (item["reversed_on"] and item["reversed_on"] <= as_of)
        )
        allocated = sum(item[name] for item in mine for name in PAID)
        assert allocated + row["unallocated_credit"] + row["waiver_unused"] == counted
        unpaid = sum(item["unpaid_total"] for item in mine)
        assert row["outstanding_total"] == unpaid + row["late_charge"]


@SLOW
@given(book=books(), as_of=AS_OF, data=st.data())
def test_the_order_of_input_rows_does_not_matter(
    book: Book, as_of: date, data: st.DataObject
) -> None:
    shuffled = Book(
        loans=data.draw(st.permutations(book.loans)),
        installments=data.draw(st.permutations(book.installments)),
        payments=data.draw(st.permutations(book.payments)),
        signals=data.draw(st.permutations(book.signals)),
        agreed=data.draw(st.permutations(book.agreed)),
    )
    groups = data.draw(st.integers(1, 5))
    assert positions_of(shuffled, as_of, rows_a_group=groups, threads=2) == positions_of(
        book, as_of
    )


@SLOW
@given(book=books(), as_of=AS_OF, data=st.data())
def test_splitting_a_payment_in_two_on_its_day_changes_nothing(
    book: Book, as_of: date, data: st.DataObject
) -> None:
    assume(any(row["amount"] > 1 for row in book.payments))
    whole = data.draw(st.sampled_from([row for row in book.payments if row["amount"] > 1]))
    part = data.draw(st.integers(1, whole["amount"] - 1))
    split = [
        {**whole, "amount": part},
        {**whole, "amount": whole["amount"] - part, "payment_id": f"{whole['payment_id']}!"},
    ]
    others = [row for row in book.payments if row is not whole]
    assert positions_of(replace(book, payments=others + split), as_of) == positions_of(book, as_of)


@SLOW
@given(book=books(), as_of=AS_OF, days=st.integers(1, 40))
def test_a_later_as_of_never_lowers_the_accrued_charge(book: Book, as_of: date, days: int) -> None:
    # An ended loan without a date ends with its last counted payment: a reversal moves that.
    assume(
        all(row["status"] == "active" or row["status_on"] is not None for row in book.loans)
        or all(row["reversed_on"] is None for row in book.payments)
    )
    _, before = positions_of(book, as_of)
    _, after = positions_of(book, as_of + timedelta(days=days))
    for earlier, later in zip(before, after, strict=True):
        assert later["late_charge_accrued"] >= earlier["late_charge_accrued"]


@SLOW
@given(book=books(), as_of=AS_OF)
def test_days_past_due_fall_only_through_a_payment_or_waiver(book: Book, as_of: date) -> None:
    today = as_of + timedelta(days=1)
    before, _ = positions_of(book, as_of)
    after, _ = positions_of(book, today)
    for earlier, later in zip(before, after, strict=True):
        paid = any(
            row["loan_id"] == earlier["loan_id"] and row["paid_on"] == today
            for row in book.payments
        )
        if earlier["days_past_due"] > 0 and not paid:
            assert later["days_past_due"] > earlier["days_past_due"]


@SLOW
@given(book=one_loan(), as_of=AS_OF, days=st.integers(1, 60))
def test_marking_a_loan_closed_changes_no_figure_of_its_past(
    book: Book, as_of: date, days: int
) -> None:
    active = {**book.loans[0], "status": "active", "status_on": None}
    closed = {**active, "status": "closed", "status_on": as_of + timedelta(days=days)}
    of_active = positions_of(replace(book, loans=[active]), as_of)
    of_closed = positions_of(replace(book, loans=[closed]), as_of)
    assert figures(of_closed[0]) == figures(of_active[0])
    assert of_closed[1] == of_active[1]


@SLOW
@given(book=one_loan(), as_of=AS_OF)
def test_a_settled_loan_closed_the_day_after_keeps_every_figure(book: Book, as_of: date) -> None:
    active = {**book.loans[0], "status": "active", "status_on": None}
    owed = sum(row["principal"] + row["interest"] + row["fee"] for row in book.installments)
    settling = {
        **(book.payments[0] if book.payments else {"payment_id": "settling", "loan_id": "L0"}),
        # More than every late charge beside it: one percent a day of the whole for years.
        "paid_on": as_of, "amount": owed * 100 + 1_000_000, "kind": "payment", "component": "",
        "reversed_on": None,
    }  # fmt: skip
    alive = [row for row in book.payments[1:] if row["reversed_on"] is None]
    settled = replace(book, loans=[active], payments=[*alive, settling])
    closed = {**active, "status": "closed", "status_on": as_of + timedelta(days=1)}
    for later in (0, 1, 30):
        on = as_of + timedelta(days=later)
        of_active = positions_of(settled, on)
        of_closed = positions_of(replace(settled, loans=[closed]), on)
        assert figures(of_closed[0]) == figures(of_active[0])
        assert of_closed[1] == of_active[1]
