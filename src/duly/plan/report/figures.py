"""The figures of the report, each one relation over the plan's tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import duckdb

Amounts = tuple[tuple[str, int], ...]  #: (currency, minor units), sorted by currency

BUCKETS = ("M0", "M1", "M2", "M3", "M4", "M5", "M6", "M7+")
ENDED = "ended"  #: stands for the bucket of loans that are closed or written off
LATE = BUCKETS[1:]
LISTED_MAX = 60  #: rows of a table that could grow with the book
SAMPLE_MAX = 500


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The size of the book and of the plan."""

    loans: int
    borrowers: int
    past_due: int
    messages: int
    segments: int
    tasks: int
    held: int
    quarantined_rows: int


@dataclass(frozen=True, kw_only=True)
class ReasonRow:
    """One reason: how many loans and borrowers have it, and what they owe that is overdue."""

    decision: str
    reason: str
    loans: int
    borrowers: int
    overdue: Amounts
    review_from: str
    review_to: str


@dataclass(frozen=True, kw_only=True)
class BucketRow:
    """The loans of one bucket in one currency."""

    bucket: str
    currency: str
    loans: int
    overdue: int
    outstanding: int


@dataclass(frozen=True, kw_only=True)
class RuleRow:
    """One rule id: the loans for which it spoke, by kind of decision."""

    rule: str
    loans: int
    by_decision: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class CauseRow:
    """One cause of keeping still: the reason with the policy rules and the rules that spoke."""

    decision: str
    reason: str
    steps: tuple[str, ...]  #: rules of the policy that had matched
    legal: tuple[str, ...]
    loans: int


@dataclass(frozen=True, kw_only=True)
class QualityRow:
    """Quarantined rows of one code in one table, with the first of them."""

    code: str
    table: str
    rows: int
    row: int
    column: str
    message: str


#: Positions with whether the plan found the loan closed or written off on the business date.
_ACTIVE = """
    SELECT positions.*, coalesce(reason IN ('closed', 'written_off'), false) AS ended
    FROM positions LEFT JOIN decisions USING (loan_id)
"""

Cells = dict[str, object]  #: one row of a sample, by column name


def totals(plan: duckdb.DuckDBPyConnection) -> Totals:
    """Return how large the plan is."""
    loans, borrowers, tasks, held = _one(
        plan,
        """
        SELECT count(*), count(DISTINCT borrower_id),
               count(*) FILTER (WHERE decision = 'task'),
               count(*) FILTER (WHERE decision IN ('wait', 'hold', 'blocked'))
        FROM decisions
        """,
    )
    messages, segments = _one(plan, "SELECT count(*), coalesce(sum(segments), 0) FROM messages")
    (past_due,) = _one(
        plan, f"SELECT count(*) FROM ({_ACTIVE}) WHERE days_past_due > 0 AND NOT ended"
    )
    (rows,) = _one(plan, 'SELECT count(*) FROM (SELECT DISTINCT "table", "row" FROM quarantine)')
    return Totals(
        loans=loans,
        borrowers=borrowers,
        past_due=past_due,
        messages=messages,
        segments=segments,
        tasks=tasks,
        held=held,
        quarantined_rows=rows,
    )


def _one(plan: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    row = plan.execute(query).fetchone()
    assert row is not None
    return tuple(int(value) for value in row)


def reasons(plan: duckdb.DuckDBPyConnection) -> list[ReasonRow]:
    """Return one row for each decision and reason, the most loans first."""
    found = plan.execute(
        """
        SELECT coalesce(decision, ''), coalesce(reason, ''), count(*),
               count(DISTINCT borrower_id),
               coalesce(min(next_review_on), ''), coalesce(max(next_review_on), '')
        FROM decisions GROUP BY ALL ORDER BY 3 DESC, 1, 2
        """
    ).fetchall()
    amounts: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for decision, reason, currency, overdue in plan.execute(
        """
        SELECT coalesce(decision, ''), coalesce(reason, ''), currency, sum(overdue_total)
        FROM decisions JOIN positions USING (loan_id)
        WHERE overdue_total > 0 AND currency IS NOT NULL AND reason IS DISTINCT FROM 'closed'
        GROUP BY ALL ORDER BY 1, 2, 3
        """
    ).fetchall():
        amounts.setdefault((decision, reason), []).append((currency, int(overdue)))
    return [
        ReasonRow(
            decision=decision,
            reason=reason,
            loans=loans,
            borrowers=borrowers,
            overdue=tuple(amounts.get((decision, reason), ())),
            review_from=review_from,
            review_to=review_to,
        )
        for decision, reason, loans, borrowers, review_from, review_to in found
    ]


def buckets(plan: duckdb.DuckDBPyConnection) -> list[BucketRow]:
    """Return one row for each bucket and currency, in the order of lateness.

    Loans that are closed or written off stand last, in a bucket of their own.
    """
    found = plan.execute(
        f"""
        SELECT CASE WHEN ended THEN '{ENDED}' ELSE coalesce(bucket, '') END,
               coalesce(currency, ''), count(*),
               coalesce(sum(overdue_total), 0), coalesce(sum(outstanding_total), 0)
        FROM ({_ACTIVE}) GROUP BY ALL ORDER BY 1, 3 DESC, 2
        """
    ).fetchall()
    rows = [
        BucketRow(
            bucket=bucket,
            currency=currency,
            loans=loans,
            overdue=int(overdue),
            outstanding=int(outstanding),
        )
        for bucket, currency, loans, overdue, outstanding in found
    ]
    place = {bucket: index for index, bucket in enumerate(BUCKETS)} | {ENDED: 99}
    return sorted(rows, key=lambda row: (place.get(row.bucket, len(place)), row.bucket))


def hours(plan: duckdb.DuckDBPyConnection, time_zone: str) -> dict[int, dict[str, int]]:
    """Return the messages by hour of the day in `time_zone` and channel."""
    zone = ZoneInfo(time_zone)
    counted: dict[int, dict[str, int]] = {}
    for quarter, channel, messages in plan.execute(
        """
        SELECT not_before // 900, coalesce(channel, ''), count(*) FROM messages
        WHERE not_before IS NOT NULL GROUP BY ALL ORDER BY 1, 2
        """
    ).fetchall():
        hour = datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone).hour
        channels = counted.setdefault(hour, {})
        channels[channel] = channels.get(channel, 0) + messages
    return dict(sorted(counted.items()))


def rules(plan: duckdb.DuckDBPyConnection) -> list[RuleRow]:
    """Return the rules that spoke, by the number of loans for which they did."""
    counted: dict[str, dict[str, int]] = {}
    for rule, decision, loans in plan.execute(
        """
        SELECT spoken, coalesce(decision, ''), count(*)
        FROM (SELECT decision, unnest(list_distinct(legal)) AS spoken FROM decisions)
        GROUP BY ALL ORDER BY 1, 2
        """
    ).fetchall():
        counted.setdefault(rule, {})[decision] = loans
    rows = [
        RuleRow(rule=rule, loans=sum(by.values()), by_decision=by) for rule, by in counted.items()
    ]
    return sorted(rows, key=lambda row: (-row.loans, row.rule))


def causes(plan: duckdb.DuckDBPyConnection) -> list[CauseRow]:
    """Return why loans were held back: holds, then blocks, then waits, the most loans first."""
    found = plan.execute(
        """
        SELECT decision, coalesce(reason, ''), coalesce(legal, []), count(*),
               list_sort(list(DISTINCT "rule") FILTER ("rule" IS NOT NULL))
        FROM decisions WHERE decision IN ('wait', 'hold', 'blocked')
        GROUP BY ALL ORDER BY 4 DESC, 1, 2, 3
        """
    ).fetchall()
    rows = [
        CauseRow(
            decision=decision,
            reason=reason,
            steps=tuple(steps or ()),
            legal=tuple(legal),
            loans=loans,
        )
        for decision, reason, legal, loans, steps in found
    ]
    return sorted(rows, key=lambda row: ("hold", "blocked", "wait").index(row.decision))


def task_kinds(plan: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    """Return the tasks for people by kind, the most first."""
    found = plan.execute(
        """
        SELECT coalesce(task_kind, ''), count(*) FROM decisions
        WHERE decision = 'task' GROUP BY ALL ORDER BY 2 DESC, 1
        """
    ).fetchall()
    return [(str(kind), int(loans)) for kind, loans in found]


def quality(plan: duckdb.DuckDBPyConnection) -> list[QualityRow]:
    """Return the quarantined rows by code and table, each with the first of them."""
    found = plan.execute(
        """
        WITH listed AS (
          SELECT coalesce(code, '') AS code, coalesce("table", '') AS "table",
                 coalesce("row", 0) AS "row", coalesce("column", '') AS "column",
                 coalesce(message, '') AS message
          FROM quarantine
        ), ranked AS (
          SELECT *, count(*) OVER (PARTITION BY code, "table") AS "rows",
                 row_number() OVER (
                   PARTITION BY code, "table" ORDER BY "row", "column", message
                 ) AS place
          FROM listed
        )
        SELECT code, "table", "rows", "row", "column", message FROM ranked WHERE place = 1
        ORDER BY "rows" DESC, code, "table"
        """
    ).fetchall()
    return [
        QualityRow(code=code, table=table, rows=rows, row=row, column=column, message=message)
        for code, table, rows, row, column, message in found
    ]


def sample_messages(plan: duckdb.DuckDBPyConnection, count: int = 3) -> list[Cells]:
    """Return a few messages of different templates, the most used template first."""
    return _cells(
        plan,
        f"""
        WITH ranked AS (
          SELECT *, count(*) OVER (PARTITION BY template) AS used,
                 row_number() OVER (PARTITION BY template ORDER BY message_id, borrower_id) AS place
          FROM messages
        )
        SELECT * EXCLUDE (used, place) FROM ranked
        ORDER BY place, used DESC, template NULLS LAST, message_id, borrower_id LIMIT {count}
        """,
    )


def sample_decisions(plan: duckdb.DuckDBPyConnection) -> list[Cells]:
    """Return at most 500 decisions, drawn in turn from each reason so that each one appears."""
    return _cells(
        plan,
        f"""
        WITH ranked AS (
          SELECT loan_id, borrower_id, decision, reason, "rule", legal, channel, template,
                 not_before, next_review_on,
                 row_number() OVER (
                   PARTITION BY decision, reason ORDER BY md5(loan_id), loan_id
                 ) AS place
          FROM decisions
        ), drawn AS (
          SELECT * FROM ranked
          ORDER BY place, decision NULLS LAST, reason NULLS LAST, loan_id LIMIT {SAMPLE_MAX}
        )
        SELECT drawn.* EXCLUDE (place), currency, days_past_due, overdue_total
        FROM drawn LEFT JOIN positions USING (loan_id)
        ORDER BY loan_id
        """,
    )


def _cells(plan: duckdb.DuckDBPyConnection, query: str) -> list[Cells]:
    cursor = plan.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
