"""Does a finished text keep the packs' rules about texts? With what its lender's file says of it.

A plan asks every text that it would send, and a door each one that was not asked before in these
very words by these very rules: `TextRules.mark` says which those are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from types import MappingProxyType
from urllib.parse import urlsplit

from duly.book.lender import Lender
from duly.core import digest
from duly.messages.code import HOLE, LENGTH
from duly.messages.stages import CLASSES
from duly.messages.template_file import CHANNELS
from duly.messages.voice import opt_out_allowed
from duly.rules import Rule, Text, active, ask, legal_key, lenders_rules, rules_sha256
from duly.rules.wording import amounts_of
from duly.spelling import folded

#: Raised when a text is asked otherwise by equal rules: what was asked before is asked again.
_ASKED_AS = 1
#: What holds of every text that this house writes: of its own, to the borrower, by no voice.
_ALWAYS: Mapping[str, object] = MappingProxyType(
    {"recipient": "borrower", "voicemail": False, "ai_voice": False, "agency": False,
     "lawyer_signed": False}
)  # fmt: skip
#: A letter of a name stands alone: of letters that spell a word only one by itself could be it.
_LETTER = re.compile(r"(?<![a-z])[a-z](?![a-z])|[^\W\d_a-z]")
_DIGIT = re.compile("[0-9]")
#: Classes that ask for money.
_ASKING = ("dunning", "statutory")


@dataclass(frozen=True, kw_only=True)
class Broken:
    """One rule that a text breaks: by which words, and by how many characters where it is long."""

    rule_id: str
    reason: str
    words: str = ""
    length: int = 0
    over: int = 0


@dataclass(frozen=True, kw_only=True)
class TextRules:
    """The rules about texts that are in force on a day, in the order of `legal`, for one lender."""

    rules: tuple[Rule, ...]
    lender: Lender = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """The fingerprint of what is asked: the rules, and what the lender's file tells them."""
        told = [dict(self._told(channel, kind)) for channel in CHANNELS for kind in CLASSES]
        return digest.of_value([_ASKED_AS, rules_sha256(self.rules), told])

    @cached_property
    def turning(self) -> frozenset[str]:
        """The facts on which an answer turns beside the words: another value is another answer."""
        found: set[str] = set()
        for rule in self.rules:
            text = _text_of(rule)
            conditions = [text.when, *(words.when for words in (*text.must, *text.never))]
            found.update(*(one.fields for one in conditions if one is not None), rule.requires)
        return frozenset(found)

    @cached_property
    def unmeasured(self) -> TextRules:
        """The same rules without their lengths: how long each text is, is counted."""
        return replace(self, rules=tuple(map(_unmeasured, self.rules)))

    @cached_property
    def loose(self) -> TextRules:
        """The same without lengths, every digit of a ban standing for any digit.

        What they find in none of the extreme texts of messages that are alike, no digit of a value
        can bring into one of them.
        """
        return replace(self, rules=tuple(map(_loose, self.unmeasured.rules)))

    @cached_property
    def _by_letter(self) -> Mapping[str, tuple[str, ...]]:
        """The phrases of bans by each letter that a name could bring into them."""
        found: dict[str, list[str]] = {}
        for rule in self.rules:
            for words in _text_of(rule).never:
                for phrase in words.phrases:
                    for letter in set(_LETTER.findall(phrase.casefold())):
                        found.setdefault(letter, []).append(phrase)
        return {letter: tuple(dict.fromkeys(several)) for letter, several in found.items()}

    def may_turn(self, name: str) -> tuple[str, ...]:
        """Return the phrases of bans that a masked name might complete; most names none."""
        return tuple(
            phrase for letter in set(folded(name)) for phrase in self._by_letter.get(letter, ())
        )

    def facts(self, message_class: str, channel: str, **more: object) -> dict[str, object]:
        """Return what is known of every text of this class and channel; `more` stands over it."""
        purpose = "dunning" if message_class in _ASKING else "servicing"
        of_text = {"class": message_class, "channel": channel, "purpose": purpose}
        return {**_ALWAYS, **self._told(channel, message_class), **of_text, **more}

    def broken(self, said: str, facts: Mapping[str, object]) -> tuple[Broken, ...]:
        """Return every rule that a finished text breaks, in the order of `legal`."""
        whole = finished(said)
        asked = {**facts, "text": whole}
        found = []
        for rule in self.rules:
            verdict = ask(rule, asked)
            if verdict.effect == "allow":
                continue
            over = max(0, len(whole) - (_text_of(rule).length_max or len(whole)))
            found.append(
                Broken(
                    rule_id=rule.id, reason=verdict.reason, words=verdict.words,
                    length=len(whole), over=over,
                )
            )  # fmt: skip
        return tuple(found)

    def mark(self, message_class: str, channel: str, text: str) -> str:
        """Return the mark of a text that these rules let go: other words have another mark."""
        parts = (self.sha256, message_class, channel, text)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()

    def _told(self, channel: str, message_class: str) -> Mapping[str, object]:
        lender = self.lender
        names = (lender.signature, lender.signature_en, lender.name, lender.name_en)
        host = urlsplit(lender.website).hostname
        return {
            "signatures": tuple(dict.fromkeys(filter(None, names))),
            "link_hosts": (host,) if host else (),
            "lender_reports": lender.bureau_reports,
            "route_takes_opt_out": opt_out_allowed(lender, channel, message_class),
        }


def text_rules(rules: Iterable[Rule], lender: Lender, on: date) -> TextRules:
    """Return those of the rules that are about a text and in force on a day."""
    asked = [one for one in rules if one.about == "text" and isinstance(one.primitive, Text)]
    ordered = sorted(active(asked, on), key=lambda rule: legal_key(rule, rule.effect))
    return TextRules(rules=tuple(ordered), lender=lender)


def signed(said: str, lender: Lender, on: date) -> str:
    """Return a text message signed in brackets where the packs of its lender want it so.

    Carriers of mainland China take no other one, in whatever language: `Example: …` begins
    `【Example】…` there.
    """
    rules = text_rules(lenders_rules(lender.packs, lender.switched_off), lender, on).rules
    names = (lender.signature_en, lender.name_en, lender.signature, lender.name)
    if not any(_text_of(rule).signed for rule in rules):
        return said
    name = next((one for one in names if one and said.startswith(f"{one}: ")), None)
    return said if name is None else f"【{name}】{said.removeprefix(f'{name}: ')}"


def finished(said: str) -> str:
    """Return a text as long as it will be; what stands for its check code says nothing."""
    return said.replace(HOLE, "2" * LENGTH)


def amounts_in(values: Iterable[object]) -> tuple[int, ...]:
    """Return the amounts that the typed values of a text name: no other amount is of its ledger."""
    return tuple(amount for value in values for amount in amounts_of(str(value)))


def longest_allowed(rules: Sequence[Rule]) -> int | None:
    """Return how many characters the strictest of the rules lets a text have; None: any."""
    limits = [_text_of(rule).length_max for rule in rules]
    return min((one for one in limits if one is not None), default=None)


def _unmeasured(rule: Rule) -> Rule:
    return replace(rule, primitive=replace(_text_of(rule), length_max=None))


def _loose(rule: Rule) -> Rule:
    text = _text_of(rule)
    never = tuple(
        replace(words, phrases=tuple(_DIGIT.sub("#", one) for one in words.phrases))
        for words in text.never
    )
    return replace(rule, primitive=replace(text, never=never))


def _text_of(rule: Rule) -> Text:
    assert isinstance(rule.primitive, Text), "only rules about texts are asked here"
    return rule.primitive
