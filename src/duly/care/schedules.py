"""Days and amounts of a new schedule: months that keep their day, parts that keep their sum."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, kw_only=True)
class Amount:
    """One row of a schedule that is agreed, in minor units."""

    number: int
    due_on: date
    amount: int


def later(day: date, months: int) -> date:
    """Return the day so many months later, the month's last one where it has no such day.

    >>> later(date(2026, 1, 31), 1), later(date(2026, 11, 15), 3)
    (datetime.date(2026, 2, 28), datetime.date(2027, 2, 15))
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def months_between(first: date, last: date) -> int:
    """Return how many months lie between two days, a part of one counted whole; never below 0.

    >>> months_between(date(2026, 1, 15), date(2026, 3, 16))
    3
    """
    months = (last.year - first.year) * 12 + last.month - first.month
    while months > 0 and later(first, months - 1) >= last:
        months -= 1
    return max(0, months + (later(first, months) < last))


def first_on(pay_day: int, *, after: date, days: int) -> date:
    """Return the first such day of a month that lies at least so many days after another.

    >>> first_on(5, after=date(2026, 3, 10), days=7)
    datetime.date(2026, 4, 5)
    """
    earliest = after + timedelta(days=days)
    day = earliest.replace(day=pay_day)
    return day if day >= earliest else later(day, 1)


def split(total: int, count: int) -> tuple[int, ...]:
    """Return equal parts of an amount; what does not divide is paid with the first.

    >>> split(10_000, 3)
    (3334, 3333, 3333)
    """
    part, rest = divmod(total, count)
    return (part + rest, *(part,) * (count - 1))


def rows(due: Sequence[tuple[date, int]]) -> tuple[Amount, ...]:
    """Return amounts as rows numbered by day; what falls on one day is one row."""
    by_day: dict[date, int] = {}
    for day, amount in sorted(due):
        by_day[day] = by_day.get(day, 0) + amount
    kept = [(day, amount) for day, amount in by_day.items() if amount]
    return tuple(
        Amount(number=number, due_on=day, amount=amount)
        for number, (day, amount) in enumerate(kept, start=1)
    )
