"""The policy compiled into columns: which treatment matches, whether it rests, in which tone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from duly.conditions import to_sql
from duly.messages import Catalogue
from duly.policy import SPARED, TONES, Policy, Treatment, draw_sql, is_withheld

#: Outside an arrears (reminders before due) a step counts as done for so many days.
STEP_MEMORY_DAYS = 20


@dataclass(frozen=True, kw_only=True)
class PolicyColumns:
    """SQL fragments over the features of a loan."""

    look_ahead_days: int
    step_columns: str
    history_steps: str
    relief_columns: str
    arm_columns: str
    arms: str
    withheld: str
    days_to_contact: str
    treatment: str
    resting_until: str
    tone_ceiling: str
    tone_ceiling_rank: str
    channel: str


#: Which (channel, class) the lender's routes carry; None: no routes are stated, all are.
Carried = frozenset[tuple[str, str]] | None


def compile_policy(
    policy: Policy, business_date: str, *, texts: Catalogue, carried: Carried
) -> PolicyColumns:
    """Return the fragments of one policy, whose treatments send `texts`.

    `business_date` is a SQL date.
    """
    steps = {one.id: f"step_on_{number}" for number, one in enumerate(policy.treatments)}
    relief = [
        steps[one.id] for one in policy.treatments if one.send and one.send.template == "plan_offer"
    ]
    ranks = _ceiling_rank(policy)
    return PolicyColumns(
        look_ahead_days=max(
            [0, *(-one.from_day for one in policy.treatments if -30 <= one.from_day < 0)]
        ),
        step_columns=",\n    ".join(
            f"max(case when c.step = '{name}' and c.direction = 'out'"
            f" and c.contact_on >= s.step_since then c.contact_on end) as {column}"
            for name, column in steps.items()
        ),
        history_steps=", ".join(f"h.{column}" for column in steps.values()),
        relief_columns=_relief(relief, business_date),
        arm_columns=_arms(policy),
        arms=_drawn(policy),
        withheld=_withheld(policy),
        days_to_contact=_days_to_contact(policy, business_date),
        treatment=_treatment(policy, steps, texts.demands),
        resting_until=_resting(policy, steps, business_date),
        tone_ceiling=f"case {ranks} when 1 then 'gentle' when 2 then 'plain' else 'serious' end",
        tone_ceiling_rank=ranks,
        channel=_channel(policy, texts.classes, carried),
    )


def _relief(columns: list[str], business_date: str) -> str:
    last = f"greatest({', '.join([*columns, 'cast(null as date)'])})"
    return (
        f"{business_date} - {last} as days_since_relief_offered, "
        f"{last} is not null as relief_offered_since_arrears"
    )


def _arms(policy: Policy) -> str:
    """Return one column for each experiment: the arm drawn for a borrower who is in it."""
    columns = []
    for one in policy.experiments:
        inside = f"coalesce({to_sql(one.enters)}, false)"
        drawn = one.arm_sql(draw_sql(one.salt))
        columns.append(f"case when {inside} then {drawn} end as {one.field}")
    return ", ".join(columns) or "null as no_arms"


def _drawn(policy: Policy) -> str:
    """Return the list of what was drawn for a loan that the arms can act on, null for none.

    Whether a loan is listed depends on nothing that an arm does before it is listed first: who is
    compared is known before anything differs. A borrower held out is in no experiment, nor is
    one whose arm ended.
    """
    held = policy.holdout
    apart = "false" if held is None else held.holds_sql()
    parts = {
        one.id: f"case when not {apart} and {one.runs_sql(draw_sql(one.salt))}"
        f" then '{one.id}=' || {one.field} end"
        for one in policy.experiments
    }
    if held is not None:
        said = f"case when {apart} then 'holdout=held' else 'holdout=open' end"
        parts["holdout"] = f"case when {SPARED} is null and {_reminds(policy)} then {said} end"
    if not parts:
        return "cast(null as varchar[])"
    listed = f"[{', '.join(parts[name] for name in sorted(parts))}]"
    return f"nullif(list_filter({listed}, lambda x: x is not null), cast([] as varchar[]))"


def _withheld(policy: Policy) -> str:
    """Return whether the step is one that a holdout withholds from this borrower."""
    if policy.holdout is None:
        return "false"
    return f"({policy.holdout.holds_sql()} and {SPARED} is null and {_reminds(policy)})"


def _reminds(policy: Policy) -> str:
    names = [f"'{one.id}'" for one in policy.treatments if is_withheld(one)]
    return f"coalesce(step in ({', '.join(names)}), false)" if names else "false"


def _days_to_contact(policy: Policy, business_date: str) -> str:
    # After a pause nothing counts as delinquent yet, and no grace runs any more.
    in_grace = f"coalesce(grace_ends_on >= {business_date}, days_delinquent < 1)"
    cases = " ".join(
        f"when {to_sql(case.condition)} then {case.offset.days_left_sql(in_grace=in_grace)}"
        for case in policy.first_contact.cases
    )
    default = policy.first_contact.default.days_left_sql(in_grace=in_grace)
    return f"case {cases} else {default} end" if cases else default


def _starts(one: Treatment) -> str:
    if one.from_day <= 0:
        return f"(days_past_due > 0 or coalesce(days_to_due <= {-one.from_day}, {_early(one)}))"
    return f"days_past_due >= {one.from_day}"


def _early(one: Treatment) -> str:
    """A step that may begin at any time before due also acts where nothing falls due."""
    return "true" if one.from_day <= -30 else "false"


def _treatment(policy: Policy, steps: dict[str, str], demands: frozenset[str]) -> str:
    branches = []
    for one in policy.treatments:
        terms = [f"coalesce({to_sql(one.condition)}, false)", _starts(one)]
        if not one.within_grace:
            terms.append("days_to_contact = 0 and days_past_due > 0")
        elif one.send and one.send.template in demands:
            terms.append("days_delinquent >= 1")
        if one.every_days is None and not one.wait and not one.leave:
            terms.append(f"{steps[one.id]} is null")
        branches.append(f"when {' and '.join(terms)} then '{one.id}'")
    return f"case {' '.join(branches)} end"


def _resting(policy: Policy, steps: dict[str, str], business_date: str) -> str:
    cooldown = policy.limits.cooldown_days
    text_rest = f"{business_date} + cast({cooldown} - days_since_text as integer)"
    branches = []
    for one in policy.treatments:
        rests = ["cast(null as date)"]
        if one.every_days is not None:
            rests.append(f"{steps[one.id]} + {one.every_days}")
        if one.send is not None and one.send.template != "verify_security":
            rests.append(text_rest)
        if one.wait is not None:
            rests.append(f"{business_date} + {one.wait.days}")
        branches.append(f"when '{one.id}' then greatest({', '.join(rests)})")
    return f"case step {' '.join(branches)} end"


def _ceiling_rank(policy: Policy) -> str:
    ranks = [
        f"case when {to_sql(one.condition)} then {TONES.index(one.tone) + 1} end"
        for one in policy.tone_ceilings
    ]
    return f"least({', '.join([*ranks, '3'])})"


def _channel(policy: Policy, classes: Mapping[str, str], carried: Carried) -> str:
    """Return SQL for the first channel of a step that reaches this borrower and has a route."""
    branches = []
    for one in policy.treatments:
        if one.send is None:
            continue
        prefix = "v" if one.send.template == "verify_security" else "s"
        kind = classes[one.send.template]
        routed = frozenset(
            name for name in ("sms", "email") if carried is None or (name, kind) in carried
        )
        choices = [_choice(name, prefix, routed) for name in one.send.channels]
        branches.append(f"when '{one.id}' then coalesce({', '.join([*choices, 'null'])})")
    return f"case s.step {' '.join(branches)} end" if branches else "cast(null as varchar)"


def _choice(name: str, prefix: str, routed: frozenset[str]) -> str:
    def usable(channel: str) -> str:
        if channel not in routed:
            return "cast(null as varchar)"
        can = f"s.can_{channel}"
        if prefix == "v":
            can = (
                f"v.{channel}_address is not null and not s.opted_out_{channel}"
                f" and not s.withdrawn_{channel}"
            )
        return f"case when {can} and not coalesce(x.{channel}, false) then '{channel}' end"

    if name == "preferred":
        return (
            f"case s.preferred_channel when 'sms' then {usable('sms')}"
            f" when 'email' then {usable('email')} end"
        )
    return usable(name) if name in ("sms", "email") else "cast(null as varchar)"
