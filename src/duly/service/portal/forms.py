"""What stands in the fields of a form: amounts and days as people write them."""

from __future__ import annotations

from datetime import date

from duly.core.money import NotMoney, to_minor

_FULL_WIDTH = str.maketrans("０１２３４５６７８９．，", "0123456789.,")
_AMOUNT_MAX = 10**13


def amount_of(text: str, currency: str) -> int | None:
    """Return the minor units of an amount as somebody wrote it; None for what is none.

    >>> amount_of(" 1,234.5 ", "CNY"), amount_of("１２元", "CNY"), amount_of("-1", "CNY")
    (123450, 1200, None)
    """
    plain = text.strip().translate(_FULL_WIDTH).replace(",", "").replace("，", "")
    plain = plain.removeprefix("¥").removesuffix("元").strip()
    try:
        minor = to_minor(plain, currency)
    except NotMoney:
        return None
    return minor if 0 <= minor < _AMOUNT_MAX else None


def day_of(text: str) -> date | None:
    """Return a day as a date field sends it; None for what is none."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
