"""Who entered an experiment, when, in which arm: read from what plans recorded.

A borrower enters on the first day on which a plan lists an arm of the experiment, and stays in the
arm of that day whatever happens later (intention to treat). What is known of him there and then
may explain outcomes; nothing later may.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from duly.book.engine import connect
from duly.learn.arrays import refused
from duly.policy import Experiment, Policy, moved_basis_points

HOLDOUT = "holdout"
#: What is known on the day of entry, for groups and as covariates.
KNOWN = ("score", "days_past_due", "late_count_12m", "overdue_total")


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One plan: its day, its policy, its tables as they are on disk (CSV is all text)."""

    business_date: date
    policy: Policy
    decisions: pa.Table
    positions: pa.Table


def entries(plans: Sequence[Planned]) -> pa.Table:
    """Return one row for each borrower and experiment, of all plans together.

    Columns: experiment, borrower_id, entered_on, arm, arms (how many arms he was ever listed
    with), loan_ids (those listed on the day of entry), score_band, and KNOWN of the loan that is
    most past due.
    """
    found = [one for one in map(_listed, plans) if one is not None]
    if not found:
        raise refused("no_exposure", plans=len(plans))
    with connect() as connection:
        connection.register("listed", pa.concat_tables(found))
        return connection.sql(
            f"""
            with told as (
                select * exclude (arms), unnest(arms) as said from listed
            ),
            named as (
                select * exclude (said), split_part(said, '=', 1) as experiment,
                    split_part(said, '=', 2) as arm
                from told
            ),
            first as (
                select experiment, borrower_id, min(day) as entered_on,
                    count(distinct arm) as arms
                from named group by experiment, borrower_id
            )
            select
                f.experiment, f.borrower_id, f.entered_on, min(n.arm) as arm, f.arms,
                list(n.loan_id order by n.loan_id) as loan_ids,
                {", ".join(f"{_of_the_latest(one)} as {one}" for one in ("score_band", *KNOWN))}
            from first as f
            join named as n on n.experiment = f.experiment and n.borrower_id = f.borrower_id
                and n.day = f.entered_on
            group by f.experiment, f.borrower_id, f.entered_on, f.arms
            order by f.experiment, f.borrower_id
            """
        ).to_arrow_table()


def _of_the_latest(column: str) -> str:
    return f"list(n.{column} order by n.days_past_due desc, n.loan_id)[1]"


def _listed(plan: Planned) -> pa.Table | None:
    """Return the loans of a plan that list an arm, with what is known of them."""
    if "arms" not in plan.decisions.schema.names:
        return None
    is_text = pa.types.is_string(plan.decisions.schema.field("arms").type)
    arms = "from_json(d.arms, '[\"VARCHAR\"]')" if is_text else "d.arms"
    known = ", ".join(f"cast(coalesce(p.{name}, '0') as bigint) as {name}" for name in KNOWN[1:])
    with connect() as connection:
        connection.register("decisions", plan.decisions)
        connection.register("positions", plan.positions)
        return connection.sql(
            f"""
            select d.loan_id, d.borrower_id, date '{plan.business_date}' as day, {arms} as arms,
                coalesce(d.score_band, '') as score_band,
                cast(coalesce(d.score, '0') as bigint) as score, {known}
            from decisions as d left join positions as p using (loan_id)
            where d.arms is not null
            """
        ).to_arrow_table()


def declared(plans: Sequence[Planned]) -> dict[str, Experiment]:
    """Return the experiments as the latest plan declares them.

    Refuses (Refused) one that was changed on the way in what was said before the start, or whose
    arms were cut so that borrowers moved from one to another.
    """
    found: dict[str, Experiment] = {}
    for plan in sorted(plans, key=lambda one: one.business_date):
        for one in plan.policy.experiments:
            before = found.get(one.id)
            if before is not None:
                _same(before, one, plan.business_date)
            found[one.id] = one
    return found


def ended_on(plans: Sequence[Planned], experiment_id: str) -> dict[str, date]:
    """Return the day of the first plan without an arm, for each arm that ended by harm.

    Who entered from that day on had no chance of it, and is not compared with it.
    """
    found: dict[str, date] = {}
    for plan in sorted(plans, key=lambda one: one.business_date):
        for one in plan.policy.experiments:
            if one.id == experiment_id:
                for arm in one.ended:
                    found.setdefault(arm, plan.business_date)
    return found


def _same(before: Experiment, after: Experiment, day: date) -> None:
    for name in ("where", "measure", "control", "detect_basis_points", "stop_on"):
        old, new = getattr(before, name), getattr(after, name)
        if name == "where":
            old, new = old.tree, new.tree
        if old != new:
            raise refused("experiment_changed", id=after.id, part=name, date=day)
    moved = moved_basis_points(before, after)
    if moved:
        raise refused(
            "experiment_moved", id=after.id, share=f"{moved // 100}.{moved % 100:02d}", date=day
        )
