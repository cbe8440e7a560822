"""Numbers, money, days and addresses as the report shows them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from minijinja import escape, safe

from duly.core.money import CURRENCIES, major

Say = Callable[..., str]  #: words of the report in one locale: key, then values of its holes


#: What stands where there is nothing to count.
NIL: str = safe('<span class="nil">–</span>')


def number(count: int) -> str:
    """Return a count with thousands separators.

    >>> number(19328)
    '19,328'
    """
    return f"{count:,}"


def amount(minor: int, currency: str) -> str:
    """Return an amount in major units with thousands separators, without its currency.

    >>> amount(123456789, "CNY")
    '1,234,567.89'
    """
    text = major(minor, currency) if currency in CURRENCIES else major(minor, "CNY")
    whole, point, fraction = text.partition(".")
    return f"{int(whole):,}{point}{fraction}" if whole != "-0" else text


def share(part: int, whole: int) -> str:
    """Return a share of the whole in percent with one decimal, rounded half up.

    >>> share(1, 3), share(1, 100000), share(0, 5)
    ('33.3 %', '< 0.1 %', '0 %')
    """
    if part == 0 or whole == 0:
        return "0 %"
    per_mille = (2000 * part + whole) // (2 * whole)
    if per_mille == 0:
        return "< 0.1 %"
    return f"{per_mille // 10}.{per_mille % 10} %"


def day(value: date, say: Say) -> str:
    """Return a date as written in prose."""
    return say("date", year=value.year, month=say(f"month.{value.month}"), day=value.day)


def clock(epoch_s: object, time_zone: str) -> str:
    """Return the time of day in `time_zone` of UTC seconds; empty where there is none."""
    if not isinstance(epoch_s, int):
        return ""
    return datetime.fromtimestamp(epoch_s, UTC).astimezone(ZoneInfo(time_zone)).strftime("%H:%M")


def masked_address(address: str) -> str:
    """Return an address of which only enough is left to tell it from another.

    >>> masked_address("13800001234"), masked_address("li.wei@example.com")
    ('•••• 34', 'l•••@example.com')
    """
    name, at, host = address.partition("@")
    if at:
        return f"{name[:1]}•••@{host}"
    return f"•••• {address[-2:]}" if len(address) > 4 else "••••"


def prose(sentence: str) -> str:
    """Return a sentence as HTML in which `commands` between backticks are set as code."""
    marked: str = safe(re.sub("`([^`]*)`", r"<code>\1</code>", escape(sentence)))
    return marked
