"""Which hours did the borrower agree to? Dated, personal, revocable, and never for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from duly.rules import zones
from duly.rules.windows import Intervals, daily, join, meet

_DAY_END = 24 * 60


def agreed_intervals(
    agreed: object, days: int, places: Sequence[str], start: int, end: int
) -> Intervals:
    """Return the instants of [start, end) inside hours that the borrower agreed to.

    Each row holds `given_at`, `from` and `until` (minutes of the local day), and may hold
    `expires_at`, `revoked_at` and `boilerplate` (true: a clause of the contract, which counts for
    nothing). An agreement ends after `days` days at the latest.
    """
    if not isinstance(agreed, Sequence):
        return ()
    return join((), *(_one(row, days, places, start, end) for row in agreed))


def _one(
    row: Mapping[str, object], days: int, places: Sequence[str], start: int, end: int
) -> Intervals:
    given, low, high = row.get("given_at"), row.get("from"), row.get("until")
    if row.get("boilerplate") is True or not isinstance(given, datetime):
        return ()
    if not isinstance(low, int) or not isinstance(high, int):
        return ()
    ends = [zones.to_epoch(given) + days * zones.DAY]
    ends += [
        zones.to_epoch(moment)
        for moment in (row.get("expires_at"), row.get("revoked_at"))
        if isinstance(moment, datetime)
    ]
    span = (max(start, zones.to_epoch(given)), min(end, *ends))
    if span[0] >= span[1]:
        return ()
    ranges = ((low, high),) if low < high else ((0, high), (low, _DAY_END))
    return meet((span,), *(daily(ranges, place, *span) for place in places))
