"""Two versions of one text beside each other: words, elements, variables, parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from duly.book.lender import Lender
from duly.messages.elements import elements_of
from duly.messages.samples import complete, sample
from duly.messages.template_file import Text

#: A hole or a tag is one word; so is each Chinese character, and each word of letters.
_WORDS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{code\}|[㐀-鿿]|[A-Za-z0-9'’-]+|\s+|.")
_ABOUT = ("stage", "tones", "subject", "gateway_code", "requires", "from_days")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One place where words differ; either side may be empty."""

    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What changed from one text to the next, as its reader and its carrier notice it."""

    old: str
    new: str
    words: tuple[Change, ...]
    about: tuple[tuple[str, str, str], ...]  #: key of the front matter, before, after
    elements_lost: tuple[str, ...]
    elements_gained: tuple[str, ...]
    variables_lost: tuple[str, ...]
    variables_gained: tuple[str, ...]
    segments: tuple[int, int]
    encodings: tuple[str, str]

    @property
    def is_empty(self) -> bool:
        """Whether the two say the same to the same people."""
        return not self.words and not self.about


def compare(old: Text, new: Text, lender: Lender) -> Difference:
    """Return what changed; segments and elements are those of the texts with sample facts."""
    lender = complete(lender)
    before, after = sample(old, lender), sample(new, lender)
    held = [
        set(elements_of(said.text, text.locale, channel=text.channel))
        for said, text in ((before, old), (after, new))
    ]
    return Difference(
        old=old.name,
        new=new.name,
        words=tuple(changes(old.source, new.source)),
        about=tuple(_about(old, new)),
        elements_lost=tuple(sorted(held[0] - held[1])),
        elements_gained=tuple(sorted(held[1] - held[0])),
        variables_lost=tuple(sorted(old.variables - new.variables)),
        variables_gained=tuple(sorted(new.variables - old.variables)),
        segments=(before.segments, after.segments),
        encodings=(before.encoding, after.encoding),
    )


def changes(before: str, after: str) -> Iterator[Change]:
    """Give each run of words that differs, in the order of the text.

    >>> [(one.before, one.after) for one in changes("请今天还", "请明天还")]
    [('今', '明')]
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    for kind, first, last, start, end in SequenceMatcher(None, old, new, False).get_opcodes():
        if kind != "equal":
            yield Change(before="".join(old[first:last]), after="".join(new[start:end]))


def _about(old: Text, new: Text) -> Iterator[tuple[str, str, str]]:
    for key in _ABOUT:
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            yield key, _said(before), _said(after)


def _said(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
