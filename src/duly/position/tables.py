"""Positions as Arrow tables, and their files (contract, section 2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from duly.position.arrays import DAYS, MONEY, NONE, PARTS, Out, Schedule

BUCKETS = ("M0", "M1", "M2", "M3", "M4", "M5", "M6", "M7+")
DATES = ("overdue_since", "arrears_since", "next_due_on", "last_paid_on", "grace_ends_on")

#: The columns of contract 2.4, in its order.
LOAN_COLUMNS = (
    "loan_id", "borrower_id", "currency", "as_of", "days_past_due", "days_delinquent", "bucket",
    "overdue_since", "arrears_since", "installments_overdue", "overdue_principal",
    "overdue_interest", "overdue_fee", "late_charge", "overdue_total", "outstanding_principal",
    "outstanding_interest", "outstanding_fee", "outstanding_total", "next_due_on",
    "next_due_amount", "unallocated_credit", "waiver_unused", "paid_total", "last_paid_on",
    "late_count_12m", "late_count_12m_after_grace", "days_past_due_max_12m", "status",
)  # fmt: skip
#: What a plan asks beside them.
BESIDE = ("grace_ends_on", "oldest_number", "late_count_before_arrears", "accruing")
INSTALLMENT_COLUMNS = (
    "loan_id", "number", "due_on", "paid_principal", "paid_interest", "paid_fee",
    "late_charge_accrued", "late_charge_paid", "unpaid_total", "settled_on", "days_late",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Positions:
    """What is owed by every loan that is not quarantined, in the order of the loan index.

    `loans` holds the columns of contract 2.4 between `loan` and the columns of `BESIDE`:
    `grace_ends_on` and `oldest_number` of the oldest counting installment, how many installments
    of the last 365 days were settled after their grace and before these arrears began, and on how
    many a late charge is growing.
    """

    loans: pa.Table
    installments: pa.Table | None


@dataclass(frozen=True, kw_only=True)
class Block:
    """The computed loans from index `low` on."""

    low: int
    schedule: Schedule | None  #: only where installments are kept
    out: Out


def loan_table(loans: pa.Table, blocks: Sequence[Block], as_of: int) -> pa.Table:
    """Return one row a loan that is not quarantined, in index order."""
    columns: dict[str, pa.Array | pa.ChunkedArray] = {
        "loan": _joined([_indices(block) for block in blocks], pa.int32()),
        "as_of": pa.array(np.full(loans.num_rows, as_of, np.int32)).view(pa.date32()),
    }
    for name in ("loan_id", "borrower_id", "currency", "status"):
        columns[name] = loans[name]
    for row, name in enumerate(MONEY):
        columns[name] = _joined([block.out.money[row] for block in blocks], pa.int64())
    for row, name in enumerate(DAYS):
        values = [block.out.days[row] for block in blocks]
        if name in DATES:
            columns[name] = pa.chunked_array([dates(column) for column in values], pa.date32())
        elif name == "oldest_number":
            columns[name] = pa.chunked_array([_or_null(column) for column in values], pa.int32())
        else:
            columns[name] = _joined(values, pa.int32())
    columns["bucket"] = pa.chunked_array(
        [_buckets(block.out.days[0]) for block in blocks], pa.dictionary(pa.int8(), pa.string())
    )
    names = ("loan", *LOAN_COLUMNS, *BESIDE)
    table = pa.table({name: columns[name] for name in names})
    if pc.any(loans["quarantined"]).as_py():
        table = table.filter(pc.invert(loans["quarantined"].fill_null(False)))
    return table


def _indices(block: Block) -> npt.NDArray[np.int32]:
    return np.arange(block.low, block.low + block.out.days.shape[1], dtype=np.int32)


def _joined(values: Sequence[npt.NDArray[np.generic]], kind: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(column) for column in values], kind)


def _or_null(values: npt.NDArray[np.int32]) -> pa.Array:
    empty = values == NONE
    return pa.array(values, mask=empty) if empty.any() else pa.array(values)


def dates(values: npt.NDArray[np.int32]) -> pa.Array:
    """Return days since 1970-01-01 as dates, null where empty."""
    return _or_null(values).view(pa.date32())


def _buckets(days_past_due: npt.NDArray[np.int32]) -> pa.Array:
    which = np.minimum((days_past_due + 29) // 30, len(BUCKETS) - 1).astype(np.int8)
    return pa.DictionaryArray.from_arrays(which, pa.array(BUCKETS))


def installment_table(loans: pa.Table, blocks: Sequence[Block]) -> pa.Table:
    """Return one row an installment, by loan index and (due_on, number)."""
    ids = loans["loan_id"].combine_chunks().cast(pa.string())
    made = []
    for block in blocks:
        schedule, out = block.schedule, block.out
        assert schedule is not None, "installments were not kept"
        sizes = np.diff(schedule.offset)
        loan = np.repeat(np.arange(block.low, block.low + sizes.size, dtype=np.int32), sizes)
        columns = {
            "loan_id": pa.DictionaryArray.from_arrays(loan, ids),
            "number": pa.array(schedule.number),
            "due_on": dates(schedule.due_on),
            **{name: pa.array(out.parts[row]) for row, name in enumerate(PARTS)},
            "settled_on": dates(out.settled_on),
            "days_late": pa.array(out.late_days),
        }
        made.append(pa.table({name: columns[name] for name in INSTALLMENT_COLUMNS}))
    if not made:
        return _no_installments()
    return pa.concat_tables(made)


def _no_installments() -> pa.Table:
    kinds = {
        "loan_id": pa.dictionary(pa.int32(), pa.string()),
        "due_on": pa.date32(),
        "settled_on": pa.date32(),
        "number": pa.int32(),
        "days_late": pa.int32(),
    }
    return pa.schema(
        [(name, kinds.get(name, pa.int64())) for name in INSTALLMENT_COLUMNS]
    ).empty_table()


def write(positions: Positions, out: Path, form: Literal["parquet", "csv"]) -> tuple[Path, ...]:
    """Write `positions` and, where computed, `installments` into the directory `out`.

    The columns are those of contract 2.4 alone. Each file appears whole or not at all; returns
    the paths written.
    """
    out.mkdir(parents=True, exist_ok=True)
    loans = positions.loans.select(list(LOAN_COLUMNS))
    written = [_write(loans, out / f"positions.{form}", form)]
    if positions.installments is not None:
        written.append(_write(positions.installments, out / f"installments.{form}", form))
    return tuple(written)


def _write(table: pa.Table, path: Path, form: str) -> Path:
    kinds = [(column.name, column.type) for column in table.schema]
    plain = pa.schema(
        [(name, kind.value_type if pa.types.is_dictionary(kind) else kind) for name, kind in kinds]
    )
    half = path.with_name(path.name + ".tmp")
    table = table.cast(plain)
    if form == "csv":
        with half.open("wb") as file:
            file.write((",".join(table.column_names) + "\n").encode())
            options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
            pa_csv.write_csv(table, file, options)
    else:
        pq.write_table(table, half, compression="zstd")
    half.replace(path)
    return path
