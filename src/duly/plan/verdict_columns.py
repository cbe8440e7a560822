"""The law compiled into columns: one a rule, in the order in which verdicts are listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from duly.plan import instants
from duly.plan.addresses import key_sql
from duly.plan.inputs import PlanInputs
from duly.plan.slots import day_start_sql
from duly.rules import Bar, Cap, CapLimit, Require, Rule, Window, cap_limits, legal_key, reason_sql


@dataclass(frozen=True, kw_only=True)
class VerdictColumns:
    """SQL fragments for the stages that count contacts and ask the rules."""

    counts: str
    rules: str
    block_reason: str
    cap_until: str
    legal: str
    legal_with_texts: str  #: the same where rules about texts closed a channel, among the others
    spoke: str  #: whether any rule spoke; most often none did, and no list need be built
    horizon_hours: int
    direction: str  #: which contacts are counted at all


def _quoted(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _matches(limit: CapLimit, *, both_ways: bool) -> str:
    """Return SQL for the contacts that a limit counts.

    A cap of one loan counts the contacts about all loans of the borrower: never laxer than the
    door, which knows the loan of each contact.
    """
    terms = [f"c.channel in ({_quoted(limit.channels)})", f"c.class in ({_quoted(limit.classes)})"]
    if limit.outcomes is not None:
        terms.append(f"c.outcome in ({_quoted(limit.outcomes)})")
    if limit.per == "address":
        terms.append(
            "(c.address is null or k.voice_address is null or"
            f" {key_sql('c.address')} = {key_sql('k.voice_address')})"
        )
    if both_ways:
        terms.append(f"c.direction in ({_quoted(limit.directions)})")
    return " and ".join(terms)


def _counts(limit: CapLimit, inputs: PlanInputs, *, both_ways: bool) -> list[str]:
    matches = _matches(limit, both_ways=both_ways)
    if limit.window == "calendar_day":
        start = f"c.at >= {day_start_sql(limit.zone, inputs, limit.days)}"
    else:
        since = inputs.instant - timedelta(hours=limit.window)
        start = f"c.at > {instants.timestamp(since)}"
    columns = [
        f"count(*) filter (where {matches} and {start}) as n_{limit.name}",
        f"list(c.at order by c.at desc, c.contact_id) filter (where {matches} and {start})"
        f"[{limit.count}] as at_{limit.name}",
    ]
    if limit.min_gap_hours is not None:
        columns.append(f"max(c.at) filter (where {matches}) as last_{limit.name}")
    return columns


def _speaks(limit: CapLimit, inputs: PlanInputs) -> str:
    spoken = f"coalesce(n.n_{limit.name}, 0) >= {limit.count}"
    if limit.min_gap_hours is not None:
        since = inputs.instant - timedelta(hours=limit.min_gap_hours)
        spoken = f"({spoken} or coalesce(n.last_{limit.name} > {instants.timestamp(since)}, false))"
    return spoken


def _until(limit: CapLimit, inputs: PlanInputs) -> str:
    tomorrow = f"{instants.day(inputs.business_date)} + 1"
    if limit.window == "calendar_day" and limit.days == 1:
        return tomorrow
    if limit.window == "calendar_day":
        last = instants.local_date(f"n.at_{limit.name}", inputs.zone, inputs.instant)
        return f"greatest(coalesce({last} + {limit.days}, {tomorrow}), {tomorrow})"
    free = f"n.at_{limit.name} + interval {limit.window} hour"
    local = instants.local_date(f"({free})", inputs.zone, inputs.instant + timedelta(days=60))
    return f"coalesce({local}, {tomorrow})"


def ordered_rules(inputs: PlanInputs) -> tuple[Rule, ...]:
    """Return the rules in the order in which verdicts are listed; rule n is column `rule_n`.

    Only rules about a contact are asked of a book; the others wait for the door.
    """
    asked = [rule for rule in inputs.rules if rule.about == "contact"]
    return tuple(sorted(asked, key=lambda rule: legal_key(rule, rule.effect)))


def compile_rules(inputs: PlanInputs) -> VerdictColumns:
    """Return the columns of all rules in force, in the order force, effect, id."""
    limits: dict[str, list[CapLimit]] = {}
    for limit in cap_limits(inputs.rules, "all"):
        limits.setdefault(limit.rule_id, []).append(limit)
    columns, spoken, reasons, untils = [], [], [], []
    legal: dict[str, str] = {}
    for number, rule in enumerate(ordered_rules(inputs)):
        name = f"rule_{number}"
        if isinstance(rule.primitive, Bar | Require):
            columns.append(f"{reason_sql(rule, 'a.fact.')} as {name}")
            spoken.append(f"{name} is not null")
            reasons.append(name)
        elif isinstance(rule.primitive, Window):
            columns.append(f"{_window(rule)} as {name}")
            spoken.append(f"coalesce({name}, false)")
        else:
            columns.extend(_cap(rule, name, limits.get(rule.id, []), inputs))
            spoken.append(f"coalesce({name}, false)")
            untils.append(f"{name}_until")
        legal[rule.id] = f"case when {spoken[-1]} then '{rule.id}' end"
    every = [one for group in limits.values() for one in group]
    both_ways = any("in" in one.directions for one in every)
    counted = [line for one in every for line in _counts(one, inputs, both_ways=both_ways)]
    hours = [one.window if isinstance(one.window, int) else 24 * one.days + 24 for one in every]
    return VerdictColumns(
        counts=",\n    ".join(counted) or "count(*) as contacts",
        rules=",\n        ".join(columns) or "true as no_rules",
        block_reason=f"coalesce({', '.join(['null', *reasons])})",
        cap_until=f"greatest({', '.join([*untils, 'cast(null as date)'])})",
        legal=", ".join(legal.values()) or "cast(null as varchar)",
        legal_with_texts=_with_texts(legal, inputs),
        spoke=" or ".join(spoken) or "false",
        horizon_hours=max(hours, default=48),
        direction="true" if both_ways else "c.direction = 'out'",
    )


def _with_texts(legal: Mapping[str, str], inputs: PlanInputs) -> str:
    """Return what spoke of all rules, those about texts in their places among the others."""
    of_texts = {rule.id: f"case when list_contains(closed_by, '{rule.id}') then '{rule.id}' end"
                for rule in inputs.asked.rules}  # fmt: skip
    both = [rule for rule in inputs.rules if rule.id in legal or rule.id in of_texts]
    ordered = sorted(both, key=lambda rule: legal_key(rule, rule.effect))
    found = dict.fromkeys(rule.id for rule in ordered)
    return ", ".join({**legal, **of_texts}[name] for name in found) or "cast(null as varchar)"


def _window(rule: Rule) -> str:
    delayed = "case when a.channel = 'voice' then k.voice_delayed else k.text_delayed end"
    return f"a.lane = 'step' and list_contains({delayed}, '{rule.id}')"


def _cap(rule: Rule, name: str, limits: Sequence[CapLimit], inputs: PlanInputs) -> list[str]:
    cap = rule.primitive
    assert isinstance(cap, Cap), "only caps count"
    # A call to help is no dunning, yet it is a call: it counts as any other.
    scope = (
        f"a.lane = 'step' and a.fact.channel in ({_quoted(cap.channels)})"
        f" and coalesce(a.class, 'dunning') in ({_quoted(cap.classes)})"
    )
    spoken = [_speaks(limit, inputs) for limit in limits]
    until = ", ".join(
        f"case when {speaks} then {_until(limit, inputs)} end"
        for speaks, limit in zip(spoken, limits, strict=True)
    )
    return [
        f"{scope} and ({' or '.join(spoken)}) as {name}",
        f"case when {scope} then greatest({until}, cast(null as date)) end as {name}_until",
    ]
