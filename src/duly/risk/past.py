"""The book as arrays in which one can stand on any day: every row with the day it was known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from duly.core.money import NotMoney, to_minor
from duly.position import csr, scatter
from duly.position.arrays import NEVER, NONE, Codes, Days, Money, Offsets, Payments, Schedule
from duly.position.coverage import local_days

_LOANS = (
    "loan_id", "borrower", "product", "currency", "principal", "disbursed_on", "annual_rate_e8",
    "late_rate_e8", "late_base", "allocation", "tolerance", "status", "status_on", "quarantined",
)  # fmt: skip


class Terms(NamedTuple):
    """What was agreed, one row a loan."""

    borrower: Days
    principal: Money
    disbursed_on: Days
    annual_rate_e8: Money  #: -1 where the book does not say
    late_rate_e8: Money
    whole_base: Codes
    tolerance: Money


class Contacts(NamedTuple):
    """What was said, ordered by day within a borrower."""

    offset: Offsets
    day: Days
    text_out: Codes  #: 1 where we wrote or called
    answered: Codes  #: 1 where the borrower wrote, replied or took the call


class Promises(NamedTuple):
    """What was promised, ordered by day within a borrower."""

    offset: Offsets
    day: Days
    on: Days
    amount: Money
    loan: Days  #: -1 for all loans of the borrower


class Related(NamedTuple):
    """Who is related to whom, and from when until when that may be looked at."""

    offset: Offsets
    other: Days
    allowed_from: Days  #: one a borrower; NEVER without a consent
    allowed_until: Days


class Past(NamedTuple):
    """What the kernels read; days are days since 1970-01-01."""

    terms: Terms
    schedule: Schedule
    payments: Payments
    loans_offset: Offsets  #: the loans of each borrower, CSR over `loans_of`
    loans_of: Days
    income: Money  #: one a borrower; -1 where the book does not say
    contacts: Contacts
    promises: Promises
    related: Related


class Coded(NamedTuple):
    """A column of few words: the place of each row's word."""

    code: Days
    words: tuple[str, ...]

    def of_each(self, values: Sequence[float]) -> npt.NDArray[np.float32]:
        """Return for each row the value that stands in the place of its word."""
        return np.array([*values, np.nan], np.float32)[self.code]


class Names(NamedTuple):
    """What is text about each loan, for the caller; no kernel reads it."""

    loan_id: pa.ChunkedArray
    product: Coded
    currency: Coded
    quarantined: npt.NDArray[np.bool_]
    ended: npt.NDArray[np.bool_]
    status_on: Days


def read_past(path: Path, time_zone: str) -> tuple[Past, Names]:
    """Return the arrays of a snapshot; instants fall on days of `time_zone`."""
    table = pq.read_table(path / "loans.parquet", columns=list(_LOANS))
    loans = csr.read_loans(table)
    count = table.num_rows
    borrower = np.array(csr.numbers(table["borrower"], pa.int32(), -1), np.int32)
    people = pq.read_table(path / "borrowers.parquet", columns=["borrower", "monthly_income",
                                                                "borrower_id"])  # fmt: skip
    size = 1 + max(int(borrower.max(initial=-1)), int(_ints(people["borrower"]).max(initial=-1)))
    income = np.full(size, -1, np.int64)
    income[_ints(people["borrower"])] = _ints(people["monthly_income"], pa.int64())
    with ThreadPoolExecutor(1) as beside:
        paying = beside.submit(_payments, path, count)
        talking = beside.submit(_contacts, path, size, time_zone)
        promising = beside.submit(_promises, path, size, time_zone, table)
        relating = beside.submit(_related, path, size, time_zone, people)
        schedule = _schedule(path, count)
        product, currency = _coded(table["product"]), _coded(table["currency"])
    order = np.argsort(borrower, kind="stable").astype(np.int32)
    terms = Terms(
        borrower=borrower,
        principal=_ints(table["principal"], pa.int64(), 0),
        disbursed_on=_ints(table["disbursed_on"]),
        annual_rate_e8=_ints(table["annual_rate_e8"], pa.int64()),
        late_rate_e8=loans.late_rate_e8,
        whole_base=loans.whole_base,
        tolerance=loans.tolerance,
    )
    past = Past(
        terms=terms,
        schedule=schedule,
        payments=paying.result(),
        loans_offset=_offsets(borrower, size),
        loans_of=order[borrower[order] >= 0],
        income=income,
        contacts=talking.result(),
        promises=promising.result(),
        related=relating.result(),
    )
    names = Names(
        loan_id=table["loan_id"],
        product=product,
        currency=currency,
        quarantined=loans.skipped.astype(bool),
        ended=loans.ended.astype(bool),
        status_on=loans.status_on,
    )
    return past, names


def _schedule(path: Path, count: int) -> Schedule:
    found = csr.read_schedule(csr.Children(path / "installments.parquet", threads=1), 0, count)
    scatter.sort_schedule(found, 0, count)
    return found


def _payments(path: Path, count: int) -> Payments:
    found = csr.read_payments(csr.Children(path / "payments.parquet", threads=1), 0, count)
    scatter.sort_payments(found, 0, count)
    return found


def _coded(column: pa.ChunkedArray) -> Coded:
    """Return the codes of a column's words, -1 (the last place) where it is empty."""
    words = tuple(sorted(one for one in pc.unique(column).to_pylist() if one is not None))
    places = pc.index_in(column, value_set=pa.array(words, column.type))
    return Coded(_ints(places), words)


def _ints(
    column: pa.ChunkedArray, kind: pa.DataType | None = None, empty: int = -1
) -> npt.NDArray[Any]:
    return np.array(csr.numbers(column, kind or pa.int32(), empty))


def _offsets(owner: npt.NDArray[Any], size: int) -> Offsets:
    """Return where the rows of each owner begin, in an order by owner; -1 owns nothing."""
    counts = np.bincount(owner[owner >= 0], minlength=size)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _day(column: pa.ChunkedArray, time_zone: str, empty: int) -> Days:
    """Return the local days of naive UTC instants."""
    known = column.cast(pa.timestamp("us")).cast(pa.int64())
    missing = np.array(pc.is_null(known).to_numpy(zero_copy_only=False), bool)
    seconds = np.array(known.fill_null(0).to_numpy(), np.int64) // 10**6
    found = local_days(seconds, time_zone).astype(np.int32)
    found[missing] = empty
    return found


def _contacts(path: Path, size: int, time_zone: str) -> Contacts:
    columns = ["borrower", "at", "direction", "outcome"]
    table = pq.read_table(path / "contacts.parquet", columns=columns)
    borrower, day = _ints(table["borrower"]), _day(table["at"], time_zone, NEVER)
    out = np.array(pc.equal(table["direction"], "out").to_numpy(zero_copy_only=False), np.int8)
    kinds = pa.array(["connected", "replied"], table["outcome"].type)
    spoke = pc.is_in(table["outcome"], value_set=kinds).to_numpy(zero_copy_only=False)
    answered = np.where(out == 1, np.array(spoke, np.int8), np.int8(1)).astype(np.int8)
    order = np.lexsort((answered, out, day, borrower))
    order = order[borrower[order] >= 0]
    return Contacts(_offsets(borrower, size), day[order], out[order], answered[order])


def _promises(path: Path, size: int, time_zone: str, loans: pa.Table) -> Promises:
    table = pq.read_table(
        path / "signals.parquet",
        columns=["borrower", "loan", "kind", "starts_at", "detail"],
        filters=pc.field("kind") == "promise",
    )
    said = [json.loads(text) if text else {} for text in table["detail"].to_pylist()]
    on = np.array([_date(one) for one in said], np.int32)
    borrower, day = _ints(table["borrower"]), _day(table["starts_at"], time_zone, NEVER)
    currency = _currencies(loans, set(borrower.tolist()))
    amount = np.array(
        [_amount(one, currency.get(who, "CNY")) for one, who in zip(said, borrower, strict=True)],
        np.int64,
    )
    loan = _ints(table["loan"])
    order = np.lexsort((amount, on, day, borrower))
    # What names no day or no amount cannot be kept or broken.
    order = order[(borrower[order] >= 0) & (on[order] != NONE) & (amount[order] > 0)]
    kept = borrower[order]
    return Promises(_offsets(kept, size), day[order], on[order], amount[order], loan[order])


def _currencies(loans: pa.Table, wanted: set[int]) -> dict[int, str]:
    """Return the currency in which each borrower owes."""
    some = loans.filter(pc.is_in(loans["borrower"], value_set=pa.array(sorted(wanted), pa.int32())))
    return dict(zip(_ints(some["borrower"]), some["currency"].to_pylist(), strict=True))


def _date(said: object) -> int:
    text = said.get("on") if isinstance(said, dict) else None
    try:
        return int(np.datetime64(str(text), "D").astype(int)) if text else NONE
    except ValueError:
        return NONE


def _amount(said: object, currency: str) -> int:
    text = said.get("amount") if isinstance(said, dict) else None
    try:
        return to_minor(str(text), currency) if text else 0
    except NotMoney:
        return 0


def _related(path: Path, size: int, time_zone: str, people: pa.Table) -> Related:
    table = pq.read_table(path / "relations.parquet")
    borrower = _ints(table["borrower"])
    ids = people["borrower_id"].combine_chunks()
    place = _ints(pc.index_in(table["related_borrower_id"], value_set=ids))
    other = np.append(_ints(people["borrower"]), np.int32(-1))[place]
    some = (borrower >= 0) & (other >= 0) & (borrower != other)
    borrower, other = borrower[some], other[some]
    order = np.lexsort((other, borrower))
    since, until = np.full(size, NEVER, np.int32), np.full(size, NEVER, np.int32)
    consents = pq.read_table(
        path / "consents.parquet",
        columns=["borrower", "granted_at", "withdrawn_at"],
        filters=pc.field("purpose") == "relations",
    )
    granted = _day(consents["granted_at"], time_zone, NEVER)
    withdrawn = _day(consents["withdrawn_at"], time_zone, NEVER)
    for at, who in enumerate(_ints(consents["borrower"])):
        if who >= 0 and granted[at] < since[who]:
            since[who], until[who] = granted[at], withdrawn[at]
        elif who >= 0:  # Whoever took one consent back took it back.
            until[who] = min(until[who], withdrawn[at])
    return Related(_offsets(borrower, size), other[order], since, until)
