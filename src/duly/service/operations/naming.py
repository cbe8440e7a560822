"""Whom a text greets that no plan wrote: the store has no name but as our texts said it."""

from __future__ import annotations


def unmasked(masked: str | None) -> str:
    """Return a name that is masked again to what an earlier text said.

    >>> unmasked("张**"), unmasked("Z***"), unmasked(None)
    ('张某某', 'Zxxx', '')
    """
    letter = "某" if masked and not masked[0].isascii() else "x"
    return (masked or "").replace("*", letter)
