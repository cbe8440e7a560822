"""Options that several commands share, and how their texts become values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from duly.cli import settings
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say

THREADS_MAX = 1024
_YEARS = range(1990, 2200)


def worded(key: str, *, hyphen: bool = False) -> Parameter:
    """Return a parameter whose help is the catalogue's sentence; `hyphen` lets it be `-`."""
    return Parameter(help=say("cli", key, settings.locale()), allow_leading_hyphen=hyphen)


def named(name: str, key: str) -> Parameter:
    """Return a parameter with a name of its own; a flag among them has no negative."""
    return Parameter(name=name, negative=(), help=say("cli", key, settings.locale()))


def between(low: int, high: int) -> Parameter:
    """Return a parameter that takes whole numbers from `low` to `high`, one or several."""

    def check(_kind: object, value: int | tuple[int, ...]) -> None:
        found = value if isinstance(value, tuple) else (value,)
        if not all(low <= one <= high for one in found):
            raise ValueError(say("cli", "at_least", settings.locale(), low=low, high=high))

    checked: Callable[[object, int | tuple[int, ...]], None] = check
    return Parameter(validator=checked)


Book = Annotated[Path, worded("option.book")]
PlanDir = Annotated[Path, named("--plan", "option.plan")]
Out = Annotated[Path, worded("option.out")]
LenderFile = Annotated[Path | None, worded("option.lender")]
At = Annotated[str, worded("option.at")]
Threads = Annotated[int, worded("option.threads"), between(0, THREADS_MAX)]
Form = Annotated[Literal["parquet", "csv"], named("--format", "option.format")]
Json = Annotated[bool, named("--json", "option.json")]
Locale = Annotated[Literal["zh-CN", "en"] | None, worded("option.locale")]


def by_commas(text: str) -> list[str]:
    """Return the words between commas, without empty ones."""
    return [one.strip() for one in text.split(",") if one.strip()]


def instant(text: str) -> datetime:
    """Return an instant; refuse a text without an offset, or beyond the contract's years."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Refused(Diagnostic(area="plan", code="bad_instant", values={"value": text}))
    if found.year not in _YEARS:
        raise Refused(Diagnostic(area="cli", code="instant_out_of_range", values={"value": text}))
    return found.replace(microsecond=0)


def day(text: str) -> date:
    """Return a date; refuse any other text."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Refused(Diagnostic(area="plan", code="bad_date", values={"value": text})) from None
    if found.year not in _YEARS:
        raise Refused(Diagnostic(area="cli", code="instant_out_of_range", values={"value": text}))
    return found
