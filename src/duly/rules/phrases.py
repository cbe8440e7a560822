"""Does a text say this? Phrases of the packs found in any spelling, with negation seen.

A phrase is plain words. `*` stands for at most twelve characters of one sentence, `**` for sixty,
`#` for a digit, `%` for a telephone number, `(a|b)` for one of several, `^` and `$` for the ends
of the text. Both sides are folded first: full width, capitals, traditional characters, spaces and
marks between Chinese characters.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from duly.spelling import folded

_SENTENCE = re.compile(r"[。！？!?；;\n]+|\.(?=\s|$)")
#: What says that after a negation of letters the sentence goes on to what follows.
_GOES_ON = r"we|will|shall|then|you(?:'ll|'re| are| may| must| can| could| should| have)"
#: What takes back the words after it, unless it only opens a condition (`if you do not pay we`).
_NEGATION = re.compile(
    r"(不会|不得|绝不|从不|不要|无需|无须|请勿|切勿|勿|不可|并非|禁止|严禁|不能"
    r"|(?:不用|不必|不需要)(?:您|你)?(?:再|先)?$)(?!.*(就|则|将|便))"
    r"|(\bnever|\bnot|n't|\bcannot|\bno)\b(?!.*\b(?:" + _GOES_ON + r")\b)"
)
#: Characters before a phrase in which a negation takes it back: of Chinese, and of letters.
_NEGATED_WITHIN, _NEGATED_WITHIN_LETTERS = 12, 48
_DENIED_AFTER = re.compile(
    r"^[^。！？!?；;\n]{0,12}(请勿相信|请勿理会|都是诈骗|是诈骗|is a scam|are scams)"
)
_TOKEN = re.compile(r"\*\*|[*#%()|^$]")
_MEANS = {
    "*": r"[^。！？!?；;]{0,12}?",
    "**": r"[^。！？!?；;]{0,60}?",
    "#": "[0-9]",
    "%": r"\+?[0-9(][0-9() -]{5,16}[0-9]",
    "(": "(?:",
}


@cache
def needed(phrase: str) -> tuple[tuple[str, ...], ...]:
    """Return what stands in every text that a phrase finds: of each group one of its words.

    A look for plain words costs a hundredth of a search; most phrases end with it.

    >>> needed("(come|send)*to your house")
    (('come', 'send'), ('to your house',))
    """
    whole = unicodedata.normalize("NFKC", phrase).casefold()
    found: list[tuple[str, ...]] = []
    depth, start = 0, 0
    for place, character in enumerate(whole + "*"):
        opens, closes = character == "(", character == ")"
        if depth == 0 and character in "*#%^$(":
            found.append((whole[start:place],))
            start = place + 1
        elif depth == 1 and closes:
            found.append(tuple(map(_longest, whole[start:place].split("|"))))
            start = place + 1
        depth += opens - closes
    # An empty word stands in every text: such a group says nothing. Of nested ones nothing is said.
    nested = re.search(r"\([^)]*\(", whole) is not None
    return () if nested else tuple(group for group in found if all(group))


def _longest(words: str) -> str:
    return max(re.split(r"[*#%^$]+", words), key=len)


def _may_be(whole: str, phrase: str) -> bool:
    return all(any(word in whole for word in group) for group in needed(phrase))


@cache
def _glance(several: tuple[str, ...]) -> tuple[re.Pattern[str] | None, tuple[str, ...]]:
    """Return one look for the plain words of all phrases, and the phrases that have none."""
    words = {word for one in several for word in max(needed(one), key=_surely, default=())}
    bare = tuple(one for one in several if not needed(one))
    return re.compile("|".join(map(re.escape, sorted(words)))) if words else None, bare


def _surely(group: tuple[str, ...]) -> int:
    return min(map(len, group))


def likely(text: str, several: tuple[str, ...]) -> tuple[str, ...]:
    """Return the phrases that a text may say, in their order; most texts say nothing like any."""
    glance, bare = _glance(several)
    return several if glance is not None and glance.search(folded(text)) else bare


@cache
def pattern(phrase: str) -> re.Pattern[str]:
    """Return a phrase as a pattern; every part of it is bounded, so no text makes it slow."""
    parts, last = [], 0
    whole = unicodedata.normalize("NFKC", phrase).casefold()
    for match in _TOKEN.finditer(whole):
        parts.append(re.escape(whole[last : match.start()]))
        parts.append(_MEANS.get(match[0], match[0]))
        last = match.end()
    parts.append(re.escape(whole[last:]))
    body = "".join(parts)
    lead = r"\b" if body[:1].isascii() and body[:1].isalpha() else ""
    tail = r"\b" if body[-1:].isascii() and body[-1:].isalnum() and body[-1:] != "]" else ""
    return re.compile(lead + body + tail)


def well_formed(phrase: str) -> bool:
    """Return whether a phrase can be read: not empty, its brackets closed."""
    try:
        return bool(phrase.strip()) and pattern(phrase) is not None
    except re.error:
        return False


def says(text: str, phrase: str) -> str:
    """Return the words of a text that a phrase finds, denied or not; empty where none."""
    whole = folded(text)
    if not _may_be(whole, phrase):
        return ""
    found = pattern(phrase).search(whole)
    return "" if found is None else found[0] or phrase


def claims(text: str, phrase: str) -> str:
    """Return the words that a phrase finds and that no negation of the same clause takes back."""
    whole = folded(text)
    if not _may_be(whole, phrase):
        return ""
    within = _NEGATED_WITHIN_LETTERS if phrase.isascii() else _NEGATED_WITHIN
    for found in pattern(phrase).finditer(whole):
        before = whole[max(0, found.start() - within) : found.start()]
        before = re.split(r"[,，。！？!?；;：:]", before)[-1]
        if _NEGATION.search(before):
            continue
        if _DENIED_AFTER.match(whole[found.end() :]):
            continue
        return found[0] or phrase
    return ""


def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of a text, folded, without those that are empty."""
    return tuple(part.strip(" ,") for part in _SENTENCE.split(folded(text)) if part.strip(" ,"))
