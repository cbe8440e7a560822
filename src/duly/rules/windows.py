"""When may a contact leave? Lawful intervals of several windows in several zones, exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

from duly.rules import calendars, zones
from duly.rules.model import CHANNELS, MINUTES_A_DAY, Ranges, Rule, Window, legal_key

Interval: TypeAlias = tuple[int, int]  #: epoch seconds, half-open
Intervals: TypeAlias = tuple[Interval, ...]

#: How far ahead the next opening is looked for; beyond it a window counts as never opening.
HORIZON_DAYS = 8
_HORIZON = HORIZON_DAYS * zones.DAY


@dataclass(frozen=True, kw_only=True)
class Slot:
    """The lawful time of one business date for one borrower and channel.

    `lawful_until` ends the interval that holds `open_at`; `close_at` ends the last lawful
    interval of that local day (both exclusive). Without `open_at` nothing is left that day and
    `next_open_on` is the date, in the lender's zone, to look again.
    """

    open_at: datetime | None
    close_at: datetime | None
    lawful_until: datetime | None
    delayed_by: tuple[str, ...]
    next_open_on: date


def slots(
    rules: Sequence[Rule],
    *,
    instant: datetime,
    business_date: date,
    lender_zone: str,
    zone: str,
    region: str | None,
    quiet_from: int | None,
    quiet_until: int | None,
    channel: str,
) -> Slot:
    """Return the first lawful time at or after an instant within the lender's business date.

    The quiet hours are minutes of the borrower's local day. `unless` of a window is not asked:
    an exception for the night is a matter of the door, so a plan is never laxer than the door.
    """
    day_start, day_end = zones.day_bounds(lender_zone, business_date)
    start = max(zones.to_epoch(instant), day_start)
    end = max(start, day_end) + _HORIZON
    asked = [
        (
            rule,
            open_intervals(window, zone, quiet_from, quiet_until, start, end, region=region),
        )
        for rule, window in speaking(rules, channel, region)
        if rule.about == "contact"
    ]
    lawful = meet(((start, end),), *(intervals for _, intervals in asked))
    spoke = _delaying(asked, start, end)
    today = [(low, min(high, day_end)) for low, high in lawful if low < day_end]
    if not today or start >= day_end:
        later = next((max(low, day_end) for low, high in lawful if high > day_end), None)
        tomorrow = business_date + timedelta(days=1)
        review = tomorrow if later is None else zones.local_date(lender_zone, later)
        return Slot(
            open_at=None,
            close_at=None,
            lawful_until=None,
            delayed_by=spoke,
            next_open_on=review,
        )
    low, high = today[0]
    local_end = zones.day_bounds(zone, zones.local_date(zone, low))[1]
    close = max(min(last, local_end) for first, last in today if first < local_end)
    return Slot(
        open_at=max(zones.to_instant(low), instant) if low == start else zones.to_instant(low),
        close_at=zones.to_instant(close),
        lawful_until=zones.to_instant(min(high, close)),
        delayed_by=spoke,
        next_open_on=business_date,
    )


def speaking(
    rules: Iterable[Rule], channel: str | None, region: str | None
) -> list[tuple[Rule, Window]]:
    """Return the windows that speak for a channel and an address; an unknown channel has all."""
    return [
        (rule, rule.primitive)
        for rule in rules
        if isinstance(rule.primitive, Window)
        and (channel in rule.primitive.channels or channel not in CHANNELS)
        and in_regions(region, rule.primitive.regions)
    ]


def in_regions(region: str | None, regions: tuple[str, ...]) -> bool:
    """Return whether an address lies in one of the regions; an empty list means everywhere.

    GB/T 2260 codes match by their leading digits (65 holds 650100), ISO 3166-2 codes whole.
    """
    if not regions:
        return True
    code = (region or "").strip().upper()
    return any(
        code == wanted or (code.isdigit() and wanted.isdigit() and code.startswith(wanted))
        for wanted in regions
    )


def open_intervals(
    window: Window,
    zone: str,
    quiet_from: int | None,
    quiet_until: int | None,
    start: int,
    end: int,
    *,
    region: str | None = None,
) -> Intervals:
    """Return the intervals of [start, end) in which one window lets a contact leave.

    The region and the zone say whose public holidays are meant, where the window is closed then.
    """
    place = zone if window.zone == "local" else window.zone
    if window.quiet:
        return _intervals(quiet_ranges(quiet_from, quiet_until), place, start, end)
    if window.saturday is None and window.holidays is None and window.spring_festival:
        return _intervals(window.ranges, place, start, end)
    country = _country(window, region, place)
    part = region if calendars.country_of(region, None) == country else None
    return _by_days(window, place, country, part, start, end)


def _country(window: Window, region: str | None, place: str) -> str | None:
    """Return whose public holidays a window means, None where it means none."""
    if window.holidays is None:
        return None
    # Hours by the clock of one place are held to the holidays of that place.
    return calendars.country_of(region if window.zone == "local" else None, place)


def asks_region(window: Window) -> bool:
    """Return whether the hours of a window may differ from one address to another."""
    return _country(window, None, window.zone) not in (None, "CN") or (
        window.holidays is not None and window.zone == "local"
    )


@lru_cache(maxsize=8192)
def _by_days(
    window: Window, place: str, country: str | None, region: str | None, start: int, end: int
) -> Intervals:
    """Return the intervals of a window whose hours differ from day to day."""
    found: list[Interval] = []
    day = zones.local_date(place, start) - timedelta(days=1)
    while day <= zones.local_date(place, end):
        hours = window.ranges
        if window.saturday is not None and day.weekday() > 4:
            hours = window.saturday if day.weekday() == 5 else ()
        if (
            country is not None
            and window.holidays is not None
            and calendars.is_holiday(country, region, day, regional=window.regional)
        ):
            hours = window.holidays
        if not window.spring_festival and calendars.is_spring_festival(day):
            hours = ()
        low, high = zones.day_bounds(place, day)
        if hours and max(low, start) < min(high, end):
            found += _intervals(hours, place, max(low, start), min(high, end))
        day += timedelta(days=1)
    return _joined(found)


def quiet_ranges(quiet_from: int | None, quiet_until: int | None) -> Ranges:
    """Return the minutes of the day outside the borrower's quiet hours.

    They may wrap midnight; an end left open reaches midnight; equal ends are the whole day.
    """
    if quiet_from is None and quiet_until is None:
        return ((0, MINUTES_A_DAY),)
    low = 0 if quiet_from is None else quiet_from
    high = MINUTES_A_DAY if quiet_until is None else quiet_until
    ranges = ((high, low),) if low >= high else ((0, low), (high, MINUTES_A_DAY))
    return tuple((first, last) for first, last in ranges if first < last)


@lru_cache(maxsize=8192)
def _intervals(ranges: Ranges, zone: str, start: int, end: int) -> Intervals:
    """Return the instants of [start, end) whose wall clock stands in one of the ranges."""
    found: list[Interval] = []
    for span in zones.spans(zone, start, end):
        first_day = (span.start + span.offset) // zones.DAY
        last_day = (span.end + span.offset - 1) // zones.DAY
        for day in range(first_day, last_day + 1):
            midnight = day * zones.DAY - span.offset
            for opens, closes in ranges:
                low = max(span.start, midnight + opens * 60)
                high = min(span.end, midnight + closes * 60)
                if low < high:
                    found.append((low, high))
    return _joined(found)


def _joined(intervals: Iterable[Interval]) -> Intervals:
    """Return the intervals in order, those that touch made one."""
    joined: list[Interval] = []
    for low, high in sorted(intervals):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def meet(first: Intervals, *others: Intervals) -> Intervals:
    """Return what lies in all of the sets of intervals."""
    for other in others:
        first = tuple(
            (max(a, c), min(b, d)) for a, b in first for c, d in other if max(a, c) < min(b, d)
        )
    return first


def join(first: Intervals, *others: Intervals) -> Intervals:
    """Return what lies in any of the sets of intervals."""
    return _joined(interval for several in (first, *others) for interval in several)


def daily(ranges: Ranges, zone: str, start: int, end: int) -> Intervals:
    """Return the instants of [start, end) that lie in minutes of the local day of a zone."""
    return _intervals(ranges, zone, start, end)


def next_open(intervals: Intervals, at: int) -> int | None:
    """Return the first second at or after `at` that lies in an interval, None without one."""
    return next((max(low, at) for low, high in intervals if high > at), None)


def _delaying(asked: Sequence[tuple[Rule, Intervals]], start: int, end: int) -> tuple[str, ...]:
    """Return the rules that spoke on the way to the first lawful second, each asked again."""
    spoke: dict[str, Rule] = {}
    at = start
    while at < end:
        opens = [(rule, next_open(intervals, at)) for rule, intervals in asked]
        closed = [(rule, opening) for rule, opening in opens if opening != at]
        spoke.update((rule.id, rule) for rule, _ in closed)
        if not closed:
            break
        at = max(end if opening is None else opening for _, opening in closed)
    return tuple(sorted(spoke, key=lambda rule_id: legal_key(spoke[rule_id], "delay")))
