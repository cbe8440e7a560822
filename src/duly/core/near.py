"""Which known word may have been meant: asked only where one is near."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: Two words of which seven letters in ten agree; a slip of the hand, not another word.
WORD = 0.7
#: Ids differ by a digit or two from any other id: only a slip is worth a question.
ID = 0.8


def near(word: str, known: Iterable[str], *, likeness: float = WORD) -> str:
    """Return the known word nearest to `word`, or an empty text where none is near."""
    found = difflib.get_close_matches(word, sorted(known), n=1, cutoff=likeness)
    return found[0] if found else ""
