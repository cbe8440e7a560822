"""Are the words meant as they stand? Negation, quotation, condition, consent, seen around a hit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from duly.messages.lint.files import data
from duly.messages.lint.lexicon import Entry, phrasing
from duly.messages.lint.phrasing import AnyOf, keys_in

_SENTENCE_END = re.compile(r"[。!?;\n】]|(?<=[a-z0-9)]{2})[.](?=\s|$)")
_CLAUSE_END = re.compile(r"[。!?;,:\n()】]|(?<=[a-z0-9)]{2})[.](?=\s|$)| - ")
#: A question that the text itself answers with no: "Are bailiffs coming? No."
_ANSWERED_NO = re.compile(
    r"\?['\"]?\s*(?:不是|不会|没有|并不|并非|不必|不用|不需要|绝不|从不|不,"
    r"|(?:(?:they|it|we|that)(?:'s| is| are| do| does| will)? )?(?:no|not|never)(?![a-z])"
    r"|(?:they|it|we|that) ?(?:is|are|do|does|wo)n't(?![a-z]))"
)
_HAN = re.compile(r"[㐀-鿿]")
#: Contexts of which only both together make words lawful.
_TOGETHER = {
    "strangers": ("strangers", "disbelief"),
    "still_dated": ("dated", "still_open"),
    "told": ("illness", "care"),
    "one_time": ("code", "code_life"),
    "heard": ("he_told", "eased"),
}
#: A new subject after a comma is a new clause: "as we could not reach you, WE told …".
_SUBJECT = re.compile(r"(?:we|i|you|they|he|she|it)(?![a-z])")
#: A clause that only lists what the one before it speaks of: 没有告诉任何人,包括您的家人.
_LISTED = re.compile("包括|包含|以及|尤其|特别是|更|或者|也(?!将|会|要)|还有")
#: Characters before a hit in which a negator takes it back, in Chinese and in letters.
_WITHIN, _WITHIN_LETTERS = 22, 70


@dataclass(frozen=True, kw_only=True)
class _Context:
    within: str
    phrases: AnyOf


class Reading:
    """One folded text while it is judged; what was asked once is known."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._ends = [0, *(found.end() for found in _SENTENCE_END.finditer(text)), len(text)]
        self._clauses = [0, *(found.end() for found in _CLAUSE_END.finditer(text)), len(text)]
        self._body = _unsigned(text)
        self._held: dict[tuple[str, int], bool] = {}

    @cached_property
    def keys(self) -> frozenset[str]:
        """Return the keys that the text holds."""
        return frozenset(keys_in(self.text))

    def sentence(self, place: int) -> tuple[int, int]:
        """Return the bounds of the sentence around a place."""
        return _around(self._ends, place)

    def clause(self, place: int) -> tuple[int, int]:
        """Return the bounds of the clause around a place."""
        return _around(self._clauses, place)

    def holds(self, name: str, start: int, end: int) -> bool:
        """Return whether a context stands around the words."""
        context = _context(name)
        if context.within == "text":
            low, high = self._body
        elif context.within == "sentence":
            low, high = self.sentence(start)[0], self.sentence(max(start, end - 1))[1]
        else:
            low, high = self.clause(start)[0], self.clause(max(start, end - 1))[1]
        key = (name, low * 100_000 + high)
        if key not in self._held:
            self._held[key] = context.phrases.stands_in(self.text[low:high], self.keys)
        return self._held[key]

    def denied(self, match: re.Match[str]) -> bool:
        """Return whether the words are negated, before or within, or called false after them."""
        start, end = match.span()
        rules = _rules()
        tongue = "zh" if _HAN.search(match[0]) else "en"
        if any(
            hole and rules.negators[tongue].search(hole) and not rules.never[tongue].search(hole)
            for hole in match.groups()
        ):
            return True
        low = self.clause(start)[0]
        while low > 1 and _LISTED.match(self.text, low):
            low = self.clause(low - 1)[0]
        if tongue == "en":
            low = max(self.sentence(start)[0], start - _WITHIN_LETTERS)
        before = self.text[
            max(low, start - (_WITHIN if tongue == "zh" else _WITHIN_LETTERS)) : start
        ]
        ended = before.rstrip().endswith(",") and _SUBJECT.match(match[0]) is not None
        if not ended and self._negated(before, tongue):
            return True
        after = self.text[end : self.sentence(max(start, end - 1))[1]]
        if _ANSWERED_NO.match(self.text, self._question(start, end)):
            return True
        if not after or rules.after[tongue].match(after) is None:
            return False
        return rules.bargains[tongue].search(after) is None

    def _question(self, start: int, end: int) -> int:
        """Return the place of the sign that ends the sentence around some words."""
        return max(start, self.sentence(max(start, end - 1))[1] - 1)

    def _negated(self, before: str, tongue: str) -> bool:
        rules = _rules()
        several = list(rules.negators[tongue].finditer(before))
        if not several or rules.never[tongue].search(before):
            return False
        found = several[-1]
        if tongue == "en" and rules.conditions[tongue].search(before[: found.start()]):
            return False
        return rules.opens[tongue].search(before, found.end()) is None

    def lawful(self, entry: Entry, start: int, end: int) -> bool:
        """Return whether a context of the entry makes the words lawful."""
        for name in entry.unless:
            if name in _TOGETHER:
                if all(self.holds(one, start, end) for one in _TOGETHER[name]):
                    return True
            elif name == "conditional" and self._asserted(start, end):
                continue
            elif self.holds(name, start, end):
                return True
        return not all(self.holds(name, start, end) for name in entry.needs)

    def _asserted(self, start: int, end: int) -> bool:
        """Return whether a step of a court is said to be taken, and not only supposed."""
        return self.holds("asserted", start, end) and not self.holds("supposed", start, end)


def _unsigned(text: str) -> tuple[int, int]:
    """Return the bounds of a text without its signature, which says nothing of what it means."""
    low = text.find("】") + 1 if text.lstrip().startswith("【") else 0
    high = text.rfind("【") if text.rstrip().endswith("】") else len(text)
    return (low, high) if low <= high else (low, len(text))


def _around(ends: list[int], place: int) -> tuple[int, int]:
    low = 0
    for end in ends:
        if end > place:
            return low, end
        low = end
    return low, ends[-1]


@dataclass(frozen=True, kw_only=True)
class _Rules:
    negators: Mapping[str, re.Pattern[str]]
    never: Mapping[str, re.Pattern[str]]
    opens: Mapping[str, re.Pattern[str]]
    conditions: Mapping[str, re.Pattern[str]]
    after: Mapping[str, re.Pattern[str]]
    bargains: Mapping[str, re.Pattern[str]]


@cache
def _rules() -> _Rules:
    found = data("lexicon", "judging.yaml")

    def each(name: str) -> Mapping[str, re.Pattern[str]]:
        return {
            "zh": re.compile(found[name]["zh"]),
            "en": re.compile(rf"(?<![a-z])(?:{found[name]['en']})(?![a-z])|n't(?![a-z])")
            if name == "negators"
            else re.compile(rf"(?<![a-z])(?:{found[name]['en']})(?![a-z])")
            if name == "conditions"
            else re.compile(rf"(?:{found[name]['en']})"),
        }

    return _Rules(
        negators=each("negators"),
        never=each("never_denied"),
        opens=each("opens"),
        conditions=each("conditions"),
        bargains=each("bargains"),
        after={tongue: phrasing().union(found["denied_after"][tongue]) for tongue in ("zh", "en")},
    )


@cache
def _context(name: str) -> _Context:
    found = data("lexicon", "judging.yaml")["contexts"][name]
    return _Context(within=found["within"], phrases=phrasing().any_of(map(str, found["says"])))
