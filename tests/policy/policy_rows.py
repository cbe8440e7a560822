"""A row of features for tests, and the lane that a policy finds for it."""

from __future__ import annotations

from collections.abc import Mapping

from duly.conditions import evaluate
from duly.policy import FEATURES, Offset, Policy, Treatment

_ZERO: Mapping[str, object] = {"integer": 0, "money": 0, "text": "", "boolean": False}
_LOAN: Mapping[str, object] = {
    "days_past_due": 0,
    "days_delinquent": 0,
    "bucket": "M0",
    "score": 2000,
    "score_band": "medium_risk",
    "product": "installment",
    "status": "active",
    "currency": "CNY",
    "overdue_total": 50_000,
    "outstanding_total": 500_000,
    "has_sms": True,
    "can_sms": True,
    "can_voice": True,
    "first_late": True,
    "long_arrears_plan_possible": True,
}


def loan(**features: object) -> dict[str, object]:
    """Return a loan like many; an unknown feature is a mistake of the test."""
    assert set(features) <= set(FEATURES), set(features) - set(FEATURES)
    row = {name: None if field.nullable else _ZERO[field.kind] for name, field in FEATURES.items()}
    row |= _LOAN | features
    row["bucket"] = _bucket(int(str(row["days_past_due"])))
    return row


def late(days: int, **features: object) -> dict[str, object]:
    """Return a loan late by so many days, without grace."""
    return loan(**{"days_past_due": days, "days_delinquent": days, **features})


def _bucket(days: int) -> str:
    return f"M{min((days + 29) // 30, 7)}" + ("+" if days > 180 else "")


def offset_of(policy: Policy, row: Mapping[str, object]) -> Offset:
    """Return the offset of a loan's first contact."""
    for case in policy.first_contact.cases:
        if evaluate(case.condition, row) is True:
            return case.offset
    return policy.first_contact.default


def lane(policy: Policy, row: Mapping[str, object]) -> Treatment | None:
    """Return the first treatment that matches, has begun and may act."""
    days, counted = int(str(row["days_past_due"])), int(str(row["days_delinquent"]))
    contact = offset_of(policy, row).reached(days_delinquent=counted, days_past_due=days)
    to_due = row["days_to_due"]
    for one in policy.treatments:
        before = one.from_day <= -30 or (to_due is not None and -int(str(to_due)) >= one.from_day)
        begun = days >= one.from_day if days else before
        allowed = one.within_grace or (contact and days > 0)
        if begun and allowed and evaluate(one.condition, row) is True:
            return one
    return None
