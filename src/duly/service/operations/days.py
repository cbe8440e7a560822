"""The rows of business dates: what is expected, who works on it, how it ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from duly.book import Daily, Lender
from duly.core.diagnostic import Diagnostic
from duly.rules.calendars import UnknownYearError, country_of, is_working_day
from duly.service.rows import Row, as_dicts, unpacked

_DIAGNOSTICS_MAX = 20
#: Seconds to the next try: one minute, doubled with each failure in a row, a quarter of an hour.
_BACK_OFF = "least(900, 30 * 2 ^ least(failures + 1, 10))"

_COLUMNS = (
    "business_date, state, attempts, failures, run_id, plans, plan, book_sha256, book_seen,"
    " coalesce(retry_at > now(), false) AS resting"
)
_BEGIN = f"""
UPDATE store_businessday SET state = 'begun', attempts = attempts + 1, at = %(at)s,
    begun_at = now(),
    -- Whoever died at it may die again: the first who follows need not wait, the others do.
    failures = failures + (state = 'begun')::int,
    retry_at = CASE WHEN state = 'begun' THEN now() + make_interval(secs => {_BACK_OFF}) END
WHERE business_date = %(day)s AND attempts = %(attempts)s AND state = %(state)s
RETURNING attempts
"""
_FAIL = f"""
UPDATE store_businessday SET state = %(state)s, failures = failures + 1, ended_at = now(),
    diagnostics = %(told)s::jsonb, retry_at = CASE WHEN %(state)s = 'waiting'
        THEN now() + make_interval(secs => {_BACK_OFF}) END
WHERE business_date = %(day)s AND attempts = %(attempts)s
    AND state IN ('expected', 'begun', 'waiting')
"""
_CLOSE = """
UPDATE store_businessday SET state = %(state)s, run_id = %(run)s, plan = %(plan)s,
    plans = %(plans)s, book_sha256 = %(book)s, book_seen = %(seen)s, failures = 0,
    ended_at = now(), retry_at = NULL, diagnostics = %(told)s::jsonb
WHERE business_date = %(day)s AND attempts = %(attempts)s AND state = 'begun'
"""
_LISTED = """
SELECT d.business_date, d.state, d.attempts, d.plans, d.plan, d.book_sha256,
    d.run_id AS plan_sha256, r.state AS run_state, r.messages_count AS messages, d.at, d.opened_at,
    d.begun_at, d.ended_at, d.retry_at, d.diagnostics::text AS diagnostics
FROM store_businessday AS d LEFT JOIN store_run AS r ON r.plan_sha256 = d.run_id
ORDER BY d.business_date DESC LIMIT %s
"""


class Taken(Exception):
    """Somebody else has begun the day meanwhile; what was done for it here is taken back."""


@dataclass(frozen=True, kw_only=True)
class Day:
    """One business date as it stands."""

    business_date: date
    state: str
    attempts: int
    failures: int
    run_id: str | None
    plans: int
    plan: str | None
    book_sha256: str | None
    book_seen: str | None
    resting: bool  #: the next try is not due yet


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a day ends: the run that counts, from which plan directory and book."""

    state: str
    run: str
    plan: str | None
    plans: int
    book_sha256: str | None
    book_seen: str | None
    diagnostics: tuple[Diagnostic, ...] = ()


def due_at(lender: Lender, day: date) -> datetime:
    """Return the instant from which a business date is run, in the lender's own zone.

    A clock time that a change to summer time leaves out is as much later; of one that comes twice
    the first counts.
    """
    assert lender.daily is not None
    return _at(day, lender.daily.at, lender.time_zone)


def _at(day: date, at: time, zone: str) -> datetime:
    """Return a local clock time of a date as an instant.

    >>> _at(date(2026, 3, 8), time(2, 30), "America/New_York").isoformat()
    '2026-03-08T07:30:00+00:00'
    >>> _at(date(2026, 11, 1), time(1, 30), "America/New_York").isoformat()
    '2026-11-01T05:30:00+00:00'
    """
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))


def is_expected(lender: Lender, daily: Daily, day: date) -> bool:
    """Return whether a date is run at all; of a year not announced every date is."""
    if daily.calendar == "every_day":
        return True
    country = country_of(None, lender.time_zone) or ""
    try:
        return is_working_day(country, day)
    except UnknownYearError:
        return True


def expect(lender: Lender, daily: Daily, today: date) -> None:
    """Open each date since the last that is known, up to today; the first of all is today."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(business_date) FROM store_businessday")
        last: date | None = cursor.fetchone()[0]
        first = today if last is None else last + timedelta(days=1)
        dates = [first + timedelta(days=n) for n in range((today - first).days + 1)]
        cursor.execute(
            "INSERT INTO store_businessday (business_date, diagnostics)"
            " SELECT day, '[]' FROM unnest(%s::date[]) AS day ON CONFLICT DO NOTHING",
            [[one for one in dates if is_expected(lender, daily, one)]],
        )


def unfinished(until: date) -> list[Day]:
    """Return the dates up to one that are not at their end, the oldest first."""
    return _days(
        "business_date <= %s AND state IN ('expected', 'begun', 'waiting') ORDER BY business_date",
        until,
    )


def known(day: date) -> Day | None:
    """Return one date, None where it was never expected."""
    found = _days("business_date = %s", day)
    return found[0] if found else None


def begin(day: Day, *, at: datetime) -> Day:
    """Say that a day is worked on; refuse (Taken) one that somebody else has begun since."""
    with connection.cursor() as cursor:
        cursor.execute(
            _BEGIN,
            {"at": at, "day": day.business_date, "attempts": day.attempts, "state": day.state},
        )
        if not cursor.rowcount:
            raise Taken
    found = known(day.business_date)
    assert found is not None, "it was updated"
    return found


def fail(day: Day, diagnostics: Sequence[Diagnostic], *, state: str) -> None:
    """Write down what went wrong: `waiting` is tried again, `skipped` is an end.

    Refused (Taken): another's day.
    """
    given: Row = {"state": state, "day": day.business_date, "attempts": day.attempts,
                  "told": _json(diagnostics)}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_FAIL, given)
        if not cursor.rowcount:
            raise Taken


def close(day: Day, ending: Ending) -> None:
    """Write down how a day ended, in the transaction of that end; refuse (Taken) another's day."""
    given: Row = {
        "state": ending.state, "run": ending.run, "plan": ending.plan, "plans": ending.plans,
        "book": ending.book_sha256, "seen": ending.book_seen, "told": _json(ending.diagnostics),
        "day": day.business_date, "attempts": day.attempts,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, given)
        if not cursor.rowcount:
            raise Taken


def listed(*, limit: int) -> list[Row]:
    """Return the newest business dates, each with its run and what was said of it last."""
    with connection.cursor() as cursor:
        cursor.execute(_LISTED, [limit])
        rows = as_dicts(cursor)
    return [{**row, "diagnostics": _read(unpacked(row["diagnostics"]))} for row in rows]


def _days(which: str, day: date) -> list[Day]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_COLUMNS} FROM store_businessday WHERE {which}", [day])
        return [Day(**row) for row in as_dicts(cursor)]


def _json(diagnostics: Sequence[Diagnostic]) -> str:
    told = [
        {"area": one.area, "code": one.code, "severity": one.severity, "file": one.file,
         "line": one.line, "column": one.column,
         "values": {name: str(value) for name, value in one.values.items()}}
        for one in diagnostics[:_DIAGNOSTICS_MAX]
    ]  # fmt: skip
    return json.dumps(told, ensure_ascii=False)


def _read(told: list[dict[str, Any]]) -> tuple[Diagnostic, ...]:
    return tuple(Diagnostic(**one) for one in told)
