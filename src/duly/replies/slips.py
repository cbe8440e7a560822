"""Right slips of one letter in the long English words that the gravest cues and dates hang on."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

_WORD = re.compile(r"[a-z]{6,16}")
#: Words whose misspelling must hide nothing.
_KEYS = frozenset(
    "advocate alzheimers attorney bankrupt bankruptcy barrister borrower chemotherapy deceased"
    " dementia depressed depression dialysis executor funeral guardian harassing harassment"
    " homeless hospital husband identity insolvency insolvent liquidator litigation messages"
    " overdose paralysed pregnant recycled representative sequestration solicitor solicitors"
    " suicidal suicide unconscious unsubscribe ventilator violence"
    " fortnight monday tuesday wednesday thursday friday saturday sunday tomorrow weekend".split()
)
#: True words that are one letter away from those.
_TRUE = frozenset(
    "borrowed fridays identify mondays sundays weekends weekday diagnose"
    " message overdosed paralyzed recycler"
    " violent".split()
)


def righted(text: str) -> str:
    """Return a folded text with each slip of one letter in a key word written right."""
    return _WORD.sub(lambda found: _nearest(found[0]), text)


@cache
def _slips() -> dict[str, str]:
    """Return what the slips mean: a letter left out, doubled or swapped with the next."""
    made: dict[str, str] = {}
    for key in sorted(_KEYS):
        for at in range(1, len(key)):
            made.setdefault(key[:at] + key[at + 1 :], key)
            made.setdefault(key[:at] + key[at] + key[at:], key)
        for at, (one, two) in enumerate(pairwise(key)):
            if at:
                made.setdefault(key[:at] + two + one + key[at + 2 :], key)
    return {slip: key for slip, key in made.items() if slip not in _KEYS | _TRUE}


def _nearest(word: str) -> str:
    """Return the key word that a word is a slip of, or the word as it is."""
    if word in _KEYS or word in _TRUE:
        return word
    if word in _slips():
        return _slips()[word]
    for key in _KEYS:
        if len(key) == len(word) >= 8 and key[0] == word[0] and (
            sum(one != two for one, two in zip(key, word, strict=True)) == 1
        ):  # fmt: skip
            return key
    return word
