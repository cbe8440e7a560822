"""What a loan owes now: derived from the facts of this second by the kernel of every plan."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection

from duly.book import Lender, take_snapshot
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.position import compute
from duly.position.tables import BESIDE
from duly.service.facts.book_out import copy_out
from duly.service.facts.narrowing import owner_of


def position_of(loan_id: str, *, lender: Lender, at: datetime) -> dict[str, Any]:
    """Return the position (contract, section 2.4) of a loan on the lender's day of an instant.

    A payment counts from the commit of its event on. Money is minor units. Refused: a loan that
    nobody told, and one that is left out of exports, whose figures nobody knows.
    """
    with connection.cursor() as cursor:
        borrower = owner_of(cursor, loan_id)
    if borrower is None:
        raise Refused(_unknown("unknown_loan", loan_id))
    as_of = lender.day_of(at)
    with tempfile.TemporaryDirectory(prefix="duly-position-") as work:
        book = Path(work) / "book"
        book.mkdir()
        copy_out(book, lender=lender.name, at=at, age_hours=lender.limits.book_age_hours,
                 borrower_ids=[borrower])  # fmt: skip
        snapshot = take_snapshot(
            book, Path(work) / "snapshot", lender=lender, needs="position", threads=1
        )
        loans = compute(snapshot, as_of=as_of, time_zone=lender.time_zone, threads=1).loans
    hidden = {"loan", *BESIDE}
    names = [name for name in loans.schema.names if name not in hidden]
    for row in loans.select(names).to_pylist():
        if row["loan_id"] == loan_id:
            return dict(row)
    raise Refused(_unknown("loan_left_out", loan_id))


def _unknown(code: str, loan_id: str) -> Diagnostic:
    return Diagnostic(area="service", code=code, values={"loan_id": loan_id})
