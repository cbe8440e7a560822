"""A checked book into the store: rows merge by key, and an older book never overwrites a newer."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.csv as pc
from django.db import connection

from duly.book import Snapshot
from duly.book.engine import connect
from duly.plan.addresses import key_sql

_ROWS_A_COPY = 50_000
_LOAN = "join loans as l on l.loan = x.loan"
_MAYBE_LOAN = "left join loans as l on l.loan = x.loan"
_WHO = "join borrowers as b on b.borrower = x.borrower"
_MAYBE_WHO = "left join borrowers as b on b.borrower = x.borrower"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One table: SQL over the snapshot, and how its rows meet those that are known.

    `key` merges row by row. `owner` (table, column): the newest book that has the owner gives all
    rows of his, for such a row has no name of its own, or is a part of one schedule.
    """

    question: str
    key: str = ""
    owner: tuple[str, str] = ("", "")


def _instant(column: str) -> str:
    return f"strftime({column}, '%Y-%m-%dT%H:%M:%S.%fZ') as {column.rpartition('.')[2]}"


#: In their order: owners before what they own. `usual` is the decimals of all loans, or 2.
PARTS: Mapping[str, Part] = {
    "borrowers": Part(
        question="select borrower_id, name, locale, time_zone, region, preferred_channel,"
        " monthly_income, quiet_from, quiet_until, (select decimals from usual) as decimals"
        " from borrowers where not quarantined",
        key="borrower_id",
    ),
    "loans": Part(
        question="select loan_id, borrower_id, product, creditor, currency, principal,"
        " disbursed_on, annual_rate_e8 as annual_rate, late_rate_e8 as late_rate_daily, late_base,"
        " grace_days, allocation, tolerance, status, status_on, jurisdiction, decimals"
        " from loans where not quarantined",
        key="loan_id",
    ),
    "installments": Part(
        question="select l.loan_id, x.number, x.due_on,"
        " nullif(x.grace_ends_on, cast(x.due_on + l.grace_days as date)) as grace_until,"
        f" x.principal, x.interest, x.fee, l.decimals from installments as x {_LOAN}",
        owner=("loans", "loan_id"),
    ),
    "payments": Part(
        question="select x.payment_id, l.loan_id, b.borrower_id, x.paid_on, x.amount,"
        " case x.kind when 1 then 'waiver' else 'payment' end as kind,"
        " case x.component when 1 then 'late_charge' when 2 then 'interest' when 3 then 'fee'"
        " when 4 then 'principal' end as component, x.reversed_on,"
        " coalesce(l.decimals, (select decimals from usual)) as decimals"
        f" from payments as x {_MAYBE_LOAN} {_MAYBE_WHO}",
        key="payment_id",
    ),
    "debits": Part(
        question=f"select x.debit_id, l.loan_id, {_instant('x.at')}, x.amount, x.status, x.cause,"
        f" l.decimals from debits as x {_LOAN}",
        key="debit_id",
    ),
    "contact_points": Part(
        question=f"select b.borrower_id, x.channel, x.address, {key_sql('x.address')} as"
        f" address_key, x.status, x.use, x.verified_on, x.changed_on from contact_points as x"
        f" {_WHO}",
        owner=("borrowers", "borrower_id"),
    ),
    "consents": Part(
        question=f"select b.borrower_id, x.purpose, x.channel, {_instant('x.granted_at')},"
        f" {_instant('x.withdrawn_at')}, x.detail from consents as x {_WHO}",
        owner=("borrowers", "borrower_id"),
    ),
    "contacts": Part(
        question=f"select x.contact_id, b.borrower_id, l.loan_id, x.channel, x.address,"
        f" {_instant('x.at')}, x.direction, x.outcome, x.step, x.by, x.actor, x.class"
        f" from contacts as x {_WHO} {_MAYBE_LOAN}",
        key="contact_id",
    ),
    "signals": Part(
        question=f"select x.signal_id, b.borrower_id, l.loan_id, x.kind, {_instant('x.starts_at')},"
        f" {_instant('x.ends_at')}, x.detail from signals as x {_WHO} {_MAYBE_LOAN}",
        key="signal_id",
    ),
    "agreed": Part(
        question="select x.signal_id, x.number, x.due_on, x.amount,"
        " coalesce(l.decimals, (select decimals from usual)) as decimals from agreed as x"
        " left join signals as s on s.signal_id = x.signal_id"
        " left join loans as l on l.loan = s.loan",
        owner=("signals", "signal_id"),
    ),
    "quotes": Part(
        question="select l.loan_id, x.as_of, x.valid_until, x.amount, l.decimals"
        f" from quotes as x {_LOAN}",
        owner=("loans", "loan_id"),
    ),
    "relations": Part(
        question=f"select b.borrower_id, x.related_borrower_id, x.kind from relations as x {_WHO}",
        owner=("borrowers", "borrower_id"),
    ),
    "stated": Part(
        question="select l.loan_id, x.as_of, x.overdue_total, x.outstanding_total, l.decimals"
        f" from stated as x {_LOAN}",
        owner=("loans", "loan_id"),
    ),
}
#: Broken rows, each with the borrower whose facts are unsure because of it.
_ASIDE = """
select distinct b.borrower_id, q."table", q.row, q."column", q.code
from quarantine as q left join loans as l on l.loan = q.loan
left join borrowers as b on b.borrower = coalesce(l.borrower, q.borrower)
"""
#: Loans that are kept out of what is planned from: a broken row touches them or their borrower.
_ASIDE_LOANS = """
select count(*) from loans where quarantined or borrower in (
    select coalesce(l.borrower, q.borrower) from quarantine as q left join loans as l
    on l.loan = q.loan)
"""


def copy_in(snapshot: Snapshot, cut_at: datetime) -> dict[str, int]:
    """Merge a snapshot's rows into the store within the caller's transaction.

    Return how many rows each table had, under `aside` how many were broken, and under
    `aside_loans` how many loans they keep out; a row of a loan that nobody can name is one too.
    """
    counts = {}
    with connect() as asked:
        for table in (*PARTS, "quarantine"):
            file = str(snapshot.path / f"{table}.parquet").replace("'", "''")
            asked.execute(f"create view {table} as from read_parquet('{file}')")
        asked.execute(
            "create view usual as select case when min(decimals) = max(decimals)"
            " then min(decimals) else 2 end as decimals from loans"
        )
        for table, part in PARTS.items():
            counts[table] = _merge(asked, table, part, cut_at)
        counts["aside"] = _set_aside(asked, cut_at)
        (named, kept_out), = asked.execute(
            f"select (select count(*) from loans), ({_ASIDE_LOANS})"
        ).fetchall()  # fmt: skip
        counts["aside_loans"] = kept_out + snapshot.rows["loans"] - named
    return counts


def _merge(asked: duckdb.DuckDBPyConnection, table: str, part: Part, cut_at: datetime) -> int:
    names = asked.sql(part.question).columns
    target, columns = f"store_book_{table}", ", ".join(f'"{name}"' for name in names)
    staged = f"told_{table}"
    count = _stage(asked, part.question, staged, target, columns)
    with connection.cursor() as cursor:
        if part.key:
            fresh = ", ".join(f'"{name}" = EXCLUDED."{name}"' for name in (*names, "cut_at"))
            cursor.execute(
                f"INSERT INTO {target} ({columns}, cut_at) SELECT {columns}, %s FROM {staged}"
                f" ON CONFLICT ({part.key}) DO UPDATE SET {fresh}"
                f" WHERE {target}.cut_at <= EXCLUDED.cut_at",
                [cut_at],
            )
            cursor.execute(f"ANALYZE {staged}")
            return count
        owners, owner = part.owner
        ours = (
            f"SELECT o.{owner} FROM store_book_{owners} AS o JOIN told_{owners} AS t"
            f" USING ({owner}) WHERE o.cut_at = %s"
        )
        cursor.execute(f"DELETE FROM {target} WHERE {owner} IN ({ours})", [cut_at])
        cursor.execute(
            f"INSERT INTO {target} ({columns}, cut_at) SELECT {columns}, %s FROM {staged}"
            f" WHERE {owner} IN ({ours})",
            [cut_at, cut_at],
        )
        cursor.execute(f"DROP TABLE {staged}")
    return count


def _stage(
    asked: duckdb.DuckDBPyConnection, question: str, staged: str, target: str, columns: str
) -> int:
    """Copy the rows of a question into a table of this transaction."""
    reader = asked.sql(question).to_arrow_reader(_ROWS_A_COPY)
    count = 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {staged} ON COMMIT DROP AS SELECT {columns} FROM {target}"
            " WITH NO DATA"
        )
        with cursor.copy(f"COPY {staged} ({columns}) FROM STDIN (FORMAT csv)") as copy:
            for batch in reader:
                count += batch.num_rows
                copy.write(_csv(batch))
    return count


def _csv(batch: pa.RecordBatch) -> bytes:
    """Return rows as CSV: an empty text is quoted, an absent value is not."""
    out = io.BytesIO()
    pc.write_csv(pa.Table.from_batches([batch]), out, pc.WriteOptions(include_header=False))
    return out.getvalue()


def _set_aside(asked: duckdb.DuckDBPyConnection, cut_at: datetime) -> int:
    columns = 'borrower_id, "table", row, "column", code'
    count = _stage(asked, _ASIDE, "told_aside", "store_aside", columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO store_aside ({columns}, cut_at) SELECT {columns}, %s FROM told_aside"
            " ON CONFLICT DO NOTHING",
            [cut_at],
        )
    return count
