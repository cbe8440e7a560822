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

_FIXED = {"元旦": (1, 1), "五一": (5, 1), "劳动节": (5, 1), "国庆": (10, 1), "十一": (10, 1)}
_FIXED_WORDS = {"五一节": "五一", "国庆节": "国庆", "圣诞": "圣诞"}
_LUNAR = {
    "春节": (1, 1), "大年初一": (1, 1), "元宵": (1, 15), "端午": (5, 5), "七夕": (7, 7),
    "中秋": (8, 15), "重阳": (9, 9), "小年": (12, 23),
}  # fmt: skip
_EVES = ("除夕", "大年三十", "年三十")
#: What a holiday is called, as a pattern.
HOLIDAYS = "|".join(sorted((*_FIXED, "圣诞", *_LUNAR, *_EVES, "清明"), key=len, reverse=True))


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
    if name == "清明":
        return _clear_and_bright(today)
    return None


def after_holiday(day: date, country: str | None = "CN") -> date:
    """Return the first working day after a holiday."""
    return working_day(day, 1, country)


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


def _clear_and_bright(today: date) -> date | None:
    """Return the next Qingming, the solar term, not before today."""
    lunar = import_module("lunar_python")
    for year in (today.year, today.year + 1):
        solar = lunar.Solar.fromYmd(year, 6, 1).getLunar().getJieQiTable()["清明"]
        found = date(solar.getYear(), solar.getMonth(), solar.getDay())
        if found >= today:
            return found
    return None
