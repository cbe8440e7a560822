"""The columns of one table, prepared in nested projections: each cell is computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from duly.book import expressions, schema
from duly.book.expressions import Cell, Check, Expression
from duly.book.reading import Held, Source

#: The relation of a table that the book lacks.
NO_ROWS = "(SELECT 1 AS none WHERE false)"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The checks of one column, and the cell they look at (NULL where the file lacks it)."""

    column: str
    cell: str
    checks: tuple[Check, ...]

    @property
    def code(self) -> str:
        """SQL of the first code that speaks, or NULL."""
        whens = "".join(f" WHEN {when} THEN '{code}'" for code, when in self.checks)
        return f"CASE{whens} END"


class Columns:
    """The typed columns of one table and their checks.

    `decimals` is SQL of the currency's decimals; `late` says that it reads a joined row, so that
    money cannot be prepared with the other columns.
    """

    def __init__(
        self, table: schema.Table, source: Source | None, decimals: str, *, late: bool = False
    ) -> None:
        self.table, self.source = table, source
        self._decimals, self._late = decimals, late
        self._scale = expressions.scale_of(decimals)
        if decimals.isdigit():
            self._scale = str(10 ** int(decimals))
        self._made: dict[str, Expression] = {}
        for column in table.columns:
            held = source.columns.get(column.name) if source else None
            if held is not None:
                self._made[column.name] = self._make(column, held)

    def _make(self, column: schema.Column, held: Held) -> Expression:
        if held.family is None:
            missing = (("missing_value", "true"),) if column.filled else ()
            return Expression(value=f"NULL::{expressions.sql_type(column)}", checks=missing)
        late = self._late and column.kind == "money"
        cell = Cell(
            sql=f"s.c_{column.name}",
            value=f"s.v_{column.name}",
            odd=f"s.o_{column.name}",
            family=held.family,
            width=held.width,
            places=held.places,
            decimals=self._decimals,
            scale=self._scale,
        )
        if not late:
            return expressions.typed(column, cell)
        value = expressions.typed(column, cell).value
        made = expressions.typed(column, replace(cell, value=f"({value})"))
        return Expression(value=value, checks=made.checks)

    def _is_late(self, column: str) -> bool:
        return self._late and self.table.column(column).kind == "money"

    def __getitem__(self, column: str) -> str:
        """Return SQL of a column's value, its default where the cell is empty."""
        about = self.table.column(column)
        if column not in self._made:
            return expressions.absent(about)
        value = f"({self._made[column].value})" if self._is_late(column) else f"s.v_{column}"
        if about.default is None:
            return value
        return f"coalesce({value}, {expressions.literal(about, about.default)})"

    def prepared(self, rows: str, *, numbered: bool = False) -> str:
        """Return the relation of cells and values over the source's rows."""
        assert self.source is not None
        row = ["__row"] if numbered else []
        cells = [f"{self.source.columns[one].sql} AS c_{one}" for one in self._made]
        values = [
            f"{made.value} AS v_{one}" for one, made in self._made.items() if not self._is_late(one)
        ]
        odd = [f"{made.odd} AS o_{one}" for one, made in self._made.items() if made.odd]
        inner = f"(SELECT {', '.join([*row, *cells])} FROM {rows} AS s)"
        return f"(SELECT {', '.join(['*', *values, *odd])} FROM {inner} AS s)"

    @property
    def scan(self) -> str:
        """The relation of cells and values, no row where the book lacks the table."""
        return self.prepared(self.source.scan) if self.source else NO_ROWS

    @property
    def numbered(self) -> str:
        """The same with `__row`, the 1-based data row."""
        if self.source is None:
            return NO_ROWS
        return self.prepared(self.source.numbered, numbered=True)

    def checked(self, more: Mapping[str, tuple[Check, ...]]) -> tuple[Checked, ...]:
        """Return every column's checks, each followed by the table's own checks of it."""
        if self.source is None:
            return ()
        found = []
        for column in self.table.names:
            made = self._made.get(column)
            checks = (made.checks if made else ()) + more.get(column, ())
            if checks:
                cell = f"s.c_{column}::VARCHAR" if made else "NULL::VARCHAR"
                found.append(Checked(column=column, cell=cell, checks=checks))
        return tuple(found)
