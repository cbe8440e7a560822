"""Typed Parquet from the book's files, table by table; the rare slow way for broken rows.

Each table is written in one pass; only a table with a broken row is read again, with row numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from duly.book import queries, schema, sums
from duly.book.columns import Columns
from duly.book.expressions import name, quoted
from duly.book.files import why_unread
from duly.book.queries import Query
from duly.book.reading import Book, Source

#: What a broken row was, before its sentence: see quarantine.py.
QUARANTINE_COLUMNS = (
    '"table" VARCHAR, row BIGINT, "column" VARCHAR, code VARCHAR, value VARCHAR, '
    "loan INTEGER, loan_borrower INTEGER, borrower INTEGER"
)
#: A dictionary of numbers or ids costs twice the time of writing them plain, and saves no reading.
_PARQUET = "COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 1000"
_READ_ERRORS = (duckdb.InvalidInputException, duckdb.IOException, duckdb.SerializationException)


@dataclass(kw_only=True)
class Writer:
    """Writes one snapshot's files into `folder` over one connection."""

    con: duckdb.DuckDBPyConnection
    folder: Path
    book: Book
    context: queries.Context
    rows: dict[str, int] = field(default_factory=dict)
    #: The largest value of each column of whole numbers in the table written last.
    most: dict[str, int] = field(default_factory=dict)

    def file(self, table: str) -> str:
        """Return the SQL literal of a table's file in the snapshot."""
        return quoted(str(self.folder / f"{table}.parquet"))

    def read(self, table: str) -> str:
        """Return the SQL relation of a table already written."""
        safe = str(self.folder / f"{table}.parquet")
        for letter in "[*?":
            safe = safe.replace(letter, f"\0{letter}")
        for letter in "[*?":
            safe = safe.replace(f"\0{letter}", f"[{letter}]")
        return f"read_parquet([{quoted(safe)}])"

    def source(self, table: str) -> Source | None:
        """Return the table's source, or None where the book has none."""
        return self.book.sources.get(table)

    def one(self, sql: str) -> tuple[object, ...]:
        """Return the first row of a query."""
        row = self.con.execute(sql).fetchone()
        assert row is not None
        return tuple(row)

    def copy(self, select: str, table: str) -> Mapping[str, int]:
        """Write a relation as the table's file; return its row count and nulls per column."""
        target = self.folder / f"{table}.parquet.new"
        made = self.one(
            f"COPY ({select}) TO {quoted(str(target))} (FORMAT parquet, {_PARQUET}, RETURN_STATS)"
        )
        target.replace(self.folder / f"{table}.parquet")
        stats = made[4]
        assert isinstance(stats, dict) and isinstance(made[1], int)
        tops = {key.strip('"'): str(one.get("max", "")) for key, one in stats.items()}
        self.most = {key: int(top) for key, top in tops.items() if top.isdecimal()}
        nulls = {key.strip('"'): int(one.get("null_count", 0)) for key, one in stats.items()}
        return {"": made[1], **nulls}

    @contextmanager
    def reading(self, table: str) -> Iterator[None]:
        """Refuse a file of the book that cannot be read to its end."""
        source = self.source(table)
        try:
            yield
        except _READ_ERRORS as error:
            if source is None or _no_room(error):
                raise
            names = tuple(source.columns)
            raise why_unread(source.files, self.book.folder, names, error) from error


def _no_room(error: Exception) -> bool:
    text = str(error).lower()
    return any(
        sign in text
        for sign in ("no space", "could not write", "cannot write", "disk", "too large")
    )


def write_all(writer: Writer) -> None:
    """Write every table of the book, broken rows left out and listed in `quarantine`."""
    writer.con.execute(f"CREATE TEMP TABLE quarantine ({QUARANTINE_COLUMNS})")
    loans_source = writer.source("loans")
    assert loans_source is not None
    borrowers = queries.borrowers(writer.source("borrowers"), loans_source)
    with writer.reading("loans"):
        flawed_borrowers = _write_keyed(writer, borrowers, "borrower")
        _index_borrowers(writer, loans_source)
    _know_currencies(writer, loans_source)
    loans = queries.loans(loans_source, writer.context)
    flawed_loans = _write_keyed(writer, loans, "loan")
    _index_loans(writer)
    if flawed_borrowers:
        list_faults(writer, borrowers)
    if flawed_loans:
        list_faults(writer, loans)
    with writer.reading("payments"):
        _know_waivers(writer)
    for table in schema.TABLES.values():
        if table.name not in ("loans", "borrowers"):
            if table.name == "agreed":
                _index_signals(writer)
            _write_child(writer, queries.build(table, writer.source(table.name), writer.context))


def put_in_order(writer: Writer, table: str) -> None:
    """Rewrite a table of children so that its rows follow its loans, those of none first.

    Rows of one loan keep the order of the book. A reader then takes the rows of a range of loans
    as one run, without a place in memory for every other row.
    """
    rows = writer.read(table)
    (back,) = writer.one(
        f"SELECT count(*) FILTER (loan < before) FROM (SELECT loan, lag(loan) OVER () AS before"
        f" FROM {rows})"
    )
    if back:
        numbered = rows.removesuffix(")") + ", file_row_number = true)"
        writer.copy(
            f"SELECT * EXCLUDE (file_row_number) FROM {numbered}"
            " ORDER BY loan NULLS FIRST, file_row_number",
            table,
        )


def _write_keyed(writer: Writer, query: Query, index: str) -> bool:
    """Write loans or borrowers sorted by key with a dense index; say whether a row is flawed."""
    table, key = query.table.name, query.table.key[0]
    ranked = f"SELECT (row_number() OVER () - 1)::INTEGER AS {index}, *"
    # Constants join after the sort: carried through it, they would double its work.
    carried = {one: sql for one, sql in query.outputs.items() if not _is_constant(sql)}
    outputs = ", ".join(
        f"{name(one) if one in carried else sql} AS {name(one)}"
        for one, sql in query.outputs.items()
    )
    ordered = f"SELECT {outputs} FROM ({query.select(carried)} ORDER BY {key})"
    with writer.reading(table):
        stats = writer.copy(f"{ranked} FROM ({ordered})", table)
    if writer.source(table) is not None:
        writer.rows[table] = stats[""]
    unsorted, repeated = writer.one(
        f"SELECT count(*) FILTER (before > {key}), count(*) FILTER (before = {key}) FROM"
        f" (SELECT {key}, lag({key}) OVER () AS before FROM {writer.read(table)})"
    )
    assert unsorted == 0, f"{table} is not in the order of its index"
    if repeated or stats[key]:
        columns = ", ".join(name(one) for one in (key, *query.outputs))
        writer.copy(
            f"{ranked} FROM (SELECT * EXCLUDE ({index}) FROM {writer.read(table)}"
            f" WHERE {key} IS NOT NULL"
            f" QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {columns}) = 1"
            f" ORDER BY {key})",
            table,
        )
    (flagged,) = writer.one(f"SELECT count(*) FROM {writer.read(table)} WHERE quarantined")
    return bool(repeated or stats[key] or flagged)


def _is_constant(sql: str) -> bool:
    return "s." not in sql and "b." not in sql


def _index_borrowers(writer: Writer, loans_source: Source) -> None:
    """Make `borrower_ids`; a borrower whom only a loan names gets an index too, quarantined."""
    named = queries.named_by_loans(loans_source)
    known = writer.read("borrowers")
    writer.con.execute(
        f"CREATE TEMP TABLE strangers AS SELECT borrower_id FROM {named}"
        f" WHERE borrower_id NOT IN (SELECT borrower_id FROM {known})"
    )
    (strangers,) = writer.one("SELECT count(*) FROM strangers")
    if strangers:
        writer.copy(
            "SELECT (row_number() OVER () - 1)::INTEGER AS borrower, * FROM"
            f" (SELECT * EXCLUDE (borrower) FROM {known} UNION ALL BY NAME"
            " SELECT borrower_id, true AS quarantined FROM strangers ORDER BY borrower_id)",
            "borrowers",
        )
    writer.con.execute(
        "CREATE TEMP TABLE borrower_ids AS SELECT borrower, borrower_id,"
        f" borrower_id NOT IN (SELECT borrower_id FROM strangers) AS known FROM {known}"
    )


def _index_loans(writer: Writer) -> None:
    writer.con.execute(
        "CREATE TEMP TABLE loan_ids AS"
        " SELECT loan, loan_id, borrower, decimals, grace_days, disbursed_on"
        f" FROM {writer.read('loans')}"
    )


def _index_signals(writer: Writer) -> None:
    """Make `signal_ids`, which agreed amounts name; a broken signal's row counts as known."""
    source = writer.source("signals")
    if source is None:
        writer.con.execute(
            "CREATE TEMP TABLE signal_ids (signal_id VARCHAR, borrower INT, loan INT, decimals INT,"
            " plan BOOL)"
        )
        return
    query = queries.build(schema.TABLES["signals"], source, writer.context)
    outputs = {one: query.outputs[one] for one in ("signal_id", "borrower", "loan", "kind")}
    writer.con.execute(
        "CREATE TEMP TABLE signal_ids AS SELECT signal_id, max(k.borrower) AS borrower,"
        " max(k.loan) AS loan, max(l.decimals) AS decimals,"
        # A broken kind is quarantined as such.
        " bool_or(coalesce(k.kind = 'plan', true)) AS plan"
        f" FROM ({query.select(outputs)}) AS k LEFT JOIN loan_ids AS l ON l.loan = k.loan"
        " WHERE signal_id IS NOT NULL GROUP BY signal_id"
    )


def _know_currencies(writer: Writer, source: Source) -> None:
    """Learn whether all loans' currencies have the same decimals: arithmetic by a constant."""
    columns = Columns(source.table, source, "2")
    decimals = queries.currency_decimals(source)
    least, most = writer.one(f"SELECT min({decimals}), max({decimals}) FROM {columns.scan} AS s")
    one = 2 if least is None else int(str(least)) if least == most else None
    writer.context = replace(writer.context, decimals=one)


def _know_waivers(writer: Writer) -> None:
    """Make `waivers`, the rank of each waiver by the bytes of its id, if there is any."""
    source = writer.source("payments")
    if source is None or "kind" not in source.columns:
        return
    columns = Columns(source.table, source, "2")
    writer.con.execute(
        "CREATE TEMP TABLE waivers AS"
        " SELECT payment_id, row_number() OVER (ORDER BY payment_id) AS rank FROM"
        f" (SELECT DISTINCT s.c_payment_id::VARCHAR AS payment_id FROM {columns.scan} AS s"
        " WHERE s.c_kind = 'waiver' AND s.c_payment_id IS NOT NULL)"
    )
    (count,) = writer.one("SELECT count(*) FROM waivers")
    writer.context = replace(writer.context, waivers=bool(count))


def _write_child(writer: Writer, query: Query) -> None:
    table = query.table.name
    witness = queries.WITNESS[table]
    outputs = dict(query.outputs)
    if writer.source(table) is None:
        writer.copy(query.select(outputs, "WHERE false"), table)
        return
    outputs[witness] = f"CASE WHEN {query.bad} THEN NULL ELSE {outputs[witness]} END"
    with writer.reading(table):
        stats = writer.copy(query.select(outputs), table)
    writer.rows[table] = stats[""]
    large = sums.too_large(writer, query)
    suspect = (
        large or stats[witness] > 0 or _key_repeats(writer, query) or _runs_back(writer, query)
    )
    if suspect:
        query = _with_key_checks(writer, query)
        query = sums.with_check(query) if large else query
        list_faults(writer, query)
        good = query.select(query.outputs, f"WHERE NOT coalesce({query.bad}, false)")
        writer.copy(good, table)


def _key_repeats(writer: Writer, query: Query) -> bool:
    key = query.table.key
    table = writer.read(query.table.name)
    if not key or query.table.name == "installments":
        return False
    # Ids that rise in the file's order, as most exports have them, are proved at one look.
    places = (f"(FROM {table} LIMIT 10000)", table) if len(key) == 1 else ()
    if places and all(_rises(writer, key[0], place) for place in places):
        return False
    # Equal keys have equal hashes: when all hashes differ, so do all keys; else look exactly.
    digest = f"hash({', '.join(key)})"
    rows, different = writer.one(f"SELECT count(*), count(DISTINCT {digest}) FROM {table}")
    return rows != different


def _rises(writer: Writer, key: str, rows: str) -> bool:
    (unproved,) = writer.one(
        f"SELECT count(*) FILTER ({key} <= before OR {key} IS NULL)"
        f" FROM (SELECT {key}, lag({key}) OVER () AS before FROM {rows})"
    )
    return not unproved


def _runs_back(writer: Writer, query: Query) -> bool:
    """Say whether a schedule repeats a number or goes back in time.

    One look in the file's order proves every schedule whose rows stand together; the others
    (`split`) are sorted.
    """
    if query.table.name != "installments":
        return False
    table = writer.read("installments")
    neighbours = (
        "(SELECT loan, number, due_on, lag(loan) OVER () AS before, lag(number) OVER () AS last,"
        f" lag(due_on) OVER () AS due_before FROM {table})"
    )
    writer.con.execute(
        f"CREATE TEMP TABLE split AS SELECT loan FROM {neighbours}"
        " WHERE before IS DISTINCT FROM loan OR number <= last OR due_on < due_before"
        " GROUP BY loan HAVING count(*) > 1"
    )
    (faults,) = writer.one(
        f"SELECT count(*) FROM ({_backwards(f'{table} WHERE loan IN (FROM split)')})"
    )
    return bool(faults)


def _backwards(schedules: str) -> str:
    return (
        "SELECT loan, number FROM (SELECT loan, number, due_on, lag(number) OVER schedule AS last,"
        f" lag(due_on) OVER schedule AS due_before FROM {schedules}"
        " WINDOW schedule AS (PARTITION BY loan ORDER BY number, due_on))"
        " WHERE due_on < due_before OR number = last"
    )


def _with_key_checks(writer: Writer, query: Query) -> Query:
    """Add the checks that need other rows: repeated keys, schedules that go back in time."""
    key = query.table.key
    if not key:
        return query
    columns = Columns(query.table, writer.source(query.table.name), "2")
    values = {one: columns[one] for one in key}
    present = " AND ".join(f"{name(one)} IS NOT NULL" for one in key)
    repeats = (
        f"SELECT {', '.join(key)} FROM ({query.select(values)}) WHERE {present}"
        " GROUP BY ALL HAVING count(*) > 1"
    )
    matches = " AND ".join(f"d.{name(one)} = {sql}" for one, sql in values.items())
    joins = query.joins + f" LEFT JOIN ({repeats}) AS d ON {matches}"
    more = [("duplicate_key", f"d.{name(key[0])} IS NOT NULL")]
    if query.table.name == "installments":
        good = f"{writer.read('installments')} WHERE loan IS NOT NULL"
        writer.con.execute(
            f"CREATE TEMP TABLE backwards AS SELECT DISTINCT loan, number FROM ({_backwards(good)})"
        )
        joins += f" LEFT JOIN backwards AS o ON o.loan = l.loan AND o.number = {values['number']}"
        more.append(("number_out_of_order", "o.loan IS NOT NULL"))
    last = key[-1]
    checked = tuple(
        replace(one, checks=(*one.checks, *more)) if one.column == last else one
        for one in query.checked
    )
    return replace(query, joins=joins, checked=checked)


def list_faults(writer: Writer, query: Query) -> None:
    """Read a table again, with row numbers, and list each broken cell in `quarantine`."""
    if query.table.name in ("loans", "borrowers"):
        query = _with_key_checks(writer, query)
    cells = ", ".join(
        f"{{'column': {quoted(one.column)}, 'code': {one.code}, 'value': {one.cell}}}"
        for one in query.checked
    )
    touches = ", ".join(f"{sql} AS {key}" for key, sql in query.touches.items())
    writer.con.execute(
        f"INSERT INTO quarantine SELECT {quoted(query.table.name)}, __row,"
        ' e."column", e.code, left(e.value, 200), loan, loan_borrower, borrower'
        f" FROM (SELECT s.__row, {touches}, unnest([{cells}]) AS e"
        f" FROM {query.numbered} AS s {query.joins} WHERE {query.bad})"
        " WHERE e.code IS NOT NULL"
    )
