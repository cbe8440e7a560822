"""Whether a page may agree relief about a loan, and which offers stand: care, the lender, the law.

What a page may not agree is a person's to decide; it is never said which signal about a person made
it so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from duly.book import Lender
from duly.care import Budget, Limits, Offer, Relief, Wish, debt_of, relieve
from duly.care.offers import KINDS
from duly.care.schedules import months_between
from duly.core import digest
from duly.rules import NEUTRAL, decide, lenders_rules
from duly.service.operations.deriving import AgreedPlan, Derived, DerivedLoan
from duly.service.portal.receipts import Receipt

#: Signals under which a person decides, whatever the page could work out.
BY_A_PERSON = frozenset(
    "deceased incapacity bankruptcy legal_representation identity_dispute statute_barred agency"
    " legal_case fraud_claim moratorium abnormal_transaction".split()
)
_IN_QUESTION = frozenset({"dispute", "payment_pending"})
#: What the cost sheet and the agreement of a page hold, as the rules name the parts: no more than
#: they do. A plan for a card has to say more (CN-PLAN-1-TERMS): a person agrees on it.
PARTS = ("balance", "currency", "dates", "amounts", "interest_and_fees", "breach", "cost_sheet",
         "confirmation")  # fmt: skip
READ = "reading_time"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One loan before a request for relief; `stop` says why no page agrees on it, empty: it may."""

    receipt: Receipt
    loan: DerivedLoan
    plan: AgreedPlan | None  #: the one that holds
    stop: str
    facts: str
    as_of: date
    elsewhere: int  #: what a month of his other loans with us takes


def standing_of(found: Derived, receipt: Receipt, *, lender: Lender) -> Standing:
    """Return how a loan stands: its agreed plan, or why a person has to decide."""
    loan = next(one for one in found.loans if one.loan_id == receipt.loan_id)
    return Standing(
        receipt=receipt, loan=loan, plan=receipt.plan, facts=found.facts, as_of=found.as_of,
        stop=_stop(found, receipt, loan, lender), elsewhere=_elsewhere(found, loan),
    )  # fmt: skip


def _elsewhere(found: Derived, loan: DerivedLoan) -> int:
    """Return what a month of a person's other loans in this currency takes, as far as we know.

    Of a loan with an arrangement its largest payment to come, else its largest installment.
    """
    total = 0
    for one in found.loans:
        if one.loan_id == loan.loan_id or one.currency != loan.currency or one.trace is None:
            continue
        plan = next(
            (each for each in found.plans
             if each.loan_id == one.loan_id and each.holds(found.at) and each.rows), None,
        )  # fmt: skip
        left = (
            [row.left for row in plan.rows] if plan
            else [row.unpaid_total for row in one.trace.installments]
        )  # fmt: skip
        total += max(left, default=0)
    return total


def _stop(found: Derived, receipt: Receipt, loan: DerivedLoan, lender: Lender) -> str:
    kinds = {one.kind for one in found.signals if one.loan_id in (None, receipt.loan_id)}
    recent = found.as_of - timedelta(days=lender.relief.again_days)
    mine = [one for one in found.plans if one.loan_id == receipt.loan_id]
    if receipt.plan is not None:
        return "agreed"
    # An arrangement about all of his loans has no amounts of this one.
    if loan.trace is None or loan.capped or kinds & {*BY_A_PERSON, "plan"}:
        return "person"
    if receipt.position["status"] != "active" or not receipt.position["outstanding_total"]:
        return "nothing"
    if kinds & _IN_QUESTION:
        return "question"
    if any(lender.day_of(one.starts_at) > recent for one in mine):
        return "again"
    return "" if lender.relief.kinds else "lender"


def offers_of(
    standing: Standing, budget: Budget, wish: Wish, *, lender: Lender, at: datetime
) -> Relief:
    """Return what fits a stated budget; what a rule forbids is left out, reason `law`."""
    assert not standing.stop
    assert standing.loan.trace is not None
    found = relieve(debt_of(standing.loan.trace), budget, limits_of(standing, lender), wish)
    kept, without = [], list(found.without)
    for one in found.offers:
        if forbidden(standing, one, (*PARTS, READ), lender=lender, at=at):
            without.append((one.kind, "law"))
        else:
            kept.append(one)
    return Relief(present=found.present, offers=tuple(kept), without=tuple(without))


def limits_of(standing: Standing, lender: Lender) -> Limits:
    """Return the lender's limits for a loan in its own currency."""
    own = lender.relief
    return Limits(
        kinds=own.kinds, extension_months=own.extension_months, installments=own.installments,
        pause_months=own.pause_months,
        least=lender.relief_least.get(standing.loan.currency, 0),
        accrual_stops=own.late_charge == "stops", waives=own.waive_late_charge,
    )  # fmt: skip


def forbidden(
    standing: Standing, offer: Offer, parts: tuple[str, ...], *, lender: Lender, at: datetime
) -> tuple[str, ...]:
    """Return the rules that speak against an agreement; none: it is allowed."""
    trace = standing.loan.trace
    assert trace is not None
    ends = max(one.due_on for one in trace.installments)
    extended = months_between(ends, offer.last_on)
    facts: dict[str, object] = dict(NEUTRAL) | {
        "about": ("agreement",), "at": at, "product": standing.loan.product,
        "agreement": "plan" if offer.kind == "installments" else "deferral",
        "plan_months": len(offer.amounts) or offer.months,
        "original_months": max(1, months_between(standing.loan.disbursed_on, ends)),
        "extension_months": extended, "product_months": lender.relief.product_months,
        "monthly_payment": offer.monthly, "parts": parts,
    }  # fmt: skip
    answer = decide(lenders_rules(lender.packs, lender.switched_off), facts)
    if answer.effect not in ("block", "require"):
        return ()
    return tuple(dict.fromkeys(one.rule_id for one in answer.verdicts))


def name_of(standing: Standing, offer: Offer) -> str:
    """Return the name of an offer: another as soon as a figure, a day or a fact is another."""
    rows = [[one.number, one.due_on.isoformat(), one.amount] for one in offer.amounts]
    figures = [offer.months, rows, offer.owed, offer.charge, offer.waived, offer.accrual_stops]
    told = [standing.receipt.loan_id, offer.kind, figures, offer.starts_on.isoformat()]
    return digest.of_value([*told, standing.facts])[:16]


def budget_of(draft: Mapping[str, str], standing: Standing) -> Budget:
    """Return the budget that a draft states; his other loans with us count whatever it says."""
    income, essentials, loans = (int(draft[one]) for one in ("income", "essentials", "loans"))
    other = max(loans, standing.elsewhere)
    return Budget(income=income, essentials=essentials, other_loans=other)


def agreed_kind(detail: Mapping[str, object]) -> str:
    """Return which relief an arrangement is, as a page of ours agreed it; empty for another's."""
    kind = str(detail.get("relief", ""))
    return kind if kind in KINDS else ""


def wish_of(draft: Mapping[str, str]) -> Wish:
    """Return what a draft asks for."""
    return Wish(kind=draft["wish"], pay_day=int(draft["day"]))
