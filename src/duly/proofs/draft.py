"""A book of one borrower on its way: the moment it is told at, and the rows told so far."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeAlias
from zoneinfo import ZoneInfo

from duly.policy import Policy
from duly.proofs.search import OTHER, Values

Row: TypeAlias = dict[str, str]
Tables: TypeAlias = dict[str, list[Row]]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Where and when the book is: its business date in the lender's time zone."""

    instant: datetime
    zone: ZoneInfo
    lender_name: str
    jurisdiction: str

    @property
    def today(self) -> date:
        """The business date."""
        return self.instant.astimezone(self.zone).date()

    def day(self, ago: int) -> str:
        """Return the date so many days before the business date."""
        return (self.today - timedelta(days=ago)).isoformat()

    def at(self, ago: int, hour: int = 9, minute: int = 0) -> str:
        """Return an instant so many days before the business date."""
        moment = datetime.combine(
            self.today - timedelta(days=ago), time(hour, minute), tzinfo=self.zone
        )
        return moment.isoformat()


@dataclass
class Draft:
    """What was chosen for a borrower, and the rows that tell it so far."""

    moment: Moment
    values: Values
    policy: Policy
    number: int
    borrower_id: str
    tables: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def loan_id(self) -> str:
        """The loan that is asked about."""
        return f"L{self.number}"

    def number_of(self, name: str) -> int:
        """Return a number, 0 where it is empty."""
        value = self.values.features[name]
        return int(value) if value is not None else 0

    def known(self, name: str) -> int | None:
        """Return a number, None where it is empty."""
        value = self.values.features[name]
        return None if value is None else int(value)

    def truth(self, name: str) -> bool:
        """Return whether something is so."""
        return self.values.features[name] is True

    def add(self, table: str, **cells: str) -> None:
        """Add a row."""
        self.tables.setdefault(table, []).append(cells)


def major(minor: int) -> str:
    """Return an amount in major units with two decimals."""
    return str(Decimal(minor).scaleb(-2).quantize(Decimal("0.01")))


def text(draft: Draft, name: str, usual: str) -> str:
    """Return a text feature; one that no condition names is the usual one, or some other."""
    value = draft.values.features[name]
    return usual if value is None else (f"{OTHER}-{name}" if value == OTHER else str(value))


def signal(
    tables: dict[str, list[Row]],
    moment: Moment,
    borrower_id: str,
    kind: str,
    ago: int,
    *,
    until: int | None = None,
    detail: Mapping[str, str] | None = None,
    loan_id: str = "",
    hour: int = 0,
) -> str:
    """Add a signal that began so many days ago; return its id."""
    rows = tables.setdefault("signals", [])
    name = f"{borrower_id}-s{len(rows) + 1}"
    rows.append(
        {
            "signal_id": name,
            "borrower_id": borrower_id,
            "loan_id": loan_id,
            "kind": kind,
            "starts_at": moment.at(ago, hour),
            "ends_at": "" if until is None else moment.at(until, 0),
            "detail": json.dumps(dict(detail)) if detail else "",
        }
    )
    return name
