"""What a policy's conditions may ask: one row a loan, each name with a sentence of its own.

Money columns are in minor units; `score` is points from 0 to 10000, given by hand for the payment
history: no measured chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from duly.conditions import Field, Kind, Vocabulary

BUCKETS = ("M0", "M1", "M2", "M3", "M4", "M5", "M6", "M7+")
SCORE_BANDS = ("low_risk", "medium_risk", "high_risk")
CHANNELS = ("sms", "email", "voice")
CAUSES = ("funds", "card", "limit", "mandate", "bank", "ours")

#: A name with a question mark may be empty.
_INTEGERS = """
    days_past_due days_delinquent installments_overdue late_count_12m late_count_12m_after_grace
    late_count_before_arrears days_past_due_max_12m days_to_due? days_since_arrears?
    days_since_paid? texts_since_arrears
    calls_since_arrears days_since_text? days_since_contact? undelivered_count
    promises_broken_since_arrears days_since_promise_broken? days_since_plan_broken?
    days_since_contact_changed? days_since_returned_payment? days_since_hardship_ended?
    days_since_relief_offered? days_to_bureau_report? score loans_of_borrower
"""
_MONEY = """
    overdue_total overdue_principal overdue_interest overdue_fee late_charge outstanding_total
    next_due_amount paid_total unallocated_credit monthly_income?
"""
_TEXTS = """
    bucket score_band product creditor currency jurisdiction status preferred_channel?
    debit_failed_cause? locale region?
"""
_BOOLEANS = """
    asked_for_reminders replied_since_arrears answered_since_arrears undelivered_last
    security_signal relief_offered_since_arrears bureau_notice_due has_sms has_email has_voice
    can_sms can_email can_voice number_in_doubt email_in_doubt long_arrears_plan_possible first_late
"""
_VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bucket": BUCKETS,
        "score_band": SCORE_BANDS,
        "preferred_channel": CHANNELS,
        "debit_failed_cause": CAUSES,
        "status": ("active", "closed", "written_off"),
    }
)


def _fields(kind: Kind, names: str) -> Iterable[Field]:
    for written in names.split():
        name = written.removesuffix("?")
        yield Field(
            name=name,
            kind=kind,
            doc_key=f"feature.{name}",
            nullable=written.endswith("?"),
            values=_VALUES.get(name, ()),
        )


FEATURES: Vocabulary = MappingProxyType(
    {
        field.name: field
        for fields in (
            _fields("integer", _INTEGERS),
            _fields("money", _MONEY),
            _fields("text", _TEXTS),
            _fields("boolean", _BOOLEANS),
        )
        for field in fields
    }
)


def arm_field(experiment_id: str) -> str:
    """Return the column that holds a loan's arm: `arm_` and the id, hyphens as underscores."""
    return "arm_" + experiment_id.replace("-", "_")


def with_arms(arms: Mapping[str, tuple[str, ...]]) -> Vocabulary:
    """Return FEATURES and one text field for each experiment (id to the names of its arms)."""
    extra = {
        arm_field(experiment_id): Field(
            name=arm_field(experiment_id),
            kind="text",
            doc_key="feature.arm",
            nullable=True,
            values=names,
        )
        for experiment_id, names in arms.items()
    }
    return MappingProxyType({**FEATURES, **extra})
