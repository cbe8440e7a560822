"""Reasons as a role may read them: an investigation is folded into what is named to everybody."""

from __future__ import annotations

from duly.core.words import catalogue, say

#: SQL of a reason of a row `d`; `%(all)s` says whether the reader may know of investigations.
#: Several matters share each of the open names: from none of them can one be concluded.
REASON = """CASE WHEN %(all)s THEN d.reason
    WHEN d.reason IN ('fraud_claim', 'abnormal_transaction', 'legal_case', 'placed', 'complaint')
        THEN 'matter'
    WHEN d.reason = 'security_restricted' THEN 'review' ELSE d.reason END"""


def reason_name(code: str | None, locale: str) -> str:
    """Return a reason in a few words."""
    if code is None:
        return ""
    if code == "matter":
        return say("console", "reason.matter", locale)
    said = catalogue("reasons", locale)
    if f"name.{code}" in said:
        return said[f"name.{code}"]
    own = catalogue("console", locale)
    return own.get(f"reason.{code}", code)
