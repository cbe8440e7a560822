"""Do our figures agree with the lender's own system? Compared before anyone is written to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import duckdb

from duly.core.diagnostic import Diagnostic
from duly.plan import instants
from duly.plan.inputs import PlanInputs
from duly.position import compute

#: A stated row older than this is not compared: the figures have moved on.
STATED_AGE_DAYS_MAX = 3

#: Above this share of disagreeing loans it is one alert with a cause, not thousands of tasks.
ALERT_SHARE_PERCENT = 2

_EMPTY = """
create table figures_compared as
select cast(null as integer) as loan, cast(null as date) as as_of,
    cast(null as bigint) as stated_overdue, cast(null as bigint) as stated_outstanding,
    cast(null as bigint) as overdue_total, cast(null as bigint) as outstanding_total,
    cast(null as bigint) as late_charge, cast(null as bigint) as tolerance
where false
"""

_COMPARE = """
insert into figures_compared
select s.loan, s.as_of, s.overdue_total, s.outstanding_total, p.overdue_total,
    p.outstanding_total, p.late_charge,
    (({principal} + case when p.late_charge > 0 then {late_charge} else 0 end)
        * cast(10 ** l.decimals as bigint)) // 100
from stated as s
join loans as l on l.loan = s.loan
join {positions} as p on p.loan = s.loan
where s.as_of = {as_of}
"""

_FOUND = """
create table figures_found as
select distinct loan
from figures_compared
where abs(overdue_total - stated_overdue) > tolerance
   or abs(outstanding_total - stated_outstanding) > tolerance
"""

_CAUSES = """
with wrong as (
    select f.*, l.late_rate_e8, l.loan_id
    from figures_compared as f
    join figures_found as d on d.loan = f.loan
    join loans as l on l.loan = f.loan
),
named as (
    select case
        when abs(outstanding_total - stated_outstanding) <= tolerance
            then 'allocation'
        when overdue_total - stated_overdue = outstanding_total - stated_outstanding
            and abs(overdue_total - stated_overdue) <= 5 then 'rounding'
        when late_charge > 0 and abs(outstanding_total - stated_outstanding) <= late_charge
            then 'day_count'
        else 'missing_payment'
    end as cause
    from wrong
)
select cause, count(*) as loans from named group by cause order by loans desc, cause limit 1
"""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """How many loans were compared and disagree, with the alerts that follow."""

    compared: int
    disagreeing: int
    alerts: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]


def compare(connection: duckdb.DuckDBPyConnection, inputs: PlanInputs, threads: int) -> Compared:
    """Create `figures_compared` and `figures_found`, each stated row as of its own date."""
    connection.execute(_EMPTY)
    today = inputs.business_date
    oldest = today - timedelta(days=STATED_AGE_DAYS_MAX)
    dates = connection.execute(
        "select as_of, count(*) from stated group by as_of order by as_of"
    ).fetchall()
    stale = sum(rows for as_of, rows in dates if as_of < oldest)
    for as_of, _ in dates:
        if not oldest <= as_of <= today:
            continue
        positions = "positions"
        if as_of != today:
            positions = "positions_then"
            past = compute(
                inputs.snapshot, as_of=as_of, time_zone=inputs.lender.time_zone, threads=threads
            )
            connection.register(positions, past.loans)
        connection.execute(
            _COMPARE.format(
                principal=inputs.lender.figures_principal_minor,
                late_charge=inputs.lender.figures_late_charge_minor,
                positions=positions,
                as_of=instants.day(as_of),
            )
        )
    connection.execute(_FOUND)
    return _summary(connection, stale)


def _summary(connection: duckdb.DuckDBPyConnection, stale: int) -> Compared:
    compared = _count(connection, "select count(distinct loan) from figures_compared")
    disagreeing = _count(connection, "select count(*) from figures_found")
    alerts: list[Diagnostic] = []
    if disagreeing * 100 > compared * ALERT_SHARE_PERCENT:
        cause, loans = connection.execute(_CAUSES).fetchall()[0]
        values: Mapping[str, object] = {
            "loans": disagreeing,
            "compared": compared,
            "cause_loans": loans,
        }
        alerts.append(
            Diagnostic(
                area="plan",
                code=f"figures_{cause}",
                severity="warning",
                file="stated",
                values=values,
            )
        )
    warnings = (
        (Diagnostic(area="plan", code="stated_stale", severity="warning", file="stated",
                    values={"rows": stale, "days": STATED_AGE_DAYS_MAX}),)
        if stale
        else ()
    )  # fmt: skip
    return Compared(
        compared=compared, disagreeing=disagreeing, alerts=tuple(alerts), warnings=warnings
    )


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])
