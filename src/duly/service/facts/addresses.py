"""When are two addresses the same? The key of plan.addresses, for one address at a time."""

from __future__ import annotations

import re

_NOT_DIGITS = re.compile("[^0-9]")
_CHINA = re.compile("(?:00)?86([0-9]{11})")
_INLAND = 11  #: digits of a mobile number of mainland China


def key_of(address: str) -> str:
    """Return what is equal for equal addresses, as the stages of a plan have it.

    >>> key_of("+86 138-0000-0000")
    '13800000000'
    """
    if "@" in address:
        return address.strip().lower()
    digits = _NOT_DIGITS.sub("", address)
    inland = _CHINA.fullmatch(digits)
    return inland[1] if inland else digits


def spellings(key: str) -> tuple[str, ...]:
    """Return the usual ways to write the address of a key, for a look into an index.

    >>> spellings("13800000000")
    ('13800000000', '+8613800000000', '8613800000000', '008613800000000')
    """
    if "@" in key:
        return (key,)
    return (key, f"+86{key}", f"86{key}", f"0086{key}", f"+{key}", f"00{key}")[
        : 4 if len(key) == _INLAND else 6
    ]
