"""Days that need a calendar: working days, holidays, the lunar year."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from functools import cache
from importlib import import_module
from typing import Any

#: Years whose make-up days the State Council has published and the calendar library carries.
#: In other years a working day is Monday to Friday less the statutory days.
CN_MAKE_UP_YEARS = range(2001, 2027)

_FIXED = {
    "元旦": (1, 1), "五一": (5, 1), "劳动节": (5, 1), "国庆": (10, 1), "十一": (10, 1),
    "情人节": (2, 14), "妇女节": (3, 8), "愚人节": (4, 1), "青年节": (5, 4), "儿童节": (6, 1),
    "教师节": (9, 10), "万圣节": (10, 31), "双十一": (11, 11), "双十二": (12, 12),
    "平安夜": (12, 24),
}  # fmt: skip
#: Sundays of a month: the second of May, the third of June.
_SUNDAYS = {"母亲节": (5, 2), "父亲节": (6, 3)}
#: Days of the sun's year.
_TERMS = ("清明", "冬至")
_FIXED_WORDS = {"五一节": "五一", "国庆节": "国庆", "圣诞": "圣诞"}
_LUNAR = {
    "春节": (1, 1), "大年初一": (1, 1), "元宵": (1, 15), "端午": (5, 5), "七夕": (7, 7),
    "中秋": (8, 15), "重阳": (9, 9), "小年": (12, 23), "中元": (7, 15), "腊八": (12, 8),
    "龙抬头": (2, 2), "盂兰": (7, 15),
}  # fmt: skip
#: Days that English replies name: fixed ones, and the nth (-1: last) weekday of a month.
_ENGLISH = {
    "christmas": (12, 25), "xmas": (12, 25), "boxing": (12, 26), "new year": (1, 1),
    "halloween": (10, 31), "valentine": (2, 14), "independence day": (7, 4),
    "st patrick": (3, 17), "juneteenth": (6, 19),
}  # fmt: skip
_NTH = {"thanksgiving": (11, 3, 4), "labor day": (9, 0, 1), "memorial day": (5, 0, -1)}
_INDEPENDENCE_IN = (8, 15)
_EASTER = {"good friday": 0, "easter monday": 3, "easter": 2}  #: from Good Friday on
ENGLISH_HOLIDAYS = "|".join(
    sorted((*_ENGLISH, *_NTH, *_EASTER, "black friday", "diwali"), key=len, reverse=True)
)
_EVES = ("除夕", "大年三十", "年三十")
#: What a holiday is called, as a pattern.
HOLIDAYS = "|".join(
    sorted((*_FIXED, "圣诞", *_LUNAR, *_EVES, *_TERMS, *_SUNDAYS), key=len, reverse=True)
)


def month_end(year: int, month: int) -> date:
    """Return the last day of a month."""
    return date(year, month, monthrange(year, month)[1])


def next_month(day: date, months: int = 1) -> tuple[int, int]:
    """Return year and month some months after that of a day."""
    years, month = divmod(day.month - 1 + months, 12)
    return day.year + years, month + 1


def day_of_month(today: date, number: int) -> date | None:
    """Return the next such day of a month that is not before today; skip months without it."""
    if not 1 <= number <= 31:
        return None
    for ahead in range(13):
        year, month = next_month(today, ahead)
        if number <= monthrange(year, month)[1]:
            found = date(year, month, number)
            if found >= today:
                return found
    return None


def month_day(today: date, month: int, number: int) -> date | None:
    """Return the next such day of a year that is not before today, or None if there is none."""
    if not (1 <= month <= 12 and 1 <= number <= 31):
        return None
    for year in range(today.year, today.year + 9):
        if number <= monthrange(year, month)[1] and date(year, month, number) >= today:
            return date(year, month, number)
    return None


@cache
def _holidays(country: str, year: int) -> Any:
    """Return the public holidays of a country around a year."""
    return import_module("holidays").country_holidays(country, years=(year, year + 1))


def country_of(offset_hours: float, lang: str) -> str | None:
    """Return whose working week is meant: China for +08:00, India for +05:30, else none known."""
    if offset_hours == 8 or lang == "zh":
        return "CN"
    if offset_hours == 5.5:
        return "IN"
    return None


def working_day(today: date, count: int, country: str | None) -> date:
    """Return the `count`-th working day after today; without a country Monday to Friday count."""
    day = today
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day, country)
    return day


def is_working_day(day: date, country: str | None) -> bool:
    """Tell whether people work on a day; China's make-up weekends count where published."""
    if country is None:
        return day.weekday() < 5
    return bool(_holidays(country, day.year).is_working_day(day))


def holiday(today: date, name: str) -> date | None:
    """Return the next such holiday that is not before today."""
    name = _FIXED_WORDS.get(name, name)
    if name in _FIXED:
        return month_day(today, *_FIXED[name])
    if name == "圣诞":
        return month_day(today, 12, 25)
    if name in _LUNAR:
        return lunar_day(today, *_LUNAR[name])
    if name in _EVES:
        # The eve is the day before the new year, whether the twelfth month has 29 or 30 days.
        found = lunar_day(today + timedelta(days=1), 1, 1)
        return found - timedelta(days=1) if found else None
    if name in _TERMS:
        return _solar_term(today, name)
    if name in _SUNDAYS:
        month, nth = _SUNDAYS[name]
        sundays = (_nth(year, month, 6, nth) for year in (today.year, today.year + 1))
        return next((day for day in sundays if day is not None and day >= today), None)
    return None


def english_holiday(today: date, name: str, country: str | None) -> date | None:
    """Return the next day that English replies call so, not before today."""
    if name == "independence day" and country == "IN":
        return month_day(today, *_INDEPENDENCE_IN)
    if name in _ENGLISH:
        return month_day(today, *_ENGLISH[name])
    for year in (today.year, today.year + 1):
        found = _moving(year, name)
        if found is not None and found >= today:
            return found
    return None


def _moving(year: int, name: str) -> date | None:
    """Return the day of a holiday that moves, in a year."""
    if name == "black friday":
        thursday = _moving(year, "thanksgiving")
        return thursday + timedelta(days=1) if thursday else None
    if name in _NTH:
        return _nth(year, *_NTH[name])
    country, said, days = ("NZ", "good friday", _EASTER[name]) if name in _EASTER else (
        "IN", name, 0)  # fmt: skip
    named = [day for day, words in _holidays(country, year).items() if said in words.casefold()]
    found = min((day for day in named if day.year == year), default=None)
    return found + timedelta(days=days) if found else None


def after_holiday(day: date, country: str | None = "CN") -> date:
    """Return the first working day after a holiday."""
    return working_day(day, 1, country)


def next_holiday(today: date, country: str) -> date | None:
    """Return the next day off on a weekday that is public holiday, not before today."""
    for ahead in range(180):
        day = today + timedelta(days=ahead)
        if day.weekday() < 5 and not is_working_day(day, country):
            return day
    return None


def nth_weekday(today: date, day: int, nth: int, ahead: int) -> date | None:
    """Return the nth such weekday (Monday 0; -1: the last) of a month, not before today."""
    for months in (ahead, ahead + 1):
        found = _nth(*next_month(today, months), day, nth)
        if found is not None and found >= today:
            return found
    return None


def month_working_day(today: date, ahead: int, country: str | None, *, last: bool) -> date | None:
    """Return the first or last working day of a month, not before today."""
    for months in (ahead, ahead + 1):
        days = _days_of(*next_month(today, months))
        working = [one for one in days if is_working_day(one, country)]
        found = working[-1 if last else 0]
        if found >= today:
            return found
    return None


def _days_of(year: int, month: int) -> list[date]:
    return [date(year, month, number) for number in range(1, monthrange(year, month)[1] + 1)]


def _nth(year: int, month: int, day: int, nth: int) -> date | None:
    """Return the nth such weekday of a month (-1: the last), None where it has no such."""
    named = [one for one in _days_of(year, month) if one.weekday() == day]
    return next(iter(named[-1:] if nth == -1 else named[nth - 1 : nth]), None)


def lunar_day(today: date, month: int, number: int) -> date | None:
    """Return the next such day of the lunar year that is not before today (leap months aside)."""
    if not (1 <= month <= 12 and 1 <= number <= 30):
        return None
    lunar = import_module("lunar_python")
    for year in range(today.year - 1, today.year + 4):
        months = [one for one in lunar.LunarYear.fromYear(year).getMonths()
                  if one.getMonth() == month and one.getYear() == year]  # fmt: skip
        if not months or number > months[0].getDayCount():
            continue
        solar = lunar.Lunar.fromYmd(year, month, number).getSolar()
        found = date(solar.getYear(), solar.getMonth(), solar.getDay())
        if found >= today:
            return found
    return None


def _solar_term(today: date, name: str) -> date | None:
    """Return the next such day of the sun's year, as Qingming, not before today."""
    lunar = import_module("lunar_python")
    for year in (today.year, today.year + 1):
        solar = lunar.Solar.fromYmd(year, 6, 1).getLunar().getJieQiTable()[name]
        found = date(solar.getYear(), solar.getMonth(), solar.getDay())
        if found >= today:
            return found
    return None
