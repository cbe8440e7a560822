"""The facts that the rules ask, as SQL over the `asked` relation (alias r)."""

from __future__ import annotations

from collections.abc import Mapping

from duly.plan.inputs import PlanInputs
from duly.rules import FACTS


def _is_open(kind: str) -> str:
    return f"r.since_{kind} is not null"


def expressions(inputs: PlanInputs, *, book_age_hours: int) -> Mapping[str, str]:
    """Return one SQL expression for each fact of the vocabulary."""
    lender = inputs.lender
    name = lender.name.replace("'", "''")
    licensed = ", ".join(f"'{pack}'" for pack in lender.packs)
    by_channel = (
        "case r.channel when 'sms' then {0}_sms when 'email' then {0}_email else {0}_voice end"
    )
    found = {
        "class": "coalesce(r.class, 'dunning')",
        "channel": "r.channel",
        "tone": "coalesce(r.tone, 'plain')",
        "template": "coalesce(r.template, 'overdue')",
        "jurisdiction": "r.jurisdiction",
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
    missing = set(FACTS) - set(found)
    assert not missing, f"facts without a source: {sorted(missing)}"
    return {name: found[name] for name in FACTS}
