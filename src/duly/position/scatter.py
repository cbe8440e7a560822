"""Compiled leaves of the reading: counting sort of children by loan, and the order within one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duly.position.arrays import Codes, Days, Money, Offsets, Payments, Schedule, compiled

Index = npt.NDArray[np.int32]


@compiled
def count(loan: Index, low: int, counts: Offsets) -> None:
    """Add to `counts[i + 1]` the rows of loan `low + i`; other loans are passed over."""
    for at in range(loan.size):
        row = loan[at] - low
        if 0 <= row < counts.size - 1:
            counts[row + 1] += 1


@compiled
def place(loan: Index, low: int, following: Offsets, target: Offsets) -> None:
    """Fill `target` with each row's slot (-1: not wanted), moving its loan's next free slot."""
    for at in range(loan.size):
        row = loan[at] - low
        target[at] = -1
        if 0 <= row < following.size - 1:
            target[at] = following[row]
            following[row] += 1


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


@compiled
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


@compiled
def sort_schedule(schedule: Schedule, begin: int, until: int) -> None:
    """Order the installments of each loan begin <= loan < until by (due_on, number)."""
    for loan in range(begin, until):
        first, end = schedule.offset[loan], schedule.offset[loan + 1]
        key = np.empty(end - first, np.int64)
        for at in range(first, end):
            key[at - first] = schedule.due_on[at] * 2**32 + schedule.number[at]
        origin = np.arange(end - first)
        if order(key, origin, end - first):
            for days in (schedule.due_on, schedule.grace_ends_on, schedule.number):
                days[first:end] = days[first:end][origin]
            for money in (schedule.interest, schedule.fee, schedule.principal):
                money[first:end] = money[first:end][origin]


@compiled
def sort_payments(payments: Payments, begin: int, until: int) -> None:
    """Order the rows of each loan by (paid_on, payments before waivers, rank of the waiver).

    Payments of one day keep no order among themselves: only their sum matters.
    """
    for loan in range(begin, until):
        first, end = payments.offset[loan], payments.offset[loan + 1]
        key = np.empty(end - first, np.int64)
        for at in range(first, end):
            waiver = payments.code[at] >= 0
            key[at - first] = (payments.paid_on[at] * 2 + waiver) * 2**32 + payments.rank[at]
        origin = np.arange(end - first)
        if order(key, origin, end - first):
            for days in (payments.paid_on, payments.reversed_on, payments.rank):
                days[first:end] = days[first:end][origin]
            payments.amount[first:end] = payments.amount[first:end][origin]
            payments.code[first:end] = payments.code[first:end][origin]
