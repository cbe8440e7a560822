"""How money can be planned: what is left, how long saving and paying off take, what lateness costs.

Amounts are minor units, rates 1/10^8; nothing here knows a loan of anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duly.core.errors import DulyError

_E8 = 10**8
_MONTHS = 12
MONTHS_MAX = 600  #: fifty years: longer is never


class NeverDoneError(DulyError):
    """The amount a month does not get there in fifty years."""


@dataclass(frozen=True, kw_only=True)
class Balance:
    """A month: what comes in, what goes out, what is left; below nought it is short."""

    income: int
    outgoing: int
    left: int


@dataclass(frozen=True, kw_only=True)
class PayOff:
    """A debt paid off by equal payments: `months` of them, the last one smaller or equal."""

    months: int
    interest: int
    last: int


def balance(incomes: Sequence[int], outgoings: Sequence[int]) -> Balance:
    """Return what a month leaves.

    >>> balance([500_000, 20_000], [300_000, 150_000]).left
    70000
    """
    income, outgoing = sum(incomes), sum(outgoings)
    return Balance(income=income, outgoing=outgoing, left=income - outgoing)


def months_to_save(goal: int, have: int, monthly: int) -> int:
    """Return after how many months a goal is reached, without interest; refused: never.

    >>> months_to_save(100_000, 10_000, 20_000)
    5
    """
    missing = max(0, goal - have)
    if not missing:
        return 0
    if monthly <= 0 or missing > monthly * MONTHS_MAX:
        raise NeverDoneError
    return -(-missing // monthly)


def monthly_to_save(goal: int, have: int, months: int) -> int:
    """Return the least amount a month that reaches a goal in so many months, without interest.

    >>> monthly_to_save(100_000, 0, 3)
    33334
    """
    assert months > 0, "no month has no saving"
    return -(-max(0, goal - have) // months)


def pay_off(owed: int, rate_e8: int, monthly: int) -> PayOff:
    """Return how a debt ends with an amount a month, at a yearly rate; refused: never.

    Each month bears a twelfth of the year's interest on what is left, rounded half up, then the
    payment comes.

    >>> pay_off(100_000, 12_000_000, 50_000)
    PayOff(months=3, interest=1515, last=1515)
    """
    if owed <= 0:
        return PayOff(months=0, interest=0, last=0)
    left, interest = owed, 0
    for month in range(1, MONTHS_MAX + 1):
        more = _half_up(left * rate_e8, _MONTHS * _E8)
        if monthly <= 0 or (more >= monthly and left + more > monthly):
            raise NeverDoneError
        interest += more
        left += more
        if left <= monthly:
            return PayOff(months=month, interest=interest, last=left)
        left -= monthly
    raise NeverDoneError


def late_charge(base: int, rate_e8: int, days: int) -> int:
    """Return what days of lateness cost at a daily rate, rounded half up once at the end.

    >>> late_charge(60_000, 50_000, 30)
    900
    """
    return _half_up(base * rate_e8 * days, _E8)


def _half_up(value: int, by: int) -> int:
    return (2 * value + by) // (2 * by)
