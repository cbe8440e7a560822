"""Whether the money of a loan adds up to more than 64 bits hold, before the kernel adds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import duckdb

from duly.book.queries import Query

#: The money that may stand in one table of one loan: what it adds up to must fit 64 bits, with
#: the largest late charge on it (adr/0003). No loan comes near: 10,000,000,000,000.00 owed.
_SUMS: Mapping[str, tuple[tuple[str, ...], int]] = {
    "installments": (("principal", "interest", "fee"), 10**15),
    "payments": (("amount",), 10**18),
}


class Written(Protocol):
    """A table just written: its rows, and the largest value of its columns of whole numbers."""

    con: duckdb.DuckDBPyConnection
    rows: dict[str, int]
    most: dict[str, int]

    def read(self, table: str) -> str:
        """Return the SQL relation of the table."""
        ...

    def one(self, sql: str) -> tuple[object, ...]:
        """Return the first row of a query."""
        ...


def too_large(writer: Written, query: Query) -> bool:
    """Say whether a loan's money adds up to more than may be; make `large` of such loans.

    The largest amounts times the most rows that a loan can have are looked at first: they prove
    every book but an absurd one, without another look at its rows.
    """
    table = query.table.name
    if table not in _SUMS or "loan_id" not in query.table.names:
        return False
    parts, limit = _SUMS[table]
    rows = min(writer.rows[table], writer.most.get("number", writer.rows[table]))
    if sum(writer.most.get(one, 0) for one in parts) * rows <= limit:
        return False
    total = " + ".join(f"{one}::HUGEINT" for one in parts)
    writer.con.execute(
        f"CREATE TEMP TABLE large_{table} AS SELECT loan FROM {writer.read(table)}"
        f" WHERE loan IS NOT NULL GROUP BY loan HAVING sum({total}) > {limit}"
    )
    (loans,) = writer.one(f"SELECT count(*) FROM large_{table}")
    return bool(loans)


def with_check(query: Query) -> Query:
    """Add the check of rows whose loan has too much money in the table."""
    table = query.table.name
    column = _SUMS[table][0][0]
    checked = tuple(
        replace(one, checks=(*one.checks, ("out_of_range", "m.loan IS NOT NULL")))
        if one.column == column
        else one
        for one in query.checked
    )
    joins = query.joins + f" LEFT JOIN large_{table} AS m ON m.loan = {query.touches['loan']}"
    return replace(query, joins=joins, checked=checked)
