"""When are two addresses the same? However a number or an e-mail address is written."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NOT_DIGITS = re.compile("[^0-9]")
_CHINA = re.compile("(?:00)?86([0-9]{11})")
_AROUND = " \t\r\n"  #: what may stand around an e-mail address
_INLAND = 11  #: digits of a mobile number of mainland China


def key_sql(column: str) -> str:
    """Return SQL of what is equal for equal addresses.

    A number is its digits, the country code of mainland China (86, 0086, +86) taken off where
    eleven digits remain; an e-mail address is read without regard to capitals.
    """
    digits = f"regexp_replace({column}, '[^0-9]', '', 'g')"
    number = f"regexp_replace({digits}, '^(?:00)?86([0-9]{{11}})$', '\\1')"
    mail = f"lower(trim({column}, '{_AROUND}'))"
    return f"case when contains({column}, '@') then {mail} else {number} end"


def keys() -> Mapping[str, str]:
    """Return the holes of the stages: the key of a contact point, and of one known to be wrong."""
    return {"address_key": key_sql("c.address"), "address_key_known": key_sql("w.address")}


def key_of(address: str) -> str:
    """Return the key of one address, the same as `key_sql` has it.

    >>> key_of("+86 138-0000-0000")
    '13800000000'
    """
    if "@" in address:
        return address.strip(_AROUND).lower()
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
