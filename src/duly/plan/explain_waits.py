"""What a decision waits for, and what the law would let a late charge be, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from duly.conditions import evaluate
from duly.plan import compiled
from duly.plan.inputs import PlanInputs
from duly.policy import Policy

Found = dict[str, Any]
Row = Mapping[str, Any]

#: The most that a late charge may be by the rule `cost_cap`: 24 % of the base in 365 days.
_CAP_PERCENT_A_YEAR = 24
_DAYS_A_YEAR = 365


def waits(inputs: PlanInputs, reason: str, features: Row, verdict: Row, counts: Row) -> list[Found]:
    """Return what a wait waits for: the first contact, a step's rest, or the lender's limits."""
    if reason in ("grace", "patience"):
        return [_first_contact(inputs.policy, features, verdict)]
    if reason == "cooldown":
        return _rests(inputs, features, verdict)
    return _limits(inputs, counts) if reason == "cap" else []


def _first_contact(policy: Policy, features: Row, verdict: Row) -> Found:
    case = next(
        (one for one in policy.first_contact.cases if evaluate(one.condition, features) is True),
        None,
    )
    return {
        "kind": "first_contact",
        "case": case.condition.text if case else "default",
        "offset": str(case.offset if case else policy.first_contact.default),
        "until": verdict["next_step_on"],
    }


def _rests(inputs: PlanInputs, features: Row, verdict: Row) -> list[Found]:
    found: list[Found] = []
    for number, one in enumerate(inputs.policy.treatments):
        acted_on = features[f"step_on_{number}"]
        if one.id == verdict["step"] and one.every_days is not None and acted_on is not None:
            until = acted_on + timedelta(days=one.every_days)
            found.append(
                {"kind": "every", "step": one.id, "acted_on": acted_on, "days": one.every_days,
                 "until": until}
            )  # fmt: skip
    days, since = inputs.policy.limits.cooldown_days, features["days_since_text"]
    if since is not None and since < days:
        last = inputs.business_date - timedelta(days=since)
        until = last + timedelta(days=days)
        found.append({"kind": "cooldown", "acted_on": last, "days": days, "until": until})
    return found


def _limits(inputs: PlanInputs, counts: Row) -> list[Found]:
    reached = (
        ("texts_7_days", counts.get("n_lender_week"), compiled.texts_in_7_days(inputs)),
        ("texts_today", counts.get("n_lender_day"), inputs.lender.limits.texts_per_day),
    )
    return [
        {"kind": kind, "count": int(count), "of": most}
        for kind, count, most in reached
        if count is not None and count >= most
    ]


def lawful(terms: Row, position: Row, installments: Sequence[Row]) -> Found | None:
    """Return the lawful late charge where the loan's is above the cap, in minor units.

    Each installment's is rounded half up once, as its own charge is; None where the cap is kept.
    """
    over = terms["late_rate_e8"] * _DAYS_A_YEAR > _CAP_PERCENT_A_YEAR * 10**6
    if not over or position["late_charge"] <= 0:
        return None
    charge = 0
    for one in installments:
        base_days = sum(part["base"] * part["days"] for part in one["segments"])
        whole = 100 * _DAYS_A_YEAR
        accrued = (2 * base_days * _CAP_PERCENT_A_YEAR + whole) // (2 * whole)
        charge += max(0, accrued - one["late_charge_paid"])
    return {
        "late_charge": position["late_charge"],
        "lawful_late_charge": charge,
        "lawful_overdue_total": position["overdue_total"] - position["late_charge"] + charge,
    }
