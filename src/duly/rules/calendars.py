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
def is_holiday(country: str, region: str | None, day: date, *, regional: bool = True) -> bool:
    """Return whether a date is a public holiday there.

    Where the part of the country is not known, a holiday of any part counts if `regional`, so
    that nobody is contacted on a holiday of theirs. In China the days off around it count as well.
    """
    if country == "CN":
        return _is_day_off(day)
    known = _library().list_supported_countries(include_aliases=False)
    if country not in known:
        return False
    part = (region or "").upper().partition("-")[2] or None
    parts = known[country]
    if part in parts:
        return day in _year(country, part, day.year)
    return any(day in _year(country, one, day.year) for one in (None, *(parts if regional else ())))


def _is_day_off(day: date) -> bool:
    """Return whether a date lies in the days off around a public holiday of China.

    They are the rest days that touch it, and no worked Saturday or Sunday. Of a year whose days
    off are not announced yet every date is taken for one.
    """
    if day.year > CN_LAST_YEAR:
        return True
    if is_working_day("CN", day):
        return False
    for step in (timedelta(days=-1), timedelta(days=1)):
        other = day
        while other.year <= CN_LAST_YEAR and not is_working_day("CN", other):
            if other in _year("CN", None, other.year):
                return True
            other += step
    return False


@lru_cache(maxsize=64)
def _spring_festivals(year: int) -> frozenset[date]:
    """Return the first three days of the lunar year that begins in a year."""
    # The library names its days in the language of the terminal unless one is asked for.
    found = _library().country_holidays("CN", years=year, language="en_US")
    names = {day: name for day, name in found.items() if "Spring Festival" in name}
    return frozenset(day for day, name in names.items() if "observed" not in name)


def is_spring_festival(day: date) -> bool:
    """Return whether a date is one of the first three days of the Spring Festival."""
    return day.month < 3 and day in _spring_festivals(day.year)


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
