"""How a value is written: money, dates, instants, masked names, tails. Nothing else enters."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import yaml

from duly.core.money import CURRENCIES, NotMoney
from duly.messages.locales import is_chinese, message_locale
from duly.messages.parts import is_gsm

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_COMPOUND_SURNAMES = frozenset(
    resources.files("duly.messages").joinpath("compound_surnames.txt").read_text("utf-8").split()
)
_AROUND_NAMES = frozenset(" ·•.'’-‐･・ˑʼ\u00a0\u3000")
_NAME_CHARACTERS_MAX = 120
_SIGNS = {"TWD": "NT$", "HKD": "HK$"}
_TAIL = re.compile(r"[^0-9A-Za-z]")
_LETTER = re.compile(r"[A-Za-z]")


def money_text(minor: int, currency: str, locale: str) -> str:
    """Return an amount with its thousands grouped, written as the locale writes its currency.

    In zh-TW a whole amount of TWD has no decimals: nobody there pays in cents. Refuses (NotMoney)
    a negative amount and a currency that ISO 4217 does not know.

    >>> money_text(1234560, "CNY", "zh-CN"), money_text(73410, "EUR", "zh-CN")
    ('12,345.60元', 'EUR 734.10')
    >>> money_text(734100, "TWD", "zh-TW"), money_text(73410, "CNY", "zh-TW")
    ('NT$7,341', '人民幣734.10元')
    """
    decimals = CURRENCIES.get(currency)
    if decimals is None or minor < 0:
        raise NotMoney(f"{minor} {currency}")
    if decimals:
        whole, fraction = divmod(minor, 10**decimals)
        figure = f"{whole:,}.{fraction:0{decimals}}"
    else:
        figure = f"{minor:,}"
    if currency == "CNY" and is_chinese(locale):
        return f"{figure}元" if locale == "zh-CN" else f"人民幣{figure}元"
    if locale == "zh-TW" and currency in _SIGNS:
        return _SIGNS[currency] + (figure.removesuffix(".00") if currency == "TWD" else figure)
    return f"{currency} {figure}"


@lru_cache(maxsize=1 << 14)
def date_text(day: date, locale: str, as_of: date | None = None) -> str:
    """Return a date as people say it, with the year where it differs from that of `as_of`.

    >>> date_text(date(2026, 3, 13), "zh-CN", date(2026, 3, 10))
    '3月13日'
    """
    with_year = as_of is not None and day.year != as_of.year
    if is_chinese(locale):
        return f"{day.year}年{day.month}月{day.day}日" if with_year else f"{day.month}月{day.day}日"
    text = f"{_MONTHS[day.month - 1]} {day.day}"
    return f"{text}, {day.year}" if with_year else text


@lru_cache(maxsize=1 << 10)
def instant_text(day: date, time: str, locale: str) -> str:
    """Return a date and a time of day; refuse (ValueError) what is not HH:MM.

    >>> instant_text(date(2026, 3, 10), "09:30", "zh-CN")
    '3月10日9:30'
    """
    between = "" if is_chinese(locale) else " "
    return f"{date_text(day, locale)}{between}{clock_text(time, locale)}"


@lru_cache(maxsize=1 << 11)
def clock_text(time: str, locale: str) -> str:
    """Return a time of day as people say it; refuse (ValueError) what is not HH:MM.

    >>> clock_text("09:30", "zh-CN"), clock_text("09:30", "en")
    ('9:30', '09:30')
    """
    hour, minute = time[:2], time[3:]
    if not time.isascii() or len(time) != 5 or time[2] != ":" or not (hour + minute).isdigit():
        raise ValueError(f"not HH:MM: {time!r}")
    if int(hour) > 23 or int(minute) > 59:
        raise ValueError(f"not HH:MM: {time!r}")
    return f"{int(hour)}:{minute}" if is_chinese(locale) else time


def days_text(days: int, locale: str) -> str:
    """Return a number of days: 7天, 7 days, 1 day."""
    if is_chinese(locale):
        return f"{days}天"
    return "1 day" if days == 1 else f"{days} days"


@lru_cache(maxsize=1 << 17)
def mask_name(name: str, locale: str) -> str:
    """Return the masked name (张**, 欧阳**, J***), or "" where the text greets without a name.

    A name with anything but letters and the marks that names have (digits, brackets, braces,
    links, control and right-to-left characters) is not trusted and gives "". So does, in English,
    a name whose first letter the GSM alphabet lacks.
    """
    plain = unicodedata.normalize("NFKC", name).strip()
    if not plain or len(plain) > _NAME_CHARACTERS_MAX or not all(map(_in_a_name, plain)):
        return ""
    letters = [character for character in plain if character.isalpha()]
    if not letters:
        return ""
    first = letters[0]
    chinese = is_chinese(message_locale(locale))
    if _is_han(first):
        surname = plain[:2] if plain[:2] in _COMPOUND_SURNAMES and len(letters) > 2 else first
        return f"{surname}**" if chinese else ""
    first = first.upper()
    if not chinese and not is_gsm(first):
        first = unicodedata.normalize("NFD", first)[0]
    return f"{first}***" if chinese or is_gsm(first) else ""


def _in_a_name(character: str) -> bool:
    if character in _AROUND_NAMES:
        return True
    if unicodedata.category(character) in ("Mn", "Mc"):
        return True
    return character.isalpha() and unicodedata.bidirectional(character) == "L"


def _is_han(character: str) -> bool:
    return unicodedata.name(character, "").startswith("CJK ")


def tail_text(loan_id: str) -> str:
    """Return the last four letters or digits of a loan's id, its letters as asterisks.

    Letters could spell a word or another network's name; an id without either is ****.

    >>> tail_text("L-00-12-34")
    '1234'
    >>> tail_text("QQ-7")
    '**7'
    """
    shown = _TAIL.sub("", loan_id)[-4:] or "****"
    return _LETTER.sub("*", shown)


@cache
def _said() -> dict[str, Any]:
    text = resources.files("duly.messages").joinpath("said.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return found


def ways_text(app: str, hotline: str, locale: str) -> str:
    """Return the lender's ways to be reached, as a text names them; one of the two may be empty."""
    which = "both" if app and hotline else "app" if app else "hotline"
    words: str = _said()[locale]["ways"][which]
    return words.replace("{app}", app).replace("{hotline}", hotline)


def channel_text(channel: str, locale: str) -> str:
    """Return how a channel is called in a text: 短信, e-mail."""
    return str(_said()[locale]["channel"][channel])


def staff_text(who: str, locale: str) -> str:
    """Return a name with its staff number: 李明（工号1001）, Li Ming (staff no. 1001).

    >>> staff_text("李明 1001", "zh-TW")
    '李明（員工編號1001）'
    """
    name, _, number = who.rpartition(" ")
    words: str = _said()[locale]["staff"]
    return words.replace("{name}", name).replace("{number}", number)
