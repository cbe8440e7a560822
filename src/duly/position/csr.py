"""Read the children of loans from a snapshot into CSR arrays, row group by row group.

A snapshot's children stand in the order of the loans: a range of loans is a run of rows, cut out.
Rows in any other order take two passes: the loan column is counted, then every row is scattered to
the slot of its loan. Both give the same arrays, once each loan is sorted.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from duly.position import scatter
from duly.position.arrays import NEVER, NONE, Loans, Offsets, Payments, Schedule

_ALLOCATION = ("oldest_installment", "component", "principal_first")


def cut(loans: Loans, low: int, high: int) -> Loans:
    """Return the columns of the loans low <= loan < high."""
    return Loans(
        late_rate_e8=loans.late_rate_e8[low:high],
        whole_base=loans.whole_base[low:high],
        allocation=loans.allocation[low:high],
        tolerance=loans.tolerance[low:high],
        ended=loans.ended[low:high],
        status_on=loans.status_on[low:high],
        skipped=loans.skipped[low:high],
    )


class Rows(Protocol):
    """Where children come from."""

    @property
    def in_order(self) -> bool:
        """Say whether the file's parts follow one another in the order of the loans."""
        ...

    def read(self, low: int, high: int, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield tables that hold every row of the loans low <= loan < high, or more."""
        ...


class Children:
    """One file of children."""

    def __init__(self, path: Path, *, threads: int) -> None:
        self._path = path
        self._use_threads = threads > 2  # Two files are read at once: that keeps two busy.
        with pq.ParquetFile(path) as file:
            loan = file.schema_arrow.get_field_index("loan")
            groups = [file.metadata.row_group(at) for at in range(file.num_row_groups)]
            self._spans = [_span(group.column(loan).statistics) for group in groups]

    @property
    def in_order(self) -> bool:
        """Say whether the row groups follow one another in the order of the loans."""
        known = [span for span in self._spans if span is not None]
        pairs = itertools.pairwise(known)
        return all(before[1] <= after[0] for before, after in pairs)

    def read(self, low: int, high: int, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the row groups that may hold loans of the range, by the file's statistics."""
        with pq.ParquetFile(self._path, memory_map=True) as file:
            for group, span in enumerate(self._spans):
                if span is None or (span[0] < high and span[1] >= low):
                    yield file.read_row_group(
                        group, columns=list(columns), use_threads=self._use_threads
                    )


def _span(statistics: Any) -> tuple[int, int] | None:
    """Return the least and greatest loan of a row group, or None where the file does not tell."""
    if statistics is None or not statistics.has_min_max:
        return None
    return statistics.min, statistics.max


def numbers(column: pa.ChunkedArray, kind: pa.DataType, empty: int) -> npt.NDArray[Any]:
    """Return a column as a read-only NumPy array of `kind`, `empty` where it is null."""
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    if column.type != kind:
        column = column.cast(kind)
    flat = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if flat.null_count:
        flat = flat.fill_null(empty)
    values: npt.NDArray[Any] = flat.to_numpy(zero_copy_only=True)
    values.flags.writeable = False  # One type for the compiled functions, copied or not.
    return values


def read_loans(table: pa.Table) -> Loans:
    """Return the kernel's columns of the loans table."""

    def coded(name: str, values: Sequence[str]) -> npt.NDArray[np.int8]:
        places = pc.index_in(table[name], pa.array(values, table[name].type))
        return np.array(numbers(places, pa.int8(), 0))

    return Loans(
        late_rate_e8=np.array(numbers(table["late_rate_e8"], pa.int64(), 0), np.int64),
        whole_base=coded("late_base", ("principal", "installment")),
        allocation=coded("allocation", _ALLOCATION),
        tolerance=np.array(numbers(table["tolerance"], pa.int64(), 0), np.int64),
        ended=np.minimum(coded("status", ("active", "closed", "written_off")), np.int8(1)),
        status_on=np.array(numbers(table["status_on"], pa.int32(), NONE), np.int32),
        skipped=np.array(table["quarantined"].fill_null(False).to_numpy(), np.int8),
    )


#: Name, type and value where empty of each column read.
_Column = tuple[str, pa.DataType, int]
_SCHEDULE: tuple[_Column, ...] = (
    ("due_on", pa.int32(), NONE),
    ("grace_ends_on", pa.int32(), NONE),
    ("number", pa.int32(), NONE),
    ("interest", pa.int64(), 0),
    ("fee", pa.int64(), 0),
    ("principal", pa.int64(), 0),
)
_PAYMENTS: tuple[_Column, ...] = (
    ("paid_on", pa.int32(), NONE),
    ("reversed_on", pa.int32(), NEVER),
    ("waiver_rank", pa.int32(), 0),
    ("amount", pa.int64(), 0),
    ("kind", pa.int8(), 0),
    ("component", pa.int8(), 0),
)


def read_schedule(children: Rows, low: int, high: int) -> Schedule:
    """Return the installments of the loans low <= loan < high, unsorted within a loan."""
    offset, columns = _read(children, low, high, _SCHEDULE)
    return Schedule(offset, *columns)


def read_payments(children: Rows, low: int, high: int) -> Payments:
    """Return the payments of the loans low <= loan < high, unsorted within a loan."""
    offset, (paid_on, reversed_on, rank, amount, kind, component) = _read(
        children, low, high, _PAYMENTS
    )
    component[kind == 0] = -1
    return Payments(offset, paid_on, amount, component, reversed_on, rank)


_Read = tuple[Offsets, list[npt.NDArray[Any]]]


def _read(children: Rows, low: int, high: int, columns: Sequence[_Column]) -> _Read:
    found = _joined(children, low, high, columns) if children.in_order else None
    return found or _scattered(children, low, high, columns)


def _joined(children: Rows, low: int, high: int, columns: Sequence[_Column]) -> _Read | None:
    """Return columns whose rows already stand by loan: cut and joined, or None if they do not."""
    offset = np.zeros(high - low + 1, np.int64)
    parts: list[list[npt.NDArray[Any]]] = [[] for _ in columns]
    before = -1
    for group in children.read(low, high, ["loan", *(name for name, _, _ in columns)]):
        loan = numbers(group["loan"], pa.int32(), -1)
        if not scatter.rises(loan, before):
            return None
        before = int(loan[-1]) if loan.size else before
        begin, end = np.searchsorted(loan, (low, high))
        scatter.count(loan[begin:end], low, offset)
        for part, (name, kind, empty) in zip(parts, columns, strict=True):
            part.append(numbers(group[name].slice(begin, end - begin), kind, empty))
    return np.cumsum(offset), [
        np.concatenate([*part, np.empty(0, kind.to_pandas_dtype())])
        for part, (_, kind, _) in zip(parts, columns, strict=True)
    ]


def _scattered(children: Rows, low: int, high: int, columns: Sequence[_Column]) -> _Read:
    """Return columns from rows in any order: counted by loan first, then placed."""
    slots = _Slots(children, low, high)
    made = [np.empty(slots.size, kind.to_pandas_dtype()) for _, kind, _ in columns]
    for group in children.read(low, high, [name for name, _, _ in columns]):
        slots.next_group()
        for column, (name, kind, empty) in zip(made, columns, strict=True):
            slots.put(numbers(group[name], kind, empty), column)
    return slots.offset, made


class _Slots:
    """Where each row of a file goes: first its loan column is counted, then rows are placed."""

    def __init__(self, children: Rows, low: int, high: int) -> None:
        self._low = low
        self.offset = np.zeros(high - low + 1, np.int64)
        self._loans = [
            numbers(group["loan"], pa.int32(), -1) for group in children.read(low, high, ["loan"])
        ]
        for loan in self._loans:
            scatter.count(loan, low, self.offset)
        self.offset = np.cumsum(self.offset)
        self._following = self.offset.copy()
        self.size = int(self.offset[-1])
        self._target = np.empty(0, np.int64)
        self._first = -1

    def next_group(self) -> None:
        """Place the rows of the next table read."""
        loan = self._loans.pop(0)
        self._target = np.empty(loan.size, np.int64)
        self._first = scatter.place(loan, self._low, self._following, self._target)

    def put(self, values: npt.NDArray[Any], column: npt.NDArray[Any]) -> None:
        """Write the values of one column of the table to their slots."""
        if self._first >= 0:
            column[self._first : self._first + values.size] = values
        elif column.dtype == np.int32:
            scatter.put_days(self._target, values, column)
        elif column.dtype == np.int64:
            scatter.put_money(self._target, values, column)
        else:
            scatter.put_codes(self._target, values, column)
