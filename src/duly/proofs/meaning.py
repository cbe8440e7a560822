"""What a policy means for one borrower, in the solver's terms: the same order as the plan's SQL.

Mirrors plan/policy_columns.py and plan/sql/08_proposals.sql; that both agree is tested on books.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import z3

from duly.conditions.solver import (
    FALSE,
    TRUE,
    Term,
    conjunction,
    disjunction,
    holds,
    negation,
)
from duly.policy import TONES, Offset, Policy, Treatment
from duly.proofs.state import Setting, State

GENTLE, PLAIN, SERIOUS = 1, 2, 3
#: A step that begins so long before a due date also acts where nothing falls due.
EARLY_DAYS = 30
#: Kinds of task in which nobody speaks to the borrower (plan/compiled.py).
SILENT_TASKS = frozenset({"review", "security_restricted"})


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """The parts of a decision for one state; lists follow the policy's treatments."""

    state: State
    conditions: tuple[Term, ...]  #: the condition is TRUE
    days: tuple[Term, ...]  #: its day has come, and it may act before or after the first contact
    fresh: tuple[Term, ...]  #: not done yet, where it acts once
    chosen: tuple[Term, ...]  #: the first that matches, among loans that the policy is for
    covered: tuple[Term, ...]  #: the first that matches if nothing was done before
    tone: Term  #: rank of the tone of the chosen text, 0 where there is none
    applies: Term
    days_to_contact: Term
    held: Term  #: a hold that a feature shows is open
    decided: Term  #: no such hold, above the floor, not looked past: the policy has its say
    ceilings: tuple[Term, ...]
    cases: tuple[Term, ...]

    def chosen_of(self, numbers: Sequence[int]) -> Term:
        """Return whether one of the treatments is chosen."""
        return disjunction([self.chosen[number] for number in numbers])


def meaning(setting: Setting, state: State) -> Meaning:
    """Return what the policy does with a borrower."""
    policy, symbols = setting.policy, setting.symbols
    cases = tuple(holds(case.condition, state.row, symbols) for case in policy.first_contact.cases)
    left = _days_left(policy.first_contact.default, state)
    for case, held in reversed(list(zip(policy.first_contact.cases, cases, strict=True))):
        left = z3.If(held, _days_left(case.offset, state), left)
    conditions = tuple(holds(one.condition, state.row, symbols) for one in policy.treatments)
    days = tuple(_day(setting, one, state, left) for one in policy.treatments)
    fresh = tuple(state.steps[one.id].null if acts_once(one) else TRUE for one in policy.treatments)
    applies = TRUE if policy.applies_to is None else holds(policy.applies_to, state.row, symbols)
    can = [conjunction(pair) for pair in zip(conditions, days, strict=True)]
    covered = _first(can, applies)
    chosen = _first([conjunction(pair) for pair in zip(can, fresh, strict=True)], applies)
    ceilings = tuple(holds(one.condition, state.row, symbols) for one in policy.tone_ceilings)
    return Meaning(
        state=state,
        conditions=conditions,
        days=days,
        fresh=fresh,
        chosen=chosen,
        covered=covered,
        tone=_tone(policy, chosen, ceilings),
        applies=applies,
        days_to_contact=left,
        held=_held(setting, state),
        decided=_decided(setting, state),
        ceilings=ceilings,
        cases=cases,
    )


def acts_once(one: Treatment) -> bool:
    """Return whether a treatment acts only once in one arrears."""
    return one.every_days is None and one.wait is None and one.leave is None


def _first(can: Sequence[Term], applies: Term) -> tuple[Term, ...]:
    found, left = [], applies  # What is left is shared from one to the next: no square of terms.
    for term in can:
        found.append(conjunction([left, term]))
        left = conjunction([left, negation(term)])
    return tuple(found)


def _days_left(offset: Offset, state: State) -> Term:
    counted, past = state.value("days_delinquent"), state.value("days_past_due")
    wait = 1 + offset.plus_days - counted if offset.after_grace else offset.plus_days - past
    if offset.at_most_days is not None:
        latest = offset.at_most_days - past
        wait = z3.If(latest < wait, latest, wait)
    least = z3.If(state.in_grace, 1, 0)  # Never inside the grace.
    return z3.If(wait < least, least, wait)


def _day(setting: Setting, one: Treatment, state: State, days_to_contact: Term) -> Term:
    past = state.value("days_past_due")
    if one.from_day <= 0:
        early = TRUE if one.from_day <= -EARLY_DAYS else FALSE
        due = state.row["days_to_due"]
        begun = disjunction([past > 0, z3.If(due.null, early, due.value <= -one.from_day)])
    else:
        begun = past >= one.from_day
    if not one.within_grace:
        return conjunction([begun, days_to_contact == 0, past > 0])
    if one.send is not None and one.send.template in setting.demands:
        return conjunction([begun, state.value("days_delinquent") >= 1])
    return begun


def _tone(policy: Policy, chosen: Sequence[Term], ceilings: Sequence[Term]) -> Term:
    ceiling: Term = z3.IntVal(SERIOUS)
    ranked = sorted(
        zip(policy.tone_ceilings, ceilings, strict=True), key=lambda pair: -rank(pair[0].tone)
    )
    for one, held in ranked:  # The lowest is asked first.
        ceiling = z3.If(held, rank(one.tone), ceiling)
    tone: Term = z3.IntVal(0)
    for treatment, term in zip(policy.treatments, chosen, strict=True):
        if treatment.send is not None:
            own = rank(treatment.send.tone)
            tone = z3.If(term, z3.If(ceiling < own, ceiling, own), tone)
    return tone


def rank(tone: str) -> int:
    """Return 1 for gentle, 2 for plain, 3 for serious."""
    return TONES.index(tone) + 1


def look_ahead_days(policy: Policy) -> int:
    """Return how many days before a due date the plan looks at a loan that is not late."""
    return max([0, *(-one.from_day for one in policy.treatments if -30 <= one.from_day < 0)])


def _held(setting: Setting, state: State) -> Term:
    """Return whether a hold is open that a feature shows: our own failure, or money that we hold.

    What only signals show (a dispute, a promise) is no feature: the realized book has none.
    """
    symbols = setting.symbols
    return disjunction(
        [
            state.is_("debit_failed_cause", "bank", symbols),
            state.is_("debit_failed_cause", "ours", symbols),
            state.value("unallocated_credit") > 0,
        ]
    )


def _decided(setting: Setting, state: State) -> Term:
    """Return whether neither such a hold nor the floor comes before the policy."""
    symbols = setting.symbols
    past, due = state.value("days_past_due"), state.row["days_to_due"]
    ahead = look_ahead_days(setting.policy)
    apart = [_held(setting, state), negation(state.is_("status", "active", symbols))]
    near = conjunction(
        [past == 0, negation(due.null), due.value <= ahead,
         state.value("next_due_amount") >= setting.floor_minor]
    )  # fmt: skip
    late = conjunction([past > 0, state.value("overdue_total") >= setting.floor_minor])
    return conjunction([negation(disjunction(apart)), disjunction([late, near])])
