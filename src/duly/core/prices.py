"""Prices of messages, exact: whole ten-thousandths of a currency's unit (0.045 yuan are 450)."""

from __future__ import annotations

import re

SCALE = 10_000
_PRICE = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,4}))?")
_HUNDREDTHS = SCALE // 100
_DECIMALS, _LEAST_DECIMALS = 4, 2


class NotAPrice(ValueError):
    """The text is no price."""


def of_text(text: str) -> int:
    """Return the ten-thousandths of a decimal text; refuse (NotAPrice) a fifth decimal and signs.

    >>> of_text("0.045"), of_text("1")
    (450, 10000)
    """
    found = _PRICE.fullmatch(text)
    if found is None:
        raise NotAPrice(text)
    return int(found[1]) * SCALE + int((found[2] or "").ljust(_DECIMALS, "0"))


def of_hundredths(hundredths: int) -> int:
    """Return the ten-thousandths of an amount of the lender file's `limits`."""
    return hundredths * _HUNDREDTHS


def shown(price: int) -> str:
    """Return the plain decimal text of a price or of a sum of prices.

    >>> shown(450), shown(50_000_000), shown(5)
    ('0.045', '5000.00', '0.0005')
    """
    whole, fraction = divmod(price, SCALE)
    digits = str(fraction).rjust(_DECIMALS, "0").rstrip("0").ljust(_LEAST_DECIMALS, "0")
    return f"{whole}.{digits}"
