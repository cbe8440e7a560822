"""Options that several commands share, and how their texts become values."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from duly.cli import settings
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say


def worded(key: str) -> Parameter:
    """Return a parameter whose help is the catalogue's sentence."""
    return Parameter(help=say("cli", key, settings.locale()))


Book = Annotated[Path, worded("option.book")]
PlanDir = Annotated[
    Path, Parameter(name="--plan", help=say("cli", "option.plan", settings.locale()))
]
Out = Annotated[Path, worded("option.out")]
LenderFile = Annotated[Path | None, worded("option.lender")]
At = Annotated[str, worded("option.at")]
Threads = Annotated[int, worded("option.threads")]
Form = Annotated[
    Literal["parquet", "csv"],
    Parameter(name="--format", help=say("cli", "option.format", settings.locale())),
]
Json = Annotated[
    bool, Parameter(name="--json", negative=(), help=say("cli", "option.json", settings.locale()))
]


def instant(text: str) -> datetime:
    """Return an instant; refuse a text without an offset."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Refused(Diagnostic(area="plan", code="bad_instant", values={"value": text}))
    return found.replace(microsecond=0)


def day(text: str) -> date:
    """Return a date; refuse any other text."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(Diagnostic(area="plan", code="bad_date", values={"value": text})) from None
