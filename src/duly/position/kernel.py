"""The one compiled kernel: every loan's allocation, late charge and days (contract, section 2).

A loan is replayed once for each *epoch*, the days between two reversals that took effect: a
reversed payment counts on every day before its reversal, so the charge of a day stands on the
payments alive on that day. Nearly every loan has one epoch. Days are days since 1970-01-01.
Sums stay exact: base x days is held as (quotient, remainder) by 10**8, so nothing can wrap.
"""

from __future__ import annotations

import numpy as np

from duly.position.arrays import (
    BY_AGE,
    BY_PRINCIPAL,
    CHARGE,
    CHARGEABLE,
    COMPONENT,
    E8,
    EXEMPT,
    FEE,
    INTEREST,
    NEVER,
    NONE,
    PENDING,
    PRINCIPAL,
    PRINCIPAL_FIRST,
    START,
    Covered,
    Loans,
    Money,
    Out,
    Payments,
    Schedule,
    Work,
    compiled,
)


@compiled
def covered_days(covered: Covered, loan: int, after: int, through: int) -> int:
    """Return how many days d with after < d <= through are covered."""
    days = 0
    for at in range(covered.offset[loan], covered.offset[loan + 1]):
        first = max(covered.from_day[at], after + 1)
        end = min(covered.until_day[at], through + 1)
        if end > first:
            days += end - first
    return days


@compiled
def rounded(quotient: int, remainder: int, rate_e8: int) -> int:
    """Return round half up((quotient * 10**8 + remainder) * rate), the one rounding there is."""
    return quotient * rate_e8 + (remainder * rate_e8 * 2 + E8) // (2 * E8)


@compiled
def accrue(
    work: Work, schedule: Schedule, stops: Covered, terms: tuple[int, int, int, bool, int],
    after: int, through: int, before: int,
) -> None:  # fmt: skip
    """Charge the days d with after < d <= through on what is unpaid now.

    Graces that end on a day < `before` are closed first: what counts then will bear a charge.
    """
    loan, first, rate_e8, whole_base, stop = terms
    for i in range(schedule.offset[loan + 1] - first):
        due_on = schedule.due_on[first + i]
        if due_on >= before:
            break
        grace_ends_on = max(schedule.grace_ends_on[first + i], due_on)
        counts = work.settled_on[i] == NONE
        if work.grace[i] == PENDING and grace_ends_on < before:
            work.grace[i] = CHARGEABLE if counts else EXEMPT
        if counts and work.grace[i] != EXEMPT and rate_e8 > 0:
            start, end = max(after, due_on), min(through, stop - 1)
            if end > start:
                days = end - start - covered_days(stops, loan, start, end)
                base = work.unpaid[i]
                if not whole_base:
                    base = work.owed[PRINCIPAL, i] - work.paid[PRINCIPAL, i]
                remainder = work.remainder[i] + base % E8 * days
                work.quotient[i] += base // E8 * days + remainder // E8
                work.remainder[i] = remainder % E8
        if work.grace[i] == CHARGEABLE and grace_ends_on < through:
            work.owed[CHARGE, i] = rounded(work.quotient[i], work.remainder[i], rate_e8)


@compiled
def pay(work: Work, component: int, i: int, left: int, on: int, tolerance: int) -> int:
    """Pay one component of one installment; return what is left of the money."""
    part: int = min(left, work.owed[component, i] - work.paid[component, i])
    if part <= 0:
        return left
    work.paid[component, i] += part
    if component != CHARGE:
        work.unpaid[i] -= part
        if work.unpaid[i] <= tolerance and work.settled_on[i] == NONE:
            work.settled_on[i] = on
    return left - part


@compiled
def pay_due(work: Work, allocation: int, due: int, left: int, on: int, tolerance: int) -> int:
    """Pay the first `due` installments in the loan's order; return what is left."""
    if allocation == COMPONENT:
        for component in BY_AGE:
            for i in range(due):
                left = pay(work, component, i, left, on, tolerance)
        return left
    for i in range(due):
        if left == 0:
            break
        if work.unpaid[i] == 0 and work.owed[CHARGE, i] == work.paid[CHARGE, i]:
            continue
        for component in BY_PRINCIPAL if allocation == PRINCIPAL_FIRST else BY_AGE:
            left = pay(work, component, i, left, on, tolerance)
    return left


@compiled
def waive(
    work: Work, allocation: int, code: int, due: int, left: int, on: int, tolerance: int
) -> int:
    """Apply a waiver to what is due; return what finds nothing to pay."""
    component = CHARGE if code == 0 else code - 1
    for i in range(due):
        left = pay(work, component, i, left, on, tolerance)
    return pay_due(work, allocation, due, left, on, tolerance) if code == 0 else left


@compiled
def reset(work: Work, size: int, tolerance: int) -> None:
    """Forget every payment of the loan; keep what accrued and how its graces closed."""
    for i in range(size):
        for component in range(4):
            work.paid[component, i] = 0
        work.unpaid[i] = work.owed[INTEREST, i] + work.owed[FEE, i] + work.owed[PRINCIPAL, i]
        work.settled_on[i] = NONE if work.unpaid[i] > tolerance else START


@compiled
def replay(
    work: Work, schedule: Schedule, payments: Payments, stops: Covered, loans: Loans,
    terms: tuple[int, int, int, bool, int], seen: Money, start: int, end: int,
) -> tuple[int, int]:  # fmt: skip
    """Replay the payments alive in the epoch start <= d < end; return (credit, waiver unused).

    `seen` keeps, for each payment, the charges it met; payments dated before the epoch meet
    those again. It is empty where the loan has one epoch.
    """
    loan, first, _, _, _ = terms
    size = schedule.offset[loan + 1] - first
    tolerance, allocation = loans.tolerance[loan], loans.allocation[loan]
    reset(work, size, tolerance)
    after, due, credit, unused = start - 1, 0, 0, 0
    begin = payments.offset[loan]
    for at in range(begin, payments.offset[loan + 1]):
        on = payments.paid_on[at]
        if on >= end:
            break
        if payments.reversed_on[at] <= max(start, on):
            continue
        row = (at - begin) * size
        if on >= start:
            accrue(work, schedule, stops, terms, after, on, on)
            after = on
            if seen.size > 0:
                seen[row : row + size] = work.owed[CHARGE, :size]
        else:
            work.owed[CHARGE, :size] = seen[row : row + size]
        while due < size and schedule.due_on[first + due] <= on:
            due += 1
        left = payments.amount[at]
        if payments.code[at] >= 0:
            unused += waive(work, allocation, payments.code[at], due, left, on, tolerance)
            continue
        left = pay_due(work, allocation, due, left, on, tolerance)
        for i in range(due, size):
            if left == 0:
                break
            for component in BY_AGE:
                left = pay(work, component, i, left, on, tolerance)
        credit += left
    accrue(work, schedule, stops, terms, after, end - 1, end)
    return credit, unused


@compiled
def run_of_arrears(
    work: Work, schedule: Schedule, loan: int, start: int, end: int, since: int
) -> int:
    """Return the first day of the run of days past due that holds day end - 1, else NONE.

    `since` is the same for the day before the epoch. An installment is past due on the days
    from due_on + 1 to the day before it was settled.
    """
    first = schedule.offset[loan]
    until = start if since != NONE else NONE
    for i in range(schedule.offset[loan + 1] - first):
        came = max(schedule.due_on[first + i] + 1, start)
        if came >= end:
            break
        gone = end if work.settled_on[i] == NONE else min(work.settled_on[i], end)
        if came >= gone:
            continue
        if came > until:
            since = came
        until = max(until, gone)
    return since if until == end else NONE


@compiled
def next_epoch(payments: Payments, loan: int, start: int, as_of: int) -> int:
    """Return the first reversal after `start` that took effect by as_of, else as_of + 1."""
    end = as_of + 1
    for at in range(payments.offset[loan], payments.offset[loan + 1]):
        reversed_on = payments.reversed_on[at]
        if start < reversed_on < end and payments.paid_on[at] < reversed_on:
            end = reversed_on
    return end


@compiled
def last_paid(payments: Payments, loan: int, as_of: int) -> tuple[int, int, int]:
    """Return (day of the last counted row, of the last counted payment, sum of payments)."""
    last_row, last_payment, total = NONE, NONE, 0
    for at in range(payments.offset[loan], payments.offset[loan + 1]):
        if payments.paid_on[at] <= as_of < payments.reversed_on[at]:
            last_row = max(last_row, payments.paid_on[at])
            if payments.code[at] < 0:
                last_payment = max(last_payment, payments.paid_on[at])
                total += payments.amount[at]
    return last_row, last_payment, total


@compiled
def summarize(
    work: Work, schedule: Schedule, pauses: Covered, out: Out, loan: int, as_of: int, keep: bool
) -> None:
    """Write one loan's columns from its last replay."""
    first = schedule.offset[loan]
    money, days = out.money[:, loan], out.days[:, loan]
    for i in range(schedule.offset[loan + 1] - first):
        at = first + i
        due_on, settled_on = schedule.due_on[at], work.settled_on[i]
        counts = settled_on == NONE
        late_days = max((as_of if counts else settled_on) - due_on, 0)
        unpaid = work.unpaid[i]
        charge = work.owed[CHARGE, i] - work.paid[CHARGE, i]
        money[3] += charge
        for column in range(3):  # principal, interest, fee
            component = PRINCIPAL if column == 0 else column
            rest = work.owed[component, i] - work.paid[component, i]
            money[5 + column] += rest
            if due_on < as_of:
                money[column] += rest
        if due_on < as_of and counts:
            if days[4] == 0:
                days[0], days[2] = as_of - due_on, due_on
                grace_ends_on = schedule.grace_ends_on[at]
                paused = covered_days(pauses, loan, due_on, as_of)
                days[1] = max(as_of - grace_ends_on - paused, 0)
                days[10], days[11] = grace_ends_on, schedule.number[at]
            days[4] += 1
        if as_of - 365 <= due_on < as_of and late_days > 0:
            days[7] += 1
            days[8] += (as_of if counts else settled_on) > schedule.grace_ends_on[at]
            days[9] = max(days[9], late_days)
        if due_on >= as_of and unpaid > 0 and (days[5] == NONE or days[5] == due_on):
            days[5] = due_on
            money[9] += unpaid
        if keep:
            out.parts[0, at] = work.paid[PRINCIPAL, i]
            out.parts[1, at] = work.paid[INTEREST, i]
            out.parts[2, at] = work.paid[FEE, i]
            out.parts[3, at] = work.owed[CHARGE, i]
            out.parts[4, at] = work.paid[CHARGE, i]
            out.parts[5, at] = unpaid
            out.settled_on[at] = NONE if settled_on == START else settled_on
            out.late_days[at] = late_days
    money[4] = money[0] + money[1] + money[2] + money[3]
    money[8] = money[5] + money[6] + money[7] + money[3]


@compiled
def positions(
    loans: Loans, schedule: Schedule, payments: Payments, stops: Covered, pauses: Covered,
    out: Out, begin: int, until: int, as_of: int, keep: bool,
) -> None:  # fmt: skip
    """Compute the loans begin <= loan < until; what one writes no other reads."""
    longest = 0
    for loan in range(begin, until):
        longest = max(longest, schedule.offset[loan + 1] - schedule.offset[loan])
    work = Work(
        np.zeros((4, longest), np.int64), np.zeros((4, longest), np.int64),
        np.zeros(longest, np.int64), np.zeros(longest, np.int32), np.zeros(longest, np.int8),
        np.zeros(longest, np.int64), np.zeros(longest, np.int64),
    )  # fmt: skip
    for loan in range(begin, until):
        if loans.skipped[loan]:
            continue
        first = schedule.offset[loan]
        size = schedule.offset[loan + 1] - first
        work.owed[CHARGE, :size] = 0
        work.owed[INTEREST, :size] = schedule.interest[first : first + size]
        work.owed[FEE, :size] = schedule.fee[first : first + size]
        work.owed[PRINCIPAL, :size] = schedule.principal[first : first + size]
        work.grace[:size] = PENDING
        work.quotient[:size] = 0
        work.remainder[:size] = 0
        last_row, last_payment, total = last_paid(payments, loan, as_of)
        stop = NEVER
        if loans.ended[loan]:
            stop = loans.status_on[loan]
            if stop == NONE:
                stop = last_row
            if stop == NONE and size > 0:
                stop = schedule.due_on[first]
        terms = (loan, first, loans.late_rate_e8[loan], loans.whole_base[loan] == 1, stop)
        start, since = START, NONE
        end = next_epoch(payments, loan, start, as_of)
        count = payments.offset[loan + 1] - payments.offset[loan]
        seen = np.zeros(count * size if end <= as_of else 0, np.int64)
        while True:
            credit, unused = replay(work, schedule, payments, stops, loans, terms, seen, start, end)
            since = run_of_arrears(work, schedule, loan, start, end, since)
            if end > as_of:
                break
            start, end = end, next_epoch(payments, loan, end, as_of)
        money, days = out.money[:, loan], out.days[:, loan]
        money[10], money[11], money[12] = credit, unused, total
        days[2], days[3], days[5], days[6] = NONE, since, NONE, last_payment
        days[10], days[11] = NONE, NONE
        summarize(work, schedule, pauses, out, loan, as_of, keep)
