"""Which late charges are above the cap of the law? One alert of the run, with their count."""

from __future__ import annotations

import duckdb

from duly.core.diagnostic import Diagnostic
from duly.plan.inputs import PlanInputs
from duly.rules import Bar, Rule

_ABOVE = """
select count(*), min(l.loan_id)
from (select loan, loan_id, late_rate_e8 from loans
      where status = 'active' and late_rate_e8 * 365 > 24000000) as l
join positions as p on p.loan = l.loan
where p.late_charge > 0
"""


def alerts(connection: duckdb.DuckDBPyConnection, inputs: PlanInputs) -> tuple[Diagnostic, ...]:
    """Return the alert about rates above the cap, where a rule in force asks for it."""
    if not any(map(_caps_cost, inputs.rules)):
        return ()
    loans, example = connection.execute(_ABOVE).fetchall()[0]
    if not loans:
        return ()
    return (
        Diagnostic(area="plan", code="rates_above_cap", severity="warning", file="loans",
                   values={"loans": loans, "example": example}),
    )  # fmt: skip


def _caps_cost(rule: Rule) -> bool:
    bar = rule.primitive
    return isinstance(bar, Bar) and any(check.reason == "cost_cap" for check in bar.checks)
