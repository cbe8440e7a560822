"""The word of the day that a caller says first: only the lender and the borrower know it."""

from __future__ import annotations

from datetime import date
from typing import Protocol

_DIGITS = 6


class Signs(Protocol):
    """Whoever makes marks that only we can make."""

    def sign(self, purpose: str, data: bytes) -> bytes:
        """Return the mark of data."""


def word_of(borrower_id: str, day: date, *, signer: Signs) -> str:
    """Return what a caller has to say to a borrower on a day: six digits, in two groups."""
    mark = signer.sign("caller word", f"{borrower_id}\n{day.isoformat()}".encode())
    digits = f"{int.from_bytes(mark[:8]) % 10**_DIGITS:0{_DIGITS}}"
    return f"{digits[:3]} {digits[3:]}"
