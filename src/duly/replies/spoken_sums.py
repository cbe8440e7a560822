"""Sums that English replies write in words: 1.5 lakh, two hundred quid, half a grand, a tenner."""

from __future__ import annotations

import re
from decimal import Decimal

_SMALL = {
    word: value for value, word in enumerate(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen".split(), start=1)
}  # fmt: skip
_TENS = {
    word: value for value, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}  # fmt: skip
_SCALES = {
    "hundred": 100, "thousand": 1000, "grand": 1000, "k": 1000, "lakh": 100_000, "lac": 100_000,
    "lk": 100_000, "crore": 10_000_000, "cr": 10_000_000,
}  # fmt: skip
_NOTES = {"fiver": 5, "tenner": 10}
#: Words of which one at least stands in a sum that is written so.
_SCALE = rf"(?:{'|'.join(sorted(_SCALES, key=len, reverse=True))})s?"
_WORD = rf"(?:{'|'.join((*_SMALL, *(f'{ten}' for ten in _TENS)))})"
_ONE = rf"(?:\d+(?:,\d{{2,3}})*(?:\.\d{{1,2}})?|{_WORD}(?:[ -]{_WORD})?|an?|half an?)"
_UNIT = r"(?:quid|pounds?|dollars?|bucks?|rupees?|naira|shillings?|bob|euros?)"
#: A sum in words: a number with a scale, words of numbers with a currency, a banknote by its name.
SUM = (
    rf"(?:{_ONE} ?{_SCALE}\b(?:,? ?(?:and )?{_ONE}(?: ?{_SCALE})?\b(?! ?(?:days?|weeks?|months?)))*"
    rf"|{_WORD}(?:[ -]{_WORD})?(?= (?:{_UNIT}|(?:a|per|every|each) (?:week|month|fortnight))\b)"
    r"|an? (?:fiver|tenner)\b)"
)
_PIECE = re.compile(r"\d+(?:,\d{2,3})*(?:\.\d+)?|[a-z]+")


def value_of(words: str) -> Decimal | None:
    """Return what a sum in words is worth, or None where its words are no number."""
    total, part = Decimal(0), Decimal(0)
    for word in _PIECE.findall(words):
        known = _SMALL.get(word) or _TENS.get(word, 0) * 10 or _NOTES.get(word)
        scale = _SCALES.get(word) or _SCALES.get(word.removesuffix("s"))
        if word[0].isdigit():
            part += Decimal(word.replace(",", ""))
        elif known:
            part += known
        elif word == "half":
            part += Decimal("0.5")
        elif scale == 100 and part:
            part *= scale  # Of a thousand and more hundreds are a part: two thousand five hundred.
        elif scale:
            total, part = total + (part or 1) * scale, Decimal(0)
        elif word not in ("a", "an", "and"):
            return None
    return total + part or None
