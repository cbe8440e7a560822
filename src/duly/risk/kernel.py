"""The compiled reading of a past: features as of a day, and what came of them later.

Money pays what was scheduled first, oldest first; what is over pays the charges of late days, then
later installments. A charge therefore never makes an installment late by itself, and an
installment of which at most a hundredth (or the loan's tolerance) is missing is paid.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duly.position.arrays import E8, NEVER, NONE, Days, Money, Offsets, compiled, leaf
from duly.risk.feature_table import NAMES
from duly.risk.past import Past

Matrix = npt.NDArray[np.float32]
Settled = tuple[int, int, int, int, int]  #: paid, last paid on, payments, returned, parts

(
    INSTALLMENTS_TOTAL, NEXT_NUMBER, DAYS_TO_DUE, GAP_DAYS, LOAN_AGE, DUE_WEEKDAY, DUE_DAY,
    DAYS_TO_FIRST, PRODUCT, ANNUAL_RATE, NEXT_SHARE, NEXT_INTEREST, PRINCIPAL_RELATIVE,
    NEXT_RELATIVE,
    DUE_COUNT, LATE_COUNT, LATE_SHARE, ANY_LATE_SHARE, LATE_MEAN, LATE_MAX, LAST_LATE, LAST_TWO,
    OPEN_COUNT, OPEN_DAYS, STREAK, PAID_OF_OPEN, PAID_SHARE, PAID_OF_DUE, SINCE_PAID, PAYMENTS,
    RETURNED, PREPAID, CHANGE, SPREAD, OVERDUE_SHARE, OPEN_NUMBER, LATE_LEAST, OVER_USUAL,
    OTHERS, OTHERS_OPEN, OTHERS_LATE, OTHERS_DAYS, INCOME_LOAD, INCOME_RELATIVE, PAYMENT_SIZE,
    PARTS_SHARE, TEXTS, ANSWERS, ANSWER_NEAR, PROMISED, KEPT, BROKEN, PROMISE_OPEN, RELATED,
    RELATED_LATE,
) = range(len(NAMES))  # fmt: skip

LATE_DAYS = 3  #: later than this is late (contract, section 6)
RECENT_DAYS = 90
MONTH = 31


@leaf
def fill(i: int, left: int, on: int, tolerance: int, work: Money) -> int:
    """Pay one installment; return what is left. `work` rows: settled on, paid, amount."""
    part: int = min(left, work[2, i] - work[1, i])
    work[1, i] += part
    if work[2, i] - work[1, i] <= max(tolerance, work[2, i] // 100):
        work[0, i] = on
    return left - part


@leaf
def settle(past: Past, loan: int, day: int, work: Money) -> Settled:
    """Fill `work` with what is known of each installment of a loan by the close of `day`."""
    first = past.schedule.offset[loan]
    size = past.schedule.offset[loan + 1] - first
    tolerance, rate = past.terms.tolerance[loan], past.terms.late_rate_e8[loan]
    for i in range(size):
        owed = past.schedule.principal[first + i]
        work[2, i] = owed + past.schedule.interest[first + i] + past.schedule.fee[first + i]
        work[0, i], work[1, i] = NONE, 0
        if work[2, i] <= tolerance:
            work[0, i] = past.schedule.due_on[first + i]
    at, charge, paid, last, count, returned, parts = 0, 0, 0, NONE, 0, 0, 0
    row, end = past.payments.offset[loan], past.payments.offset[loan + 1]
    while row < end and past.payments.paid_on[row] <= day:
        on, left = past.payments.paid_on[row], 0
        while row < end and past.payments.paid_on[row] == on:  # A day's rows have no order.
            code = past.payments.code[row]
            if past.payments.reversed_on[row] <= day:
                returned += 1
            elif code < 0:
                left, paid = left + past.payments.amount[row], paid + past.payments.amount[row]
                last, count = on, count + 1
            elif code >= 2:  # Late charges let go bring no installment nearer to being paid.
                left += past.payments.amount[row]
            row += 1
        while at < size and left > 0:
            due = past.schedule.due_on[first + at]
            if work[0, at] == NONE and due > on and charge > 0:
                share = min(left, charge)
                left, charge = left - share, charge - share
                continue
            if work[0, at] == NONE:
                left = fill(at, left, on, tolerance, work)
            if work[0, at] == NONE:
                parts += due < on
                break
            if on > due and rate > 0:
                base = work[2, at]
                if past.terms.whole_base[loan] == 0:
                    base = past.schedule.principal[first + at]
                charge += base * (on - due) * rate // E8
            at += 1
    return paid, last, count, returned, parts


@leaf
def target(past: Past, loan: int, day: int, work: Money) -> tuple[int, int]:
    """Return the rows of the next installment and of the oldest unpaid due one, -1 for none."""
    first = past.schedule.offset[loan]
    size = past.schedule.offset[loan + 1] - first
    coming, oldest = -1, -1
    for i in range(size):
        due = past.schedule.due_on[first + i]
        if due > day and coming < 0:
            coming = i
        if due < day and work[0, i] == NONE and oldest < 0:
            oldest = i
    return coming, oldest


@leaf
def day_of_month(day: int) -> int:
    """Return the day of the month of a day since 1970-01-01."""
    shifted = day + 719468
    era_day = shifted % 146097
    year = (era_day - era_day // 1460 + era_day // 36524 - era_day // 146096) // 365
    of_year = era_day - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    return of_year - (153 * month + 2) // 5 + 1


@leaf
def write_terms(past: Past, loan: int, day: int, coming: int, work: Money, out: Matrix) -> None:
    """Write what was agreed."""
    first = past.schedule.offset[loan]
    size = past.schedule.offset[loan + 1] - first
    began, principal = past.terms.disbursed_on[loan], past.terms.principal[loan]
    out[INSTALLMENTS_TOTAL] = size
    out[LOAN_AGE] = day - began
    if past.terms.annual_rate_e8[loan] >= 0:
        out[ANNUAL_RATE] = past.terms.annual_rate_e8[loan] / E8
    out[PRINCIPAL_RELATIVE] = principal
    if size > 0:
        out[DAYS_TO_FIRST] = past.schedule.due_on[first] - began
    if coming < 0:
        return
    due = past.schedule.due_on[first + coming]
    before = past.schedule.due_on[first + coming - 1] if coming > 0 else began
    out[NEXT_NUMBER], out[DAYS_TO_DUE] = coming + 1, due - day
    out[GAP_DAYS] = due - before
    out[NEXT_RELATIVE] = work[2, coming]
    out[DUE_WEEKDAY], out[DUE_DAY] = (due + 3) % 7, day_of_month(due)
    out[PREPAID] = work[1, coming] / work[2, coming] if work[2, coming] > 0 else 1.0
    if principal > 0:
        out[NEXT_SHARE] = work[2, coming] / principal
    if work[2, coming] > 0:
        interest = work[2, coming] - past.schedule.principal[first + coming]
        out[NEXT_INTEREST] = interest / work[2, coming]


@leaf
def write_lateness(past: Past, loan: int, day: int, work: Money, out: Matrix) -> None:
    """Write how late each installment that was due came."""
    first = past.schedule.offset[loan]
    size = past.schedule.offset[loan + 1] - first
    count, late, any_late, streak, total, squares = 0, 0, 0, 0, 0.0, 0.0
    last, before_last, most, least, usual = 0, 0, 0, 0, 0
    for i in range(size):
        due = past.schedule.due_on[first + i]
        settled = work[0, i]
        if due > day or (due == day and settled == NONE):
            break
        days = (day if settled == NONE else settled) - due
        if count == 0:
            most, least = days, days
        count += 1
        late += days > LATE_DAYS
        any_late += days > 0
        streak = 0 if days > 0 else streak + 1
        total, squares = total + days, squares + days * days
        most, least = max(most, days), min(least, days)
        last, before_last = days, last
        if settled != NONE:
            usual = max(usual, days)
    out[DUE_COUNT], out[LATE_COUNT], out[STREAK] = count, late, streak
    if count == 0:
        return
    mean = total / count
    out[LATE_SHARE], out[ANY_LATE_SHARE] = late / count, any_late / count
    out[LATE_MEAN], out[LATE_MAX], out[LATE_LEAST] = mean, most, least
    out[LAST_LATE], out[CHANGE] = last, last - mean
    out[LAST_TWO] = (last + before_last) / 2 if count > 1 else last
    out[SPREAD] = max(squares / count - mean * mean, 0.0) ** 0.5
    out[OVER_USUAL] = usual


@leaf
def write_money(
    past: Past, loan: int, day: int, oldest: int, known: Settled, work: Money, out: Matrix
) -> None:
    """Write what came of the money, and what stands open."""
    first = past.schedule.offset[loan]
    size = past.schedule.offset[loan + 1] - first
    paid, last, count, returned, parts = known
    scheduled, due_total, open_count, overdue = 0, 0, 0, 0
    for i in range(size):
        scheduled += work[2, i]
        if past.schedule.due_on[first + i] <= day:
            due_total += work[2, i]
        if past.schedule.due_on[first + i] < day and work[0, i] == NONE:
            open_count += 1
            overdue += work[2, i] - work[1, i]
    out[OPEN_COUNT], out[PAYMENTS], out[RETURNED] = open_count, count, returned
    out[OPEN_DAYS] = 0
    if scheduled > 0:
        out[PAID_SHARE] = min(paid / scheduled, 1.0)
        out[OVERDUE_SHARE] = overdue / scheduled
    if due_total > 0:
        out[PAID_OF_DUE] = paid / due_total
    if last != NONE:
        out[SINCE_PAID] = day - last
    if count > 0:
        out[PARTS_SHARE] = parts / count
        if size > 0 and scheduled > 0:
            out[PAYMENT_SIZE] = paid / count * size / scheduled
    usual = out[OVER_USUAL]
    if oldest >= 0:
        days = day - past.schedule.due_on[first + oldest]
        out[OPEN_DAYS], out[OPEN_NUMBER] = days, oldest + 1
        out[PAID_OF_OPEN] = work[1, oldest] / work[2, oldest]
        out[OVER_USUAL] = days - usual
    else:
        out[OVER_USUAL] = np.nan


@leaf
def brief(past: Past, loan: int, day: int, work: Money) -> tuple[int, int, int, int, int]:
    """Return of one loan: installments due, late, open days, open, and what falls due soon."""
    settle(past, loan, day, work)
    first = past.schedule.offset[loan]
    due_count, late, open_days, is_open, soon = 0, 0, 0, 0, 0
    for i in range(past.schedule.offset[loan + 1] - first):
        due = past.schedule.due_on[first + i]
        if due > day + MONTH:
            break
        if due > day:
            soon += work[2, i] - work[1, i]
            continue
        days = (day if work[0, i] == NONE else work[0, i]) - due
        due_count += 1
        late += days > LATE_DAYS
        if work[0, i] == NONE and due < day:
            open_days, is_open = max(open_days, days), 1
    return due_count, late, open_days, is_open, soon


@leaf
def write_borrower(past: Past, loan: int, day: int, spare: Money, out: Matrix) -> None:
    """Write what the borrower's other loans did, and what falls due against the income."""
    who = past.terms.borrower[loan]
    if who < 0:
        return
    others, due_count, late, days, opened, load = 0, 0, 0, 0, 0, 0
    for at in range(past.loans_offset[who], past.loans_offset[who + 1]):
        other = past.loans_of[at]
        if past.terms.disbursed_on[other] > day:
            continue
        one = brief(past, other, day, spare)
        load += one[4]
        if other != loan:
            others += 1
            due_count, late = due_count + one[0], late + one[1]
            days, opened = max(days, one[2]), opened + one[3]
    out[OTHERS], out[OTHERS_OPEN], out[OTHERS_DAYS] = others, opened, days
    if due_count > 0:
        out[OTHERS_LATE] = late / due_count
    income = past.income[who]
    if income > 0:
        out[INCOME_LOAD] = load / income
        out[INCOME_RELATIVE] = past.terms.principal[loan] / income


@leaf
def paid_between(past: Past, loan: int, begin: int, end: int, day: int) -> int:
    """Return the payments of a loan from `begin` to `end` that stand on `day`."""
    total = 0
    for row in range(past.payments.offset[loan], past.payments.offset[loan + 1]):
        on = past.payments.paid_on[row]
        if on > min(end, day):
            break
        if on >= begin and past.payments.code[row] < 0 and past.payments.reversed_on[row] > day:
            total += past.payments.amount[row]
    return total


@leaf
def write_words(past: Past, loan: int, day: int, out: Matrix) -> None:
    """Write what the borrower answered and promised, and what came of the promises."""
    who = past.terms.borrower[loan]
    if who < 0:
        return
    texts, answers, near = 0, 0, 0
    for at in range(past.contacts.offset[who], past.contacts.offset[who + 1]):
        on = past.contacts.day[at]
        if on > day:
            break
        if on > day - RECENT_DAYS:
            texts += past.contacts.text_out[at]
            answers += past.contacts.answered[at]
            if past.contacts.answered[at]:
                near = max(near, RECENT_DAYS - (day - on))
    out[TEXTS], out[ANSWERS], out[ANSWER_NEAR] = texts, answers, near
    made, kept, broken, opened = 0, 0, 0, 0
    for at in range(past.promises.offset[who], past.promises.offset[who + 1]):
        since, on = past.promises.day[at], past.promises.on[at]
        if since > day:
            break
        made += 1
        came = 0
        for place in range(past.loans_offset[who], past.loans_offset[who + 1]):
            other = past.loans_of[place]
            named = past.promises.loan[at]
            if named == -1 or named == other:
                came += paid_between(past, other, since, on + 1, day)
        if came * 100 >= past.promises.amount[at] * 95:
            kept += 1
        elif on + 1 < day:
            broken += 1
        else:
            opened += 1
    out[PROMISED], out[BROKEN], out[PROMISE_OPEN] = made, broken, opened
    if kept + broken > 0:
        out[KEPT] = kept / (kept + broken)


@leaf
def write_related(past: Past, loan: int, day: int, spare: Money, out: Matrix) -> None:
    """Write what related borrowers did, where this one allowed to look."""
    who = past.terms.borrower[loan]
    if who < 0 or not past.related.allowed_from[who] <= day < past.related.allowed_until[who]:
        return
    count, due_count, late = 0, 0, 0
    for at in range(past.related.offset[who], past.related.offset[who + 1]):
        other = past.related.other[at]
        count += 1
        for place in range(past.loans_offset[other], past.loans_offset[other + 1]):
            theirs = past.loans_of[place]
            if past.terms.disbursed_on[theirs] <= day:
                one = brief(past, theirs, day, spare)
                due_count, late = due_count + one[0], late + one[1]
    out[RELATED] = count
    if due_count > 0:
        out[RELATED_LATE] = late / due_count


@compiled
def features(
    past: Past, loans: Days, days: Days, relations: bool, out: Matrix, targets: Days,
    longest: int, begin: int, until: int,
) -> None:  # fmt: skip
    """Write the features of the rows begin <= row < until, a loan on a day each.

    `targets` gets the rows of the next and of the oldest unpaid installment within the loan.
    """
    work, spare = np.zeros((3, longest), np.int64), np.zeros((3, longest), np.int64)
    for row in range(begin, until):
        loan, day = loans[row], days[row]
        mine = out[row]
        mine[:] = np.nan
        known = settle(past, loan, day, work)
        coming, oldest = target(past, loan, day, work)
        targets[row, 0], targets[row, 1] = coming, oldest
        write_terms(past, loan, day, coming, work, mine)
        write_lateness(past, loan, day, work, mine)
        write_money(past, loan, day, oldest, known, work, mine)
        write_borrower(past, loan, day, spare, mine)
        write_words(past, loan, day, mine)
        if relations:
            write_related(past, loan, day, spare, mine)


@compiled
def settled_days(past: Past, day: int, longest: int, out: Days) -> None:
    """Write when each installment was paid, as known by the close of `day`; NONE: not by then."""
    work = np.zeros((3, longest), np.int64)
    for loan in range(past.schedule.offset.size - 1):
        settle(past, loan, day, work)
        first = past.schedule.offset[loan]
        for i in range(past.schedule.offset[loan + 1] - first):
            out[first + i] = work[0, i]


def longest_loan(offset: Offsets) -> int:
    """Return the most installments that one loan has, at least 1."""
    return max(1, int(np.diff(offset).max(initial=1)))


__all__ = ["LATE_DAYS", "NEVER", "NONE", "features", "longest_loan", "settled_days"]
