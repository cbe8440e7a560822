"""The values of a lender file: each reader takes one, or says what would have been right."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import time
from pathlib import Path

from duly.book import expressions
from duly.book.lender import Account, Agency
from duly.book.lender_walk import WrongValueError
from duly.core import money, prices

_KINDS_OF_RELIEF = ("extension", "installments", "pause")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_CLASSES = ("dunning", "statutory", "receipt", "answer", "correction")


def text(value: object) -> str:
    """Read a text that says something."""
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip():
        raise WrongValueError("a text")
    return str(value)


def texts(value: object) -> tuple[str, ...]:
    """Read a list of texts."""
    if not isinstance(value, list) or not value:
        raise WrongValueError("a list of texts")
    return tuple(text(one) for one in value)


def none_or_texts(value: object) -> tuple[str, ...]:
    """Read a list of texts that may be empty."""
    return () if value == [] else texts(value)


def count(value: object) -> int:
    """Read a whole number."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise WrongValueError("a whole number from 0 to 1000000")
    return int(value)


def within(least: int, most: int) -> Callable[[object], int]:
    """Return the reader of a whole number between two bounds."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise WrongValueError(f"a whole number from {least} to {most}")
        return int(value)

    return read


def flag(value: object) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise WrongValueError("true | false")
    return value


def minor(value: object) -> int:
    """Read an amount of two decimals."""
    try:
        amount = money.to_minor(str(value), "CNY")
    except money.NotMoney as error:
        raise WrongValueError('"20.00"') from error
    if amount < 0:
        raise WrongValueError('"20.00"')
    return amount


def least(own: str) -> Callable[[object], Mapping[str, int]]:
    """Return the reader of an amount in the lender's currency, or of one in each of several."""
    wanted = '"120.00" | {CNY: "120.00", TWD: "550"}'

    def read(value: object) -> Mapping[str, int]:
        stated = value if isinstance(value, dict) else {own: value}
        try:
            found = {one: money.to_minor(str(stated[one]), one) for one in map(currency, stated)}
        except money.NotMoney as error:
            raise WrongValueError(wanted) from error
        if min(found.values(), default=-1) < 0:
            raise WrongValueError(wanted)
        return found

    return read


def price(value: object) -> int:
    """Read a price."""
    try:
        return prices.of_text(str(value))
    except prices.NotAPrice as error:
        raise WrongValueError('"0.045"') from error


def share(value: object) -> str:
    """Read a share of the whole."""
    whole, _, fraction = str(value).partition(".")
    share = whole in ("0", "1") and (fraction == "" or fraction.isdigit())
    if not share or (whole == "1" and fraction.strip("0")):
        raise WrongValueError("0 … 1")
    return str(value)


def days(value: object) -> dict[str, int]:
    """Read days by kind."""
    if not isinstance(value, dict):
        raise WrongValueError("{dispute: 15, …}")
    return {str(kind): count(days) for kind, days in value.items()}


def choice(*allowed: str) -> Callable[[object], str]:
    """Return the reader of one of several words."""

    def read(value: object) -> str:
        if value not in allowed:
            raise WrongValueError(" | ".join(allowed))
        return str(value)

    return read


def zone(value: object) -> str:
    """Read a time zone."""
    if value not in expressions.zones():
        raise WrongValueError("Asia/Shanghai, …")
    return str(value)


def currency(value: object) -> str:
    """Read a currency."""
    if value not in money.CURRENCIES:
        raise WrongValueError("CNY, …")
    return str(value)


def currencies(value: object) -> tuple[str, ...]:
    """Read a list of currencies."""
    return tuple(currency(one) for one in texts(value))


def classes(value: object) -> tuple[str, ...]:
    """Read the classes of messages that a route takes."""
    return tuple(choice(*_CLASSES)(one) for one in texts(value))


def kinds_of_relief(value: object) -> tuple[str, ...]:
    """Read which relief the pages may agree, in the order of our own; [] leaves it to people."""
    read = choice(*_KINDS_OF_RELIEF)
    named = [read(one) for one in none_or_texts(value)]
    return tuple(one for one in _KINDS_OF_RELIEF if one in named)


def folder(value: object) -> Path:
    """Read the path of a folder."""
    return Path(text(value))


def formed(pattern: re.Pattern[str], wanted: str) -> Callable[[object], str]:
    """Return the reader of a text of a form."""

    def read(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise WrongValueError(wanted)
        return value

    return read


def clock(value: object) -> time:
    """Read a time of day."""
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise WrongValueError('"06:00"')
    return time.fromisoformat(value)


def dated(value: object) -> str:
    """Read a path that a date is put into: with none, yesterday's book would pass for today's."""
    path = text(value)
    if path.count("{date}") != 1 or set("{}") & set(path.replace("{date}", "")):
        raise WrongValueError('"books/{date}"')
    return path


def agencies(value: object) -> tuple[Agency, ...]:
    """Read the published list of servicers."""
    wanted = "[{name: …, name_en: …}]"
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise WrongValueError(wanted)
    made = []
    for one in value:
        if "name" not in one or not set(one) <= {"name", "name_en"}:
            raise WrongValueError(wanted)
        made.append(Agency(**{key: text(said) for key, said in one.items()}))
    return tuple(made)


def accounts(value: object) -> tuple[Account, ...]:
    """Read the accounts that borrowers pay into."""
    needed = {"holder", "bank", "number"}
    known = {*needed, "holder_en", "bank_en", "currency"}
    wanted = "[{holder: …, bank: …, number: …}]"
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise WrongValueError(wanted)
    if not all(needed <= set(one) <= known for one in value):
        raise WrongValueError(wanted)
    return tuple(
        Account(**{
            key: currency(said) if key == "currency" else text(said) for key, said in one.items()
        })
        for one in value
    )  # fmt: skip
