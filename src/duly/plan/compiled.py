"""Policy, rules and lender compiled into the holes of the stage files, once per plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pyarrow as pa

from duly import risk
from duly.conditions import to_sql
from duly.core.diagnostic import Diagnostic
from duly.plan import (
    addresses,
    facts,
    holds,
    instants,
    policy_columns,
    scoring,
    slots,
    verdict_columns,
)
from duly.plan.inputs import PlanInputs
from duly.policy import Policy

_PRIORITY = {"first": 1, "normal": 5, "last": 9}
_TONE_RANK = {"gentle": 1, "plain": 2, "serious": 3}

#: Tasks in which nobody speaks to the borrower: no hours, no caps.
SILENT_TASKS = frozenset({"review", "security_restricted"})
#: Tasks that help, ask or verify: no dunning. Where nobody may call, a person looks all the same.
RELIEF_TASKS = frozenset({"care", "ask_why", "verify_contact"})


def book_age_hours(inputs: PlanInputs) -> int:
    """Return the whole hours between the book's cut and the plan (0 for a cut in the future).

    A book that does not say counts from 00:00 of the business date.
    """
    return max(0, int(_age(inputs) // timedelta(hours=1)))


def _age(inputs: PlanInputs) -> timedelta:
    return inputs.instant - (inputs.cut_at or instants.midnight(inputs.business_date, inputs.zone))


def is_stale(inputs: PlanInputs) -> bool:
    """Return whether the book is older than the lender allows for dunning."""
    return _age(inputs) > timedelta(hours=inputs.lender.limits.book_age_hours)


def _age_told(inputs: PlanInputs) -> str:
    """Return the book's age in hours, rounded up to a tenth: always more than its limit."""
    tenths = -(-_age(inputs) // timedelta(minutes=6))
    return f"{tenths // 10}.{tenths % 10}".removesuffix(".0")


def alerts(inputs: PlanInputs) -> tuple[Diagnostic, ...]:
    """Return what the run must say about the age of its book."""
    found: list[Diagnostic] = []
    if inputs.cut_at is None:
        found.append(
            Diagnostic(area="plan", code="cut_unstated", severity="warning", file="book.json",
                       values={"date": inputs.business_date})
        )  # fmt: skip
    if is_stale(inputs):
        found.append(
            Diagnostic(area="plan", code="book_stale", severity="warning", file="book.json",
                       values={"hours": _age_told(inputs),
                               "limit": inputs.lender.limits.book_age_hours})
        )  # fmt: skip
    return (*found, *scoring.alerts(inputs))


def compile_fragments(inputs: PlanInputs) -> Mapping[str, str]:
    """Return every hole of the stage files, filled."""
    today, until = instants.day(inputs.business_date), inputs.instant + timedelta(days=400)

    def local(column: str) -> str:
        return instants.local_date(column, inputs.zone, until)

    law = verdict_columns.compile_rules(inputs)
    policy = policy_columns.compile_policy(
        inputs.policy, today, texts=inputs.catalogue, carried=_carried(inputs)
    )
    stale = str(is_stale(inputs)).lower()
    days = inputs.lender.limits.review_days
    held = holds.columns(days, business_date=today, book_stale=stale)
    day_end = instants.midnight(inputs.business_date + timedelta(days=1), inputs.zone)
    return {
        "instant": instants.timestamp(inputs.instant),
        "business_date": today,
        "day_end": instants.timestamp(day_end),
        "forever": instants.FOREVER,
        "look_ahead_days": str(policy.look_ahead_days),
        "person_kinds": _quoted(holds.PERSON_KINDS),
        "starts_on": local("r.starts_at"),
        "ends_on": local("r.ends_at"),
        "since_columns": holds.since_columns(),
        "since_list": ", ".join(f"f.since_{kind}" for kind in holds.SINCE_KINDS),
        **_debits(inputs, until),
        "contact_on": local("c.at"),
        "cap_columns": ",\n    ".join((law.counts, *_lender_counts(inputs, law.direction))),
        "cap_direction": law.direction,
        "cap_horizon": instants.timestamp(slots.horizon(inputs, max(law.horizon_hours, 168))),
        "step_columns": policy.step_columns,
        "history_steps": policy.history_steps,
        "relief_columns": policy.relief_columns,
        **_drawn(inputs, policy),
        "score": scoring.sql(),
        "score_band": risk.band_sql("score"),
        "bureau_reports": str(inputs.lender.bureau_reports).lower(),
        "hold_reason": held.reason,
        "hold_since": held.since,
        "hold_review": held.review_on,
        "blocking_reasons": _quoted([hold.reason for hold in holds.HOLDS if hold.blocks]),
        "days_to_contact": policy.days_to_contact,
        "treatment": policy.treatment,
        "resting_until": policy.resting_until,
        "floor_minor": _floor(inputs),
        "tone_ceiling": policy.tone_ceiling,
        "tone_ceiling_rank": policy.tone_ceiling_rank,
        "channel": policy.channel,
        "fact_columns": ",\n    ".join(
            f"'{name}': {expression}"
            for name, expression in facts.expressions(
                inputs, book_age_hours=book_age_hours(inputs)
            ).items()
        ),
        "rule_columns": law.rules,
        "block_reason": law.block_reason,
        "cap_until": f"greatest({law.cap_until}, {_lender_cap(inputs)})",
        "legal_list": law.legal,
        "legal_with_texts": law.legal_with_texts,
        "any_spoke": law.spoke,
        **addresses.keys(),
        **_capacity(inputs),
        "inputs": f"'{inputs.sha256()}'",
        "locale": f"'{inputs.lender.locale}'",
        "applies": "true"
        if inputs.policy.applies_to is None
        else f"coalesce({to_sql(inputs.policy.applies_to)}, false)",
    }


def _drawn(inputs: PlanInputs, policy: policy_columns.PolicyColumns) -> Mapping[str, str]:
    """Return what is drawn for a loan, and the column of it where the policy draws."""
    return {
        "arm_columns": policy.arm_columns,
        "arms": policy.arms,
        "withheld": policy.withheld,
        "arms_out": ", d.arms" if inputs.policy.is_experimental else "",
    }


def _debits(inputs: PlanInputs, until: datetime) -> Mapping[str, str]:
    """Return the local day and hour of a debit, and whether the lender vouches for that hour."""
    return {
        "debit_on": instants.local_date("r.at", inputs.zone, until),
        "debit_clock": instants.local_clock("r.at", inputs.zone, until),
        "debits_announced": str(inputs.lender.debits_announced).lower(),
    }


def _capacity(inputs: PlanInputs) -> Mapping[str, str]:
    """Return the calls people can make today, and those that are not kept for care."""
    people = inputs.lender.people
    dials = people.agents * people.dials_a_day
    kept = _share(dials, people.reserve_for_care)
    return {"dials": str(dials), "dials_open": str(dials - kept)}


def _quoted(values: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _share(whole: int, part: str) -> int:
    """Return the whole number of `whole` x a decimal text, rounded up (care is never short)."""
    digits, _, fraction = part.partition(".")
    scale = 10 ** len(fraction)
    share: int = -(-whole * int(digits + fraction) // scale)
    return share


def _floor(inputs: PlanInputs) -> str:
    """Return the floor in minor units of the loan's currency: the larger of policy and lender."""
    floor = max(inputs.policy.floor_minor, inputs.lender.limits.floor_minor)
    return (
        f"(case decimals when 2 then {floor} when 0 then {-(-floor // 100)}"
        f" when 3 then {floor * 10} else {floor * 100} end)"
    )


def texts_in_7_days(inputs: PlanInputs) -> int:
    """Return how many texts in seven days the lender and the policy allow."""
    return min(inputs.lender.limits.texts_per_7_days, inputs.policy.limits.texts_per_7_days)


def _lender_counts(inputs: PlanInputs, direction: str) -> tuple[str, ...]:
    matches = "c.class = 'dunning' and c.channel in ('sms', 'email', 'push', 'im', 'in_app')"
    if direction == "true":
        matches += " and c.direction = 'out'"
    week = instants.timestamp(inputs.instant - timedelta(hours=168))
    count = texts_in_7_days(inputs)
    return (
        f"count(*) filter (where {matches} and c.at > {week}) as n_lender_week",
        f"list(c.at order by c.at desc, c.contact_id) filter (where {matches} and c.at > {week})"
        f"[{count}] as at_lender_week",
        f"count(*) filter (where {matches} and c.at >= k.day_start) as n_lender_day",
    )


def _lender_cap(inputs: PlanInputs) -> str:
    """Return SQL for the date on which the lender's own text limits are free, null if they are."""
    tomorrow = f"{instants.day(inputs.business_date)} + 1"
    free = instants.local_date(
        "(at_lender_week + interval 168 hour)", inputs.zone, inputs.instant + timedelta(days=60)
    )
    return (
        "case when can_send and class = 'dunning' then greatest("
        f"case when coalesce(n_lender_week, 0) >= {texts_in_7_days(inputs)}"
        f" then coalesce({free}, {tomorrow}) end, "
        f"case when coalesce(n_lender_day, 0) >= {inputs.lender.limits.texts_per_day}"
        f" then {tomorrow} end, "
        "cast(null as date)) end"
    )


def _carried(inputs: PlanInputs) -> policy_columns.Carried:
    """Return which class each channel has a route for; None where the lender states no routes."""
    routes = inputs.lender.routes
    if not routes:
        return None
    return frozenset((route.channel, kind) for route in routes for kind in route.accepts)


def treatment_table(policy: Policy, classes: Mapping[str, str]) -> pa.Table:
    """Return the treatments as a relation: what each step sends or asks of people.

    `classes` is the class of each template.
    """
    rows = []
    for one in policy.treatments:
        kind = one.task.kind if one.task else None
        rows.append(
            {
                "step": one.id,
                "template": one.send.template if one.send else None,
                "class": classes[one.send.template] if one.send else "dunning",
                "tone": one.send.tone if one.send else None,
                "tone_rank": _TONE_RANK[one.send.tone] if one.send else None,
                "sends": one.send is not None,
                "calls": kind is not None and kind not in SILENT_TASKS,
                "relieves": kind in RELIEF_TASKS and one.send is None,
                "leaves": one.leave is not None,
                "wait_reason": one.wait.reason if one.wait else None,
                "task_kind": kind,
                "script": one.task.script if one.task else None,
                "step_reason": one.reason,
                "priority": _PRIORITY[one.task.priority] if one.task else None,
                "expires_days": one.task.expires_days if one.task else None,
            }
        )
    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("step", "template", "class", "tone")),
            ("tone_rank", pa.int32()),
            *((name, pa.bool_()) for name in ("sends", "calls", "relieves", "leaves")),
            *(
                (name, pa.string())
                for name in ("wait_reason", "task_kind", "script", "step_reason")
            ),
            ("priority", pa.int32()),
            ("expires_days", pa.int32()),
        ]
    )
    return pa.Table.from_pylist(rows, schema=schema)
