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
    DAYS,
    DUE_ON,
    E8,
    EXEMPT,
    FEE,
    GRACE,
    GRACE_ENDS_ON,
    INTEREST,
    MONEY,
    NEVER,
    NONE,
    OWED,
    PAID,
    PENDING,
    PRINCIPAL,
    PRINCIPAL_FIRST,
    QUOTIENT,
    REMAINDER,
    SETTLED_ON,
    START,
    UNPAID,
    WIDTH,
    Covered,
    Loans,
    Money,
    Out,
    Payments,
    Schedule,
    Work,
    compiled,
    leaf,
    wide,
)
from duly.position.scatter import longest

_MONEY, _DAYS = len(MONEY), len(DAYS)
Terms = tuple[int, int, bool, int, int, int]  #: loan, rate, whole base, stop, tolerance, allocation


@leaf
def covered_days(covered: Covered, loan: int, after: int, through: int) -> int:
    """Return how many days d with after < d <= through are covered."""
    days = 0
    for at in range(covered.offset[loan], covered.offset[loan + 1]):
        first = max(covered.from_day[at], after + 1)
        end = min(covered.until_day[at], through + 1)
        if end > first:
            days += end - first
    return days


@leaf
def rounded(quotient: int, remainder: int, rate_e8: int) -> int:
    """Return round half up((quotient * 10**8 + remainder) * rate), the one rounding there is."""
    return quotient * rate_e8 + (remainder * rate_e8 * 2 + E8) // (2 * E8)


@leaf
def accrue(
    work: Work, done: int, size: int, stops: Covered, terms: Terms,
    after: int, through: int, before: int,
) -> None:  # fmt: skip
    """Charge the days d with after < d <= through on what is unpaid now.

    Graces that end on a day < `before` are closed first: what counts then will bear a charge.
    """
    loan, rate_e8, whole_base, stop, _, _ = terms
    for i in range(done, size):
        due_on = work[i, DUE_ON]
        if due_on >= before:
            break
        grace_ends_on = max(work[i, GRACE_ENDS_ON], due_on)
        counts = work[i, SETTLED_ON] == NONE
        if work[i, GRACE] == PENDING and grace_ends_on < before:
            work[i, GRACE] = CHARGEABLE if counts else EXEMPT
        if counts and work[i, GRACE] != EXEMPT and rate_e8 > 0:
            start, end = max(after, due_on), min(through, stop - 1)
            if end > start:
                days = end - start - covered_days(stops, loan, start, end)
                base = work[i, UNPAID]
                if not whole_base:
                    base = work[i, OWED + PRINCIPAL] - work[i, PAID + PRINCIPAL]
                remainder = work[i, REMAINDER] + base % E8 * days
                work[i, QUOTIENT] += base // E8 * days + remainder // E8
                work[i, REMAINDER] = remainder % E8
        if work[i, GRACE] == CHARGEABLE and grace_ends_on < through:
            work[i, OWED + CHARGE] = rounded(work[i, QUOTIENT], work[i, REMAINDER], rate_e8)


@leaf
def pay(work: Work, component: int, i: int, left: int, on: int, tolerance: int) -> int:
    """Pay one component of one installment; return what is left of the money."""
    part: int = min(left, work[i, OWED + component] - work[i, PAID + component])
    if part <= 0:
        return left
    work[i, PAID + component] += part
    if component != CHARGE:
        work[i, UNPAID] -= part
        if work[i, UNPAID] <= tolerance and work[i, SETTLED_ON] == NONE:
            work[i, SETTLED_ON] = on
    return left - part


@leaf
def pay_due(work: Work, done: int, due: int, terms: Terms, left: int, on: int) -> int:
    """Pay the installments done <= i < due in the loan's order; return what is left."""
    _, _, _, _, tolerance, allocation = terms
    if allocation == COMPONENT:
        for component in BY_AGE:
            for i in range(done, due):
                left = pay(work, component, i, left, on, tolerance)
        return left
    for i in range(done, due):
        if left == 0:
            break
        for component in BY_PRINCIPAL if allocation == PRINCIPAL_FIRST else BY_AGE:
            left = pay(work, component, i, left, on, tolerance)
    return left


@leaf
def allocate(
    work: Work, done: int, due: int, size: int, terms: Terms, code: int, left: int, on: int
) -> int:
    """Allocate one row of payments; return what is left: credit, or an unused waiver.

    `code` -1 is a payment, 0 a waiver of anything, else one more than the component waived.
    """
    if code >= 0:
        component = CHARGE if code == 0 else code - 1
        for i in range(done, due):
            left = pay(work, component, i, left, on, terms[4])
        return pay_due(work, done, due, terms, left, on) if code == 0 else left
    left = pay_due(work, done, due, terms, left, on)
    for i in range(due, size):
        if left == 0:
            break
        for component in BY_AGE:
            left = pay(work, component, i, left, on, terms[4])
    return left


@leaf
def reset(work: Work, size: int, tolerance: int) -> None:
    """Forget every payment of the loan; keep what accrued and how its graces closed."""
    for i in range(size):
        for component in range(4):
            work[i, PAID + component] = 0
        work[i, UNPAID] = work[i, OWED + INTEREST] + work[i, OWED + FEE] + work[i, OWED + PRINCIPAL]
        work[i, SETTLED_ON] = NONE if work[i, UNPAID] > tolerance else START


@leaf
def replay(
    work: Work, size: int, payments: Payments, stops: Covered, terms: Terms, seen: Money,
    start: int, end: int,
) -> tuple[int, int]:  # fmt: skip
    """Replay the payments alive in the epoch start <= d < end; return (credit, waiver unused).

    `seen` keeps, for each payment, the charges it met; payments dated before the epoch meet
    those again. It is empty where the loan has one epoch: there, what is paid off stays so, and
    the installments before `done` need not be looked at again.
    """
    loan = terms[0]
    reset(work, size, terms[4])
    after, done, due = start - 1, wide(0), wide(0)  # One type for the calls below.
    credit, unused = 0, 0
    begin = payments.offset[loan]
    for at in range(begin, payments.offset[loan + 1]):
        on, code = wide(payments.paid_on[at]), wide(payments.code[at])
        if on >= end:
            break
        if payments.reversed_on[at] <= max(start, on):
            continue
        row = (at - begin) * size
        if on >= start:
            accrue(work, done, size, stops, terms, after, on, on)
            after = on
            if seen.size > 0:
                for i in range(size):
                    seen[row + i] = work[i, OWED + CHARGE]
        else:
            for i in range(size):
                work[i, OWED + CHARGE] = seen[row + i]
        while due < size and work[due, DUE_ON] <= on:
            due += 1
        left = allocate(work, done, due, size, terms, code, payments.amount[at], on)
        if code >= 0:
            unused += left
        else:
            credit += left
        while (
            seen.size == 0 and done < due and work[done, UNPAID] == 0
            and work[done, OWED + CHARGE] == work[done, PAID + CHARGE]
        ):  # fmt: skip
            done += 1
    accrue(work, done, size, stops, terms, after, end - 1, end)
    return credit, unused


@leaf
def run_of_arrears(work: Work, size: int, start: int, end: int, since: int) -> int:
    """Return the first day of the run of days past due that holds day end - 1, else NONE.

    `since` is the same for the day before the epoch. An installment is past due on the days
    from due_on + 1 to the day before it was settled.
    """
    until = start if since != NONE else NONE
    for i in range(size):
        came = max(work[i, DUE_ON] + 1, start)
        if came >= end:
            break
        gone = end if work[i, SETTLED_ON] == NONE else min(work[i, SETTLED_ON], end)
        if came >= gone:
            continue
        if came > until:
            since = came
        until = max(until, gone)
    return since if until == end else NONE


@leaf
def next_epoch(payments: Payments, loan: int, start: int, as_of: int) -> int:
    """Return the first reversal after `start` that took effect by as_of, else as_of + 1."""
    end = as_of + 1
    for at in range(payments.offset[loan], payments.offset[loan + 1]):
        reversed_on = payments.reversed_on[at]
        if start < reversed_on < end and payments.paid_on[at] < reversed_on:
            end = reversed_on
    return end


@leaf
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


@leaf
def summarize(
    work: Work, size: int, stops: Covered, pauses: Covered, terms: Terms, as_of: int,
    money: Money, days: Money,
) -> int:  # fmt: skip
    """Add up one loan from its last replay; return the row of its oldest counting installment.

    `money` and `days` are filled in the order of MONEY and DAYS; `days` has arrears_since.
    """
    loan, rate_e8, whole_base, stop, _, _ = terms
    stopped = rate_e8 == 0 or as_of >= stop or covered_days(stops, loan, as_of - 1, as_of) > 0
    oldest = -1
    for i in range(size):
        due_on, settled_on = work[i, DUE_ON], work[i, SETTLED_ON]
        counts = settled_on == NONE
        seen_on = as_of if counts else settled_on
        money[3] += work[i, OWED + CHARGE] - work[i, PAID + CHARGE]
        for column in range(3):  # principal, interest, fee
            component = PRINCIPAL if column == 0 else column
            rest = work[i, OWED + component] - work[i, PAID + component]
            money[5 + column] += rest
            if due_on < as_of:
                money[column] += rest
        if due_on < as_of and counts:
            if oldest < 0:
                oldest = i
                days[0], days[2] = as_of - due_on, due_on
                paused = covered_days(pauses, loan, due_on, as_of)
                days[1] = max(as_of - work[i, GRACE_ENDS_ON] - paused, 0)
                days[10] = work[i, GRACE_ENDS_ON]
            days[4] += 1
            if not stopped and work[i, GRACE] == CHARGEABLE and as_of > work[i, GRACE_ENDS_ON]:
                principal = work[i, OWED + PRINCIPAL] - work[i, PAID + PRINCIPAL]
                days[13] += (work[i, UNPAID] if whole_base else principal) > 0
        if as_of - 365 <= due_on < as_of and seen_on > due_on:
            days[7] += 1
            days[8] += seen_on > work[i, GRACE_ENDS_ON]
            if not counts and (days[3] == NONE or due_on + 1 < days[3]):
                days[12] += seen_on > work[i, GRACE_ENDS_ON]
            days[9] = max(days[9], seen_on - due_on)
        if due_on >= as_of and work[i, UNPAID] > 0 and (days[5] == NONE or days[5] == due_on):
            days[5] = due_on
            money[9] += work[i, UNPAID]
    money[4] = money[0] + money[1] + money[2] + money[3]
    money[8] = money[5] + money[6] + money[7] + money[3]
    return oldest


@leaf
def keep_parts(work: Work, size: int, out: Out, first: int, as_of: int) -> None:
    """Write the columns of one loan's installments."""
    for i in range(size):
        settled_on = work[i, SETTLED_ON]
        out.parts[0, first + i] = work[i, PAID + PRINCIPAL]
        out.parts[1, first + i] = work[i, PAID + INTEREST]
        out.parts[2, first + i] = work[i, PAID + FEE]
        out.parts[3, first + i] = work[i, OWED + CHARGE]
        out.parts[4, first + i] = work[i, PAID + CHARGE]
        out.parts[5, first + i] = work[i, UNPAID]
        out.settled_on[first + i] = NONE if settled_on == START else settled_on
        seen_on = as_of if settled_on == NONE else settled_on
        out.late_days[first + i] = max(seen_on - work[i, DUE_ON], 0)


@leaf
def load(work: Work, size: int, schedule: Schedule, first: int) -> None:
    """Lay one loan's installments out, nothing accrued and no grace closed."""
    for i in range(size):
        work[i, OWED + CHARGE] = 0
        work[i, OWED + INTEREST] = schedule.interest[first + i]
        work[i, OWED + FEE] = schedule.fee[first + i]
        work[i, OWED + PRINCIPAL] = schedule.principal[first + i]
        work[i, GRACE] = PENDING
        work[i, QUOTIENT] = 0
        work[i, REMAINDER] = 0
        work[i, DUE_ON] = schedule.due_on[first + i]
        work[i, GRACE_ENDS_ON] = schedule.grace_ends_on[first + i]


@leaf
def accrual_stop(loans: Loans, loan: int, last_row: int, first_due: int) -> int:
    """Return the first day that bears no charge because the loan has ended, else NEVER."""
    if not loans.ended[loan]:
        return NEVER
    if loans.status_on[loan] != NONE:
        return int(loans.status_on[loan])
    return first_due if last_row == NONE else last_row


@compiled
def positions(
    loans: Loans, schedule: Schedule, payments: Payments, stops: Covered, pauses: Covered,
    out: Out, begin: int, until: int, as_of: int, keep: bool,
) -> None:  # fmt: skip
    """Compute the loans begin <= loan < until; what one writes no other reads."""
    work = np.zeros((longest(schedule.offset, begin, until), WIDTH), np.int64)
    money, days = np.zeros(_MONEY, np.int64), np.zeros(_DAYS, np.int64)
    nothing = np.zeros(0, np.int64)
    for loan in range(begin, until):
        if loans.skipped[loan]:
            continue
        first = schedule.offset[loan]
        size = schedule.offset[loan + 1] - first
        load(work, size, schedule, first)
        last_row, last_payment, total = last_paid(payments, loan, as_of)
        stop = accrual_stop(loans, loan, last_row, work[0, DUE_ON])
        terms = (
            loan, loans.late_rate_e8[loan], loans.whole_base[loan] == 1, stop,
            loans.tolerance[loan], loans.allocation[loan],
        )  # fmt: skip
        start, since = wide(START), wide(NONE)
        end = next_epoch(payments, loan, start, as_of)
        seen = nothing
        if end <= as_of:
            seen = np.zeros((payments.offset[loan + 1] - payments.offset[loan]) * size, np.int64)
        while True:
            credit, unused = replay(work, size, payments, stops, terms, seen, start, end)
            since = run_of_arrears(work, size, start, end, since)
            if end > as_of:
                break
            start, end = end, next_epoch(payments, loan, end, as_of)
        money[10], money[11], money[12] = credit, unused, total
        days[2], days[3], days[5], days[6] = NONE, since, NONE, last_payment
        days[10], days[11] = NONE, NONE
        oldest = summarize(work, size, stops, pauses, terms, as_of, money, days)
        if oldest >= 0:
            days[11] = schedule.number[first + oldest]
        for column in range(_MONEY):
            out.money[column, loan] = money[column]
            money[column] = 0
        for column in range(_DAYS):
            out.days[column, loan] = days[column]
            days[column] = 0
        if keep:
            keep_parts(work, size, out, first, as_of)
