"""Which days do signals cover: days that bear no charge, days that do not count as delinquent."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from duly.position.arrays import NEVER, Covered, Days

if TYPE_CHECKING:
    from duly.book import Snapshot

Int64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_SECONDS_A_DAY = 86_400
_PAUSES = ("moratorium", "disaster", "plan")  #: kinds whose days are not delinquent
_COVERING = ("moratorium", "disaster", "plan", "dispute")
_MAY_STOP = ("plan", "dispute")  #: kinds that stop the charge where their detail says so
_GRACE_OF_PLAN = 3  #: days after which an unpaid agreed amount breaks a plan (contract, 3)


class Signals(NamedTuple):
    """Signals that may cover days, as columns; `loan` -1 names every loan of the borrower."""

    signal_id: tuple[str, ...]
    kind: tuple[str, ...]
    borrower: Int64
    loan: Int64
    stops: Flags  #: True where the charge stops
    from_day: Int64
    until_day: Int64  #: the first day no longer covered, NEVER while open


class Covers(NamedTuple):
    """The days of each loan that bear no charge, and those that are not delinquent."""

    stops: Covered
    pauses: Covered


def read_covers(path: Path, borrower: Days, as_of: int, time_zone: str) -> Covers:
    """Return the covered days of every loan; `borrower` holds the borrower of each loan."""
    signals = read_signals(path, as_of, time_zone)
    for row, broken_on in broken_plans(path, signals, borrower, as_of).items():
        signals.until_day[row] = min(signals.until_day[row], broken_on)
    which, loan = _loans_of(signals, borrower)
    pauses = np.array([kind in _PAUSES for kind in signals.kind], np.bool_)

    def covered(wanted: Flags) -> Covered:
        of = which[wanted[which]]
        return union(
            loan[wanted[which]], signals.from_day[of], signals.until_day[of], borrower.size
        )

    return Covers(stops=covered(signals.stops), pauses=covered(pauses))


def read_signals(path: Path, as_of: int, time_zone: str) -> Signals:
    """Return the signals of a snapshot that cover days and had begun by as_of."""
    table = pq.read_table(
        path / "signals.parquet",
        columns=["signal_id", "borrower", "loan", "kind", "starts_at", "ends_at", "detail"],
        filters=pc.field("kind").isin(_COVERING),
    )
    from_day = local_days(_seconds(table["starts_at"], as_of), time_zone)
    until_day = local_days(_seconds(table["ends_at"], as_of), time_zone)
    until_day[until_day > as_of] = NEVER
    begun = from_day <= as_of
    table = table.filter(pa.array(begun))
    kind = tuple(table["kind"].to_pylist())
    return Signals(
        signal_id=tuple(table["signal_id"].to_pylist()),
        kind=kind,
        borrower=_whole(table["borrower"]),
        loan=_whole(table["loan"]),
        stops=np.array(
            [
                name not in _MAY_STOP or _accrual_stops(detail)
                for name, detail in zip(kind, table["detail"].to_pylist(), strict=True)
            ],
            np.bool_,
        ),
        from_day=from_day[begun],
        until_day=until_day[begun],
    )


def _accrual_stops(detail: str | None) -> bool:
    said = json.loads(detail) if detail else None
    return isinstance(said, dict) and said.get("accrual") == "stops"


def _whole(column: pa.ChunkedArray) -> Int64:
    """Return whole numbers, -1 where empty."""
    return np.array(column.cast(pa.int64()).fill_null(-1).to_numpy())


def _seconds(column: pa.ChunkedArray, as_of: int) -> Int64:
    """Return naive UTC instants as seconds; what is later or open is cut to as_of + 3 days."""
    latest = (as_of + 3) * _SECONDS_A_DAY
    instants = column.cast(pa.timestamp("us")).cast(pa.int64()).fill_null(latest * 10**6)
    seconds: Int64 = np.minimum(np.array(instants.to_numpy()) // 10**6, latest)
    return seconds


def _loans_of(signals: Signals, borrower: Days) -> tuple[Int64, Int64]:
    """Return (signal row, loan) pairs: the loan named, or every loan of the borrower."""
    named = np.flatnonzero(signals.loan >= 0)
    whole = np.flatnonzero(signals.loan < 0)
    if whole.size == 0:
        return named, signals.loan[named]
    by_borrower = np.argsort(borrower, kind="stable")
    ordered = borrower[by_borrower]
    low = np.searchsorted(ordered, signals.borrower[whole], side="left")
    sizes = np.searchsorted(ordered, signals.borrower[whole], side="right") - low
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    loans = by_borrower[np.repeat(low, sizes) + within]
    return np.concatenate((named, np.repeat(whole, sizes))), np.concatenate(
        (signals.loan[named], loans)
    )


def union(loan: Int64, from_day: Int64, until_day: Int64, loans: int) -> Covered:
    """Return the union of day intervals per loan, overlapping and adjacent ones joined."""
    some = until_day > from_day
    order = np.lexsort((from_day[some], loan[some]))
    loan, from_day, until_day = loan[some][order], from_day[some][order], until_day[some][order]
    place = loan * 2**33 + 2**31  # A loan's days never reach the next loan's.
    reach = np.maximum.accumulate(place + until_day)
    fresh = np.ones(loan.size, np.bool_)
    fresh[1:] = (place + from_day)[1:] > reach[:-1]
    starts = np.flatnonzero(fresh)
    until = np.maximum.reduceat(until_day, starts) if starts.size else until_day
    offset = np.zeros(loans + 1, np.int64)
    np.cumsum(np.bincount(loan[starts], minlength=loans), out=offset[1:])
    return Covered(offset, from_day[starts].astype(np.int32), until.astype(np.int32))


def broken_plans(path: Path, signals: Signals, borrower: Days, as_of: int) -> dict[int, int]:
    """Return signal row → the day its agreed plan broke, for the plans broken by as_of.

    Payments dated from the start of the plan fill the agreed amounts in order. On each day d the
    amounts agreed for days up to d - 3 must be covered by the payments that count on d: so a
    plan breaks three days after an unpaid date, or on the day a payment is reversed.
    """
    agreed: dict[int, list[tuple[int, int]]] = {}
    rows = {
        name: row
        for row, (name, kind) in enumerate(zip(signals.signal_id, signals.kind, strict=True))
        if kind == "plan"
    }
    table = pq.read_table(path / "agreed.parquet", columns=["signal_id", "due_on", "amount"])
    days = table["due_on"].cast(pa.int32()).to_pylist()
    for name, due_on, amount in zip(
        table["signal_id"].to_pylist(), days, table["amount"].to_pylist(), strict=True
    ):
        if name in rows:
            agreed.setdefault(rows[name], []).append((due_on + _GRACE_OF_PLAN, amount))
    if not agreed:
        return {}
    row, loan = _loans_of(signals, borrower)
    mine = np.isin(row, np.array(list(agreed)))
    paid = _payments_of(path, np.unique(loan[mine]))
    received: dict[int, list[tuple[int, int, int]]] = {signal: [] for signal in agreed}
    for signal, of in zip(row[mine].tolist(), loan[mine].tolist(), strict=True):
        received[signal] += paid.get(of, [])
    broken = {}
    for signal, amounts in agreed.items():
        start, until = int(signals.from_day[signal]), int(signals.until_day[signal])
        day = _broken_on(amounts, [item for item in received[signal] if item[0] >= start], as_of)
        if day < until and day != NEVER:
            broken[signal] = day
    return broken


def _broken_on(
    agreed: list[tuple[int, int]], payments: list[tuple[int, int, int]], as_of: int
) -> int:
    """Return the first day through as_of on which less was paid than agreed, else NEVER."""
    changes = {judged_on for judged_on, _ in agreed} | {gone for _, gone, _ in payments}
    for day in sorted(day for day in changes if day <= as_of):
        needed = sum(amount for judged_on, amount in agreed if judged_on <= day)
        if needed > sum(amount for on, gone, amount in payments if on <= day < gone):
            return day
    return NEVER


def _payments_of(path: Path, loans: Int64) -> dict[int, list[tuple[int, int, int]]]:
    """Return loan → (paid_on, reversed_on, amount) of its payments, waivers left out."""
    table = pq.read_table(
        path / "payments.parquet",
        columns=["loan", "paid_on", "reversed_on", "amount"],
        filters=pc.field("loan").isin(pa.array(loans, pa.int32())) & (pc.field("kind") == 0),
    )
    paid: dict[int, list[tuple[int, int, int]]] = {}
    for loan, paid_on, gone, amount in zip(
        table["loan"].to_pylist(),
        table["paid_on"].cast(pa.int32()).to_pylist(),
        table["reversed_on"].cast(pa.int32()).fill_null(NEVER).to_pylist(),
        table["amount"].to_pylist(),
        strict=True,
    ):
        paid.setdefault(loan, []).append((paid_on, gone, amount))
    return paid


def plan_broken_on(snapshot: Snapshot, *, as_of: date, time_zone: str) -> pa.Table:
    """Return (signal_id, broken_on) of the agreed plans broken by as_of, sorted by signal_id."""
    day = (as_of - date(1970, 1, 1)).days
    signals = read_signals(snapshot.path, day, time_zone)
    loans = pq.read_table(snapshot.path / "loans.parquet", columns=["borrower"])
    borrower = np.array(loans["borrower"].cast(pa.int32()).fill_null(-1).to_numpy())
    broken = sorted(
        (signals.signal_id[row], on)
        for row, on in broken_plans(snapshot.path, signals, borrower, day).items()
    )
    return pa.table(
        {
            "signal_id": pa.array([name for name, _ in broken], pa.string()),
            "broken_on": pa.array([on for _, on in broken], pa.int32()).cast(pa.date32()),
        }
    )


def local_days(seconds: Int64, zone: str) -> Int64:
    """Return the local date, in days since 1970-01-01, of UTC instants in seconds.

    The offset is sampled at each UTC midnight and its change found by halving, so that the cost
    does not grow with the rows; zones that change twice within one UTC day do not exist.
    """
    if seconds.size == 0:
        return seconds
    days = np.unique(seconds // _SECONDS_A_DAY)
    midnights = np.unique(np.concatenate((days, days + 1))) * _SECONDS_A_DAY
    info = ZoneInfo(zone)
    starts: list[int] = []
    offsets: list[int] = []
    for midnight in midnights.tolist():
        offset = _offset(midnight, info)
        if offsets and offset != offsets[-1]:
            low, high = max(starts[-1], midnight - _SECONDS_A_DAY), midnight
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(middle, info) != offset else (low, middle)
            starts.append(high)
            offsets.append(offset)
        elif not offsets:
            starts.append(midnight)
            offsets.append(offset)
    which = np.searchsorted(np.array(starts), seconds, side="right") - 1
    days_local: Int64 = (seconds + np.array(offsets, np.int64)[which]) // _SECONDS_A_DAY
    return days_local


def _offset(second: int, info: ZoneInfo) -> int:
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    offset = instant.astimezone(info).utcoffset()
    assert offset is not None
    return offset.days * _SECONDS_A_DAY + offset.seconds
