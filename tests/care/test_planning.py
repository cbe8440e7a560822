"""Goal: the calculators of the help pages are right to the cent, and say 'never' where it is never.

Method: laws on generated amounts; for paying off an oracle in exact fractions, month by month.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duly.care.planning import (
    MONTHS_MAX,
    NeverDoneError,
    balance,
    late_charge,
    monthly_to_save,
    months_to_save,
    pay_off,
)

amounts = st.integers(0, 10**9)
rates = st.integers(0, 10**8)


def rounded(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def oracle(owed: int, rate_e8: int, monthly: int) -> tuple[int, int, int] | None:
    """Return months, interest and the last payment; None for never."""
    left, paid, months = owed, 0, 0
    while left:
        interest = rounded(Fraction(left) * Fraction(rate_e8, 10**8) / 12)
        months += 1
        never = interest >= monthly and left + interest > monthly
        if months > MONTHS_MAX or never:
            return None
        last = min(monthly, left + interest)
        paid, left = paid + last, left + interest - last
    return months, paid - owed, last


@given(owed=st.integers(1, 10**8), rate=rates, monthly=st.integers(1, 10**7))
def test_a_debt_ends_as_the_oracle_says(owed, rate, monthly):
    wanted = oracle(owed, rate, monthly)
    if wanted is None:
        with pytest.raises(NeverDoneError):
            pay_off(owed, rate, monthly)
        return
    found = pay_off(owed, rate, monthly)
    assert (found.months, found.interest, found.last) == wanted
    # Every payment is made of the debt and its interest.
    assert (found.months - 1) * monthly + found.last == owed + found.interest
    assert 0 < found.last <= monthly


@given(owed=st.integers(1, 10**8), rate=rates, monthly=st.integers(1, 10**7),
       more=st.integers(1, 10**6))  # fmt: skip
def test_who_pays_more_is_done_no_later_and_no_dearer(owed, rate, monthly, more):
    try:
        slow = pay_off(owed, rate, monthly)
    except NeverDoneError:
        return
    quick = pay_off(owed, rate, monthly + more)
    assert (quick.months, quick.interest) <= (slow.months, slow.interest)
    assert quick.interest <= slow.interest


@given(owed=amounts, monthly=st.integers(1, 10**9))
def test_without_interest_it_is_a_division(owed, monthly):
    if owed > monthly * MONTHS_MAX:
        with pytest.raises(NeverDoneError):
            pay_off(owed, 0, monthly)
    else:
        found = pay_off(owed, 0, monthly)
        assert (found.months, found.interest) == (-(-owed // monthly), 0)


@pytest.mark.parametrize(("owed", "rate", "monthly"), [(100_000, 12_000_000, 0),
                                                        (100_000, 12_000_000, -1),
                                                        (100_000, 12_000_000, 1_000)])  # fmt: skip
def test_what_only_pays_the_interest_never_ends(owed, rate, monthly):
    with pytest.raises(NeverDoneError):
        pay_off(owed, rate, monthly)


@given(goal=amounts, have=amounts, months=st.integers(1, MONTHS_MAX))
def test_saving_the_least_reaches_the_goal_in_time_and_a_cent_less_does_not(goal, have, months):
    monthly = monthly_to_save(goal, have, months)
    assert have + monthly * months >= goal
    if monthly:
        assert months_to_save(goal, have, monthly) <= months
        assert have + (monthly - 1) * months < goal


@given(goal=amounts, have=amounts, monthly=st.integers(0, 10**9))
def test_a_goal_is_reached_in_its_month_and_not_before(goal, have, monthly):
    try:
        months = months_to_save(goal, have, monthly)
    except NeverDoneError:
        assert have + monthly * MONTHS_MAX < goal
        return
    assert have + monthly * months >= goal
    assert not months or have + monthly * (months - 1) < goal


@given(base=amounts, rate=st.integers(0, 1_000_000), days=st.integers(0, 3_650))
def test_lateness_costs_what_the_contract_says(base, rate, days):
    assert late_charge(base, rate, days) == rounded(Fraction(base * rate * days, 10**8))


@given(incomes=st.lists(amounts, max_size=5), outgoings=st.lists(amounts, max_size=9))
def test_a_month_leaves_what_it_leaves(incomes, outgoings):
    found = balance(incomes, outgoings)
    assert (found.income, found.outgoing) == (sum(incomes), sum(outgoings))
    assert found.income == found.outgoing + found.left
