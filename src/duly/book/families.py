"""How files hold values: which of DuckDB's types may hold which kind of column (contract 1)."""

from __future__ import annotations

import re
from typing import Literal

from duly.book import schema

Family = Literal[
    "text", "decimal", "double", "integer", "date", "timestamp", "timestamptz", "time", "uuid"
]

#: Which file types may hold a kind (contract 1); everything else is refused as `wrong_type`.
FAMILIES: dict[schema.Kind, frozenset[Family]] = {
    "id": frozenset({"text", "integer", "uuid"}),
    "text": frozenset({"text", "integer", "uuid"}),
    "money": frozenset({"text", "decimal", "double", "integer"}),
    "rate": frozenset({"text", "decimal", "double", "integer"}),
    "integer": frozenset({"text", "decimal", "double", "integer"}),
    "date": frozenset({"text", "date", "timestamp"}),
    "instant": frozenset({"text", "timestamptz"}),
    "clock": frozenset({"text", "time"}),
    "choice": frozenset({"text"}),
    "currency": frozenset({"text"}),
    "zone": frozenset({"text"}),
    "json": frozenset({"text"}),
}

_TYPE_FAMILIES: tuple[tuple[str, Family], ...] = (
    (r"VARCHAR|ENUM.*", "text"),
    (r"DECIMAL.*", "decimal"),
    (r"DOUBLE", "double"),
    (r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?", "integer"),
    (r"DATE", "date"),
    (r"TIMESTAMP(_S|_MS|_NS)?", "timestamp"),
    (r"TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ_NS", "timestamptz"),
    (r"TIME(_NS)?", "time"),
    (r"UUID", "uuid"),
)


def family_of(sql_type: str) -> Family | None:
    """Return how a DuckDB type holds values, or None where no column of a book may have it."""
    for pattern, family in _TYPE_FAMILIES:
        if re.fullmatch(pattern, sql_type):
            return family
    return None
