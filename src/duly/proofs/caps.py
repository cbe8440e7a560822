"""Does sending, where the gate allows it, keep every cap? By induction over the last contacts.

The gate is the one of the plan (plan/verdict_columns.py): at the instant of the plan fewer than
`count` contacts lie in the window, and the last is old enough. The text leaves later on that day.
From any history that keeps a cap, sending keeps it: so a history that begins empty always does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import z3

from duly.conditions.solver import Term, conjunction
from duly.policy import Policy
from duly.rules import CapLimit, Rule, cap_limits

SECONDS_A_DAY, SECONDS_AN_HOUR = 86_400, 3_600
WEEK_HOURS = 168


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most `count` in a rolling window of seconds, or in so many calendar dates; and a gap."""

    name: str
    count: int
    seconds: int | None
    dates: int
    gap_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class Times:
    """Instants and the dates on which they lie, oldest first, in any zone.

    A zone is any order-keeping map from instants to dates, so clock changes are covered.
    """

    at: tuple[Term, ...]
    on: tuple[Term, ...]
    order: tuple[Term, ...]


def times(count: int, tag: str) -> Times:
    """Return so many contacts about which nothing else is known."""
    at = tuple(z3.Int(f"{tag}.at{place}") for place in range(count))
    on = tuple(z3.Int(f"{tag}.on{place}") for place in range(count))
    order = []
    for early, late, day, later in zip(at, at[1:], on, on[1:], strict=False):
        order += [early <= late, day <= later]
    return Times(at=at, on=on, order=tuple(order))


def kept(limit: Limit, at: Sequence[Term], on: Sequence[Term]) -> Term:
    """Return whether contacts keep a limit in every window, not in the present one only."""
    terms: list[Term] = []
    for place in range(len(at) - limit.count):
        last = place + limit.count
        if limit.seconds is not None:
            terms.append(at[last] - at[place] >= limit.seconds)
        else:
            terms.append(on[last] - on[place] >= limit.dates)
    for place in range(len(at) - 1):
        if limit.gap_seconds:
            terms.append(at[place + 1] - at[place] >= limit.gap_seconds)
    return conjunction(terms)


def allowed(limit: Limit, history: Times, now: Term, today: Term) -> Term:
    """Return whether the gate lets a contact leave: what the plan's columns count."""
    inside = [
        z3.If(
            at > now - limit.seconds if limit.seconds is not None else on > today - limit.dates,
            1,
            0,
        )
        for at, on in zip(history.at, history.on, strict=True)
    ]
    terms = [z3.Sum([z3.IntVal(0), *inside]) < limit.count]
    if limit.gap_seconds and history.at:
        terms.append(history.at[-1] <= now - limit.gap_seconds)
    return conjunction(terms)


def law(rules: Sequence[Rule]) -> Iterator[Limit]:
    """Give the limits of every cap in force, as the plan counts them."""
    for one in cap_limits(rules, "all"):
        yield Limit(
            name=f"{one.rule_id} {_words(one)}",
            count=one.count,
            seconds=None if one.window == "calendar_day" else one.window * SECONDS_AN_HOUR,
            dates=one.days,
            gap_seconds=(one.min_gap_hours or 0) * SECONDS_AN_HOUR,
        )


def _words(one: CapLimit) -> str:
    window = f"{one.window} h" if one.window != "calendar_day" else f"{one.days} d"
    return f"{one.count}/{window}"


def text_caps(rules: Sequence[Rule]) -> Iterator[tuple[str, Limit]]:
    """Give the caps that hold the lender's own texts, with their rules."""
    named = [one for one in cap_limits(rules, "text") if "dunning" in one.classes]
    for one in named:
        seconds = None if one.window == "calendar_day" else one.window * SECONDS_AN_HOUR
        yield one.rule_id, Limit(name=_words(one), count=one.count, seconds=seconds, dates=one.days)


def own(policy: Policy, texts_per_day: int, texts_per_7_days: int) -> Iterator[Limit]:
    """Give the limits of the policy and the lender, as the plan counts them."""
    week = min(policy.limits.texts_per_7_days, texts_per_7_days)
    yield Limit(
        name=f"texts_per_7_days {week}", count=week, seconds=WEEK_HOURS * SECONDS_AN_HOUR, dates=1
    )
    yield Limit(name=f"texts_per_day {texts_per_day}", count=texts_per_day, seconds=None, dates=1)
    if policy.limits.cooldown_days:
        days = policy.limits.cooldown_days
        yield Limit(name=f"cooldown_days {days}", count=1, seconds=None, dates=days)


def inductive(limit: Limit, *, seconds: float) -> bool | None:
    """Return whether sending where the gate allows it keeps the limit; None: not answered.

    The last 2 k contacts are looked at, where k is the count of the limit: a window that is
    broken by one more contact holds it and the k before it.
    """
    history = times(2 * limit.count, "h")
    now, today, leaves, leaves_on = (
        z3.Int(name) for name in ("now", "today", "leaves", "leaves_on")
    )
    solver = z3.Solver()
    solver.set("timeout", int(seconds * 1000))
    solver.add(*history.order, kept(limit, history.at, history.on))
    if history.at:
        solver.add(history.at[-1] <= now, history.on[-1] <= today)
    solver.add(now <= leaves, today <= leaves_on)
    solver.add(allowed(limit, history, now, today))
    solver.add(z3.Not(kept(limit, (*history.at, leaves), (*history.on, leaves_on))))
    found = solver.check()
    return None if found == z3.unknown else bool(found == z3.unsat)


def broken_by(own_limits: Sequence[Limit], cap: Limit, *, seconds: float) -> tuple[int, ...] | None:
    """Return a row of dates that keeps the policy's own limits and breaks a cap; None: no such row.

    The dates are counted back from the last text; raises TimeoutError where it is not answered.
    """
    row = times(cap.count + 1, "t")
    solver = z3.Solver()
    solver.set("timeout", int(seconds * 1000))
    solver.add(*row.order, row.on[0] == 0)
    for at, on in zip(row.at, row.on, strict=True):
        solver.add(at >= on * SECONDS_A_DAY, at < (on + 1) * SECONDS_A_DAY)
    solver.add(*(kept(one, row.at, row.on) for one in own_limits))
    solver.add(z3.Not(kept(cap, row.at, row.on)))
    found = solver.check()
    if found == z3.unknown:
        raise TimeoutError(cap.name)
    if found == z3.unsat:
        return None
    model = solver.model()
    days = [int(model.eval(one, model_completion=True).as_long()) for one in row.on]
    return tuple(days[-1] - day for day in days[:-1])


def can_repeat(own_limits: Sequence[Limit], every_days: int) -> bool:
    """Return whether a text that leaves every so many dates can keep the policy's own limits."""
    row = times(9, "r")
    solver = z3.Solver()
    solver.add(*row.order)
    for place, (at, on) in enumerate(zip(row.at, row.on, strict=True)):
        solver.add(on == place * every_days)
        solver.add(at >= on * SECONDS_A_DAY, at < (on + 1) * SECONDS_A_DAY)
    solver.add(*(kept(one, row.at, row.on) for one in own_limits))
    return bool(solver.check() == z3.sat)
