"""What a date's words mean, seen from the day of the reply: shared by both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from duly.replies import calendar
from duly.replies.numerals import whole
from duly.replies.reading import DateConfidence

#: Words further away than this many days are no day that a person would hold a borrower to.
DAYS_MAX = 366
#: Offsets of the Americas, where the month is written before the day.
_MONTH_FIRST = (-10.0, -2.5)
#: A date with its year that lies further away than this is a slip or a joke.
FAR = timedelta(days=3 * 366)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """From where dates are seen: the reply's local day, its offset in hours, country, language."""

    today: date
    offset_hours: float
    country: str | None
    lang: str


Meant = tuple[date | None, DateConfidence]
Resolver = Callable[["re.Match[str]", Seen], Meant | None]


@dataclass(frozen=True, kw_only=True)
class Mention:
    """One date in a reply: where it stands, its words, the day that it names."""

    start: int
    end: int
    words: str
    day: date | None
    confidence: DateConfidence


def in_days(days: int, confidence: DateConfidence = "firm") -> Resolver:
    """Return the resolver of words that always mean the same number of days."""
    return lambda _found, seen: (seen.today + timedelta(days=days), confidence)


def vague(_found: re.Match[str], _seen: Seen) -> Meant:
    """Resolve words that name no day."""
    return None, "vague"


def days_from(seen: Seen, days: int | None, confidence: DateConfidence = "firm") -> Meant | None:
    """Return the day so many days away, or None where that is no number of days."""
    if days is None or not 0 <= days <= DAYS_MAX:
        return None
    return seen.today + timedelta(days=days), confidence


def hours(found: re.Match[str], seen: Seen) -> Meant | None:
    """Resolve a number of hours: whole days of 24 of them, less than that is today."""
    count = whole(found["n"])
    return None if count is None else days_from(seen, count // 24)


def weekday(seen: Seen, day: int, weeks: int) -> Meant:
    """Return a weekday (Monday 0) of this week (0) or a later one; a past one is the next."""
    monday = seen.today - timedelta(days=seen.today.weekday())
    found = monday + timedelta(days=day, weeks=weeks)
    while found < seen.today:
        found += timedelta(weeks=1)
    return found, "firm"


def on(day: date | None, confidence: DateConfidence = "firm") -> Meant:
    """Return a day as what is meant; a day that does not exist is vague."""
    return (day, confidence) if day else (None, "vague")


def of_year(seen: Seen, year: int, month: int, number: int) -> Meant:
    """Return a date that is said with its year; one that is none, past or absurdly far is vague.

    It never slides to another year.
    """
    try:
        day = date(year, month, number)
    except ValueError:
        return None, "vague"
    return (day, "firm") if seen.today <= day <= seen.today + FAR else (None, "vague")


def numeric(found: re.Match[str], seen: Seen) -> Meant | None:
    """Resolve 3/5 and 3/5/2026: the month is first in the Americas alone."""
    first, second = int(found["a"]), int(found["b"])
    low, high = _MONTH_FIRST
    month_first = low <= seen.offset_hours <= high
    if first > 12 or second > 12:
        month_first = second > 12
    month, number = (first, second) if month_first else (second, first)
    if not (1 <= month <= 12 and 1 <= number <= 31):
        return None
    if found["y"]:
        year = int(found["y"])
        return of_year(seen, year + 2000 if year < 100 else year, month, number)
    return on(calendar.month_day(seen.today, month, number))


def find(rules: tuple[tuple[re.Pattern[str], Resolver], ...], text: str, seen: Seen
         ) -> tuple[Mention, ...]:  # fmt: skip
    """Return the dates of a text in order; an earlier rule takes its place before later ones."""
    taken: list[Mention] = []
    for pattern, resolve in rules:
        for found in pattern.finditer(text):
            start, end = found.span()
            if any(start < one.end and one.start < end for one in taken):
                continue
            meant = resolve(found, seen)
            if meant is not None:
                day, confidence = meant
                taken.append(Mention(start=start, end=end, words=found[0].strip(), day=day,
                                     confidence=confidence))  # fmt: skip
    return tuple(sorted(taken, key=lambda one: one.start))
