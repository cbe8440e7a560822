"""The kernel against the oracle: every column of both tables, on generated books."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from position_books import ZONE, Book, positions_of, write_snapshot
from position_cases import AS_OF, books
from position_oracle import Oracle

from duly.position import trace


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(book=books(), as_of=AS_OF)
def test_the_kernel_agrees_with_the_oracle_on_every_column(book: Book, as_of: date) -> None:
    loans, installments = positions_of(book, as_of, threads=2, rows_a_group=3)
    oracles = [
        Oracle(book, str(row["loan_id"]), as_of, ZONE)
        for row in sorted(book.loans, key=lambda row: row["loan_id"])
    ]
    assert [{"loan": at, **oracle.position()} for at, oracle in enumerate(oracles)] == loans
    assert [row for oracle in oracles for row in oracle.installments()] == installments


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(book=books(), as_of=AS_OF)
def test_the_trace_of_every_loan_agrees_with_the_kernel(book: Book, as_of: date) -> None:
    with tempfile.TemporaryDirectory() as folder:
        snapshot = write_snapshot(book, Path(folder) / "snapshot")
        for row in book.loans:
            made = trace(snapshot, str(row["loan_id"]), as_of=as_of, time_zone=ZONE)  # type: ignore[arg-type]
            for item in made.installments:
                total = sum(segment.days * segment.base for segment in item.segments)
                rounded = (total * made.late_rate_e8 * 2 + 10**8) // (2 * 10**8)
                assert rounded == item.late_charge_accrued
            for payment in made.payments:
                applied = sum(part.amount for part in payment.applied) + payment.left
                assert applied == (payment.amount if payment.counts else 0)
