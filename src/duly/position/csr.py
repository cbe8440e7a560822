"""Read the children of loans from a snapshot into CSR arrays, row group by row group.

Two passes over each file: the loan column is counted, then every row is scattered to the slot
of its loan. Any row order gives the same arrays, once each loan is sorted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from duly.position import scatter
from duly.position.arrays import NEVER, NONE, Loans, Payments, Schedule

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

    def read(self, low: int, high: int, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield tables that hold every row of the loans low <= loan < high, or more."""
        ...


class Children:
    """One file of children."""

    def __init__(self, path: Path, *, threads: int) -> None:
        self._path = path
        self._use_threads = threads > 2  # Two files are read at once: that keeps two busy.

    def read(self, low: int, high: int, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the row groups that may hold loans of the range, by the file's statistics."""
        with pq.ParquetFile(self._path, memory_map=True) as file:
            loan = file.schema_arrow.get_field_index("loan")
            for group in range(file.num_row_groups):
                known = file.metadata.row_group(group).column(loan).statistics
                told = known is not None and known.has_min_max
                if not told or (known.min < high and known.max >= low):
                    yield file.read_row_group(
                        group, columns=list(columns), use_threads=self._use_threads
                    )


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


_SCHEDULE_DAYS = ("due_on", "grace_ends_on", "number")
_SCHEDULE_MONEY = ("interest", "fee", "principal")
_PAYMENT_DAYS = (("paid_on", NONE), ("reversed_on", NEVER), ("waiver_rank", 0))


def read_schedule(children: Rows, low: int, high: int) -> Schedule:
    """Return the installments of the loans low <= loan < high, unsorted within a loan."""
    slots = _Slots(children, low, high)
    days = [np.empty(slots.size, np.int32) for _ in _SCHEDULE_DAYS]
    money = [np.empty(slots.size, np.int64) for _ in _SCHEDULE_MONEY]
    for group in children.read(low, high, _SCHEDULE_DAYS + _SCHEDULE_MONEY):
        slots.next_group()
        for name, day in zip(_SCHEDULE_DAYS, days, strict=True):
            slots.put(numbers(group[name], pa.int32(), NONE), day)
        for name, amount in zip(_SCHEDULE_MONEY, money, strict=True):
            slots.put(numbers(group[name], pa.int64(), 0), amount)
    return Schedule(slots.offset, days[0], days[1], days[2], money[0], money[1], money[2])


def read_payments(children: Rows, low: int, high: int) -> Payments:
    """Return the payments of the loans low <= loan < high, unsorted within a loan."""
    slots = _Slots(children, low, high)
    days = [np.empty(slots.size, np.int32) for _ in _PAYMENT_DAYS]
    amount, code = np.empty(slots.size, np.int64), np.empty(slots.size, np.int8)
    columns = (*(name for name, _ in _PAYMENT_DAYS), "amount", "kind", "component")
    for group in children.read(low, high, columns):
        slots.next_group()
        for (name, empty), day in zip(_PAYMENT_DAYS, days, strict=True):
            slots.put(numbers(group[name], pa.int32(), empty), day)
        slots.put(numbers(group["amount"], pa.int64(), 0), amount)
        waiver = numbers(group["kind"], pa.int8(), 0)
        component = numbers(group["component"], pa.int8(), 0)
        named = np.where(waiver == 0, np.int8(-1), component)
        named.flags.writeable = False
        slots.put(named, code)
    return Payments(slots.offset, days[0], amount, code, days[1], days[2])
