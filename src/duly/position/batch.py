"""All loans of a snapshot at once: read, cover, sort, compute in chunks, hand over as Arrow."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from duly.position import csr, kernel, scatter, tables
from duly.position.arrays import DAYS, MONEY, PARTS, Covered, Loans, Out
from duly.position.coverage import Covers, read_covers, union
from duly.position.tables import Positions

if TYPE_CHECKING:
    from duly.book import Snapshot

_CHUNK = 16_384  #: loans one thread takes at a time
_BLOCK = 2_000_000  #: loans whose installments and payments are in memory at a time
_RUN = 131_072  #: the same for each thread, where the files stand in the order of the loans

LOAN_COLUMNS = (
    "loan_id", "borrower", "borrower_id", "currency", "late_rate_e8", "late_base", "allocation",
    "tolerance", "status", "status_on", "quarantined",
)  # fmt: skip


def compute(
    snapshot: Snapshot,
    *,
    as_of: date,
    time_zone: str,
    threads: int = 0,
    installments: bool = False,
) -> Positions:
    """Compute the positions of a snapshot at the close of `as_of`.

    Signals cover whole days of `time_zone`, the lender's. `threads` 0 means one a processor;
    results do not depend on it.
    """
    day = (as_of - date(1970, 1, 1)).days
    table = read_loan_table(snapshot.path)
    loans = csr.read_loans(table)
    borrower = np.array(csr.numbers(table["borrower"], pa.int32(), -1), np.int32)
    count = threads or len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(count) as pool:
        covers = read_covers(snapshot.path, borrower, day, time_zone)
        children = _children(snapshot.path, count)
        in_order = all(one.in_order for one in children)
        size, beside = (_RUN, None) if in_order else (_BLOCK, pool)

        def block(low: int) -> tables.Block:
            high = min(low + size, table.num_rows)
            return run_block(
                children, loans, covers, low, high, day, keep=installments, pool=beside
            )

        lows = range(0, table.num_rows, size)
        blocks = list(pool.map(block, lows) if in_order else map(block, lows))
    return Positions(
        loans=tables.loan_table(table, blocks, day),
        installments=tables.installment_table(table, blocks) if installments else None,
    )


def compute_loan(
    snapshot: Snapshot, table: pa.Table, covers: Covers, loan: int, as_of: date
) -> Positions:
    """Compute the position of one loan by the same kernel."""
    day = (as_of - date(1970, 1, 1)).days
    children = _children(snapshot.path, 1)
    block = run_block(children, csr.read_loans(table), covers, loan, loan + 1, day, keep=True)
    one = table.slice(loan, 1)
    return Positions(
        loans=tables.loan_table(one, [block], day),
        installments=tables.installment_table(table, [block]),
    )


def read_loan_table(path: Path) -> pa.Table:
    """Return the loan columns that positions need, one row a loan of the book."""
    table: pa.Table = pq.read_table(path / "loans.parquet", columns=list(LOAN_COLUMNS))
    return table


def _children(path: Path, threads: int) -> tuple[csr.Children, csr.Children]:
    return (
        csr.Children(path / "installments.parquet", threads=threads),
        csr.Children(path / "payments.parquet", threads=threads),
    )


def run_block(
    children: tuple[csr.Rows, csr.Rows],
    loans: Loans,
    covers: Covers,
    low: int,
    high: int,
    as_of: int,
    *,
    keep: bool,
    pool: Executor | None = None,
) -> tables.Block:
    """Read and compute the loans low <= loan < high, with the help of `pool` if there is one."""
    if pool is None:
        schedule = csr.read_schedule(children[0], low, high)
        payments = csr.read_payments(children[1], low, high)
    else:
        reading = pool.submit(csr.read_schedule, children[0], low, high)
        payments = pool.submit(csr.read_payments, children[1], low, high).result()
        schedule = reading.result()
    size = high - low
    parts = schedule.due_on.size if keep else 0
    out = Out(
        np.zeros((len(MONEY), size), np.int64),
        np.zeros((len(DAYS), size), np.int32),
        np.zeros((len(PARTS), parts), np.int64),
        np.zeros(parts, np.int32),
        np.zeros(parts, np.int32),
    )
    mine = csr.cut(loans, low, high)
    stops, pauses = _slice(covers.stops, low, high), _slice(covers.pauses, low, high)

    def chunk(begin: int, until: int) -> None:
        scatter.sort_schedule(schedule, begin, until)
        scatter.sort_payments(payments, begin, until)
        kernel.positions(mine, schedule, payments, stops, pauses, out, begin, until, as_of, keep)

    if pool is None:
        chunk(0, size)
    else:
        _in_chunks(pool, chunk, size)
    return tables.Block(low=low, schedule=schedule if keep else None, out=out)


def _slice(covered: Covered, low: int, high: int) -> Covered:
    return Covered(covered.offset[low : high + 1], covered.from_day, covered.until_day)


def _in_chunks(pool: Executor, work: Callable[[int, int], None], size: int) -> None:
    """Run `work` over the loans in chunks; the first failure is raised."""
    futures = [
        pool.submit(work, begin, min(begin + _CHUNK, size)) for begin in range(0, size, _CHUNK)
    ]
    for future in futures:
        future.result()


class _OneRow:
    """A file of children of loans 1 and 0: one row that is not wanted, one of zeros."""

    def __init__(self, *, in_order: bool) -> None:
        self.in_order = in_order

    def read(self, low: int, high: int, columns: Sequence[str]) -> Iterator[pa.Table]:
        del low, high
        rows = {name: pa.array([0, 0], pa.int32()) for name in columns}
        if "loan" in rows:
            rows["loan"] = pa.array([0, 1] if self.in_order else [1, 0], pa.int32())
        yield pa.table(rows)


def warm() -> None:
    """Compile the kernels, or load them from the cache, on one loan of one installment."""
    one = np.zeros(1, np.int64)
    code, day = np.zeros(1, np.int8), np.zeros(1, np.int32)
    loans = Loans(one, code, code.copy(), one.copy(), code.copy(), day, code.copy())
    nothing = union(one[:0], one[:0], one[:0], 1)
    covers = Covers(stops=nothing, pauses=nothing)
    for in_order in (True, False):
        rows = _OneRow(in_order=in_order)
        run_block((rows, rows), loans, covers, 0, 1, 0, keep=True)
