"""What is denied or past in Hindi replies in Latin letters: who cannot, who will not, which kal.

Its words stand in the catalogue, as cues need them, too: `hcannot`, `hwillnot`, `hdone`.
"""

from __future__ import annotations

import re
from functools import cache

from duly.replies.cues import word

_FUTURE = re.compile(r"\w(?:ung[ai]|oong[ai]|enge|ega|egi|yega)\b")
_CLAUSE = re.compile(r"[,.!?]|\b(?:lekin|par|magar|but|phir|kyunki|kyuki)\b")


@cache
def _denied() -> re.Pattern[str]:
    return re.compile(f"{word('en', 'hcannot')}|{word('en', 'hwillnot')}")


@cache
def _refused() -> re.Pattern[str]:
    return re.compile(word("en", "hwillnot"))


@cache
def _not_on() -> re.Pattern[str]:
    return re.compile(rf" {word('en', 'hnot')}\b")


@cache
def _past() -> re.Pattern[str]:
    done = word("en", "hdone")
    return re.compile(
        r"\b(?:kal|parso)\b(?=(?: (?!\w*(?:ung[ai]|oong[ai]|enge|ega|egi)\b)[\w₹.]+){0,7}? "
        rf"{done})|\b(?:abhi|ab|aaj) tak\b(?=.*\b{word('en', 'hnot')}\b)|"
        rf"\b{word('en', 'hnot')}\b[^,.!?]* (?:abhi|ab) tak\b"
    )


def denials(text: str) -> tuple[tuple[int, int], ...]:
    """Return where a respelled text says that somebody cannot or will not.

    >>> denials("kal nahi de paunga"), denials("kal de dunga")
    (((4, 18),), ())
    """
    return tuple(found.span() for found in _denied().finditer(text))


def refuses(text: str) -> bool:
    """Return whether somebody says that he will not pay."""
    return _refused().search(text) is not None


def without_past(text: str) -> str:
    """Return a text in which kal and parso are blank where they are the days before today."""
    return _past().sub(lambda found: " " * len(found[0]), text)


def denied_between(text: str, start: int, end: int, before: int, after: int) -> bool:
    """Return whether the day at `start` to `end` is said no to, up to the days beside it.

    `before` is where the day before it ends, `after` where the next begins.
    """
    stop = _CLAUSE.search(text, end, after)
    rest = text[end : stop.start() if stop else after]
    if _denied().search(rest) or _not_on().match(rest):
        return True
    if _FUTURE.search(rest):
        return False
    if _not_on().search(rest):  # 'abhi paise nahi hai'
        return True
    stops = [one.end() for one in _CLAUSE.finditer(text, before, start)]
    return _denied().search(text[stops[-1] if stops else before : start]) is not None
