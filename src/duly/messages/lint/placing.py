"""Whose rule does a label break? That of the place, by facts or language; else our own floor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from duly.messages.lint.files import data
from duly.messages.lint.known import Known
from duly.messages.lint.model import Message

#: The place whose rules the lexicon names itself.
_OF_LEXICON = "cn"
_ELSEWHERE = "us"
_HAN = re.compile(r"[㐀-鿿]")


@dataclass(frozen=True, kw_only=True)
class Places:
    """The rule of each label: the floor of all places, and what a place has of its own."""

    floor: Mapping[str, str]
    own: Mapping[str, Mapping[str, str]]
    under: Mapping[str, str]  #: a country → the place whose pack it lives under
    same: Mapping[str, Mapping[str, str]]  #: a rule of China → the counterpart of a place

    def every_rule(self) -> frozenset[str]:
        """Return each rule that the table names."""
        tables = (*self.own.values(), *self.same.values())
        return frozenset(self.floor.values()).union(*(one.values() for one in tables))


@cache
def places() -> Places:
    """Return the table of `places.yaml`."""
    told = data("places.yaml")
    under = {country: place for place, several in told["under"].items() for country in several}
    return Places(floor=told["floor"], own=told["places"], under=under, same=told["same"])


def place_of(message: Message, known: Known) -> str:
    """Return the place that the facts name, or else that of the language of the text."""
    named = known.jurisdiction
    if named:
        return places().under.get(named, named)
    chinese = message.lang.startswith("zh") or _HAN.search(message.text)
    return _OF_LEXICON if chinese else _ELSEWHERE


def rule_at(place: str, label: str, rule: str = "") -> str:
    """Return the rule of a place that a label breaks; `rule` is what the lexicon says of China."""
    if place == _OF_LEXICON and rule.startswith("CN-"):
        return rule
    table = places()
    nearer = table.same.get(rule, {}).get(place)
    return nearer or table.own.get(place, {}).get(label) or table.floor[label]
