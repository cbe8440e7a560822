"""A snapshot of one borrower out of a snapshot of all: enough to decide his loans again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from duly.book import Snapshot
from duly.book.engine import connect

#: How each table finds its rows of one borrower: by loan, by borrower, or by signal.
_BY_LOAN = ("installments", "debits", "quotes", "stated")
_BY_BORROWER = ("contact_points", "consents", "relations")
_BY_BOTH = ("contacts", "signals")


def narrow(snapshot: Snapshot, loan_id: str, out: Path) -> Snapshot | None:
    """Write the tables of the borrower of one loan; return None for a loan that is not there.

    Dense indices start again at 0; the fingerprints stay those of the whole book.
    """
    out.mkdir(parents=True)
    with connect() as connection:

        def source(name: str) -> str:
            path = str(snapshot.path / f"{name}.parquet").replace("'", "''")
            return f"read_parquet('{path}')"

        found = connection.execute(
            f"select borrower from {source('loans')} where loan_id = ?", [loan_id]
        ).fetchall()
        if not found:
            return None
        borrower = "null" if found[0][0] is None else str(int(found[0][0]))
        connection.execute(
            f"create table mine as select loan as old, row_number() over (order by loan_id) - 1"
            f" as new from {source('loans')} where borrower is not distinct from {borrower}"
            f" and (borrower is not null or loan_id = $loan_id)",
            {"loan_id": loan_id},
        )
        queries = {
            "loans": f"select t.* replace (cast(m.new as integer) as loan, 0 as borrower)"
            f" from {source('loans')} as t join mine as m on m.old = t.loan order by t.loan_id",
            "borrowers": f"select * replace (0 as borrower) from {source('borrowers')}"
            f" where borrower = {borrower}",
            "payments": f"select t.* replace (cast(m.new as integer) as loan, 0 as borrower)"
            f" from {source('payments')} as t left join mine as m on m.old = t.loan"
            f" where m.old is not null or (t.loan is null and t.borrower = {borrower})"
            f" order by t.payment_id",
            "agreed": f"select a.* from {source('agreed')} as a where a.signal_id in"
            f" (select signal_id from {source('signals')} where borrower = {borrower})"
            f" order by a.signal_id, a.number",
        }
        for name in _BY_LOAN:
            queries[name] = (
                f"select t.* replace (cast(m.new as integer) as loan)"
                f" from {source(name)} as t join mine as m on m.old = t.loan order by all"
            )
        for name in _BY_BORROWER:
            queries[name] = (
                f"select * replace (0 as borrower) from {source(name)}"
                f" where borrower = {borrower} order by all"
            )
        for name in _BY_BOTH:
            queries[name] = (
                f"select t.* replace (cast(m.new as integer) as loan, 0 as borrower)"
                f" from {source(name)} as t left join mine as m on m.old = t.loan"
                f" where t.borrower = {borrower} order by all"
            )
        for name, query in queries.items():
            target = str(out / f"{name}.parquet").replace("'", "''")
            connection.execute(f"copy ({query}) to '{target}' (format parquet)")
    return replace(snapshot, path=out)
