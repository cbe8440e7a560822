"""Is this very text lawful? Asked of each that no plan asked in these words by these rules.

A plan marks what its rules let go; where words, rules, lender and what was told since are the same
as then, so is the answer, and a look at the mark is all. Everything else is asked here: a text
of our own, one that was written anew or changed since, one under rules that came since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from duly.book import Lender
from duly.delivery.door import FACT_OF, Told
from duly.messages import Broken, TextRules, amounts_in, text_rules
from duly.rules import INPUTS, Rule
from duly.service.rows import Row, unpacked

#: Where the facts of a message hold the mark of the text that was asked.
MARK = "text_asked"
#: Why a text was not let go.
UNLAWFUL = "text_unlawful"
_DAYS_KEPT = 4  #: the days of a claim: few zones apart
_TEXTS = ("sms", "email", "push", "im", "in_app")


class TextDoor:
    """What one lender's rules answer about the texts that are about to leave."""

    def __init__(self, rules: Sequence[Rule], lender: Lender) -> None:
        self._rules = tuple(rule for rule in rules if rule.about == "text")
        self._lender = lender
        self._of_day: dict[object, TextRules] = {}

    def broken(
        self,
        row: Row,
        *,
        at: datetime,
        contacts: Sequence[Mapping[str, object]],
        told: Sequence[Told],
        news: Mapping[str, object],
    ) -> tuple[Broken, ...]:
        """Return the rules that the text of a message breaks at an instant; most often none."""
        asked = self._on(row, at)
        facts = unpacked(row["facts"])
        since: dict[str, object] = {
            name: True for one in told if (name := FACT_OF.get(one.kind, "")) in asked.turning
        }
        since |= {name: value for name, value in news.items() if name in asked.turning}
        kind, channel, text = row["message_class"], row["channel"], row["text"]
        if not since and facts.get(MARK) == asked.mark(kind, channel, text):
            return ()
        known = {name: value for name, value in facts.items() if name not in (*INPUTS, MARK)}
        if any(_is_a_text(one) for one in contacts):
            known["first_contact"] = False
        known.setdefault("in_own_name", known.get("creditor_is_lender"))
        own = asked.facts(kind, channel, template=row["template"], tone=row["tone"])
        amounts = amounts_in(unpacked(row["params"]).values())
        return asked.broken(text, {**known, **own, **since, "amounts": amounts})

    def _on(self, row: Row, at: datetime) -> TextRules:
        day = at.astimezone(ZoneInfo(row["time_zone"])).date()
        if day not in self._of_day:
            if len(self._of_day) >= _DAYS_KEPT:
                self._of_day.clear()
            self._of_day[day] = text_rules(self._rules, self._lender, day)
        return self._of_day[day]


def _is_a_text(contact: Mapping[str, object]) -> bool:
    return (
        contact["direction"] == "out"
        and contact["class"] == "dunning"
        and contact["channel"] in _TEXTS
    )
