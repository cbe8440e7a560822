"""Which labels do the words of a text earn? Entries of the lexicon, judged in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from duly.messages.lint.judging import Reading
from duly.messages.lint.known import Known
from duly.messages.lint.lexicon import Entry, lexicon
from duly.messages.lint.model import SCAM, SERVICE, THIRD_PARTY, Hit
from duly.messages.lint.phrasing import Phrase
from duly.messages.lint.sender import is_authority, names_nobody, signature

#: So many hits of one phrase are looked at; the first that counts ends the search.
_HITS_MAX = 12
#: Where care, errors and family are spoken of, and where other words decide.
_NO_HINTS = frozenset({*SERVICE, THIRD_PARTY, SCAM})


def worded(reading: Reading, stage: str, known: Known) -> Iterator[Hit]:
    """Give the labels that the words earn, one hit a phrase."""
    for phrase, entry in _candidates(reading, stage, known, hint=False):
        for span in _counting(phrase, entry, reading, most=1):
            if not (entry.own and _is_own(reading.text, span, stage, known)):
                yield from _hits(entry, span)


def _is_own(text: str, span: tuple[int, int], stage: str, known: Known) -> bool:
    """Return whether words hold the lender's name, from the facts or (no swindle) as it signs."""
    names = known.apps
    signed = signature(text)[0]
    if signed and stage != SCAM and not names_nobody(signed) and not is_authority(signed):
        names = (*names, signed)
    return any(name in text[slice(*span)] for name in names)


def _hits(entry: Entry, span: tuple[int, int]) -> Iterator[Hit]:
    yield Hit(entry.label, entry.rule, entry.why, *span)
    for label, rule in entry.also.items():
        yield Hit(label, rule, entry.why, *span)


def hinted(reading: Reading, stage: str, known: Known, *, after: int = 0) -> Iterator[Hit]:
    """Give the label that words too broad to stand alone hint at; for texts with no other label.

    Words before `after`, the sender's own name, hint at nothing, nor do names of the facts.

    In a text about a loan a word such as `conscience` or `police` is hardly ever innocent, unless
    it is denied. Of several labels the one with most hints is given.
    """
    if stage in _NO_HINTS or reading.holds("disowned", 0, len(reading.text)):
        return
    names = tuple(_named(reading.text, known))
    found: dict[str, list[Hit]] = {}
    for phrase, entry in _candidates(reading, stage, known, hint=True):
        for span in _counting(phrase, entry, reading, most=_HITS_MAX):
            if span[0] >= after and not any(low <= span[0] < high for low, high in names):
                found.setdefault(entry.label, []).extend(_hits(entry, span))
    if found:
        yield from max(found.values(), key=len)


def _named(text: str, known: Known) -> Iterator[tuple[int, int]]:
    """Give the places of the names that the facts know: they hint at nothing."""
    for name in known.names:
        yield from (found.span() for found in re.finditer(re.escape(name), text))


def _candidates(
    reading: Reading, stage: str, known: Known, *, hint: bool
) -> Iterator[tuple[Phrase, Entry]]:
    for phrase, entry in lexicon().candidates(reading.keys, hint=hint):
        if not _asked(entry, stage):
            continue
        if entry.denied_by and not known.says_no(entry.denied_by):
            continue
        if not (entry.fact and known.confirms(entry.fact, reading.text)):
            yield phrase, entry


def _asked(entry: Entry, stage: str) -> bool:
    if entry.stages is None:
        return True
    return stage in entry.stages if stage else entry.unstaged


def _counting(
    phrase: Phrase, entry: Entry, reading: Reading, *, most: int
) -> Iterator[tuple[int, int]]:
    """Give the hits that count, apart from each other, `most` of them."""
    pattern = phrase.compiled()
    place = given = 0
    for _ in range(_HITS_MAX):
        found: re.Match[str] | None = pattern.search(reading.text, place)
        if found is None or given == most:
            return
        start, end = found.span()
        place = start + 1
        if (entry.always or not reading.denied(found)) and not reading.lawful(entry, start, end):
            yield start, end
            place, given = max(end, place), given + 1
