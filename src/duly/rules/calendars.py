"""Which days are days of work, where? Public holidays from the pinned `holidays` wheel."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache, lru_cache
from importlib import import_module, metadata, resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holidays import HolidayBase

#: The last year whose days off and swapped working days the State Council has announced.
CN_LAST_YEAR = 2026
#: Codes that laws use and ISO 3166 does not.
_ALIASES = {"UK": "GB", "EL": "GR"}


class UnknownYearError(Exception):
    """The working days of a year are not announced yet, so none can be counted."""


@cache
def _library() -> Any:
    """Return the module of the holidays; read only where a rule asks for one."""
    return import_module("holidays")


@cache
def version() -> str:
    """Return the release of the holiday data."""
    return metadata.version("holidays")


@cache
def _by_zone() -> dict[str, str]:
    text = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and line[0] != "#")
    return {row[2]: row[0] for row in rows}


def country_of(region: str | None, time_zone: str | None) -> str | None:
    """Return the ISO 3166 country of an address, else of a zone; None where neither tells."""
    code = (region or "").strip().upper()
    if len(code) >= 2 and code[:2].isalpha() and (len(code) == 2 or code[2] == "-"):
        return _ALIASES.get(code[:2], code[:2])
    if code.isdigit():
        return "CN"
    return _by_zone().get(time_zone or "")


@lru_cache(maxsize=1024)
def _year(country: str, part: str | None, year: int) -> frozenset[date]:
    found = _library().country_holidays(country, subdiv=part, years=year)
    return frozenset(day for day in found if day.year == year)


@lru_cache(maxsize=8192)
def is_holiday(country: str, region: str | None, day: date) -> bool:
    """Return whether a date is a public holiday there.

    Where the part of the country is not known, a holiday of any part counts, so that nobody is
    contacted on a holiday of theirs.
    """
    known = _library().list_supported_countries(include_aliases=False)
    if country not in known:
        return False
    part = (region or "").upper().partition("-")[2] or None
    parts = known[country]
    if part in parts:
        return day in _year(country, part, day.year)
    return any(day in _year(country, one, day.year) for one in (None, *parts))


def is_working_day(country: str, day: date) -> bool:
    """Return whether people work on a date; refuse (UnknownYearError) a year not announced."""
    if country == "CN" and day.year > CN_LAST_YEAR:
        raise UnknownYearError(str(day.year))
    if country not in _library().list_supported_countries():
        return day.weekday() < 5
    return bool(_calendar(country, day.year).is_working_day(day))


@lru_cache(maxsize=256)
def _calendar(country: str, year: int) -> HolidayBase:
    found: HolidayBase = _library().country_holidays(country, years=year)
    return found


def add_working_days(country: str, day: date, count: int) -> date:
    """Return the working day that is `count` after a date; the date itself is not counted."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(country, day)
    return day


def add_months(day: date, months: int) -> date:
    """Return the same date so many months later, or the last day of a shorter month."""
    place = day.year * 12 + day.month - 1 + months
    year, month = divmod(place, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))
