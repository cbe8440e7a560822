"""The book that the service knows: one consistent look at the state, written as a book."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from duly.book import TABLES
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.service.facts import state_sql
from duly.service.facts.cells import written
from duly.service.facts.narrowing import narrow
from duly.service.facts.told import IN_FORCE

CONTRACT = 1
FILES = frozenset({"book.json", *(f"{name}.csv" for name in TABLES)})


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written; `alerts` say what is known and not in it, or should be in a book by now."""

    cut_at: datetime
    rows: dict[str, int]
    alerts: tuple[Diagnostic, ...]


def copy_out(
    folder: Path, *, lender: str, at: datetime, age_hours: int,
    borrower_ids: Sequence[str] | None = None,
) -> Exported:  # fmt: skip
    """Write the state at a legal instant into an empty folder, sorted, byte for byte repeatable.

    With `borrower_ids`, of these borrowers alone.

    A loan that no book of the last `age_hours` before the newest has is left out: nobody knows
    what was paid on it since. Refused where nothing is known yet.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cut_at = _cut(cursor)
        views = narrow(cursor, borrower_ids) if borrower_ids is not None else ()
        given = {"since": at - IN_FORCE, "fresh": cut_at - timedelta(hours=age_hours)}
        for made, table in (
            (state_sql.LIVE, "live"),
            (state_sql.PEOPLE, "people_now"),
            (state_sql.LOANS, "loans_now"),
            (state_sql.SIGNALS, "signals_now"),
        ):
            cursor.execute(made, given)
            cursor.execute(f"ANALYZE {table}")
        rows = {name: _write(cursor, folder, name) for name in TABLES}
        alerts = _alerts(cursor, given)
        cursor.execute("DROP TABLE live, people_now, loans_now, signals_now")
        if views:
            cursor.execute(f"DROP VIEW {', '.join(f'pg_temp.{name}' for name in views)}")
    totals = {name: {"rows": count} for name, count in rows.items()}
    told = {"contract": CONTRACT, "lender": lender, "cut_at": written(cut_at), "tables": totals}
    text = json.dumps(told, ensure_ascii=False, indent=2)
    (folder / "book.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return Exported(cut_at=cut_at, rows=rows, alerts=alerts)


def _cut(cursor: Any) -> datetime:
    """Return the cut of the newest book, without any the time of the last event."""
    cursor.execute(
        "SELECT coalesce((SELECT max(cut_at) FROM store_book), (SELECT max(time) FROM store_event))"
    )
    found: datetime | None = cursor.fetchone()[0]
    if found is None:
        raise Refused(Diagnostic(area="service", code="nothing_known"))
    return found.astimezone(UTC)


def _write(cursor: Any, folder: Path, name: str) -> int:
    question, order = state_sql.STATE[name]
    columns = ", ".join(f'n."{column}"' for column in TABLES[name].names)
    keys = ", ".join(
        one if "::" in one else f'{one} COLLATE "C" NULLS FIRST' for one in order.split(", ")
    )
    sql = f"COPY (SELECT {columns} FROM ({question}) AS n ORDER BY {keys}) TO STDOUT"
    with (folder / f"{name}.csv").open("wb") as file:
        with cursor.copy(f"{sql} (FORMAT csv, HEADER)") as copy:
            for data in copy:
                file.write(data)
        return int(cursor.cursor.rowcount)


def _alerts(cursor: Any, given: dict[str, datetime]) -> tuple[Diagnostic, ...]:
    asked = {"event_lapsed": state_sql.LAPSED, "event_overdue": state_sql.OVERDUE,
             **state_sql.WAITING}  # fmt: skip
    found = []
    for code, question in asked.items():
        cursor.execute(question, given if "%(" in question else None)
        count, example = cursor.fetchone()
        if count:
            values = {"count": count, "example": example}
            found.append(Diagnostic(area="service", code=code, severity="warning", values=values))
    return tuple(found)
