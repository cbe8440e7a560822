"""The stable codes of decisions and reasons; their words stand in the catalogue `reasons`."""

from __future__ import annotations

from types import MappingProxyType

#: Each kind of decision with the reason codes that it may carry (contract, section 3).
REASONS = MappingProxyType(
    {
        "contact": (
            "due_soon",
            "due_today",
            "first_late",
            "overdue",
            "card_refused",
            "returned_payment",
            "standard_notice",
            "itemized",
            "help_first",
            "plan_offer",
            "options",
            "credit_notice",
            "verify_security",
            "check_details",
        ),
        "task": (
            "no_answer",
            "verify_contact",
            "ask_why",
            "hold_review",
            "care",
            "security_restricted",
            "plan_broken",
            "promise_broken",
            "high_risk_call",
            "review",
            "no_text_channel",
            "text_unlawful",
        ),
        "wait": (
            "grace",
            "patience",
            "cooldown",
            "cap",
            "window",
            "capacity",
            "one_conversation",
            "step_done",
            "no_policy",
        ),
        "hold": (
            "dispute",
            "complaint",
            "promise",
            "plan",
            "hardship",
            "payment_pending",
            "fraud_claim",
            "moratorium",
            "disaster",
            "debit_pending",
            "our_failure",
            "credit_unapplied",
            "figures_disagree",
            "book_stale",
            "placed",
            "legal_case",
        ),
        "blocked": (
            "deceased",
            "incapacity",
            "bankruptcy",
            "legal_representation",
            "cease_contact",
            "opt_out",
            "identity_dispute",
            "wrong_person",
            "statute_barred",
            "cost_cap",
            "no_contact_point",
            "no_channel",
            "missing_input",
            "third_party",
            "other_rule",
        ),
        "none": ("nothing_due", "closed", "written_off", "below_floor", "left_alone", "holdout"),
        "quarantined": ("quarantined",),
    }
)

#: The kinds of decision, in the order in which people read them.
DECISIONS = tuple(REASONS)
