"""The check code: lets a borrower test that this very message is ours, and says nothing else."""

from __future__ import annotations

import hmac
import re

#: No 0 O 1 I L (look-alikes) and no vowel: a code never spells a word.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
_BETWEEN = str.maketrans("", "", "- ")
LENGTH = 8
HOLE = "{code}"
KEY_BYTES_MIN = 16

_PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)
_BASE = len(_PAIRS)
_SPACE = _BASE ** (LENGTH // 2)
_CODE = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")


def check_code(key: bytes, message_id: str) -> str:
    """Return the code of a message: HMAC-SHA256 of its id under the lender's key.

    Refuses (ValueError) a key of fewer than 16 bytes.

    >>> check_code(b"0123456789abcdef", "m-1")
    'T4VJKS4F'
    """
    if len(key) < KEY_BYTES_MIN:
        raise ValueError(f"the key of check codes needs at least {KEY_BYTES_MIN} bytes")
    number = int.from_bytes(hmac.digest(key, message_id.encode(), "sha256")) % _SPACE
    code = ""
    for _ in range(LENGTH // 2):
        number, pair = divmod(number, _BASE)
        code += _PAIRS[pair]
    return code


def fill_code(text: str, code: str) -> str:
    """Return the text with its code; refuse (ValueError) a text without exactly one hole."""
    if not _CODE.fullmatch(code):
        raise ValueError("not a check code")
    if text.count(HOLE) != 1:
        raise ValueError("a text has exactly one hole for its check code")
    return text.replace(HOLE, code)


def plain(code: str) -> str:
    """Return a code as it is kept, however it was typed.

    >>> plain("h4t9-w7 kx")
    'H4T9W7KX'
    """
    return code.upper().translate(_BETWEEN)
