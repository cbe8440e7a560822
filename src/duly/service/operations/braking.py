"""May a plan go out by itself? Its figures are held against those of the runs before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from django.db import connection

State = Literal["passed", "broken", "unasked"]
Figures = Mapping[str, int | str]

#: Contract, section 5. Ratios are of whole numbers, so that no rounding decides.
RUNS = 7
_MESSAGES = (3, 2)  #: more than so many times the median
_SHRUNK_PERCENT = 95
_QUARANTINE_PERCENT = 1
_RISEN_PER_MILLE = 5

#: Days that somebody let go: what nobody let go teaches nothing. One plan a day counts.
_BEFORE = """
SELECT plan_sha256, business_date, messages_count, loans_count, payments_count FROM store_run
WHERE kind = 'plan' AND state = 'released' AND business_date < %s
ORDER BY business_date DESC LIMIT %s
"""
_RISEN = """
SELECT count(*) FILTER (WHERE
    (n.figures->>'days_past_due')::int - (b.figures->>'days_past_due')::int > %(days)s), count(*)
FROM store_decision AS n JOIN store_decision AS b ON b.loan_id = n.loan_id
WHERE n.run_id = %(run)s AND b.run_id = %(before)s
    AND n.figures->>'days_past_due' IS NOT NULL AND b.figures->>'days_past_due' IS NOT NULL
"""


@dataclass(frozen=True, kw_only=True)
class Brake:
    """What one brake says of one run, with the figures of both sides.

    `unasked` where there is nothing to hold them against: that brakes nothing, and is said.
    """

    name: str
    state: State
    figures: Figures


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the brakes look at in a plan: counts of its book and of what it decided."""

    run: str
    day: date
    messages: int
    loans: int
    payments: int
    decided: int
    quarantined: int


@dataclass(frozen=True, kw_only=True)
class _Before:
    run: str
    day: date
    messages: int
    loans: int | None
    payments: int | None


def ask_brakes(measured: Measured) -> tuple[Brake, ...]:
    """Return what each brake says of a plan whose decisions are stored.

    Asked in the caller's transaction; held against the runs of earlier business dates that were
    released: the last seven for messages, the last one for all else.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEFORE, [measured.day, RUNS])
        before = [
            _Before(run=row[0], day=row[1], messages=row[2], loans=row[3], payments=row[4])
            for row in cursor.fetchall()
        ]
    last = before[0] if before else None
    return (
        _of_messages(measured.messages, sorted(one.messages for one in before)),
        _of_rows("loans", measured.loans, last.loans if last else None, last),
        _of_rows("payments", measured.payments, last.payments if last else None, last),
        _of_quarantine(measured.quarantined, measured.decided),
        _of_days(measured, last),
    )


def keep(run: str, brakes: tuple[Brake, ...]) -> None:
    """Write down what the brakes said of a run."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO store_brake (run_id, name, state, figures) VALUES (%s, %s, %s, %s::jsonb)",
            [(run, one.name, one.state, json.dumps(one.figures)) for one in brakes],
        )


def kept(run: str) -> tuple[Brake, ...]:
    """Return what the brakes said of a run when it was loaded, in the order of their names."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, state, figures::text FROM store_brake WHERE run_id = %s ORDER BY name",
            [run],
        )
        return tuple(
            Brake(name=name, state=state, figures=json.loads(figures))
            for name, state, figures in cursor.fetchall()
        )


def broken(brakes: tuple[Brake, ...]) -> tuple[Brake, ...]:
    """Return the brakes that hold."""
    return tuple(one for one in brakes if one.state == "broken")


def told(brakes: tuple[Brake, ...]) -> dict[str, object]:
    """Return what the record says of brakes: those that hold, and those that could not be asked."""
    return {
        "broken": {one.name: dict(one.figures) for one in broken(brakes)},
        "unasked": [one.name for one in brakes if one.state == "unasked"],
    }


def _of_messages(messages: int, before: list[int]) -> Brake:
    """Hold messages against the median of the runs there are; `before` is sorted."""
    if not before:
        return Brake(name="messages", state="unasked", figures={"messages": messages})
    twice = before[(len(before) - 1) // 2] + before[len(before) // 2]
    times, over = _MESSAGES
    median = str(twice // 2) if twice % 2 == 0 else f"{twice // 2}.5"
    return Brake(
        name="messages",
        state=_state(2 * over * messages > times * twice),
        figures={"messages": messages, "median": median, "runs": len(before)},
    )


def _of_rows(name: str, rows: int, before: int | None, last: _Before | None) -> Brake:
    """Hold the rows of a table against the last run's."""
    if before is None or last is None:
        return Brake(name=name, state="unasked", figures={"rows": rows})
    return Brake(
        name=name,
        state=_state(100 * rows < _SHRUNK_PERCENT * before),
        figures={"rows": rows, "before": before, "before_on": last.day.isoformat()},
    )


def _of_quarantine(quarantined: int, decided: int) -> Brake:
    """Hold the loans that were set aside against all loans of the plan."""
    return Brake(
        name="quarantine",
        state=_state(100 * quarantined > _QUARANTINE_PERCENT * decided),
        figures={"quarantined": quarantined, "loans": decided},
    )


def _of_days(measured: Measured, last: _Before | None) -> Brake:
    """Hold each loan's days past due against the last run's and the days between them."""
    risen, compared = 0, 0
    days = (measured.day - last.day).days if last is not None else 0
    if last is not None:
        with connection.cursor() as cursor:
            cursor.execute(_RISEN, {"run": measured.run, "before": last.run, "days": days})
            risen, compared = cursor.fetchone()
    if last is None or not compared:
        return Brake(name="days_past_due", state="unasked", figures={"loans": measured.decided})
    return Brake(
        name="days_past_due",
        state=_state(1000 * risen > _RISEN_PER_MILLE * compared),
        figures={
            "risen": risen, "loans": compared, "days": days, "before_on": last.day.isoformat(),
        },
    )  # fmt: skip


def _state(is_broken: bool) -> State:
    return "broken" if is_broken else "passed"
