"""The facts that the rules ask, as SQL over the `asked` relation (alias r)."""

from __future__ import annotations

from collections.abc import Mapping

from duly.plan.inputs import PlanInputs
from duly.rules import BOOK_FACTS, FACTS, Bar, Require, Rule

#: Columns of a kind that a fact nobody told has.
_EMPTY = {"text": "varchar", "money": "bigint", "integer": "bigint", "boolean": "boolean",
          "date": "date"}  # fmt: skip
#: What the book would have told by a signal, or the plan makes sure of: it is not so.
_NOT_SO = frozenset(
    {
        "barred_stated", "serious_illness", "minor", "detained", "sensitive_day", "public_place",
        "caller_hidden", "premium_number", "ai_voice", "recipient_refused", "marketing_refused",
    }
)  # fmt: skip
#: Facts that the stages themselves read from the struct.
_ALWAYS = ("class", "channel")


def asked(rules: tuple[Rule, ...]) -> frozenset[str]:
    """Return the facts that the rules about a contact ask as columns."""
    found = set(_ALWAYS)
    for rule in rules:
        primitive = rule.primitive
        if rule.about != "contact" or not isinstance(primitive, Bar | Require):
            continue
        checks = primitive.checks if isinstance(primitive, Bar) else (primitive.check,)
        found.update(rule.requires, *(check.condition.fields for check in checks))
    return frozenset(found & set(FACTS))


def _is_open(kind: str) -> str:
    return f"r.since_{kind} is not null"


def expressions(inputs: PlanInputs, *, book_age_hours: int) -> Mapping[str, str]:
    """Return one SQL expression for each fact that the rules ask.

    A fact that no book tells is empty, so that a rule which turns on it blocks `missing:<fact>`.
    """
    found = _told(inputs, book_age_hours)
    missing = BOOK_FACTS - set(found)
    assert not missing, f"facts without a source: {sorted(missing)}"
    found.update(dict.fromkeys(_NOT_SO, "false"))
    # A debt that is owed to the lender itself was never given to another creditor.
    lender = inputs.lender.name.replace("'", "''")
    found["creditor_changed"] = f"case when r.creditor = '{lender}' then false end"
    wanted = asked(inputs.rules)
    return {
        fact: found.get(fact, f"cast(null as {_EMPTY[field.kind]})")
        for fact, field in FACTS.items()
        if fact in wanted
    }


def _told(inputs: PlanInputs, book_age_hours: int) -> dict[str, str]:
    """Return the expressions of the facts that a book tells, or that a plan knows of itself."""
    lender = inputs.lender
    name = lender.name.replace("'", "''")
    licensed = ", ".join(f"'{pack}'" for pack in lender.packs)
    by_channel = (
        "case r.channel when 'sms' then {0}_sms when 'email' then {0}_email else {0}_voice end"
    )
    found = {
        "class": "case when r.relieves then 'answer' else coalesce(r.class, 'dunning') end",
        "channel": "r.channel",
        "tone": "coalesce(r.tone, 'plain')",
        "template": "coalesce(r.template, 'overdue')",
        "jurisdiction": "r.jurisdiction",
        "product": "r.product",
        "purpose": "'dunning'",
        "time_zone": "r.time_zone",
        "region": "r.region",
        "recipient": "'borrower'",  # No other person ever enters a plan.
        "address_use": "'personal'",  # Only personal, active points are chosen (02_people).
        "address_status": "'active'",
        "status": "'active'",
        "overdue_total": "r.overdue_total",
        "late_charge": "r.late_charge",
        "next_due_amount": "r.next_due_amount",
        "days_past_due": "r.days_past_due",
        "late_rate_daily_e8": "r.late_rate_e8",
        "annual_rate_e8": "r.annual_rate_e8",
        "book_age_hours": str(book_age_hours),
        "quiet_from": "r.quiet_from",
        "quiet_until": "r.quiet_until",
        "days_to_credit_report": "r.days_to_bureau_report",
        "open_promise": "coalesce(r.hold_reason = 'promise', false)",
        "payment_pending": "coalesce(r.hold_reason = 'payment_pending', false)",
        "debit_pending": "coalesce(r.hold_reason = 'debit_pending', false)",
        "opted_out": by_channel.format("r.opted_out"),
        "servicing_withdrawn": by_channel.format("r.withdrawn"),
        "wrong_person": "false",  # An address of a wrong person is never chosen (02_people).
        "security_signal": "r.security_signal",
        "contact_verified_before_signal": "r.verified_before_signal",
        "figures_agree": "not r.figures_disagree",
        "unapplied_money": "r.unapplied_money",
        "creditor_is_lender": f"r.creditor = '{name}'",
        "lender_reports": str(lender.bureau_reports).lower(),
        "jurisdiction_served": f"r.jurisdiction in ({licensed})",
        "night_consent": "cast(null as boolean)",  # Asked at the door only.
    }
    for fact in ("dispute", "complaint", "fraud_claim", "plan", "hardship"):
        found[f"open_{fact}"] = _is_open(fact)
    for fact in (
        "deceased",
        "incapacity",
        "bankruptcy",
        "legal_representation",
        "cease_contact",
        "identity_dispute",
        "moratorium",
        "disaster",
        "statute_barred",
    ):
        found[fact] = _is_open(fact)
    return found
