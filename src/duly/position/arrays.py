"""The shapes that the kernel reads and writes: NumPy arrays under names, days since 1970-01-01."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NamedTuple, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

if "scipy" not in sys.modules:
    # Where SciPy is installed, numba looks in it for BLAS, which no kernel of ours uses, before it
    # loads the first function: a quarter of a second.
    sys.modules["scipy"] = None  # type: ignore[assignment]
    import numba.np.arraymath  # noqa: F401

    del sys.modules["scipy"]

Days = npt.NDArray[np.int32]
Money = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Offsets = npt.NDArray[np.int64]

NEVER = 2**31 - 1  #: a date that does not come
NONE = -(2**31)  #: an empty date
E8 = 100_000_000
START = -1_000_000  #: before every date

CHARGE, INTEREST, FEE, PRINCIPAL = 0, 1, 2, 3  #: components; a waiver's code is one more, 0 = any
OLDEST_INSTALLMENT, COMPONENT, PRINCIPAL_FIRST = 0, 1, 2
BY_AGE = (CHARGE, FEE, INTEREST, PRINCIPAL)
BY_PRINCIPAL = (PRINCIPAL, INTEREST, FEE, CHARGE)
PENDING, CHARGEABLE, EXEMPT = 0, 1, 2  #: what the close of the grace end said


class Loans(NamedTuple):
    """What the kernel needs of each loan."""

    late_rate_e8: Money
    whole_base: Codes  #: 1 where the charge stands on principal + interest + fee
    allocation: Codes
    tolerance: Money
    ended: Codes  #: 1 where closed or written off
    status_on: Days  #: NONE where not told
    skipped: Codes  #: 1 where quarantined


class Schedule(NamedTuple):
    """Installments in CSR form, ordered by (due_on, number) within a loan."""

    offset: Offsets
    due_on: Days
    grace_ends_on: Days
    number: Days
    interest: Money
    fee: Money
    principal: Money


class Payments(NamedTuple):
    """Payments and waivers in CSR form, ordered by (paid_on, kind, rank) within a loan."""

    offset: Offsets
    paid_on: Days
    amount: Money
    code: Codes  #: -1 for a payment, else the component that the waiver names
    reversed_on: Days  #: NEVER where not reversed
    rank: Days


class Covered(NamedTuple):
    """Disjoint half-open day intervals in CSR form, ordered within a loan."""

    offset: Offsets
    from_day: Days
    until_day: Days


class Out(NamedTuple):
    """Results: one column a loan; installment columns are filled where `keep` is asked for."""

    money: npt.NDArray[np.int64]  #: [MONEY, loans]
    days: npt.NDArray[np.int32]  #: [DAYS, loans]
    parts: npt.NDArray[np.int64]  #: [PARTS, installments]
    settled_on: Days
    late_days: Days


#: One loan's scratch, a row an installment: the columns of `Work`.
Work = npt.NDArray[np.int64]
PAID, OWED = 0, 4  #: + component; what is owed of the late charge grows day by day
UNPAID = 8  #: principal + interest + fee not yet paid
SETTLED_ON = 9  #: NONE while it counts, START where it never did
GRACE = 10  #: PENDING, CHARGEABLE or EXEMPT
QUOTIENT, REMAINDER = 11, 12  #: of base x days by 10**8
DUE_ON, GRACE_ENDS_ON = 13, 14
WIDTH = 16  #: two cache lines a row

MONEY = (
    "overdue_principal", "overdue_interest", "overdue_fee", "late_charge", "overdue_total",
    "outstanding_principal", "outstanding_interest", "outstanding_fee", "outstanding_total",
    "next_due_amount", "unallocated_credit", "waiver_unused", "paid_total",
)  # fmt: skip
DAYS = (
    "days_past_due", "days_delinquent", "overdue_since", "arrears_since", "installments_overdue",
    "next_due_on", "last_paid_on", "late_count_12m", "late_count_12m_after_grace",
    "days_past_due_max_12m", "grace_ends_on", "oldest_number", "late_count_before_arrears",
    "accruing",
)  # fmt: skip
PARTS = (
    "paid_principal", "paid_interest", "paid_fee", "late_charge_accrued", "late_charge_paid",
    "unpaid_total",
)  # fmt: skip

_F = TypeVar("_F", bound=Callable[..., object])
#: Kernels are kept on disk, save where the command line found no place for them.
_KEPT = "DULY_KERNELS_NOT_KEPT" not in os.environ
_OPTIONS = {"nogil": True, "cache": _KEPT, "error_model": "numpy"}

#: Compile a function that Python calls; it runs without the interpreter's lock.
compiled = cast(Callable[[_F], _F], njit(**_OPTIONS))
#: Compile a function that only compiled ones call: no wrapper, half the time to compile.
leaf = cast(Callable[[_F], _F], njit(**_OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True))
#: Widen to int64: a function called with one type alone is compiled once.
wide = cast(Callable[[object], int], np.int64)
