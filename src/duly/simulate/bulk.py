"""Write a large generated book as Parquet, by DuckDB alone, in bounded memory."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from duly.book.engine import connect

BUSINESS_DATE = "2026-03-10"
CUT_AT = "2026-03-10T06:00:00+08:00"
_LOANS_PER_PART = 250_000
_LOANS_MAX = 100_000_000  # Six payments each: the largest product below stays within 63 bits.
_MEMORY_LIMIT = "2GB"

#: A prime above the number of payments: i * prime mod n visits each number below n once,
#: in a scattered order.
_PRIME = 2_654_435_761

# Draws and terms. `l` is the loan's number, 0…n-1; every figure of a loan follows from it.
_MACROS = """
CREATE MACRO draw(id, salt) AS
    CAST(CAST('0x' || md5('{seed}' || chr(31) || id || chr(31) || salt)[1:8] AS BIGINT)
         % 10000 AS INTEGER);
CREATE MACRO scattered(i, n, salt) AS (i * {prime} + {seed} + salt) % n;
CREATE MACRO loan_id(l) AS 'L' || lpad(CAST(l AS VARCHAR), 10, '0');
CREATE MACRO owner(l) AS CASE WHEN l % 20 = 19 THEN l - 1 ELSE l END;
CREATE MACRO borrower_id(b) AS 'B' || lpad(CAST(b AS VARCHAR), 10, '0');
CREATE MACRO thousands(l) AS 1 + draw(CAST(l AS VARCHAR), 'principal') % 50;
CREATE MACRO overdue(l) AS draw(CAST(l AS VARCHAR), 'overdue') < 1200;
CREATE MACRO spread(l) AS draw(CAST(l AS VARCHAR), 'days');
CREATE MACRO days_late(l) AS
    CASE WHEN spread(l) % 2 = 0 THEN 1 + (spread(l) // 2) % 30 ELSE 31 + (spread(l) // 2) % 170 END;
-- The date of installment 7: past for an overdue loan, within the next month for the others.
CREATE MACRO seventh_due(l) AS
    CASE WHEN overdue(l) THEN DATE '{today}' - days_late(l)
        ELSE DATE '{today}' + 1 + spread(l) % 27 END;
CREATE MACRO due_on(seventh, number) AS
    CAST(seventh + to_months(CAST(number - 7 AS INTEGER)) AS DATE);
CREATE MACRO once_late(l) AS draw(CAST(l AS VARCHAR), 'late') < 2000;
CREATE MACRO instant(days_ago, hours, minutes) AS
    strftime(DATE '{today}' - CAST(days_ago AS INTEGER), '%Y-%m-%d')
    || 'T' || lpad(CAST(hours AS VARCHAR), 2, '0') || ':' || lpad(CAST(minutes AS VARCHAR), 2, '0')
    || ':00+08:00';
"""

# One query a table; {low} and {high} bound the rows of a part, {n} is the number of loans.
_TABLES = {
    "loans": """
        SELECT loan_id(l) AS loan_id, borrower_id(owner(l)) AS borrower_id,
            'installment' AS product, 'CNY' AS currency,
            CAST(1000 * thousands(l) AS DECIMAL(18, 2)) AS principal,
            due_on(seventh_due(l), 0) AS disbursed_on,
            CAST(0.12 + CAST(l % 7 AS INTEGER) * 0.01 AS DECIMAL(10, 8)) AS annual_rate,
            CAST(0.0005 AS DECIMAL(10, 8)) AS late_rate_daily,
            'principal' AS late_base, CAST(l % 4 AS INTEGER) AS grace_days,
            ['oldest_installment', 'oldest_installment', 'component', 'principal_first']
                [l % 4 + 1] AS allocation,
            CAST(0 AS DECIMAL(18, 2)) AS tolerance, 'active' AS status
        FROM (SELECT scattered(i, {n}, 1) AS l FROM range({low}, {high}) r(i))""",
    "installments": """
        WITH terms AS MATERIALIZED (
            SELECT l, loan_id(l) AS loan_id, thousands(l) AS k, seventh_due(l) AS seventh
            FROM (SELECT scattered(i, {n}, 2) AS l FROM range({low}, {high}) r(i)))
        SELECT loan_id, CAST(number AS INTEGER) AS number, due_on(seventh, number) AS due_on,
            CAST(100 * k AS DECIMAL(18, 2)) AS principal,
            CAST(10 * k AS DECIMAL(18, 2)) AS interest,
            CAST(0 AS DECIMAL(18, 2)) AS fee
        FROM (SELECT *, unnest(range(1, 11)) AS number FROM terms)""",
    # Six payments settle six installments; one loan in five paid the third 5 days late with its
    # charge (100 k × 0.0005 × 5), one overdue loan in ten paid half of the sixth.
    "payments": """
        SELECT 'P' || lpad(CAST(l * 6 + number - 1 AS VARCHAR), 11, '0') AS payment_id,
            loan_id(l) AS loan_id,
            CAST(due_on(seventh_due(l), number)
                + CASE WHEN number = 3 AND once_late(l) THEN 5
                    ELSE -CAST((l + number) % 3 AS INTEGER) END AS DATE) AS paid_on,
            CAST(CASE WHEN number = 6 AND overdue(l) AND l % 10 = 0 THEN 55 * thousands(l)
                WHEN number = 3 AND once_late(l) THEN 110.25 * thousands(l)
                ELSE 110 * thousands(l) END AS DECIMAL(18, 2)) AS amount,
            'payment' AS kind
        FROM (SELECT p // 6 AS l, CAST(p % 6 AS INTEGER) + 1 AS number
            FROM (SELECT scattered(i, {n} * 6, 3) AS p FROM range({low} * 6, {high} * 6) r(i)))""",
    "borrowers": """
        SELECT borrower_id(l) AS borrower_id,
            ['赵', '钱', '孙', '李', '周', '吴', '郑', '王'][l % 8 + 1]
                || '示' || ['安', '宁', '平', '康', '和'][l % 5 + 1] AS name,
            'zh-CN' AS locale, 'Asia/Shanghai' AS time_zone,
            CASE l % 50 WHEN 7 THEN '650102' WHEN 11 THEN '540102' WHEN 13 THEN NULL
                ELSE ['110105', '310115', '440305', '510107'][l % 4 + 1] END AS region,
            CASE WHEN l % 10 = 0 THEN 'email' ELSE 'sms' END AS preferred_channel,
            CAST(4000 + 10 * draw(CAST(l AS VARCHAR), 'income') % 20000 AS DECIMAL(18, 2))
                AS monthly_income
        FROM (SELECT scattered(i, {n}, 4) AS l FROM range({low}, {high}) r(i))
        WHERE owner(l) = l""",
    "contact_points": """
        SELECT borrower_id(l) AS borrower_id, channel,
            CASE channel WHEN 'sms' THEN '+86100' || lpad(CAST(l AS VARCHAR), 8, '0')
                ELSE 'b' || CAST(l AS VARCHAR) || '@example.com' END AS address,
            CASE WHEN l % 97 = 0 THEN 'invalid' ELSE 'active' END AS status, 'personal' AS use,
            DATE '2023-01-01' AS verified_on
        FROM (SELECT l, unnest(CASE WHEN l % 10 < 3 THEN ['sms', 'email'] ELSE ['sms'] END)
                AS channel
            FROM (SELECT scattered(i, {n}, 5) AS l FROM range({low}, {high}) r(i))
            WHERE owner(l) = l)""",
    # Twelve contacts of each overdue loan, one in each 90 days: three years.
    "contacts": """
        SELECT 'C' || lpad(CAST(l * 12 + j AS VARCHAR), 12, '0') AS contact_id,
            borrower_id(owner(l)) AS borrower_id, loan_id(l) AS loan_id,
            CASE WHEN j % 4 = 3 THEN 'voice' ELSE 'sms' END AS channel,
            '+86100' || lpad(CAST(owner(l) AS VARCHAR), 8, '0') AS address,
            instant(1 + j * 90 + spread(l + j) % 80, 9 + spread(l + j) % 11, spread(l + j) % 60)
                AS "at",
            'out' AS direction,
            CASE WHEN j % 4 = 3 THEN 'unanswered' WHEN spread(l + j) % 20 = 0 THEN 'undelivered'
                ELSE 'delivered' END AS outcome,
            'first-late' AS step, 'lender' AS "by", 'dunning' AS class
        FROM (SELECT l, CAST(unnest(range(12)) AS INTEGER) AS j
            FROM (SELECT scattered(i, {n}, 6) AS l FROM range({low}, {high}) r(i))
            WHERE overdue(l))""",
    "consents": """
        SELECT borrower_id(l) AS borrower_id, 'servicing' AS purpose, 'sms' AS channel,
            instant(400 + l % 300, 10, 0) AS granted_at,
            CASE WHEN l % 100 = 0 THEN instant(20, 10, 0) END AS withdrawn_at,
            CASE WHEN l % 100 <> 0 THEN '{{"reminders": true}}' END AS detail
        FROM (SELECT scattered(i, {n}, 7) AS l FROM range({low}, {high}) r(i))
        WHERE l % 5 = 0 AND owner(l) = l""",
    "signals": """
        SELECT 'S' || lpad(CAST(l AS VARCHAR), 10, '0') AS signal_id,
            borrower_id(owner(l)) AS borrower_id, loan_id(l) AS loan_id, kind,
            instant(1 + l % 25, 11, 30) AS starts_at, CAST(NULL AS VARCHAR) AS ends_at,
            CASE kind WHEN 'promise' THEN '{{"amount": "500.00", "on": "2026-03-16"}}'
                WHEN 'opt_out' THEN '{{"channel": "sms"}}' END AS detail
        FROM (SELECT l, ['dispute', 'complaint', 'promise', 'hardship', 'payment_pending',
                'opt_out', 'contact_changed', 'fraud_claim'][l % 8 + 1] AS kind
            FROM (SELECT scattered(i, {n}, 8) AS l FROM range({low}, {high}) r(i))
            WHERE draw(CAST(l AS VARCHAR), 'signal') < 100)""",
}


def write_bulk(out: Path, *, loans: int, seed: int, threads: int = 0) -> None:
    """Write a book of `loans` loans under the new directory `out`, the same for the same seed.

    Ten installments and six payments a loan, 12 % overdue on the business date; tables are
    directories of Parquet parts, book.json holds their control totals.
    """
    assert 1 <= loans <= _LOANS_MAX, loans
    out.mkdir(parents=True)
    with connect() as connection:
        if threads:
            connection.execute(f"SET threads = {threads}")
        connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        connection.execute(f"SET temp_directory = '{out / '.spill'}'")
        connection.execute(_MACROS.format(seed=int(seed), prime=_PRIME, today=BUSINESS_DATE))
        for table in _TABLES:
            _write_table(connection, out / table, table, loans)
        totals = {table: _totals(connection, out / table, table) for table in _TABLES}
    book = {"contract": 1, "lender": "示例消费金融有限公司", "cut_at": CUT_AT, "tables": totals}
    text = json.dumps(book, ensure_ascii=False, indent=2)
    (out / "book.json").write_text(text + "\n", encoding="utf-8")


def _write_table(
    connection: duckdb.DuckDBPyConnection, folder: Path, table: str, loans: int
) -> None:
    folder.mkdir()
    step = min(_LOANS_PER_PART, (loans + 1) // 2)
    for part, low in enumerate(range(0, loans, step)):
        query = _TABLES[table].format(n=loans, low=low, high=min(low + step, loans))
        target = folder / f"part-{part:04}.parquet"
        connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet, ROW_GROUP_SIZE 122880)")


def _totals(
    connection: duckdb.DuckDBPyConnection, folder: Path, table: str
) -> dict[str, int | str]:
    amount = ", CAST(sum(amount) AS VARCHAR)" if table == "payments" else ""
    row = connection.execute(f"SELECT count(*){amount} FROM '{folder}/*.parquet'").fetchone()
    assert row is not None
    return {"rows": row[0]} | ({"amount": row[1]} if amount else {})
