"""What a raw question answers, as Python reads it."""

from __future__ import annotations

import json
from typing import Any

Row = dict[str, Any]


def as_dicts(cursor: Any) -> list[Row]:
    """Return all rows that a cursor has found, each by the names of its columns."""
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def unpacked(cell: object) -> Any:
    """Return a cell of type jsonb: Django hands over its text, the driver by itself the value."""
    return json.loads(cell) if isinstance(cell, str) else cell
