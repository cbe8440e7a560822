"""Which promises to pay hold, until when, and whether another one would (contract, section 3).

The stages of a plan ask the same in SQL: a promise holds through the day after its day, at most 30
days; after two in a row that were not kept in one arrears no other holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

DAYS_MAX = 30
IN_A_ROW = 2
_AFTER = timedelta(days=1)
_KEPT, _PARTLY = 95, 50  #: per cent


@dataclass(frozen=True, kw_only=True)
class Promise:
    """An amount and a day that somebody named for a loan, on the day `since`."""

    name: str
    since: date
    on: date
    amount: int

    @property
    def last_day(self) -> date:
        """The last day on which it can hold."""
        return last_day(self.on, since=self.since)


def last_day(on: date, *, since: date) -> date:
    """Return the last day without reminders of a promise for a day.

    >>> last_day(date(2026, 3, 14), since=date(2026, 3, 10))
    datetime.date(2026, 3, 15)
    """
    return min(on + _AFTER, since + timedelta(days=DAYS_MAX))


def outcome(one: Promise, paid: Sequence[tuple[date, int]], as_of: date) -> str:
    """Return `open`, `kept`, `partly_kept` or `broken`; `paid` are days and amounts that count."""
    if one.on + _AFTER >= as_of:
        return "open"
    came = sum(amount for on, amount in paid if one.since <= on <= one.on + _AFTER)
    if came * 100 >= one.amount * _KEPT:
        return "kept"
    return "partly_kept" if came * 100 >= one.amount * _PARTLY else "broken"


def holding(
    promises: Sequence[Promise], paid: Sequence[tuple[date, int]], *, arrears_since: date | None,
    as_of: date,
) -> Mapping[str, date]:  # fmt: skip
    """Return the promises of a loan that hold on a day: name → last day."""
    found, row = {}, 0
    for one in sorted(promises, key=lambda one: (one.since, one.name.encode())):
        told = outcome(one, paid, as_of)
        if told == "kept":
            row = 0
        if told == "open" and row < IN_A_ROW and as_of <= one.last_day:
            found[one.name] = one.last_day
        row += _counts(one, told, arrears_since)
    return found


def may_promise(
    promises: Sequence[Promise], paid: Sequence[tuple[date, int]], *, arrears_since: date | None,
    as_of: date,
) -> int:  # fmt: skip
    """Return how many more promises would hold."""
    row = 0
    for one in sorted(promises, key=lambda one: (one.since, one.name.encode())):
        told = outcome(one, paid, as_of)
        row = 0 if told == "kept" else row + _counts(one, told, arrears_since)
    return max(0, IN_A_ROW - row)


def _counts(one: Promise, told: str, arrears_since: date | None) -> int:
    """Return 1 for a promise of this arrears that is not kept, else 0."""
    return int(told != "kept" and arrears_since is not None and one.since >= arrears_since)
