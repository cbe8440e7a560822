"""The kernel against the oracle: every column of both tables, on generated books."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from position_books import ZONE, Book, write_snapshot
from position_cases import AS_OF, books
from position_oracle import Oracle

from duly.position import compute


def positions_of(
    book: Book, as_of: date, *, threads: int = 1, rows_a_group: int = 1000
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Both tables as lists of rows."""
    with tempfile.TemporaryDirectory() as folder:
        snapshot = write_snapshot(book, Path(folder) / "snapshot", rows_a_group=rows_a_group)
        made = compute(snapshot, as_of=as_of, time_zone=ZONE, threads=threads, installments=True)  # type: ignore[arg-type]
    return made.loans.to_pylist(), made.installments.to_pylist()


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(book=books(), as_of=AS_OF)
def test_the_kernel_agrees_with_the_oracle_on_every_column(book: Book, as_of: date) -> None:
    loans, installments = positions_of(book, as_of, threads=2, rows_a_group=3)
    oracles = [
        Oracle(book, str(row["loan_id"]), as_of, ZONE)
        for row in sorted(book.loans, key=lambda row: row["loan_id"])
    ]
    assert [{"loan": at, **oracle.position()} for at, oracle in enumerate(oracles)] == loans
    assert [row for oracle in oracles for row in oracle.installments()] == installments
