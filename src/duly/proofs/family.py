"""Which borrowers can be built as a book, and which of them a reader likes best.

A counter-example is asked for among those that `person` knows how to build: one loan whose history
is plain. The family only chooses examples; what is proved is proved of every state.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import z3

from duly.conditions.solver import Term, conjunction, disjunction, negation
from duly.policy import Policy
from duly.proofs.state import DOUBT_DAYS, Setting, State

#: One wish, or several that are tried together first.
Wish: TypeAlias = "Term | tuple[Term, ...]"
#: The oldest due date that still lies in the window of twelve months with room before it.
RECENT_DAYS = 360
OLD_DAYS = 366
COUNT_MOST, TEXTS_MOST = 6, 5
#: What a past installment that was paid late is worth, where several were.
PAST_MINOR = 100
#: Principals on which a late charge is built, and for how many days a rate of eight decimals gives
#: it to the minor unit.
CHARGED: Mapping[int, int] = MappingProxyType({50_000: RECENT_DAYS, 500_000: 190, 5_000_000: 19})
#: The most that may accrue in a day: 0.064 %, less than 24 % a year, from where rules speak.
_CHARGE_PER_100_000 = 64
#: Days between two past installments, and those that an agreed plan pauses before it breaks.
APART_DAYS, PLAN_DAYS = 3, 3


def buildable(setting: Setting, s: State) -> tuple[Term, ...]:
    """Return what holds of every borrower that `person` builds exactly."""
    return (*_schedule(s), *_paid(s), *_amounts(s), *_contacts(setting.policy, s), *_events(s))


def _past_late(s: State) -> Term:
    """Return how many installments were paid late before these arrears."""
    in_window = s.value("days_past_due") <= RECENT_DAYS
    return s.value("late_count_12m") - z3.If(in_window, s.value("installments_overdue"), 0)


def _schedule(s: State) -> list[Term]:
    past, counted, overdue = (
        s.value(name) for name in ("days_past_due", "days_delinquent", "installments_overdue")
    )
    late, after, most = (
        s.value(name)
        for name in ("late_count_12m", "late_count_12m_after_grace", "days_past_due_max_12m")
    )
    before = _past_late(s)
    beyond = conjunction([overdue == 1, late == 0, past > OLD_DAYS])
    settled = s.value("late_count_before_arrears")
    others = after - settled - z3.If(counted >= 1, 1, 0)
    return [
        disjunction([past <= RECENT_DAYS, beyond]),
        overdue <= COUNT_MOST, overdue <= past, late <= 2 * COUNT_MOST,
        most <= RECENT_DAYS + OLD_DAYS,
        before >= 0,
        z3.Implies(past > 0, s.value("days_since_arrears") == past - 1),
        s.in_grace == (counted == 0),  # Nothing pauses.
        z3.Implies(conjunction([past >= 1, past <= RECENT_DAYS, before == 0]), most == past),
        z3.Implies(
            conjunction([past >= 1, past <= RECENT_DAYS]),
            conjunction([others >= 0, others <= overdue - 1, settled <= before]),
        ),
    ]  # fmt: skip


def _paid(s: State) -> list[Term]:
    past, paid = s.value("days_past_due"), s.value("paid_total")
    since, most, before = s.row["days_since_paid"], s.value("days_past_due_max_12m"), _past_late(s)
    longest = z3.If(disjunction([most > past, past == 0]), most, 1)
    begin = z3.If(since.value >= past, since.value, past + APART_DAYS)
    return [
        z3.Implies(
            before >= 1,
            conjunction(
                [negation(since.null), paid >= PAST_MINOR * (before + 1),
                 begin + longest + (APART_DAYS + 1) * (before - 1) <= RECENT_DAYS]
            ),
        ),
        # Paid in the middle of the arrears, it is a part of the oldest installment.
        disjunction([since.null, since.value <= 2 * OLD_DAYS]),
    ]  # fmt: skip


def _amounts(s: State) -> list[Term]:
    total, due = s.value("overdue_total"), s.value("next_due_amount")
    late = s.value("days_past_due") > 0
    return [
        _charge(s), s.value("unallocated_credit") == 0,
        z3.Implies(negation(late), total == 0),
        z3.Implies(late, s.value("overdue_principal") >= s.value("installments_overdue")),
        z3.Implies(due == 0, s.value("outstanding_total") == total),
        s.value("outstanding_total") <= 10**11, s.value("paid_total") <= 10**11,
        s.value("days_to_due") <= OLD_DAYS, s.value("loans_of_borrower") <= 3,
    ]  # fmt: skip


def _charge(s: State) -> Term:
    """Return that no late charge accrued, or one on a plain installment at a lawful rate."""
    past, charge = s.value("days_past_due"), s.value("late_charge")
    since, returned = s.row["days_since_paid"], s.row["days_since_returned_payment"]
    principal = s.value("overdue_principal")
    plain = [
        s.value("installments_overdue") == 1, s.value("days_delinquent") >= 1,
        past <= RECENT_DAYS, _past_late(s) == 0, disjunction([since.null, since.value >= past]),
        returned.null, s.null("days_since_plan_broken"),
        disjunction(
            [
                conjunction(
                    [principal == minor, past <= days,
                     charge <= minor * _CHARGE_PER_100_000 // 100_000 * past]
                )
                for minor, days in CHARGED.items()
            ]
        ),
    ]  # fmt: skip
    return disjunction([charge == 0, conjunction(plain)])


def _contacts(policy: Policy, s: State) -> list[Term]:
    texts, calls = s.value("texts_since_arrears"), s.value("calls_since_arrears")
    text, contact, since = (
        s.row[name] for name in ("days_since_text", "days_since_contact", "days_since_arrears")
    )
    late = s.value("days_past_due") > 0
    said = [s.steps[one.id] for one in policy.treatments if one.send is not None]
    done = [s.steps[one.id] for one in policy.treatments if one.send is None]
    known = z3.Sum([z3.IntVal(0), *(z3.If(one.null, 0, 1) for one in said)])
    called = z3.Sum([z3.IntVal(0), *(z3.If(one.null, 0, 1) for one in done)])
    last = disjunction([conjunction([negation(one.null), one.value == text.value]) for one in said])
    undelivered = s.value("undelivered_last")
    return [
        texts <= TEXTS_MOST, calls <= TEXTS_MOST,
        *(
            z3.Implies(
                negation(one.null), conjunction([negation(text.null), text.value <= one.value])
            )
            for one in said
        ),
        *(
            z3.Implies(
                negation(one.null),
                conjunction([negation(contact.null), contact.value <= one.value, late]),
            )
            for one in done
        ),
        z3.Implies(
            conjunction([late, known >= 1]), texts >= known + z3.If(last, 0, 1)
        ),
        calls >= called,
        z3.Implies(
            calls >= 1, conjunction([negation(contact.null), contact.value <= since.value])
        ),
        z3.Implies(s.value("answered_since_arrears"), calls >= 1),
        # The last text did not arrive, or else the first of several.
        s.value("undelivered_count") <= 1,
        z3.Implies(undelivered, s.value("undelivered_count") == 1),
        z3.Implies(
            conjunction([s.value("undelivered_count") == 1, negation(undelivered)]), texts >= 2
        ),
        z3.Implies(
            undelivered,
            conjunction([texts >= 1, disjunction([calls >= 1, contact.value == text.value])]),
        ),
    ]  # fmt: skip


def _events(s: State) -> list[Term]:
    past, counted = s.value("days_past_due"), s.value("days_delinquent")
    promise, plan = s.row["days_since_promise_broken"], s.row["days_since_plan_broken"]
    paid, returned = s.row["days_since_paid"], s.row["days_since_returned_payment"]
    paused = conjunction([negation(plan.null), plan.value + PLAN_DAYS < past])
    return [
        *_doubts(s),
        # Another payment on the day on which one came back would stand in its place.
        disjunction([returned.null, paid.null, paid.value != returned.value]),
        s.value("promises_broken_since_arrears") <= 2,
        disjunction([promise.null, promise.value + 1 <= s.value("days_since_arrears")]),
        z3.Implies(paused, counted + PLAN_DAYS <= past),
        disjunction([s.null("days_to_bureau_report"), s.value("days_to_bureau_report") <= 300]),
    ]  # fmt: skip


def _doubts(s: State) -> list[Term]:
    """Return which address is in doubt: all texts went by phone; an e-mail changes by its date."""
    changed, undelivered = s.row["days_since_contact_changed"], s.value("undelivered_last")
    lately = conjunction([negation(changed.null), changed.value <= DOUBT_DAYS])
    number, mail = s.value("number_in_doubt"), s.value("email_in_doubt")
    reported = conjunction([lately, negation(mail)])  # By a signal that does not say what changed.
    return [
        z3.Implies(mail, lately),
        z3.Implies(mail, disjunction([s.value("has_email"), negation(s.value("has_voice"))])),
        z3.Implies(reported, s.value("has_voice")),
        number == disjunction([undelivered, reported]),
    ]


def preferred(setting: Setting, s: State, usual: Mapping[str, str]) -> tuple[Wish, ...]:
    """Return what makes an example short to read, the most wanted first.

    `usual` names the texts that most loans of the lender have.
    """
    symbols = setting.symbols
    past, total = s.value("days_past_due"), s.value("overdue_total")
    empty = (
        "debit_failed_cause", "days_since_returned_payment", "days_since_plan_broken",
        "days_since_contact_changed", "days_since_hardship_ended", "days_to_bureau_report",
        "region", "preferred_channel", "monthly_income",
    )  # fmt: skip
    off = (
        "security_signal", "undelivered_last", "asked_for_reminders", "replied_since_arrears",
        "answered_since_arrears",
    )  # fmt: skip
    return (
        *(s.is_(name, text, symbols) for name, text in usual.items()),
        s.value("has_sms"),
        past > 0,
        total >= setting.floor_minor, total == 50_000,
        *(negation(s.value(name)) for name in off), negation(s.value("has_email")),
        s.value("promises_broken_since_arrears") == 0, *(s.null(name) for name in empty),
        *(
            s.value(f"can_{channel}") == s.value(f"has_{channel}")
            for channel in ("sms", "email", "voice")
        ),
        s.value("loans_of_borrower") == 1, s.value("calls_since_arrears") == 0,
        (*(one.null for one in s.steps.values()),),
        s.value("texts_since_arrears") == 0,
        s.null("days_since_contact"), s.null("days_since_text"),
        s.value("days_since_text") >= 8, s.value("days_since_contact") >= 8,
        s.value("texts_since_arrears") <= 1,
        s.value("overdue_interest") == 0, s.value("overdue_fee") == 0, s.value("late_charge") == 0,
        s.value("installments_overdue") <= 1, s.value("days_delinquent") == past,
        s.value("late_count_12m") <= 1, s.value("late_count_12m") <= 3,
        past <= 10, past <= 20, past <= 40, past <= 70, past <= 100, past <= 360,
        past <= 1,
        s.value("next_due_amount") == 50_000, s.value("days_to_due") == 20,
        s.value("outstanding_total") == total + 100_000,
        s.value("paid_total") == 150_000, s.value("days_since_paid") == past + 30,
    )  # fmt: skip
