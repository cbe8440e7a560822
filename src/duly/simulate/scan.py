"""The yardstick of the bench: DuckDB alone reads every file of a book and sums per loan.

Run as `python -m duly.simulate.scan BOOK [THREADS]`; it writes nothing and says nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

from duly.book.engine import connect

_INSTALLMENTS = "sum(principal), sum(interest), sum(fee), count(*), min(due_on), max(due_on)"
_SUMS = {
    "loans": ("loan_id", "max(borrower_id), sum(principal), max(disbursed_on)"),
    "installments": ("loan_id", _INSTALLMENTS),
    "payments": ("loan_id", "sum(amount), count(*), max(paid_on), count(payment_id)"),
    "borrowers": ("borrower_id", "max(name), max(time_zone), max(region)"),
    "contact_points": ("borrower_id", "count(*), max(address), max(status)"),
    "contacts": ("borrower_id", 'count(*), max("at"), max(outcome), count(contact_id)'),
    "consents": ("borrower_id", "count(*), max(granted_at), max(detail)"),
    "signals": ("borrower_id", "count(*), max(kind), max(starts_at), max(detail)"),
}


def scan(book: Path, *, threads: int = 0) -> dict[str, int]:
    """Read each table of a Parquet book once, grouped by loan or borrower; return the groups."""
    groups: dict[str, int] = {}
    with connect() as connection:
        if threads:
            connection.execute(f"SET threads = {threads}")
        for table, (key, sums) in _SUMS.items():
            if not (book / table).is_dir():
                continue
            source = f"read_parquet('{book / table}/*.parquet')"
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE summed AS "
                f"SELECT {key}, {sums} FROM {source} GROUP BY {key}"
            )
            row = connection.execute("SELECT count(*) FROM summed").fetchone()
            assert row is not None
            groups[table] = row[0]
    return groups


if __name__ == "__main__":
    scan(Path(sys.argv[1]), threads=int(sys.argv[2]) if len(sys.argv) > 2 else 0)
