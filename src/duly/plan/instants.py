"""Instants for SQL: naive UTC timestamps, local dates by integer offsets (ADR on determinism)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

FOREVER = "TIMESTAMP '9999-12-31 00:00:00'"
_FIRST = datetime(1990, 1, 1, tzinfo=UTC)


def timestamp(instant: datetime) -> str:
    """Return a zoned instant as a naive UTC TIMESTAMP literal."""
    assert instant.tzinfo is not None, "instants carry a zone"
    return f"TIMESTAMP '{instant.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S')}'"


def day(value: date) -> str:
    """Return a DATE literal."""
    return f"DATE '{value.isoformat()}'"


def business_date(instant: datetime, zone: ZoneInfo) -> date:
    """Return the date of an instant in the lender's zone."""
    return instant.astimezone(zone).date()


def midnight(on: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which a local date begins."""
    return datetime.combine(on, time(), tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=64)
def offsets(zone: ZoneInfo, until: datetime) -> tuple[tuple[datetime, int], ...]:
    """Return (from instant, offset in seconds) runs of a zone from 1990 to `until`, in order."""
    runs: list[tuple[datetime, int]] = [(_FIRST, _offset(zone, _FIRST))]
    step = timedelta(days=1)
    moment = _FIRST
    while moment < until:
        following = moment + step
        if _offset(zone, following) != runs[-1][1]:
            low, high = moment, following
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                if _offset(zone, middle) == runs[-1][1]:
                    low = middle
                else:
                    high = middle
            runs.append((high.replace(microsecond=0), _offset(zone, high)))
        moment = following
    return tuple(runs)


def _offset(zone: ZoneInfo, instant: datetime) -> int:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None, "a zone always has an offset"
    return int(offset.total_seconds())


def local_date(column: str, zone: ZoneInfo, until: datetime) -> str:
    """Return SQL for the local date of a naive UTC column in one zone."""
    return f"cast({_local(column, zone, until)} as date)"


def local_clock(column: str, zone: ZoneInfo, until: datetime) -> str:
    """Return SQL for the local time of day, HH:MM, of a naive UTC column in one zone."""
    return f"strftime({_local(column, zone, until)}, '%H:%M')"


def _local(column: str, zone: ZoneInfo, until: datetime) -> str:
    runs = offsets(zone, until)
    if len(runs) == 1:
        return f"{column} + interval ({runs[0][1]}) second"
    cases = " ".join(
        f"when {column} < {timestamp(after)} then {before}"
        for (_, before), (after, _) in pairwise(runs)
    )
    return f"{column} + to_seconds(case {cases} else {runs[-1][1]} end)"
