"""Which local time is it? IANA zones from the pinned `tzdata` wheel, never from the system."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib import import_module, resources
from typing import NamedTuple
from zoneinfo import ZoneInfo

from duly.core.errors import DulyError

#: The release of the time zone data, such as 2026a.
VERSION = str(import_module("tzdata").IANA_VERSION)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR, DAY = 3600, 86400


class UnknownZoneError(DulyError):
    """The name is no IANA time zone of the pinned tzdata."""


class Span(NamedTuple):
    """A stretch of epoch seconds, half-open, with one offset from UTC in seconds."""

    start: int
    end: int
    offset: int


@cache
def names() -> frozenset[str]:
    """Return every zone name of the pinned tzdata."""
    text = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(text.split())


@cache
def zone(name: str) -> ZoneInfo:
    """Return the zone read from the tzdata wheel; refuse (UnknownZoneError) any other name."""
    if name not in names():
        raise UnknownZoneError(name)
    source = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with source.open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def to_epoch(instant: datetime) -> int:
    """Return whole epoch seconds of an aware instant, rounded down."""
    assert instant.tzinfo is not None, "an instant carries its offset"
    return (instant - EPOCH) // timedelta(seconds=1)


def to_instant(epoch: int) -> datetime:
    """Return the instant of epoch seconds, in UTC."""
    return EPOCH + timedelta(seconds=epoch)


def offset_at(name: str, epoch: int) -> int:
    """Return the seconds to add to UTC for the local time of the zone at an instant."""
    offset = to_instant(epoch).astimezone(zone(name)).utcoffset()
    assert offset is not None
    return offset // timedelta(seconds=1)


def local_date(name: str, epoch: int) -> date:
    """Return the calendar date of the zone at an instant."""
    return to_instant(epoch + offset_at(name, epoch)).date()


@lru_cache(maxsize=8192)
def spans(name: str, start: int, end: int) -> tuple[Span, ...]:
    """Return the offsets of the zone over [start, end), exact to the second.

    Looks once an hour and bisects where the offset differs; no zone changes twice in an hour.
    """
    found: list[Span] = []
    begin, offset, seen = start, offset_at(name, start), start
    while seen < end:
        after = min(seen + HOUR, end)
        if after < end and offset_at(name, after) != offset:
            change = _change(name, seen, after, offset)
            found.append(Span(begin, change, offset))
            begin, offset = change, offset_at(name, change)
        seen = after
    found.append(Span(begin, end, offset))
    return tuple(found)


def _change(name: str, before: int, after: int, offset: int) -> int:
    """Return the first second of (before, after] whose offset is another."""
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(name, middle) == offset:
            before = middle
        else:
            after = middle
    return after


@lru_cache(maxsize=8192)
def day_bounds(name: str, day: date) -> tuple[int, int]:
    """Return the first second of a local date and the first second after it."""
    midnight = (day - date(1970, 1, 1)).days * DAY
    pieces = [
        (max(span.start, midnight - span.offset), min(span.end, midnight + DAY - span.offset))
        for span in spans(name, midnight - 2 * DAY, midnight + 3 * DAY)
    ]
    pieces = [(start, end) for start, end in pieces if start < end]
    if not pieces:  # A date that a zone skipped (Pacific/Apia, 2011-12-30) is empty.
        return day_bounds(name, day + timedelta(days=1))[:1] * 2
    return (min(start for start, _ in pieces), max(end for _, end in pieces))
