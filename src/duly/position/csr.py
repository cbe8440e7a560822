"""Read the children of loans from a snapshot into CSR arrays, row group by row group.

Two passes over each file: the loan column is counted, then every row is scattered to the slot
of its loan. Any row order gives the same arrays, once each loan is sorted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from duly.position import scatter
from duly.position.arrays import NEVER, NONE, Days, Loans, Payments, Schedule

_AHEAD = 3  #: row groups decoded before they are asked for

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
    """One file of children, ready to be scattered for the loans low <= loan < high."""

    def __init__(self, path: Path, pool: Executor) -> None:
        self._path = path
        self._pool = pool
        self._groups = self._ranges()

    def _ranges(self) -> list[tuple[int, int, int]]:
        """Return (row group, least loan, greatest loan) from the file's statistics."""
        meta = pq.read_metadata(self._path)
        loan = meta.schema.names.index("loan")
        ranges = []
        for group in range(meta.num_row_groups):
            known = meta.row_group(group).column(loan).statistics
            told = known is not None and known.has_min_max
            ranges.append((group, known.min if told else 0, known.max if told else NEVER))
        return ranges

    def read(self, low: int, high: int, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the row groups that may hold loans of the range, decoded ahead in the pool."""
        wanted = [group for group, least, most in self._groups if least < high and most >= low]
        ahead: deque[Future[pa.Table]] = deque()
        for group in wanted:
            ahead.append(self._pool.submit(self._group, group, columns))
            if len(ahead) >= _AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()

    def _group(self, group: int, columns: Sequence[str]) -> pa.Table:
        with pq.ParquetFile(self._path, memory_map=True) as file:
            return file.read_row_group(group, columns=list(columns), use_threads=False)


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


def _offsets(children: Rows, low: int, high: int) -> npt.NDArray[np.int64]:
    offset = np.zeros(high - low + 1, np.int64)
    for group in children.read(low, high, ["loan"]):
        scatter.count(_index(group), low, offset)
    return np.cumsum(offset)


def _index(group: pa.Table) -> Days:
    return numbers(group["loan"], pa.int32(), -1)


_INSTALLMENTS = ("loan", "due_on", "grace_ends_on", "number", "interest", "fee", "principal")
_PAYMENTS = (
    "loan", "paid_on", "reversed_on", "waiver_rank", "amount", "kind", "component",
)  # fmt: skip


def read_schedule(children: Rows, low: int, high: int) -> Schedule:
    """Return the installments of the loans low <= loan < high, unsorted within a loan."""
    offset = _offsets(children, low, high)
    size, following = int(offset[-1]), offset.copy()
    days = [np.empty(size, np.int32) for _ in range(3)]
    money = [np.empty(size, np.int64) for _ in range(3)]
    for group in children.read(low, high, _INSTALLMENTS):
        target = np.empty(group.num_rows, np.int64)
        scatter.place(_index(group), low, following, target)
        for name, day in zip(_INSTALLMENTS[1:4], days, strict=True):
            scatter.put_days(target, numbers(group[name], pa.int32(), NONE), day)
        for name, amount in zip(_INSTALLMENTS[4:], money, strict=True):
            scatter.put_money(target, numbers(group[name], pa.int64(), 0), amount)
    return Schedule(offset, days[0], days[1], days[2], money[0], money[1], money[2])


def read_payments(children: Rows, low: int, high: int) -> Payments:
    """Return the payments of the loans low <= loan < high, unsorted within a loan."""
    offset = _offsets(children, low, high)
    size, following = int(offset[-1]), offset.copy()
    paid_on, reversed_on, rank = (np.empty(size, np.int32) for _ in range(3))
    amount, code = np.empty(size, np.int64), np.empty(size, np.int8)
    for group in children.read(low, high, _PAYMENTS):
        target = np.empty(group.num_rows, np.int64)
        scatter.place(_index(group), low, following, target)
        scatter.put_days(target, numbers(group["paid_on"], pa.int32(), NONE), paid_on)
        scatter.put_days(target, numbers(group["reversed_on"], pa.int32(), NEVER), reversed_on)
        scatter.put_days(target, numbers(group["waiver_rank"], pa.int32(), 0), rank)
        scatter.put_money(target, numbers(group["amount"], pa.int64(), 0), amount)
        waiver = numbers(group["kind"], pa.int8(), 0)
        component = numbers(group["component"], pa.int8(), 0)
        scatter.put_codes(target, np.where(waiver == 0, np.int8(-1), component), code)
    return Payments(offset, paid_on, amount, code, reversed_on, rank)
