"""A small writer of snapshot directories, so that positions are tested without a reader."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from duly.position import compute

ZONE = "Asia/Shanghai"
COMPONENTS = ("", "late_charge", "interest", "fee", "principal")

Row = Mapping[str, object]

SCHEMAS = {
    "loans": pa.schema(
        [
            ("loan", pa.int32()), ("loan_id", pa.string()), ("borrower", pa.int32()),
            ("borrower_id", pa.string()), ("product", pa.string()), ("creditor", pa.string()),
            ("currency", pa.string()), ("decimals", pa.int8()), ("principal", pa.int64()),
            ("disbursed_on", pa.date32()), ("annual_rate_e8", pa.int64()),
            ("late_rate_e8", pa.int64()), ("late_base", pa.string()), ("grace_days", pa.int32()),
            ("allocation", pa.string()), ("tolerance", pa.int64()), ("status", pa.string()),
            ("status_on", pa.date32()), ("jurisdiction", pa.string()), ("quarantined", pa.bool_()),
        ]
    ),
    "installments": pa.schema(
        [
            ("loan", pa.int32()), ("number", pa.int32()), ("due_on", pa.date32()),
            ("grace_ends_on", pa.date32()), ("principal", pa.int64()), ("interest", pa.int64()),
            ("fee", pa.int64()),
        ]
    ),
    "payments": pa.schema(
        [
            ("loan", pa.int32()), ("borrower", pa.int32()), ("payment_id", pa.string()),
            ("paid_on", pa.date32()), ("amount", pa.int64()), ("kind", pa.int8()),
            ("component", pa.int8()), ("reversed_on", pa.date32()), ("waiver_rank", pa.int32()),
        ]
    ),
    "signals": pa.schema(
        [
            ("signal_id", pa.string()), ("borrower", pa.int32()), ("loan", pa.int32()),
            ("kind", pa.string()), ("starts_at", pa.timestamp("us")),
            ("ends_at", pa.timestamp("us")), ("detail", pa.string()),
        ]
    ),
    "agreed": pa.schema(
        [
            ("signal_id", pa.string()), ("number", pa.int32()), ("due_on", pa.date32()),
            ("amount", pa.int64()),
        ]
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Book:
    """Rows as the contract names them: money in minor units, dates as dates."""

    loans: Sequence[Row]
    installments: Sequence[Row] = ()
    payments: Sequence[Row] = ()
    signals: Sequence[Row] = ()
    agreed: Sequence[Row] = ()


@dataclass(frozen=True, kw_only=True)
class Written:
    """Stands for a Snapshot: positions read nothing of it but the path."""

    path: Path
    book: Book = field(repr=False)


def day(text: str) -> date:
    return date.fromisoformat(text)


def loan(loan_id: str = "L1", **told: object) -> Row:
    """One loan with the defaults of the contract."""
    return {
        "loan_id": loan_id, "borrower_id": "B1", "currency": "CNY", "late_rate_e8": 0,
        "late_base": "principal", "grace_days": 0, "allocation": "oldest_installment",
        "tolerance": 0, "status": "active", "status_on": None, "quarantined": False,
    } | told  # fmt: skip


def installment(number: int, due_on: date, principal: int, **told: object) -> Row:
    return {
        "loan_id": "L1", "number": number, "due_on": due_on, "grace_until": None,
        "principal": principal, "interest": 0, "fee": 0,
    } | told  # fmt: skip


def payment(payment_id: str, paid_on: date, amount: int, **told: object) -> Row:
    return {
        "payment_id": payment_id, "loan_id": "L1", "paid_on": paid_on, "amount": amount,
        "kind": "payment", "component": "", "reversed_on": None,
    } | told  # fmt: skip


def signal(signal_id: str, kind: str, starts_on: date, ends_on: date | None, **told: object) -> Row:
    """A signal that starts and ends at noon of the lender's day."""
    return {
        "signal_id": signal_id, "borrower_id": "B1", "loan_id": "L1", "kind": kind,
        "starts_at": noon(starts_on), "ends_at": None if ends_on is None else noon(ends_on),
        "detail": None,
    } | told  # fmt: skip


def noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 12, tzinfo=ZoneInfo(ZONE))


def write_snapshot(book: Book, path: Path, *, rows_a_group: int = 1000) -> Written:
    """Write the tables that positions read, in the row order given."""
    path.mkdir(parents=True)
    ids = sorted((str(row["loan_id"]) for row in book.loans), key=str.encode)
    index = {name: at for at, name in enumerate(ids)}
    people = sorted({str(row["borrower_id"]) for row in book.loans}, key=str.encode)
    borrower = {name: at for at, name in enumerate(people)}
    by_id = {row["loan_id"]: row for row in book.loans}
    tables = {
        "loans": [
            {**row, "loan": index[str(row["loan_id"])], "decimals": 2, "product": "installment",
             "borrower": borrower[str(row["borrower_id"])]}
            for row in sorted(book.loans, key=lambda row: index[str(row["loan_id"])])
        ],
        "installments": [
            {**row, "loan": index[str(row["loan_id"])],
             "grace_ends_on": row["grace_until"]
             or row["due_on"] + timedelta(days=by_id[row["loan_id"]]["grace_days"])}
            for row in book.installments
        ],
        "payments": _payments(book, index),
        "signals": [
            {**row, "borrower": borrower.get(str(row["borrower_id"])),
             "loan": None if row["loan_id"] is None else index[str(row["loan_id"])],
             "starts_at": _naive(row["starts_at"]), "ends_at": _naive(row["ends_at"]),
             "detail": None if row["detail"] is None else json.dumps(row["detail"])}
            for row in book.signals
        ],
        "agreed": list(book.agreed),
    }  # fmt: skip
    for name, rows in tables.items():
        schema = SCHEMAS[name]
        columns = {item.name: [row.get(item.name) for row in rows] for item in schema}
        pq.write_table(
            pa.table(columns, schema), path / f"{name}.parquet", row_group_size=rows_a_group
        )
    return Written(path=path, book=book)


def _payments(book: Book, index: Mapping[str, int]) -> list[Row]:
    waivers = sorted(
        (str(row["payment_id"]) for row in book.payments if row["kind"] == "waiver"),
        key=str.encode,
    )
    rank = {name: at for at, name in enumerate(waivers)}
    return [
        {**row, "loan": index.get(str(row["loan_id"])), "kind": int(row["kind"] == "waiver"),
         "component": COMPONENTS.index(str(row["component"])),
         "waiver_rank": rank.get(str(row["payment_id"]), 0)}
        for row in book.payments
    ]  # fmt: skip


def _naive(instant: object) -> datetime | None:
    if instant is None:
        return None
    assert isinstance(instant, datetime)
    return instant.astimezone(UTC).replace(tzinfo=None)


def positions_of(
    book: Book, as_of: date, *, threads: int = 1, rows_a_group: int = 1000
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Both tables of a book as lists of rows."""
    with tempfile.TemporaryDirectory() as folder:
        snapshot = write_snapshot(book, Path(folder) / "snapshot", rows_a_group=rows_a_group)
        made = compute(
            snapshot,  # type: ignore[arg-type]
            as_of=as_of,
            time_zone=ZONE,
            threads=threads,
            installments=True,
        )
    assert made.installments is not None
    return made.loans.to_pylist(), made.installments.to_pylist()


def position_of(book: Book, as_of: str) -> dict[str, Any]:
    """The row of a book's only loan."""
    loans, _ = positions_of(book, day(as_of))
    assert len(loans) == 1
    return loans[0]
