"""What the tests of whole files change in a good book."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from duly.book import load_lender, take_snapshot

naive = datetime.fromisoformat
SOURCE = Path(__file__).parents[2] / "src"


def rewrite(book: Path, table: str, text: str | bytes) -> Path:
    path = book / f"{table}.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return book


HEADER = "payment_id,loan_id,paid_on,amount\n"


def to_parquet(book: Path, table: str, **columns: pa.Array) -> Path:
    (book / f"{table}.csv").unlink()
    pq.write_table(pa.table(columns), book / f"{table}.parquet")
    return book


def payments(**more: pa.Array) -> dict[str, pa.Array]:
    return {
        "payment_id": pa.array(["P1", "P2"]),
        "loan_id": pa.array(["L1", "L2"]),
        "paid_on": pa.array([date(2026, 2, 1), date(2026, 2, 2)]),
        "amount": pa.array([Decimal("10.00"), Decimal("20.50")]),
        **more,
    }


def open_book(book: Path) -> None:
    take_snapshot(book, book.parent / "out", lender=load_lender(None), needs="plan")
