"""What came of an installment, as known by the close of a day; the unknown is left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duly.position.arrays import NONE, Days
from duly.risk.kernel import LATE_DAYS, longest_loan, settled_days
from duly.risk.past import Names, Past

Flags = npt.NDArray[np.bool_]

#: The question about the next installment, and the days of those about the oldest unpaid one.
NEXT = "next_late"
CURES = {"cure_7": 7, "cure_15": 15, "cure_30": 30}
QUESTIONS = (NEXT, *CURES)
#: The days before a due date, and after it, on which an installment is looked at to learn from.
_BEFORE = (1, 3, 7, 14, 25)
_AFTER = (1, 2, 3, 5, 8, 12, 20, 35, 60)


@dataclass(frozen=True, kw_only=True)
class Known:
    """When each installment was paid and until when it was watched, by the close of `until`."""

    past: Past
    until: int
    settled_on: Days  #: NONE where not by then
    watched: Days  #: the last day of which it is known whether it was paid
    loan: Days  #: of each installment
    usable: Flags


def known_by(past: Past, names: Names, until: int) -> Known:
    """Return what is known by the close of `until`.

    Of a loan that ended, an installment that stayed unpaid is known to be unpaid until the day
    before it ended; where the book does not say when that was, nothing is known of it.
    """
    offset = past.schedule.offset
    loan = np.repeat(np.arange(offset.size - 1, dtype=np.int32), np.diff(offset))
    settled = np.empty(past.schedule.due_on.size, np.int32)
    settled_days(past, until, longest_loan(offset), settled)
    ended_on = np.where(names.status_on != NONE, names.status_on - 1, NONE)
    watched = np.minimum(np.where(names.ended, ended_on, until), until).astype(np.int32)
    return Known(
        past=past,
        until=until,
        settled_on=settled,
        watched=watched[loan],
        loan=loan,
        usable=~names.quarantined[loan] & (past.terms.disbursed_on[loan] <= until),
    )


def days_to_learn_from(known: Known) -> tuple[Days, Days]:
    """Return loans on days, each pair once, on which something of an installment is now known.

    A next installment is looked at while the loan exists; an unpaid one while it stands unpaid.
    """
    due, began = known.past.schedule.due_on, known.past.terms.disbursed_on[known.loan]
    open_until = np.where(known.settled_on == NONE, known.watched, known.settled_on - 1)
    last = np.minimum(known.until, np.maximum(open_until, due))
    found = []
    for days in (*(-days for days in _BEFORE), *_AFTER):
        day = due + days
        at = np.flatnonzero(known.usable & (day >= began) & (day <= last))
        found.append(known.loan[at].astype(np.int64) * 2**32 + day[at])
    pairs = np.unique(np.concatenate(found))
    return (pairs >> 32).astype(np.int32), (pairs & (2**32 - 1)).astype(np.int32)


def outcome(
    known: Known, question: str, day: Days, installment: npt.NDArray[np.int64]
) -> tuple[Flags, Flags]:
    """Return whether it is known what came of each installment, and whether it came.

    `installment` is its row in the schedule, -1 for none: of that nothing is known.
    """
    settled, due = known.settled_on[installment], known.past.schedule.due_on[installment]
    paid, watched = settled != NONE, known.watched[installment]
    if question == NEXT:
        end = due + LATE_DAYS
        came = np.where(paid, settled > end, True)
    else:
        end = day + CURES[question]
        came = paid & (settled <= end)
    return (installment >= 0) & (paid | (watched >= end)), came
