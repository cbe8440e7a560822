"""Compiled leaves of the reading: counting sort of children by loan, and the order within one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duly.position.arrays import Codes, Days, Money, Offsets, Payments, Schedule, compiled, leaf

Index = npt.NDArray[np.int32]


@compiled
def rises(loan: Index, before: int) -> bool:
    """Say whether the loans never go back, the first not behind `before`."""
    for at in range(loan.size):
        if loan[at] < before:
            return False
        before = loan[at]
    return True


@compiled
def count(loan: Index, low: int, counts: Offsets) -> None:
    """Add to `counts[i + 1]` the rows of loan `low + i`; other loans are passed over."""
    for at in range(loan.size):
        row = loan[at] - low
        if 0 <= row < counts.size - 1:
            counts[row + 1] += 1


@compiled
def place(loan: Index, low: int, following: Offsets, target: Offsets) -> int:
    """Fill `target` with each row's slot (-1: not wanted), moving its loan's next free slot.

    Returns the first slot where the rows fill slots one after the other, else -1.
    """
    together = loan.size > 0
    for at in range(loan.size):
        row = loan[at] - low
        target[at] = -1
        if 0 <= row < following.size - 1:
            target[at] = following[row]
            following[row] += 1
        together = together and target[at] >= 0 and target[at] == target[0] + at
    return target[0] if together else -1


@compiled
def put_days(target: Offsets, values: Days, column: Days) -> None:
    """Write each value to its slot."""
    for at in range(target.size):
        if target[at] >= 0:
            column[target[at]] = values[at]


@compiled
def put_money(target: Offsets, values: Money, column: Money) -> None:
    """Write each value to its slot."""
    for at in range(target.size):
        if target[at] >= 0:
            column[target[at]] = values[at]


@compiled
def put_codes(target: Offsets, values: Codes, column: Codes) -> None:
    """Write each value to its slot."""
    for at in range(target.size):
        if target[at] >= 0:
            column[target[at]] = values[at]


@leaf
def order(key: Money, place: Offsets, size: int) -> bool:
    """Sort `key` with `place` by Shell's method; return whether anything moved."""
    moved = False
    gap = 1
    while gap < size // 9:
        gap = 3 * gap + 1
    while gap > 0:
        for at in range(gap, size):
            value, origin, to = key[at], place[at], at
            while to >= gap and key[to - gap] > value:
                key[to], place[to] = key[to - gap], place[to - gap]
                to -= gap
                moved = True
            key[to], place[to] = value, origin
        gap //= 3
    return moved


@leaf
def arrange_days(origin: Offsets, first: int, size: int, column: Days, spare: Offsets) -> None:
    """Put one loan's values in the order of `origin`."""
    for at in range(size):
        spare[at] = column[first + origin[at]]
    for at in range(size):
        column[first + at] = spare[at]


@leaf
def arrange_money(origin: Offsets, first: int, size: int, column: Money, spare: Offsets) -> None:
    """Put one loan's values in the order of `origin`."""
    for at in range(size):
        spare[at] = column[first + origin[at]]
    for at in range(size):
        column[first + at] = spare[at]


@leaf
def arrange_codes(origin: Offsets, first: int, size: int, column: Codes, spare: Offsets) -> None:
    """Put one loan's values in the order of `origin`."""
    for at in range(size):
        spare[at] = column[first + origin[at]]
    for at in range(size):
        column[first + at] = spare[at]


@leaf
def longest(offset: Offsets, begin: int, until: int) -> int:
    """Return the most rows that one loan has, at least 1."""
    most = 1
    for loan in range(begin, until):
        most = max(most, offset[loan + 1] - offset[loan])
    return most


@compiled
def sort_schedule(schedule: Schedule, begin: int, until: int) -> None:
    """Order the installments of each loan begin <= loan < until by (due_on, number)."""
    most = longest(schedule.offset, begin, until)
    key, origin = np.empty(most, np.int64), np.empty(most, np.int64)
    spare = np.empty(most, np.int64)
    for loan in range(begin, until):
        first = schedule.offset[loan]
        size = schedule.offset[loan + 1] - first
        rising = True
        for at in range(size):
            key[at] = schedule.due_on[first + at] * 2**32 + schedule.number[first + at]
            origin[at] = at
            rising = rising and (at == 0 or key[at - 1] <= key[at])
        if not rising and order(key, origin, size):
            arrange_days(origin, first, size, schedule.due_on, spare)
            arrange_days(origin, first, size, schedule.grace_ends_on, spare)
            arrange_days(origin, first, size, schedule.number, spare)
            arrange_money(origin, first, size, schedule.interest, spare)
            arrange_money(origin, first, size, schedule.fee, spare)
            arrange_money(origin, first, size, schedule.principal, spare)


@compiled
def sort_payments(payments: Payments, begin: int, until: int) -> None:
    """Order the rows of each loan by (paid_on, payments before waivers, rank of the waiver).

    Payments of one day keep no order among themselves: only their sum matters.
    """
    most = longest(payments.offset, begin, until)
    key, origin = np.empty(most, np.int64), np.empty(most, np.int64)
    spare = np.empty(most, np.int64)
    for loan in range(begin, until):
        first = payments.offset[loan]
        size = payments.offset[loan + 1] - first
        rising = True
        for at in range(size):
            waiver = payments.code[first + at] >= 0
            day = payments.paid_on[first + at] * 2 + waiver
            key[at] = day * 2**32 + payments.rank[first + at]
            origin[at] = at
            rising = rising and (at == 0 or key[at - 1] <= key[at])
        if not rising and order(key, origin, size):
            arrange_days(origin, first, size, payments.paid_on, spare)
            arrange_days(origin, first, size, payments.reversed_on, spare)
            arrange_days(origin, first, size, payments.rank, spare)
            arrange_money(origin, first, size, payments.amount, spare)
            arrange_codes(origin, first, size, payments.code, spare)
