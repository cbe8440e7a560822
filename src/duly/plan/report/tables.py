"""A plan directory as DuckDB views with fixed columns, whatever format it was written in."""

from __future__ import annotations

from pathlib import Path

import duckdb

from duly.book.engine import connect

#: The columns that the report reads, with the type that each is shown in.
_VIEWS = {
    "decisions": {
        "loan_id": "text",
        "borrower_id": "text",
        "decision": "text",
        "reason": "text",
        "rule": "text",
        "legal": "list",
        "channel": "text",
        "template": "text",
        "not_before": "instant",
        "next_review_on": "text",
        "task_kind": "text",
    },
    "messages": {
        "message_id": "text",
        "borrower_id": "text",
        "loan_ids": "list",
        "channel": "text",
        "address": "text",
        "class": "text",
        "template": "text",
        "tone": "text",
        "text": "text",
        "segments": "number",
        "code": "text",
        "not_before": "instant",
        "not_after": "instant",
    },
    "positions": {
        "loan_id": "text",
        "currency": "text",
        "bucket": "text",
        "days_past_due": "number",
        "overdue_total": "number",
        "outstanding_total": "number",
    },
    "quarantine": {
        "table": "text",
        "row": "number",
        "column": "text",
        "code": "text",
        "message": "text",
    },
}


def open_plan(plan_dir: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection with the views decisions, messages, positions and quarantine.

    A table that the plan lacks is a view without rows; a column that it lacks is null.
    """
    connection = connect()
    for name, columns in _VIEWS.items():
        source = find_table(plan_dir, name)
        if source is None:
            shape = ", ".join(f'NULL::{_EMPTY[kind]} AS "{key}"' for key, kind in columns.items())
            connection.execute(f"CREATE VIEW {name} AS SELECT {shape} WHERE false")
            continue
        types = {
            row[0]: str(row[1])
            for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        }
        shape = ", ".join(_column(key, kind, types.get(key)) for key, kind in columns.items())
        connection.execute(f"CREATE VIEW {name} AS SELECT {shape} FROM {source}")
    return connection


_EMPTY = {"text": "VARCHAR", "number": "BIGINT", "list": "VARCHAR[]", "instant": "BIGINT"}


def find_table(plan_dir: Path, name: str) -> str | None:
    """Return the SQL that reads one table of the plan, or None where the plan lacks it."""
    parquet, csv = plan_dir / f"{name}.parquet", plan_dir / f"{name}.csv"
    if parquet.is_file():
        return f"read_parquet({_literal(parquet)})"
    if csv.is_file() and csv.stat().st_size > 0:
        options = "header = true, all_varchar = true, nullstr = '', delim = ',', quote = '\"'"
        return f"read_csv({_literal(csv)}, {options}, escape = '\"')"
    return None


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _column(name: str, kind: str, found: str | None) -> str:
    """Return the projection of one column to the type that the report reads."""
    quoted = f'"{name}"'
    if found is None:
        return f"NULL::{_EMPTY[kind]} AS {quoted}"
    if kind == "number":
        return f"try_cast({quoted} AS BIGINT) AS {quoted}"
    if kind == "instant":
        return f"{_epoch_seconds(quoted, found)} AS {quoted}"
    if kind == "list":
        return f"{_list(quoted, found)} AS {quoted}"
    return f"{quoted}::VARCHAR AS {quoted}"


def _epoch_seconds(quoted: str, found: str) -> str:
    """Return the UTC seconds of an instant: a timestamp, or ISO 8601 text (no offset = UTC)."""
    if found.startswith("TIMESTAMP"):
        return f"epoch_us({quoted}) // 1000000"
    local = f"epoch_us(try_cast(substr(replace({quoted}, 'T', ' '), 1, 19) AS TIMESTAMP))"
    sign = f"CASE WHEN regexp_matches({quoted}, '-[0-9]{{2}}:?[0-9]{{2}}$') THEN -1 ELSE 1 END"
    offset = f"regexp_extract({quoted}, ':[0-9.]+[+-]([0-9]{{2}}):?([0-9]{{2}})$', "
    hours = f"coalesce(try_cast({offset}1) AS BIGINT), 0)"
    minutes = f"coalesce(try_cast({offset}2) AS BIGINT), 0)"
    return f"{local} // 1000000 - ({sign}) * ({hours} * 3600 + {minutes} * 60)"


def _list(quoted: str, found: str) -> str:
    """Return a list of ids: a list column, or text that holds a JSON array or separated ids."""
    if found.endswith("[]"):
        return f"coalesce({quoted}::VARCHAR[], [])"
    return f"regexp_extract_all(coalesce({quoted}::VARCHAR, ''), '[^\\s,;|\"\\[\\]]+')"
