"""Reasons as a role may read them: an investigation is folded into what is named to everybody."""

from __future__ import annotations

from functools import lru_cache

from duly.core.words import catalogue, say
from duly.rules import Bar, Require, Rule, Window, lenders_rules

_MATTERS = ("fraud_claim", "abnormal_transaction", "legal_case", "placed", "complaint")
#: SQL of a reason of a row `d`; `%(all)s` says whether the reader may know of investigations.
#: Several matters share each of the open names: from none of them can one be concluded.
REASON = f"""CASE WHEN %(all)s THEN d.reason
    WHEN d.reason IN ({", ".join(f"'{one}'" for one in _MATTERS)}) THEN 'matter'
    WHEN d.reason = 'security_restricted' THEN 'review' ELSE d.reason END"""


def folded(code: str | None, *, knows: bool) -> str | None:
    """Return a reason as REASON gives it to who knows of investigations, or does not."""
    if knows:
        return code
    if code in _MATTERS:
        return "matter"
    return "review" if code == "security_restricted" else code


#: Facts of an investigation: of a rule that reads one, nobody else hears about whom it spoke.
_SECRET = frozenset({"open_fraud_claim", "security_signal"})


@lru_cache(maxsize=8)
def told_rules(packs: tuple[str, ...], switched_off: tuple[str, ...]) -> frozenset[str]:
    """Return the rules of which everybody may hear about whom they spoke.

    From none of them can be concluded that an investigation is open.
    """
    return frozenset(
        rule.id for rule in lenders_rules(packs, switched_off) if not _facts(rule) & _SECRET
    )


def _facts(rule: Rule) -> frozenset[str]:
    """Return the facts that a rule about a contact is asked with."""
    match rule.primitive:
        case Bar(condition=condition):
            return condition.fields
        case Require(check=check):
            return check.condition.fields
        case Window(when=when, unless=unless):
            return frozenset().union(*(one.fields for one in (when, unless) if one is not None))
        case _:  # Counts, and what no plan asks.
            return frozenset()


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
