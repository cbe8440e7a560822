"""book.json: when the book was cut, and the control totals that its tables must meet."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from duly.book import encodings, schema
from duly.book.access import unread
from duly.book.findings import finding
from duly.book.reading import Source
from duly.book.writing import Writer
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused

FILE = "book.json"
_TOTAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,8})?")
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})", re.ASCII
)


@dataclass(frozen=True, kw_only=True)
class Control:
    """What book.json says; `cut_at` is naive UTC, None without the file."""

    cut_at: datetime | None = None
    tables: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def read(folder: Path) -> Control:
    """Read book.json; refuse one that says something it must not."""
    path = folder / FILE
    if not path.exists():
        return Control()
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"), parse_float=str)
    except OSError as error:
        raise Refused(unread(path, FILE, error)) from error
    except UnicodeDecodeError as error:
        raise Refused(encodings.not_utf8(path, FILE)) from error
    except ValueError as error:
        raise Refused(_bad(str(error))) from error
    except RecursionError as error:
        raise Refused(_bad("nested too deep")) from error
    if not isinstance(data, dict):
        raise Refused(_bad("not an object"))
    if data.get("contract", 1) != 1:
        raise Refused(_bad(f"contract {data['contract']}"))
    tables = data.get("tables", {})
    if not isinstance(tables, dict):
        raise Refused(_bad("tables"))
    problems = [one for name, totals in tables.items() for one in _check_table(name, totals)]
    if problems:
        raise Refused(*problems)
    return Control(cut_at=_instant(data.get("cut_at")), tables=tables)


def _bad(why: str) -> Diagnostic:
    return finding("bad_book_json", FILE, why=why)


def _check_table(name: str, totals: object) -> list[Diagnostic]:
    if name not in schema.TABLES or not isinstance(totals, dict):
        return [_bad(f"tables.{name}")]
    problems = []
    for key, total in totals.items():
        money = key in schema.TABLES[name].names and (
            schema.TABLES[name].column(key).kind == "money"
        )
        if key == "rows":
            good = isinstance(total, int) and not isinstance(total, bool) and total >= 0
        else:
            good = money and not isinstance(total, bool) and bool(_TOTAL.fullmatch(str(total)))
        if not good:
            problems.append(_bad(f"tables.{name}.{key}"))
    return problems


def _instant(text: object) -> datetime | None:
    if text is None:
        return None
    if not isinstance(text, str) or not _INSTANT.fullmatch(text):
        raise Refused(_bad(f"cut_at {text}"))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(_bad(f"cut_at {text}")) from error
    return moment.astimezone(UTC).replace(tzinfo=None)


def compare(writer: Writer, control: Control) -> list[Diagnostic]:
    """Refuse a book whose rows or sums differ from its control totals; return warnings."""
    problems, unsure = [], []
    for name, totals in control.tables.items():
        source = writer.source(name)
        label = source.name if source else f"{name}.csv"
        rows = writer.rows.get(name, 0)
        if "rows" in totals and totals["rows"] != rows:
            problems.append(
                finding("control_total", label, column="rows", said=totals["rows"], found=rows)
            )
        for column, total in totals.items():
            if column == "rows":
                continue
            found = _sum(writer, source, column)
            if found is None:
                unsure.append(finding("control_total_unsure", label, "warning", column=column))
            elif found != Decimal(str(total)):
                problems.append(
                    finding("control_total", label, column=column, said=total, found=found)
                )
    if problems:
        raise Refused(*problems)
    return unsure


def _sum(writer: Writer, source: Source | None, column: str) -> Decimal | None:
    """Return the sum of a money column in major units, None where a cell is not a number."""
    held = source.columns.get(column) if source else None
    if source is None or held is None or held.family is None:
        return Decimal(0)
    cell = held.sql
    unsure = "false"
    if held.family in ("decimal", "integer"):
        amount = f"{cell}::DECIMAL(38, {held.places})"
    elif held.family == "double":
        # A double's shortest text is the amount that was meant.
        unsure = f"NOT isfinite({cell})"
        amount = f"try_cast(round({cell}, 4) AS DECIMAL(38, 8))"
    else:
        cell = f"{cell}::VARCHAR"
        unsure = f"NOT regexp_full_match({cell}, '-?[0-9]+(\\.[0-9]+)?')"
        amount = f"try_cast({cell} AS DECIMAL(38, 8))"
    lost, total = writer.one(
        f"SELECT count(*) FILTER ({unsure} OR ({cell} IS NOT NULL AND {amount} IS NULL)),"
        f" coalesce(sum({amount}), 0) FROM {source.scan} AS s"
    )
    return None if lost else Decimal(str(total))
