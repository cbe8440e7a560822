"""The few small texts of a policy file: days, offsets, shares, amounts."""

from __future__ import annotations

import re

from duly.policy.model import Offset

DAYS_MAX = 3_650

_DAYS = re.compile(r"([0-9]{1,4}) days?")
_OFFSET = re.compile(
    r"(?:(after_grace)(?: \+ ([0-9]{1,4}) days?)?|([0-9]{1,4}) days?)"
    r"(?:, at most ([0-9]{1,4}) days?)?"
)
_SHARE = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))? ?%")
_AMOUNT = re.compile(r"([0-9]{1,9})(?:\.([0-9]{2}))?")


def days(text: str) -> int | None:
    """Return the count of `N days`, or None.

    >>> days("10 days")
    10
    """
    found = _DAYS.fullmatch(text.strip())
    return int(found[1]) if found and int(found[1]) <= DAYS_MAX else None


def offset(text: str) -> Offset | None:
    """Return the offset of a first contact, or None.

    >>> str(offset("after_grace + 4 days, at most 8 days"))
    'after_grace + 4 days, at most 8 days'
    """
    found = _OFFSET.fullmatch(" ".join(text.split()))
    if not found:
        return None
    grace, plus, plain, most = found.groups()
    made = Offset(
        after_grace=bool(grace),
        plus_days=int(plus or plain or 0),
        at_most_days=int(most) if most else None,
    )
    return made if max(made.plus_days, made.at_most_days or 0) <= DAYS_MAX else None


def basis_points(text: str) -> int | None:
    """Return a share such as `33.34 %` in basis points, or None.

    >>> basis_points("33.34 %")
    3334
    """
    found = _SHARE.fullmatch(text.strip())
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else None


def minor_units(text: str) -> int | None:
    """Return an amount in major units with no or two decimals as minor units, or None.

    >>> minor_units("20.00")
    2000
    """
    found = _AMOUNT.fullmatch(text.strip())
    return int(found[1]) * 100 + int(found[2] or 0) if found else None
