"""Rows of a plan are put in the order of the loans, in whatever order threads hand them over."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duly.plan import ordered


def rows(loans: list[int]) -> pa.Table:
    return pa.table(
        {
            "loan": pa.array(loans, pa.int32()),
            "said": pa.array([f"said of {loan}" for loan in loans], pa.string()),
        }
    )


@given(st.lists(st.integers(0, 5000), unique=True, max_size=300), st.data())
def test_any_order_of_pieces_gives_the_order_of_the_loans(
    loans: list[int], data: st.DataObject
) -> None:
    made = ordered.by_loan(rows(data.draw(st.permutations(loans))))
    assert made.column_names == ["said"]
    assert made["said"].to_pylist() == [f"said of {loan}" for loan in sorted(loans)]


def test_few_long_runs_are_put_in_place_of_one_another() -> None:
    loans = [*range(2000, 3000), *range(1000), *range(1000, 2000)]
    made = ordered.by_loan(rows(loans))
    assert made["said"].to_pylist() == [f"said of {loan}" for loan in range(3000)]


def test_many_pieces_are_sorted() -> None:
    loans = list(reversed(range(2 * ordered.PIECES_MAX)))
    made = ordered.by_loan(rows(loans))
    assert made["said"].to_pylist() == [f"said of {loan}" for loan in sorted(loans)]


def test_a_loan_decided_twice_is_a_broken_invariant() -> None:
    with pytest.raises(AssertionError, match="twice"):
        ordered.by_loan(rows([1, 2, 2, 3]))


def test_a_book_without_loans_has_no_rows() -> None:
    assert ordered.by_loan(rows([])).num_rows == 0
