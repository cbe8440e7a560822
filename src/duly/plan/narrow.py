"""A snapshot of some borrowers out of a snapshot of all: enough to decide their loans again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa

from duly.book import Snapshot
from duly.book.engine import connect

#: How each table finds its rows of these borrowers: by loan, by borrower, or by signal.
_BY_LOAN = ("installments", "debits", "quotes", "stated")
_BY_BORROWER = ("contact_points", "consents", "relations")
_BY_BOTH = ("contacts", "signals")

Source = Callable[[str], str]


def narrow(snapshot: Snapshot, loan_id: str, out: Path) -> Snapshot | None:
    """Write the tables of the borrower of one loan; return None for a loan that is not there.

    Dense indices start again at 0; the fingerprints stay those of the whole book.
    """
    source = _source(snapshot)
    with connect() as connection:
        found = connection.execute(
            f"select borrower from {source('loans')} where loan_id = ?", [loan_id]
        ).fetchall()
        if not found:
            return None
        whose = [] if found[0][0] is None else [int(found[0][0])]
        alone = [] if whose else [loan_id]
        return _narrowed(connection, snapshot, whose, alone, out)


def narrow_to(snapshot: Snapshot, borrower_ids: Sequence[str], out: Path) -> Snapshot:
    """Write the tables of some borrowers, as `narrow` does of one."""
    with connect() as connection:
        connection.register("wanted", pa.table({"borrower_id": list(borrower_ids)}))
        rows = connection.execute(
            f"select borrower from {_source(snapshot)('borrowers')}"
            " where borrower_id in (select borrower_id from wanted) order by borrower"
        ).fetchall()
        return _narrowed(connection, snapshot, [int(row[0]) for row in rows], [], out)


def _source(snapshot: Snapshot) -> Source:
    def source(name: str) -> str:
        path = str(snapshot.path / f"{name}.parquet").replace("'", "''")
        return f"read_parquet('{path}')"

    return source


def _narrowed(
    connection: duckdb.DuckDBPyConnection,
    snapshot: Snapshot,
    borrowers: Sequence[int],
    alone: Sequence[str],
    out: Path,
) -> Snapshot:
    """Write what is of these borrowers, and of loans whose borrower nobody can name."""
    out.mkdir(parents=True)
    source = _source(snapshot)
    connection.register("whose", pa.table({"old": pa.array(borrowers, pa.int64())}))
    connection.register("alone", pa.table({"loan_id": pa.array(alone, pa.string())}))
    connection.execute(
        "create table whom as select old, cast(row_number() over (order by old) - 1 as integer)"
        " as new from whose"
    )
    connection.execute(
        "create table mine as select l.loan as old, cast(row_number() over (order by l.loan_id)"
        f" - 1 as integer) as new, coalesce(w.new, 0) as borrower from {source('loans')} as l"
        " left join whom as w on w.old = l.borrower"
        " where w.old is not null or l.loan_id in (select loan_id from alone)"
    )
    for name, query in _queries(source).items():
        target = str(out / f"{name}.parquet").replace("'", "''")
        connection.execute(f"copy ({query}) to '{target}' (format parquet)")
    return replace(snapshot, path=out)


def _queries(source: Source) -> dict[str, str]:
    queries = {
        "loans": "select t.* replace (m.new as loan, m.borrower as borrower)"
        f" from {source('loans')} as t join mine as m on m.old = t.loan order by t.loan_id",
        "borrowers": "select t.* replace (w.new as borrower)"
        f" from {source('borrowers')} as t join whom as w on w.old = t.borrower order by w.new",
        "payments": "select t.* replace (m.new as loan, coalesce(m.borrower, w.new) as borrower)"
        f" from {source('payments')} as t left join mine as m on m.old = t.loan"
        " left join whom as w on w.old = t.borrower"
        " where m.old is not null or (t.loan is null and w.old is not null)"
        " order by t.payment_id",
        "agreed": f"select a.* from {source('agreed')} as a where a.signal_id in"
        f" (select signal_id from {source('signals')} where borrower in (select old from whom))"
        " order by a.signal_id, a.number",
    }
    for name in _BY_LOAN:
        queries[name] = (
            "select t.* replace (m.new as loan)"
            f" from {source(name)} as t join mine as m on m.old = t.loan order by all"
        )
    for name in _BY_BORROWER:
        queries[name] = (
            "select t.* replace (w.new as borrower)"
            f" from {source(name)} as t join whom as w on w.old = t.borrower order by all"
        )
    for name in _BY_BOTH:
        queries[name] = (
            "select t.* replace (m.new as loan, w.new as borrower)"
            f" from {source(name)} as t join whom as w on w.old = t.borrower"
            " left join mine as m on m.old = t.loan order by all"
        )
    return queries
