"""The tables of a generated book, and how they become CSV files with control totals."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from duly.book import schema
from duly.core import money

Row = dict[str, str]
Tables = dict[str, list[Row]]

CURRENCY = "CNY"


def yuan(minor: int) -> str:
    """Return minor units as the decimal text of a book."""
    return money.major(minor, CURRENCY)


def day(today: date, offset: int) -> str:
    """Return the date `offset` days from `today` as text."""
    return (today + timedelta(days=offset)).isoformat()


def instant(on: date | str, minute: int) -> str:
    """Return a minute of a day in Beijing time as an ISO 8601 instant."""
    return f"{on}T{minute // 60:02}:{minute % 60:02}:00+08:00"


def numbered(rows: Iterable[Row], column: str, prefix: str) -> list[Row]:
    """Return the rows with keys such as P000001 in their order."""
    return [{column: f"{prefix}{index:06}"} | row for index, row in enumerate(rows, start=1)]


def write(out: Path, tables: Tables, *, lender: str, cut_at: str) -> None:
    """Write every table (also the empty ones) and book.json into `out`, over files of that name."""
    out.mkdir(parents=True, exist_ok=True)
    for table in schema.TABLES.values():
        with (out / f"{table.name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, table.names, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(tables.get(table.name, ()))
    totals: dict[str, dict[str, int | str]] = {
        table: {"rows": len(tables.get(table, ()))} for table in schema.TABLES
    }
    paid = sum(money.to_minor(row["amount"], CURRENCY) for row in tables["payments"])
    totals["payments"]["amount"] = yuan(paid)
    book = {"contract": 1, "lender": lender, "cut_at": cut_at, "tables": totals}
    text = json.dumps(book, ensure_ascii=False, indent=2)
    (out / "book.json").write_text(text + "\n", encoding="utf-8", newline="\n")
