"""Which words of a text does a pack forbid? The packs of the lender, asked before an approval.

A plan asks the packs about contacts, not about each finished text: what a template says is the same
for everybody, so its words are asked once, here. Values cannot break them: they are typed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from duly.book.lender import Lender
from duly.messages.template_file import Text
from duly.rules import NEUTRAL, Rule, load_packs
from duly.rules import Text as Wording
from duly.rules.wording import barred, in_scope

#: Days past due at which no stage is too early for its words.
_LATE_DAYS = 100


def forbidden(said: str, text: Text, lender: Lender) -> Iterator[tuple[str, str]]:
    """Give the rules that a finished text breaks by what it says, and the words, in pack order.

    Asked is what is in force without an end, with the facts that let a text of its stage be sent.
    """
    facts = _facts(said, text)
    for rule in _wordings(lender.packs):
        wording = rule.primitive
        assert isinstance(wording, Wording)
        if in_scope(wording, facts):
            yield from ((rule.id, words) for words in barred(wording, said, facts))


@cache
def _wordings(packs: tuple[str, ...]) -> tuple[Rule, ...]:
    return tuple(
        rule
        for rule in load_packs(packs)
        if rule.about == "text" and isinstance(rule.primitive, Wording) and rule.in_force_to is None
    )


def _facts(said: str, text: Text) -> Mapping[str, object]:
    in_court = text.stage == "legal"
    return {
        **NEUTRAL, "text": said, "class": text.message_class, "channel": text.channel,
        "template": text.id, "days_past_due": _LATE_DAYS, "lender_reports": True,
        "litigation_enabled": True, "litigation_days": _LATE_DAYS - 1,
        "has_case_number": in_court, "legal_stage": "filed" if in_court else None,
    }  # fmt: skip
