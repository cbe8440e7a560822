"""One borrower as the solver sees him: every feature of the policy's vocabulary, and its axioms.

An axiom is what the stages of a plan make true of every book; each says why. What a policy's
conditions may ask is nowhere narrower here than in a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import z3

from duly.conditions.solver import (
    FALSE,
    Pair,
    Symbols,
    Term,
    Terms,
    conjunction,
    disjunction,
    holds,
    negation,
    unknown,
)
from duly.policy import Policy, with_arms
from duly.policy.features import BUCKETS
from duly.risk import Scorecard
from duly.risk.scorecard import SCORE_MAX

DAYS_MAX, COUNT_MAX, MINOR_MAX = 5_000, 400, 10**13
#: Outside arrears the plan remembers steps for so long (plan/sql/06_contacts.sql).
STEP_MEMORY_DAYS = 20
LATE_WINDOW_DAYS = 365
#: A contact point that changed no longer ago is in doubt (plan/sql/07_features.sql).
DOUBT_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is the same for all borrowers of one proof."""

    policy: Policy
    card: Scorecard
    bureau_reports: bool
    floor_minor: int  #: the larger of policy and lender, at two decimals
    demands: frozenset[str]  #: the templates that ask for an overdue amount
    symbols: Symbols


@dataclass(frozen=True, kw_only=True)
class State:
    """One borrower: features, days since each treatment acted in these arrears, and the axioms.

    With the axioms alone a score is any score: what is proved holds for every scorecard.
    `scored` works it out as the scorecard in use does: a counter-example keeps to it.
    """

    tag: str
    row: Terms
    steps: Terms
    in_grace: Term  #: the grace runs: a pause may keep days_delinquent at 0 after it has ended
    axioms: tuple[Term, ...]
    scored: tuple[Term, ...]

    def value(self, name: str) -> Term:
        """Return the value of a feature; where it is null it says nothing."""
        return self.row[name].value

    def null(self, name: str) -> Term:
        """Return whether a feature is empty."""
        return self.row[name].null

    def is_(self, name: str, text: str, symbols: Symbols) -> Term:
        """Return whether a text feature has a value."""
        equal = self.value(name) == symbols.code(text)
        return conjunction([negation(self.null(name)), equal])

    def within(self, name: str, low: int, high: int) -> Term:
        """Return whether a feature is known and lies between two numbers, both included."""
        value = self.value(name)
        return conjunction([negation(self.null(name)), value >= low, value <= high])


def state(setting: Setting, tag: str = "a") -> State:
    """Return a borrower about whom nothing is known but the axioms."""
    policy, symbols = setting.policy, setting.symbols
    arms = {
        one.id: tuple(arm.name for arm in one.arms if arm.basis_points > 0)
        for one in policy.experiments
    }
    row: dict[str, Pair] = {}
    kept: list[Term] = []
    for name, field in with_arms(arms).items():
        row[name], keeps = unknown(field, symbols, f"{tag}.{name}")
        kept += keeps
    for one in policy.experiments:
        kept.append(row[one.field].null == negation(holds(one.enters, row, symbols)))
    steps = {
        one.id: Pair(value=z3.Int(f"{tag}.step.{one.id}"), null=z3.Bool(f"{tag}.step.{one.id}?"))
        for one in policy.treatments
    }
    in_grace = z3.Bool(f"{tag}.in_grace")
    made = State(tag=tag, row=row, steps=steps, in_grace=in_grace, axioms=(), scored=())
    axioms = (
        *kept,
        *_days(made, symbols),
        *_money(made),
        *_said(made),
        *_addresses(made),
        *_happened(made, setting),
        *_band(made, setting),
    )
    return State(
        tag=tag, row=row, steps=steps, in_grace=in_grace, axioms=axioms,
        scored=_scored(made, setting),
    )  # fmt: skip


def _if_known(pair: Pair, *terms: Term) -> Term:
    return disjunction([pair.null, conjunction(list(terms))])


def _days(s: State, symbols: Symbols) -> list[Term]:
    """Return what the position makes true of days and counts (contract, 2.1)."""
    past, counted, overdue = (
        s.value(name) for name in ("days_past_due", "days_delinquent", "installments_overdue")
    )
    late, after, most = (
        s.value(name)
        for name in ("late_count_12m", "late_count_12m_after_grace", "days_past_due_max_12m")
    )
    before = s.value("late_count_before_arrears")
    in_window = conjunction([past >= 1, past <= LATE_WINDOW_DAYS])
    buckets = [
        z3.Implies(
            s.value("bucket") == symbols.code(name),
            conjunction([past >= low, past <= high]),
        )
        for name, (low, high) in _bucket_days().items()
    ]
    return [
        past >= 0, past <= DAYS_MAX,
        counted >= 0, counted <= past,  # A grace never ends before its due date.
        *buckets,
        overdue >= 0, overdue <= COUNT_MAX, (past > 0) == (overdue > 0),
        after >= 0, after <= late, late <= COUNT_MAX, most >= 0, most <= DAYS_MAX,
        (late > 0) == (most > 0),
        z3.Implies(in_window, conjunction([late >= overdue, most >= past])),
        # What was settled before the arrears is not what still counts in them.
        before >= 0, before <= after, z3.Implies(past == 0, before == after),
        z3.Implies(conjunction([in_window, negation(s.in_grace)]), after >= before + 1),
        s.value("first_late") == (before == 0),
        z3.Implies(s.in_grace, counted == 0), z3.Implies(past == 0, s.in_grace),
        s.value("long_arrears_plan_possible") == (past >= 31),
        # A payment that came back counts on the days before: the run may be shorter than the days.
        s.null("days_since_arrears") == (past == 0),
        s.value("days_since_arrears") >= 0, s.value("days_since_arrears") <= DAYS_MAX,
        s.value("loans_of_borrower") >= 1, s.value("loans_of_borrower") <= COUNT_MAX,
    ]  # fmt: skip


def _bucket_days() -> Mapping[str, tuple[int, int]]:
    found = {"M0": (0, 0), BUCKETS[-1]: (181, DAYS_MAX)}
    for number, name in enumerate(BUCKETS[1:-1]):
        found[name] = (30 * number + 1, 30 * number + 30)
    return found


def _money(s: State) -> list[Term]:
    """Return what the position makes true of amounts (contract, 2.2 to 2.4)."""
    parts = [s.value(f"overdue_{part}") for part in ("principal", "interest", "fee")]
    total, outstanding, due = (
        s.value(name) for name in ("overdue_total", "outstanding_total", "next_due_amount")
    )
    charge, paid = s.value("late_charge"), s.value("paid_total")
    amounts = [*parts, charge, due, paid, s.value("unallocated_credit")]
    return [
        *(amount >= 0 for amount in amounts),
        outstanding <= MINOR_MAX, paid <= MINOR_MAX,
        total == parts[0] + parts[1] + parts[2] + charge,
        outstanding >= total + due,
        z3.Implies(s.value("days_past_due") > 0, parts[0] + parts[1] + parts[2] >= 1),
        s.null("days_to_due") == (due == 0),
        s.value("days_to_due") >= 0, s.value("days_to_due") <= DAYS_MAX,
        s.null("days_since_paid") == (paid == 0),
        s.value("days_since_paid") >= 0, s.value("days_since_paid") <= DAYS_MAX,
        _if_known(s.row["monthly_income"], s.value("monthly_income") >= 0),
        s.value("monthly_income") <= MINOR_MAX,
    ]  # fmt: skip


def _said(s: State) -> list[Term]:
    """Return what the history of contacts makes true (plan/sql/06_contacts.sql)."""
    texts, calls, undelivered = (
        s.value(name)
        for name in ("texts_since_arrears", "calls_since_arrears", "undelivered_count")
    )
    text, contact, since = (
        s.row[name] for name in ("days_since_text", "days_since_contact", "days_since_arrears")
    )
    late = s.value("days_past_due") > 0
    in_arrears = conjunction([negation(text.null), text.value <= since.value])
    terms = [
        texts >= 0, texts <= COUNT_MAX, calls >= 0, calls <= COUNT_MAX,
        undelivered >= 0, undelivered <= COUNT_MAX,
        text.value >= 0, text.value <= DAYS_MAX, contact.value >= 0, contact.value <= DAYS_MAX,
        # Every text that names an amount is a contact.
        z3.Implies(
            negation(text.null), conjunction([negation(contact.null), contact.value <= text.value])
        ),
        # Counts begin with the arrears: without arrears there are none.
        z3.Implies(negation(late), conjunction([texts == 0, calls == 0, undelivered == 0])),
        z3.Implies(
            disjunction([s.value("replied_since_arrears"), s.value("answered_since_arrears")]), late
        ),
        z3.Implies(late, (texts >= 1) == in_arrears),
    ]  # fmt: skip
    for step in s.steps.values():
        memory = z3.If(late, since.value, STEP_MEMORY_DAYS)
        terms.append(_if_known(step, step.value >= 0, step.value <= memory))
    return terms


def _addresses(s: State) -> list[Term]:
    """Return what addresses, refusals and doubts make true (plan/sql/02_people, 07_features)."""
    changed = s.row["days_since_contact_changed"]
    lately = conjunction([negation(changed.null), changed.value <= DOUBT_DAYS])
    doubt = disjunction([s.value("number_in_doubt"), s.value("email_in_doubt")])
    return [
        z3.Implies(s.value("has_sms"), s.value("has_voice")),  # A number for texts can be called.
        *(
            z3.Implies(s.value(f"can_{channel}"), s.value(f"has_{channel}"))
            for channel in ("sms", "email", "voice")
        ),
        doubt == disjunction([s.value("undelivered_last"), lately]),
    ]


def _happened(s: State, setting: Setting) -> list[Term]:
    """Return what promises, relief, reports and dates of the past make true."""
    broken = s.value("promises_broken_since_arrears")
    relief = s.row["days_since_relief_offered"]
    offers = [
        s.steps[one.id]
        for one in setting.policy.treatments
        if one.send is not None and one.send.template == "plan_offer"
    ]
    last_offer = [
        z3.Implies(
            negation(one.null), conjunction([negation(relief.null), relief.value <= one.value])
        )
        for one in offers
    ]
    is_an_offer = disjunction(
        [conjunction([negation(one.null), relief.value == one.value]) for one in offers]
    )
    past = (
        "days_since_plan_broken", "days_since_contact_changed", "days_since_returned_payment",
        "days_since_hardship_ended", "days_since_promise_broken", "days_since_relief_offered",
        "days_to_bureau_report",
    )  # fmt: skip
    return [
        *(s.value(name) >= 0 for name in past), *(s.value(name) <= DAYS_MAX for name in past),
        broken >= 0, broken <= COUNT_MAX,
        s.null("days_since_promise_broken") == (broken == 0),
        s.value("days_since_promise_broken") >= 1,  # It is open through the day after its day.
        z3.Implies(s.value("days_past_due") == 0, broken == 0),
        # Relief is what a step with an offer of a plan says, in these arrears.
        *last_offer, disjunction([relief.null, is_an_offer]),
        s.value("relief_offered_since_arrears") == negation(relief.null),
        s.value("bureau_notice_due")
        == (s.within("days_to_bureau_report", 5, 20) if setting.bureau_reports else FALSE),
        # A failed debit is told of only where something unpaid is due, today included.
        disjunction(
            [s.null("debit_failed_cause"), s.value("days_past_due") > 0,
             conjunction([negation(s.null("days_to_due")), s.value("days_to_due") == 0])]
        ),
    ]  # fmt: skip


def _band(s: State, setting: Setting) -> list[Term]:
    """Return the band of a score: one that no scorecard can do without."""
    card, score = setting.card, s.value("score")
    low, medium, high = (
        setting.symbols.code(name) for name in ("low_risk", "medium_risk", "high_risk")
    )
    band = z3.If(score >= card.high_from, high, z3.If(score >= card.medium_from, medium, low))
    return [score >= 0, score <= SCORE_MAX, s.value("score_band") == band]


def _scored(s: State, setting: Setting) -> tuple[Term, ...]:
    """Return the score as the scorecard works it out."""
    points = z3.IntVal(setting.card.base)
    for factor in setting.card.factors:
        term = z3.IntVal(0)
        for line in reversed(factor.lines):
            term = z3.If(holds(line.condition, s.row, setting.symbols), line.points, term)
        points = points + term
    kept = z3.If(points < 0, 0, z3.If(points > SCORE_MAX, SCORE_MAX, points))
    return (s.value("score") == kept,)
