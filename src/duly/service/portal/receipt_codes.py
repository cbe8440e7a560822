"""The code on a receipt: it carries what was issued, signed, and names no person and no loan.

Nothing is stored for it: whoever holds the paper can ask for as long as our keys are kept, and a
deletion leaves nothing behind. A figure that was changed on the paper does not change in the code.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from duly.core.money import CURRENCIES
from duly.messages.code import ALPHABET

LENGTH = 28  #: letters: 134 bits
_GROUP = 4
_PURPOSE = "receipt"
_EPOCH = date(2000, 1, 1)
_DAY_BITS, _AMOUNT_BITS, _CURRENCY_BITS, _MARK_BITS = 15, 40, 15, 49
_SAID_BITS = 2 * _DAY_BITS + _AMOUNT_BITS + _CURRENCY_BITS
_LETTERS = 26
_CODE = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")


class Marks(Protocol):
    """Whoever makes marks that only we can make."""

    def marks(self, purpose: str, data: bytes) -> tuple[bytes, ...]:
        """Return the mark of each of our secrets, the present one first."""


@dataclass(frozen=True, kw_only=True)
class Issued:
    """What a receipt says; the amount in minor units."""

    issued_on: date
    received_on: date
    amount: int
    currency: str


def is_formed(code: str) -> bool:
    """Return whether a plain code has the letters and the length of one."""
    return _CODE.fullmatch(code) is not None


def code_of(issued: Issued, signer: Marks) -> str | None:
    """Return the code of a receipt in groups of four; None: a day or amount has no room in it."""
    said = _packed(issued)
    if said is None:
        return None
    number = said << _MARK_BITS | _marks(said, signer)[0]
    letters = ""
    for _ in range(LENGTH):
        number, letter = divmod(number, len(ALPHABET))
        letters = ALPHABET[letter] + letters
    return "-".join(letters[at : at + _GROUP] for at in range(0, LENGTH, _GROUP))


def read(code: str, signer: Marks) -> Issued | None:
    """Return what a plain code says; None: it is none of ours, whatever is wrong with it."""
    number = 0
    for letter in code:
        number = number * len(ALPHABET) + ALPHABET.index(letter)
    said, mark = number >> _MARK_BITS, number % (1 << _MARK_BITS)
    given = mark.to_bytes(8)
    ours = [hmac.compare_digest(one.to_bytes(8), given) for one in _marks(said, signer)]
    return _unpacked(said) if any(ours) else None


def _marks(said: int, signer: Marks) -> Sequence[int]:
    data = said.to_bytes(-(-(_SAID_BITS + 8) // 8))
    return [
        int.from_bytes(mark[:8]) % (1 << _MARK_BITS) for mark in signer.marks(_PURPOSE, data)
    ]  # fmt: skip


def _packed(issued: Issued) -> int | None:
    letters = 0
    for one in issued.currency:
        letters = letters * _LETTERS + ord(one) - ord("A")
    parts = (
        ((issued.issued_on - _EPOCH).days, _DAY_BITS),
        ((issued.received_on - _EPOCH).days, _DAY_BITS),
        (issued.amount, _AMOUNT_BITS), (letters, _CURRENCY_BITS),
    )  # fmt: skip
    said = 0
    for value, bits in parts:
        if not 0 <= value < 1 << bits:
            return None
        said = said << bits | value
    return said


def _unpacked(said: int) -> Issued | None:
    rest, letters = divmod(said, 1 << _CURRENCY_BITS)
    rest, amount = divmod(rest, 1 << _AMOUNT_BITS)
    issued, received = divmod(rest, 1 << _DAY_BITS)
    currency = ""
    for _ in range(3):
        letters, letter = divmod(letters, _LETTERS)
        currency = chr(ord("A") + letter) + currency
    if currency not in CURRENCIES:
        return None
    return Issued(issued_on=_EPOCH + timedelta(days=issued), amount=amount, currency=currency,
                  received_on=_EPOCH + timedelta(days=received))  # fmt: skip
