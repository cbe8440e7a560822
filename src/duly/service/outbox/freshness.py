"""Are the figures in a text still true? Asked at the door of each message that would pass it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from duly.service.rows import Row, unpacked

#: Variables of a text that change with the day or with a payment (duly.messages.variables).
MOVING = frozenset(
    {
        "days", "as_of", "overdue_total", "overdue_principal", "overdue_interest", "overdue_fee",
        "late_charge", "next_due_amount", "overdue_since", "next_due_on",
    }
)  # fmt: skip
#: Classes that ask for money. A receipt tells what was true at its instant and says when.
_ASKING = ("dunning", "statutory")

_BOOKS = "SELECT loan_id, cut_at FROM store_book_loans WHERE loan_id = ANY(%s)"
#: A payment that the plan did not count stops a message outright; these change what is owed.
_WORDS = """
SELECT key, max(time) FROM store_word
WHERE kind IN ('loan', 'schedule') AND key = ANY(%s) AND time <= %s GROUP BY key
"""
_RUNS = "SELECT plan_sha256, summary FROM store_run WHERE plan_sha256 = ANY(%s)"


@dataclass(frozen=True, kw_only=True)
class Known:
    """Up to when the payments behind a text were known, and the day its figures are of."""

    until: datetime
    on: date


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """What a lender allows: the age of figures in hours, in the zone where their day turns."""

    age_hours: int
    zone: ZoneInfo

    def stale(
        self, connection: psycopg.Connection[Any], rows: Sequence[Row], *, at: datetime
    ) -> dict[str, str]:
        """Return why the figures of a message are no longer sure, by its id; few questions for all.

        `age`: known until too long ago. `day`: of another day. `book`: a newer book has its loan.
        `event`: a loan or a schedule was told anew since.
        """
        asking = [row for row in rows if row["message_class"] in _ASKING and _moves(row)]
        if not asking:
            return {}
        loans = sorted({loan for row in asking for loan in row["loan_ids"]})
        runs = {
            name: unpacked(summary)
            for name, summary in connection.execute(
                _RUNS, (sorted({row["run_id"] for row in asking}),)
            )
        }
        books = books_of(connection, loans)
        told = dict(connection.execute(_WORDS, (loans, at)).fetchall())
        found = {}
        for row in asking:
            why = self._why(row, self.known(row, runs[row["run_id"]]), books, told, at)
            if why is not None:
                found[row["message_id"]] = why
        return found

    def known(self, row: Row, summary: Mapping[str, Any]) -> Known:
        """Return what a text rests on: its own word where it was rendered anew, else its run's.

        A book that does not say is known until 00:00 of the business date.
        """
        if row["figures_at"] is not None:
            return Known(until=row["figures_at"], on=row["figures_on"])
        day: date = row["business_date"]
        cut = summary.get("cut_at")
        if not cut:
            return Known(until=datetime.combine(day, time(), tzinfo=self.zone), on=day)
        moments = [datetime.fromisoformat(cut)]
        if summary.get("instant"):
            moments.append(datetime.fromisoformat(summary["instant"]))
        return Known(until=min(moments), on=day)

    def too_old(self, until: datetime, at: datetime) -> bool:
        """Return whether what was known until an instant may no longer be told at another."""
        return at - until > timedelta(hours=self.age_hours)

    def _why(
        self,
        row: Row,
        known: Known,
        books: Mapping[str, datetime],
        told: Mapping[str, datetime],
        at: datetime,
    ) -> str | None:
        loans = row["loan_ids"]
        if at.astimezone(self.zone).date() != known.on:
            return "day"
        if self.too_old(known.until, at):
            return "age"
        if _any_after(books, loans, known.until):
            return "book"
        return "event" if _any_after(told, loans, known.until) else None


def books_of(connection: psycopg.Connection[Any], loans: Sequence[str]) -> Mapping[str, datetime]:
    """Return when the newest book of each loan was cut."""
    return dict(connection.execute(_BOOKS, (list(loans),)).fetchall())


def _moves(row: Row) -> bool:
    return not MOVING.isdisjoint(unpacked(row["params"]))


def _any_after(moments: Mapping[str, datetime], loans: Iterable[str], until: datetime) -> bool:
    return any(loan in moments and moments[loan] > until for loan in loans)
